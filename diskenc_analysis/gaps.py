"""What an inventory cannot answer, and which verdicts that leaves unknown."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb


class _Gap(NamedTuple):
    gap: str
    sql: str
    consequence: str


_GAPS = (
    _Gap(
        "disks in an inventory without any VM",
        "SELECT count(*) FROM disks WHERE NOT EXISTS (SELECT 1 FROM vms)",
        "all that a VM decides: export virtual machines as well, as `diskenc queries` writes it",
    ),
    _Gap(
        "disks whose VM is not in the inventory",
        """SELECT count(*) FROM disks
        WHERE managed_by_key IS NOT NULL AND managed_by_key NOT IN (SELECT key FROM vms)""",
        "host encryption and all that follows from it: temp disk, caches, data flow, Defender status; Azure "
        "Disk Encryption is judged by the disk alone, though its generation with an Entra app marks the VM",
    ),
    _Gap(
        "disks that VMs list but that are not in the inventory",
        """SELECT count(DISTINCT disk_id_key) FROM vm_disks WHERE disk_id_key IS NOT NULL
        AND disk_id_key NOT IN (SELECT key FROM disks) AND ephemeral_option IS NULL""",
        "storage encryption, key owner and size of these disks",
    ),
    _Gap(
        "disks without their storage encryption (older api, stub, write echo, or a word that no rule knows)",
        """SELECT count(*) FROM disks WHERE coalesce(lower(encryption_type), '') NOT IN (
        'encryptionatrestwithplatformkey', 'encryptionatrestwithcustomerkey',
        'encryptionatrestwithplatformandcustomerkeys')""",
        "key owner and customer keys, unless another layer decides them",
    ),
    _Gap(
        "disk encryption sets that disks name but that are not in the inventory",
        """SELECT count(DISTINCT k) FROM (SELECT disk_encryption_set_id_key AS k FROM disks
        UNION ALL SELECT secure_vm_disk_encryption_set_id_key FROM disks)
        WHERE k IS NOT NULL AND k NOT IN (SELECT key FROM disk_encryption_sets)""",
        "key store and HSM of the disks that use them",
    ),
    _Gap(
        "VMs whose size the tables do not know",
        "SELECT count(*) FROM vms WHERE vm_size IS NULL",
        "whether there is a temp disk at all",
    ),
    _Gap(
        "disks and snapshots whose size is not known",
        """SELECT (SELECT count(*) FROM disks WHERE size_gb IS NULL AND size_bytes IS NULL)
        + (SELECT count(*) FROM snapshots WHERE size_gb IS NULL AND size_bytes IS NULL)""",
        "no verdict, but they weigh nothing where GiB are summed",
    ),
    _Gap(
        "subscriptions without a name",
        """SELECT count(DISTINCT subscription_id) FROM disks WHERE subscription_id NOT IN
        (SELECT subscription_id FROM subscriptions WHERE subscription_id IS NOT NULL)""",
        "no verdict: the charts show the subscription's id in place of its name",
    ),
    _Gap(
        "disks and VMs whose object carries no properties",
        """SELECT (SELECT count(*) FROM disks WHERE starts_with(doubt, '*'))
        + (SELECT count(*) FROM vms WHERE starts_with(doubt, '*'))""",
        "everything that the properties would say",
    ),
    _Gap(
        "disks and VMs with values that cannot be trusted (wrong type, captures that differ)",
        """SELECT (SELECT count(*) FROM disks WHERE doubt IS NOT NULL AND NOT starts_with(doubt, '*'))
        + (SELECT count(*) FROM vms WHERE doubt IS NOT NULL AND NOT starts_with(doubt, '*'))""",
        "whatever rests on those values; the column doubt of the tables names them",
    ),
    _Gap(
        "expected subscriptions of which nothing was read",
        """SELECT sum(regexp_extract(notes, '^[0-9]+')::INTEGER) FROM ledger
        WHERE shape = 'list of expected subscriptions' AND notes <> ''""",
        "every disk that they hold; the ledger's notes name them",
    ),
    _Gap(
        "files whose capture is old, or more than a day from that of another table",
        """SELECT count(DISTINCT source) FROM ledger
        WHERE regexp_matches(notes, 'captured [0-9]+ days before')""",
        "what changed since; disks are joined with VMs and sets of another day",
    ),
    _Gap(
        "files that could not be read",
        "SELECT count(DISTINCT source) FROM ledger WHERE shape = 'unreadable'",
        "whatever they hold; the ledger's notes say why",
    ),
    _Gap(
        "files of a kind that is not read",
        "SELECT count(DISTINCT source) FROM ledger WHERE starts_with(shape, 'not read')",
        "nothing, where they are no exports",
    ),
    _Gap(
        "rows that were set aside",
        "SELECT sum(rows_set_aside) FROM ledger",
        "see the ledger for each file and reason",
    ),
    _Gap(
        "files with signs that the export was cut short",
        "SELECT count(DISTINCT source) FROM ledger WHERE truncated AND status NOT IN ('denied', 'failed')",
        "what was cut off is absent from every count",
    ),
    _Gap(
        "parts of the collection (a type and subscription each) that were denied or failed",
        "SELECT count(*) FROM ledger WHERE status IN ('denied', 'failed')",
        "what they hold is absent from every count; the ledger names them",
    ),
    _Gap(
        "types that the collection did not ask for",
        "SELECT count(DISTINCT resource_type) FROM ledger WHERE status = 'not asked'",
        "what they would settle; the ledger names them",
    ),
)


def gaps(connection: duckdb.DuckDBPyConnection) -> Any:
    """Find the gaps of an inventory.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds the canonical tables and the ledger.

    Returns
    -------
    pandas.DataFrame
        Columns `gap`, `rows` (int) and `consequence`.
    """
    import pandas as pd

    rows = []
    for one in _GAPS:
        [(found,)] = connection.execute(one.sql).fetchall()
        if found:
            rows.append((one.gap, int(found), one.consequence))
    return pd.DataFrame(rows, columns=["gap", "rows", "consequence"]).convert_dtypes(dtype_backend="pyarrow")
