"""The chain from disk to key of every kind in the sample, worked out by hand from its table of kinds."""

from __future__ import annotations

import csv
import re

import pytest

import diskenc_analysis as de
from diskenc_analysis.share import sample_path
from tests.rules import records

NO_KEY = "the key is not in the inventory"
#: A word for each link: layer, holder, needed, set, vault and key, in an HSM; and where it breaks off.
#: The vaults `kv-std` (standard) and `kv-prm` (premium) were read, but for the keys named `prem`; so was the
#: managed HSM without its keys. Of the vault `kv-hub` nothing was read.
LINKS = {
    "platform": ("sse platform yes - - no", ""),
    "unread": ("sse unknown unknown unknown unknown unknown", "encryption.type was not read"),
    "std": ("sse customer yes des-cmk-std kv-std/cmk-std no", ""),
    "hsm": ("sse customer yes des-cmk-hsm kv-prm/cmk-hsm yes", ""),
    "prem": ("sse customer yes des-cmk-prem kv-prm/cmk-prem unknown", NO_KEY),
    "mhsm": ("sse customer yes des-cmk-mhsm hsm/cmk-mhsm yes", NO_KEY),
    "hub": (
        "sse customer yes des-cmk-hub kv-hub/cmk-hub unknown",
        f"its vault is not in the inventory; {NO_KEY}",
    ),
    "gone": (
        "sse customer yes des-cmk-gone unknown unknown",
        "the disk encryption set is not in the inventory",
    ),
    "mixed": ("sse customer yes des-mixed-std kv-std/mixed-std no", ""),
    "double": ("sse platform_and_customer yes des-double-std kv-std/double-std no", ""),
    # The set that its VM names: the documents differ on whether an ephemeral OS disk uses it (C9).
    "local": (
        "sse unknown unknown des-cmk-mhsm hsm/cmk-mhsm yes",
        f"the documents differ on whether an ephemeral OS disk uses the set that its VM names; {NO_KEY}",
    ),
    "vhd": (
        "sse unknown unknown unknown unknown unknown",
        "unmanaged: its storage account encrypts it, whose key was not read",
    ),
    "kek": ("ade customer yes - kv-std/kek-std no", ""),
    "kek-hsm": ("ade customer yes - kv-prm/kek-hsm yes", ""),
    "secret": ("ade customer_secret yes - kv-std/ no", ""),
    # The extension alone: whether anything is encrypted under its key is not known (L3.4).
    "alone": (
        "ade unknown unknown - kv-prm/kek-prem unknown",
        f"whether Azure Disk Encryption is on was not read; {NO_KEY}",
    ),
    "cvm": ("confidential platform yes - - no", ""),
    "cvm-hsm": ("confidential customer yes des-cvm-hsm kv-prm/cvm-hsm yes", ""),
    "cvm-mhsm": ("confidential customer yes des-cvm-mhsm hsm/cvm-mhsm yes", NO_KEY),
}
#: Kind | links of its OS disk (and of its snapshot after a slash) | of its data disks, one after another.
#: What a kind does not say here is under the platform's key alone.
KINDS = """
old_api | unread
odd_encryption_type | | unread
cmk_standard | std | std
cmk_premium_hsm_key | hsm | hsm
cmk_premium_key_unread | prem
cmk_managed_hsm | mhsm
cmk_vault_unread | hub
cmk_set_unread | gone
cmk_set_type_differs | | mixed
double | double | double
host_cmk | std | std
host_cmk_v5 | hsm | hsm
host_cmk_hsm | mhsm | mhsm
host_double | double | double
premium_v2_host | std | std
ade_windows | kek platform | kek platform
ade_windows_hsm_kek | kek-hsm platform
ade_windows_no_kek | secret platform | secret platform
ade_windows_os_only | kek platform
ade_linux_format_all | | kek platform
ade_linux | kek platform | kek platform
ade_linux_custom_image | kek platform
ade_late_data_disk | kek platform | kek platform / platform
ade_no_extension | kek platform
ade_legacy_windows | kek platform
ade_legacy_linux | kek platform | kek platform
ade_extension_alone | alone platform | alone platform
ade_with_host | kek platform
ade_with_cmk | kek std
ade_windows_data_only | | kek platform
cvm_platform | cvm platform
cvm_customer_vault | cvm-hsm platform | std
cvm_customer_hsm | cvm-mhsm platform
cvm_guest_state_cmk | std
cvm_data_host | cvm platform
cvm_temp_disk_opt_in | cvm platform
cvm_no_opt_in | cvm platform
free_cmk | | std
free_ade | kek platform
snapshot_cmk | std
snapshot_ade | kek platform
snapshot_weaker | std / platform
ephemeral_with_set | local
unmanaged | vhd | vhd
uniform_host | std
aks_host | std
vm_unread_cmk | std | std
vm_unread_ade | kek platform
"""


def _links(words):
    return frozenset(LINKS[word] for word in words.split())


def _expected():
    found = {}
    for line in KINDS.strip().splitlines():
        kind, *roles = (part.strip() for part in line.split("|"))
        for role, disks in zip(("os", "data"), roles, strict=False):
            if disks:
                found[kind, role] = {_links(one) for one in disks.split("/")}
    return found


def _said(row):
    """Give a link in the words of the table; the names of vaults end in that of their subscription."""
    keeper = re.sub(r"-[^-]+$", "", (row["key_host"] or "").partition(".")[0])
    key = f"{keeper}/{row['key_name'] or ''}" if keeper else "-"
    key = "unknown" if row["key_host"] == "unknown" else key
    name = str(row["set_id"] or "-").rpartition("/")[2]
    words = (row["layer"], row["holder"], row["needed"], name, key, row["hsm_key"])
    return " ".join(words), row["reason"]


@pytest.fixture(scope="module")
def sample():
    """Give, by kind and role, the links of every disk of the sample."""
    with (sample_path() / ".truth.csv").open(encoding="utf-8", newline="") as lines:
        kinds = {row["disk_id"]: (row["kind_label"], row["role"]) for row in csv.DictReader(lines)}
    links = {}
    for row in records(de.key_ownership(de.load(sample_path(), engine="duckdb"))):
        links.setdefault(row["disk_id"], set()).add(_said(row))
    assert links.keys() == kinds.keys()
    found = {}
    for disk_id, own in links.items():
        found.setdefault(kinds[disk_id], set()).add(frozenset(own))
    return found


def test_every_kind_of_the_table_is_in_the_sample(sample):
    assert set(_expected()) <= set(sample)


def test_the_chain_of_every_kind_is_the_one_worked_out_by_hand(sample):
    expected = _expected()
    plain = {_links("platform")}
    assert sample == {place: expected.get(place, plain) for place in sample}
