"""The steps that copy one disk to a new one, for either shell; part of a runbook, as text for a person."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from diskenc_analysis.plainrows import Row
from diskenc_analysis.text import clean

#: PowerShell takes each of these for a single quote, and reads two of them as one.
_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
#: What a person has to fill in.
REPLACE = "REPLACE-ME"
#: A set and its type, by subscription and region.
Sets = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
_TYPES = {
    "customer": "EncryptionAtRestWithCustomerKey",
    "platform_and_customer": "EncryptionAtRestWithPlatformAndCustomerKeys",
}


def powershell(text: str) -> str:
    """Quote text for PowerShell.

    Examples
    --------
    >>> print(powershell("it's $(evil)"))
    'it''s $(evil)'
    """
    return "'" + _QUOTES.sub(r"\1\1", text) + "'"


def names_of(disk: Row) -> tuple[str, str, str]:
    """Give the resource group of a disk, its name, and the name of its successor."""
    return disk["resource_group"], disk["name"], f"{disk['name']}-new"


def set_for(disk: Row, sets: Sequence[tuple[str, str]]) -> tuple[list[str], str, str]:
    """Choose the disk encryption set of a new disk that shall be under a customer's key.

    Parameters
    ----------
    disk : dict
        With `name`.
    sets : sequence of (str, str)
        Id and type, as `keys.SET_TYPES` has it, of those in the disk's subscription and region.

    Returns
    -------
    notes : list of str
        Comments: which sets there are, where there is more than one or none.
    set_id, kind : str
        Id and encryption type of the only one; to be replaced otherwise.

    Examples
    --------
    >>> set_for({"name": "d"}, [("/s/des", "customer")])[2]
    'EncryptionAtRestWithCustomerKey'
    """
    if len(sets) == 1:
        [(set_id, kind)] = sets
        return [], set_id, _TYPES[kind]
    named = [f"# Or: {clean(set_id, 0)} ({_TYPES[kind]})" for set_id, kind in sets]
    several = "several disk encryption sets fit" if sets else "no disk encryption set was read here"
    return [f"# {clean(disk['name'])}: {several}: name one.", *named], REPLACE, _TYPES["customer"]


def copy_az(disk: Row, sets: Sequence[tuple[str, str]] | None) -> list[str]:
    """Write the commands of the az CLI; parameters as for `copy_powershell`."""
    group, _, new = (shlex.quote(text) for text in names_of(disk))
    source = f"--ids={shlex.quote(disk['id'])}"
    target = f"--subscription={shlex.quote(disk['id'].split('/')[2])} --resource-group={group} --name={new}"
    place, sku = (shlex.quote(disk[name] or REPLACE) for name in ("location", "sku"))
    system = f" --os-type={shlex.quote(disk['os_type'])}" if disk["os_type"] else ""
    system += ' --hyper-v-generation="${generation:-V1}"' if system else ""
    notes, key = _own_key(disk, sets, " --encryption-type={} --disk-encryption-set={}", shlex.quote)
    where = f'--location={place} ${{zone:+--zone="$zone"}}'
    size = '--upload-type=Vhd --upload-size-bytes="$((bytes + 512))"'
    # The CLI has written this name in both ways, by version.
    grant = "--duration-in-seconds=86400 --query='accessSAS || accessSas' --output=tsv --access-level"
    asked = f'generation="$(az disk show {source} --query=hyperVGeneration --output=tsv)"'
    return [
        *_secured(disk),
        *notes,
        f'bytes="$(az disk show {source} --query=diskSizeBytes --output=tsv)"',
        f"zone=\"$(az disk show {source} --query='zones[0]' --output=tsv)\"",
        *([asked] if system else []),
        f"az disk create {target} {where} --sku={sku}{system}{key} {size}",
        f'from="$(az disk grant-access {source} {grant}=Read)"',
        f'to="$(az disk grant-access {target} {grant}=Write)"',
        'azcopy copy "$from" "$to" --blob-type=PageBlob',
        f"az disk revoke-access {source}",
        f"az disk revoke-access {target}",
    ]


def copy_powershell(disk: Row, sets: Sequence[tuple[str, str]] | None) -> list[str]:
    """Write the commands of PowerShell's Az module.

    Parameters
    ----------
    disk : dict
        A row of the disks.
    sets : sequence of (str, str) or None
        The sets at hand, as for `set_for`; None where no customer's key is wanted.

    Returns
    -------
    list of str
        Lines. The new disk stands in the zone of the old one, which is asked for as they run.
    """
    group, old, new = (powershell(text) for text in names_of(disk))
    of_old, of_new = (f"-ResourceGroupName {group} -DiskName {name}" for name in (old, new))
    place, sku = (powershell(disk[name] or REPLACE) for name in ("location", "sku"))
    system = f" -OsType {powershell(disk['os_type'])}" if disk["os_type"] else ""
    system += " -HyperVGeneration $generation" if system else ""
    notes, key = _own_key(disk, sets, " -EncryptionType {} -DiskEncryptionSetId {}", powershell)
    asked = f"if (-not ($generation = (Get-AzDisk {of_old}).HyperVGeneration)) {{ $generation = 'V1' }}"
    size = "-CreateOption Upload -UploadSizeInBytes ($bytes + 512)"
    grant = "-DurationInSecond 86400 -Access"
    return [
        *_secured(disk),
        *notes,
        f"$bytes = (Get-AzDisk {of_old}).DiskSizeBytes",
        f"$place = @{{}}; if ($zone = (Get-AzDisk {of_old}).Zones) {{ $place.Zone = $zone }}",
        *([asked] if system else []),
        f"$config = New-AzDiskConfig @place -Location {place} -SkuName {sku}{system}{key} {size}",
        f"New-AzDisk {of_new} -Disk $config",
        f"$from = (Grant-AzDiskAccess {of_old} {grant} Read).AccessSAS",
        f"$to = (Grant-AzDiskAccess {of_new} {grant} Write).AccessSAS",
        "azcopy copy $from $to --blob-type=PageBlob",
        f"Revoke-AzDiskAccess {of_old}",
        f"Revoke-AzDiskAccess {of_new}",
    ]


def _own_key(
    disk: Row, sets: Sequence[tuple[str, str]] | None, options: str, quote: Callable[[str], str]
) -> tuple[list[str], str]:
    """Give the comments and the options for a customer's key; nothing where none is wanted."""
    if sets is None:
        return [], ""
    notes, set_id, kind = set_for(disk, sets)
    return notes, options.format(kind, quote(set_id))


def _secured(disk: Row) -> list[str]:
    """Say what a new disk does not get by itself; what a person reads stands on one clean line."""
    kind = disk["security_type"]
    told = (
        f"# The old disk has the security type {clean(kind or '', 60)}: give it to the new disk and VM too."
    )
    return [told] if kind else []
