"""The canonical tables: column, dtype, ARM path and meaning, read from `data/schema.csv`.

No other module knows an ARM path. A path is written as ARM's REST reply spells it; the flattened
spelling that the CLI prints (no `properties`) and every other letter case follow from it.

Path grammar: `a.b` a member, `a[0]` an element, `a[*].b` that member of every element (joined by `;`),
`a[name=X].value` the `value` of the element whose `name` is X, `a~.b` the member `b` of `a` read in lower
case, `.` the element itself, `p|q` the first of two paths that holds a value.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from functools import cache

from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.share import data_file

SCHEMA_VERSION = 4

_COMPUTE = "microsoft.compute"
_VM = (f"{_COMPUTE}/virtualmachines", f"{_COMPUTE}/virtualmachinescalesets/virtualmachines")
#: ARM types (lower case) that fill each table.
TYPES: dict[str, tuple[str, ...]] = {
    "subscriptions": ("microsoft.resources/subscriptions",),
    "disks": (f"{_COMPUTE}/disks",),
    "vms": _VM,
    "scale_sets": (f"{_COMPUTE}/virtualmachinescalesets",),
    "extensions": (*(f"{vm}/extensions" for vm in _VM), f"{_COMPUTE}/virtualmachinescalesets/extensions"),
    "disk_encryption_sets": (f"{_COMPUTE}/diskencryptionsets",),
    "key_vaults": ("microsoft.keyvault/vaults",),
    "managed_hsms": ("microsoft.keyvault/managedhsms",),
    "keys": ("microsoft.keyvault/vaults/keys", "microsoft.keyvault/managedhsms/keys"),
    "snapshots": (f"{_COMPUTE}/snapshots",),
    "images": (f"{_COMPUTE}/images",),
    "image_versions": (f"{_COMPUTE}/galleries/images/versions",),
    "restore_points": (f"{_COMPUTE}/restorepointcollections/restorepoints/diskrestorepoints",),
    "disk_accesses": (f"{_COMPUTE}/diskaccesses",),
    "vm_sizes": (f"{_COMPUTE}/skus",),
    "features": (
        "microsoft.features/featureproviders/subscriptionfeatureregistrations",
        "microsoft.features/providers/features",
    ),
    "assessments": ("microsoft.security/assessments",),
    "guest_assignments": ("microsoft.guestconfiguration/guestconfigurationassignments",),
    "policy_assignments": ("microsoft.authorization/policyassignments",),
    "exemptions": ("microsoft.authorization/policyexemptions",),
    "backup_items": ("microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems",),
}


@dataclass(frozen=True)
class Child:
    """A table made of the elements of JSON columns of another table.

    Attributes
    ----------
    parent : str
        The table that holds the JSON columns.
    columns : tuple of str
        Those columns; the name of the one an element came from is kept in `origin`.
    whole : bool
        Whether the elements are ARM resources of their own, which join the table of that type.
    """

    parent: str
    columns: tuple[str, ...]
    whole: bool = False


#: Tables made of the elements of another table's JSON columns.
CHILDREN: dict[str, Child] = {
    "vm_disks": Child("vms", ("os_disk", "data_disks")),
    "vm_disk_status": Child("vms", ("instance_disks",)),
    "disk_owners": Child("disks", ("managed_by_extended", "share_info")),
    "extension_status": Child("vms", ("instance_extensions",)),
    "ade_keys": Child("disks", ("ade_volumes",)),
    "snapshot_ade_keys": Child("snapshots", ("ade_volumes",)),
    "model_disks": Child("scale_sets", ("os_disk", "data_disks")),
    "image_disks": Child("images", ("os_disk", "data_disks")),
    "image_regions": Child("image_versions", ("target_regions",)),
    "extensions": Child("vms", ("extension_list",), whole=True),
}

_ONE, _EITHER = ("os_disk",), ("ade_volumes",)
_MANY = {name for child in CHILDREN.values() for name in child.columns} - {*_ONE, *_EITHER}
#: Columns that every table of ARM resources has; the reader fills them, `|` as in paths.
ENVELOPE: dict[str, str] = {"id": "id", "name": "name", "location": "location|region", "tags": "tags"}
#: Columns that the reader works out for every row.
DERIVED: dict[str, str] = {
    "key": "id in lower case, as the joins compare it",
    "subscription_id": "GUID of the subscription, from the id",
    "resource_group": "resource group, from the id",
    "doubt": "columns whose value must not be trusted, with the reason: `column: reason; ...`; `*` is all",
    "source": "number of the ledger's file that the row came from",
}
#: Reason of a doubt: captures of one resource, whose order is not known, differ in the column (RULES L7).
DIFFER = "captures differ"
#: Reason of a doubt: a value of another type stands where the column's value should.
WRONG = "wrong type"
_SQL_TYPE = {"bool": "BOOLEAN", "float": "DOUBLE"}


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes
    ----------
    name : str
        Column name.
    dtype : str
        `string`, `bool`, `float`, `json` (text), `list` (text joined by `;`) or `ref` (an ARM id, which
        gets a column `<name>_key` beside it).
    paths : tuple of str
        ARM paths, the first that holds a value is used.
    meaning : str
        What the column says.
    verdict : bool
        Whether a verdict rests on it.
    """

    name: str
    dtype: str
    paths: tuple[str, ...]
    meaning: str
    verdict: bool = False

    @property
    def sql_type(self) -> str:
        """SQL type of the column's values."""
        return _SQL_TYPE.get(self.dtype, "VARCHAR")

    @property
    def openings(self) -> str:
        """With what JSON of the column begins: a list where it holds elements, but for one OS disk."""
        return "{" if self.name in _ONE else "[" if self.name in _MANY else "{["


@dataclass(frozen=True)
class Table:
    """One canonical table.

    Attributes
    ----------
    name : str
        Table name.
    columns : tuple of Column
        Its columns, without the envelope and the derived ones.
    types : tuple of str
        ARM types that fill it, in lower case; empty for a table of elements.
    child : Child or None
        Where its elements come from.
    """

    name: str
    columns: tuple[Column, ...]
    types: tuple[str, ...] = field(default=())
    child: Child | None = None

    def narrowed(self) -> Table:
        """Give the same table with the columns alone on which a verdict rests."""
        return replace(self, columns=tuple(c for c in self.columns if c.verdict))

    def column_names(self) -> list[str]:
        """Name every column of the table as the inventory holds it, in order."""
        own = [
            n for c in self.columns for n in ((c.name, f"{c.name}_key") if c.dtype == "ref" else (c.name,))
        ]
        if self.types:
            return [*ENVELOPE, *DERIVED, *own]
        return ["parent_key", "origin", "doubt", *own]

    def column_type(self, name: str) -> str:
        """Give the SQL type of one of the columns that `column_names` lists."""
        if name == "source" and self.types:
            return "INTEGER"
        return next((c.sql_type for c in self.columns if c.name == name), "VARCHAR")


@cache
def tables() -> dict[str, Table]:
    """Read every canonical table.

    Returns
    -------
    dict of str to Table
        By table name, in the order of `data/schema.csv`.

    Examples
    --------
    >>> [c.paths[0] for c in tables()["disks"].columns if c.name == "encryption_type"]
    ['properties.encryption.type']
    """
    columns: dict[str, list[Column]] = {}
    with data_file("schema.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            paths = tuple(row["path"].split("|"))
            columns.setdefault(row["table"], []).append(
                Column(row["column"], row["dtype"], paths, row["meaning"], row["verdict"] == "yes")
            )
    return {t: Table(t, tuple(cs), TYPES.get(t, ()), CHILDREN.get(t)) for t, cs in columns.items()}


def table(name: str) -> Table:
    """Give one canonical table.

    Parameters
    ----------
    name : str
        Table name.

    Returns
    -------
    Table

    Raises
    ------
    UnknownNameError
        When there is no such table.

    Examples
    --------
    >>> table("disks").types
    ('microsoft.compute/disks',)
    """
    if name not in tables():
        raise UnknownNameError.of("table", name, tables())
    return tables()[name]


@cache
def table_of_type() -> dict[str, str]:
    """Map each ARM type, in lower case, to the table it fills.

    Examples
    --------
    >>> table_of_type()["microsoft.compute/disks"]
    'disks'
    """
    return {arm_type: name for name, types in TYPES.items() for arm_type in types}


def key_of(arm_id: str) -> str:
    """Give an ARM id as the joins compare it, as `extract.key_sql` does in SQL.

    Examples
    --------
    >>> key_of("subscriptions/S/")
    '/subscriptions/s'
    """
    return f"/{arm_id.strip('/ ').lower()}"


def fold(key: str) -> str:
    """Reduce a member name to what all its spellings share.

    Parameters
    ----------
    key : str
        A member name in camelCase, PascalCase or snake_case.

    Returns
    -------
    str
        Lower case, without underscores.

    Examples
    --------
    >>> fold("disk_encryption_set_id") == fold("DiskEncryptionSetId")
    True
    """
    return key.replace("_", "").lower()


@cache
def spellings() -> dict[str, str]:
    """Map each folded member name to ARM's own spelling of it.

    Returns
    -------
    dict of str to str
        From `fold(name)` to the name as the paths of the schema spell it.

    Examples
    --------
    >>> spellings()["encryptionathost"]
    'encryptionAtHost'
    """
    known = {fold(n): n for n in ("id", "name", "type", "location", "tags", "properties", "value", "data")}
    known["handwareprofile"] = "hardwareProfile"  # seen misspelt so in exports of an older SDK
    for name in path_names():
        known.setdefault(fold(name), name)
    return known


@cache
def path_names() -> tuple[str, ...]:
    """Name every member of the paths, in the spelling of each path.

    Examples
    --------
    >>> {"diskSizeGB", "diskSizeGb"} <= set(path_names())
    True
    """
    paths = [path for one in tables().values() for column in one.columns for path in column.paths]
    plain = " ".join(re.sub(r"\[name=\w+\]", "", path) for path in paths)
    return tuple(dict.fromkeys(re.findall(r"[A-Za-z]\w*", plain)))
