"""The steps of a wave as text for a person to review; nothing here is ever run by the kit.

Names come from an export and may be anyone's: every value is quoted for the shell that the text is made for,
stands behind `--name=` so that it cannot become an option, and a comment holds one clean line.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import narwhals as nw

from diskenc_analysis.disksteps import REPLACE, Sets, copy_az, copy_powershell, names_of, powershell
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.frames import helper, lazy
from diskenc_analysis.migration_disks import marks
from diskenc_analysis.migration_places import sets_at
from diskenc_analysis.migration_tables import checks, paths
from diskenc_analysis.plainrows import Row, rows
from diskenc_analysis.text import clean
from diskenc_analysis.waves import Wave

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_DISK = ("id", "name", "resource_group", "location", "sku", "os_type", "security_type", "max_shares")
_HIDDEN = "# Careful: a name here holds line breaks or signs that do not show; compare it with the portal."
_SHELLS: dict[str, Callable[[str], str]] = {"az": shlex.quote, "powershell": powershell}


def runbook(inv: Inventory, wave: Wave, shell: str = "az") -> str:
    """Write the steps of a wave, with names filled in.

    Parameters
    ----------
    inv : Inventory
        The tables as read, for the disks of the VMs.
    wave : Wave
        As `waves` gives it.
    shell : {"az", "powershell"}
        Commands of the az CLI for a POSIX shell, or of the Az module for PowerShell.

    Returns
    -------
    str
        Text that ends in a line break. What only a person can know stands as REPLACE-ME.

    Raises
    ------
    UnknownNameError
        When there is no such shell.
    """
    return next(runbooks(inv, [wave], shell))


def runbooks(inv: Inventory, made: Sequence[Wave], shell: str = "az") -> Iterator[str]:
    """Write the steps of several waves; the disks of all are looked up at once.

    Parameters
    ----------
    inv : Inventory
        The tables as read.
    made : sequence of Wave
        As `waves` gives them.
    shell : {"az", "powershell"}
        As for `runbook`.

    Yields
    ------
    str
        One text per wave, in their order.

    Raises
    ------
    UnknownNameError
        When there is no such shell.
    """
    if shell not in _SHELLS:
        raise UnknownNameError.of("shell", shell, _SHELLS)
    owned = _disks_of(inv, [_key(row) for wave in made for row in wave.machines])
    sets = sets_at(inv)
    for wave in made:
        lines = [f"# Wave {wave.number}, {clean(wave.group)}: review each line; nothing was run."]
        for row in wave.machines:
            disks = owned[_key(row)]
            lines += ["", *_head(row, disks), *_context(row, shell), *_steps(row, disks, sets, shell)]
        yield "\n".join(lines) + "\n"


def _key(row: Row) -> str:
    return "/" + str(row["id"]).lower().strip("/ ")


def _disks_of(inv: Inventory, keys: Sequence[str]) -> dict[str, list[Row]]:
    """List the disks of each VM: those that it lists and that were not read by their key alone, as `id`."""
    owned: dict[str, list[Row]] = {key: [] for key in keys}
    those = helper(inv, "runbook_vms", [{"vm_key": key} for key in owned], ["vm_key"])
    found = marks(inv)
    read = lazy(inv.disks).select(*_DISK, disk_key=nw.col("key"))
    pairs = found.owned.join(those, on="vm_key", how="semi").join(read, on="disk_key", how="left")
    for disk in sorted(rows(nw.to_native(pairs)), key=lambda disk: str(disk["disk_key"])):
        mark = found.known[disk["mark"]]
        owned[disk["vm_key"]].append(disk | {"moved": mark.state != "off" or mark.role == "os"})
    return owned


def _copied(disks: Sequence[Row]) -> list[Row]:
    """Take the disks that are copied for one VM alone: the OS disk, and what is or was encrypted."""
    return [disk for disk in disks if disk["id"] and disk["moved"] and (disk["max_shares"] or 1) <= 1]


def _uncopied(disks: Sequence[Row]) -> list[str]:
    """Say of every other disk what becomes of it, so that none is lost."""
    left = [disk for disk in disks if disk not in _copied(disks)]
    return [f"# {clean(disk['name'] or disk['disk_key'], 0)}: {_fate(disk)}." for disk in left]


def _fate(disk: Row) -> str:
    if not disk["id"]:
        return "was not read, and nothing here copies it: read it first"
    if (disk["max_shares"] or 1) > 1:
        return "may be shared, and nothing here copies it: plan it with all VMs that use it"
    return (
        "no sign of Azure Disk Encryption: detach it from the old VM, and attach it to the new one as it is"
    )


def _head(row: Row, disks: Sequence[Row]) -> list[str]:
    path = paths()[row["path"]]
    before = [f"# Before: {checks()[check]['must_do']}" for check in row["blocked_by"].split("; ") if check]
    unread = [f"# Not known: {checks()[check]['short']}" for check in row["not_known"].split("; ") if check]
    head = f"# {clean(row['name'])}: {path['words']} ({clean(row['reason'], 120)})"
    names = [row["name"], row["resource_group"], *(disk["name"] or disk["disk_key"] for disk in disks)]
    return [head, *([] if all(map(_shows, names)) else [_HIDDEN]), *before, *unread]


def _place(disk: Row) -> tuple[str, str]:
    return disk["id"].split("/")[2].lower(), (disk["location"] or "").lower().replace(" ", "")


def _context(row: Row, shell: str) -> list[str]:
    """Choose the subscription, which the commands of PowerShell do not name."""
    return [] if shell == "az" else [f"Set-AzContext -Subscription {powershell(row['subscription_id'])}"]


def _shows(name: str | None) -> bool:
    return name is None or clean(name, 0) == name


def _steps(row: Row, disks: list[Row], sets: Sets, shell: str) -> list[str]:
    if row["path"] != "upload":
        config = _command(shell, "az vm show", "Get-AzVM", row)
        listed = [
            f"# {at}. {clean(step, 200)}"
            for at, step in enumerate(paths()[row["path"]]["steps"].split("; "), 1)
        ]
        return [config, *listed] if row["kind"] == "vm" else listed
    volume = {"windows": "ALL", "linux": "DATA"}.get(row["os"], REPLACE)
    steps = [
        "# 1. Record the configuration, then disable, for which the VM has to run.",
        "# Wait until the guest says fully decrypted.",
        _command(shell, "az vm show", "Get-AzVM", row),
        _command(
            shell,
            f"az vm encryption disable --volume-type={volume}",
            f"Disable-AzVMDiskEncryption -VolumeType {volume}",
            row,
        ),
        _command(shell, "az vm encryption show", "Get-AzVMDiskEncryptionStatus", row),
        "# Windows: manage-bde -status; Linux: no active dm-crypt mapping in dmsetup status.",
        "# 2. Deallocate, then copy the bytes of each disk: a snapshot or copy would keep the mark.",
        _command(shell, "az vm deallocate", "Stop-AzVM -Force", row),
    ]
    copy = copy_az if shell == "az" else copy_powershell
    wanted = row["customer_key"] != "not_applicable"
    for disk in _copied(disks):
        steps += copy(disk, sets.get(_place(disk), ()) if wanted else None)
    return [*steps, *_uncopied(disks), *_new_vm(row, _copied(disks), shell)]


def _command(shell: str, az: str, powershell_command: str, row: Row) -> str:
    quote = _SHELLS[shell]
    group, name = quote(row["resource_group"]), quote(row["name"])
    if shell == "az":
        return f"{az} --subscription={quote(row['subscription_id'])} --resource-group={group} --name={name}"
    return f"{powershell_command} -ResourceGroupName {group} -{_name_of(powershell_command)} {name}"


def _name_of(command: str) -> str:
    return "VMName" if "DiskEncryption" in command else "Name"


def _new_id(disk: Row) -> str:
    """Name the new disk by its id: it may stand in another resource group than the VM."""
    return f"{disk['id'].rpartition('/')[0]}/{names_of(disk)[2]}"


def _new_vm(row: Row, disks: list[Row], shell: str) -> list[str]:
    """Write the last steps; network, identity and extensions of the VM are in the recorded configuration."""
    system = [disk for disk in disks if disk["os_type"]]
    create = ["# REPLACE-ME: attach the new disks, with encryption at host (PowerShell: -EncryptionAtHost)."]
    if shell == "az" and len(system) == 1:
        data = [shlex.quote(_new_id(disk)) for disk in disks if not disk["os_type"]]
        options = {
            "subscription": row["subscription_id"],
            "resource-group": row["resource_group"],
            "name": f"{row['name']}-new",
            "os-type": system[0]["os_type"],
            "attach-os-disk": _new_id(system[0]),
        }
        given = " ".join(f"--{name}={shlex.quote(value)}" for name, value in options.items())
        asked = _command(shell, "az vm show --query='zones[0]' --output=tsv", "", row)
        made = f"az vm create {given} --size={REPLACE} --nics={REPLACE} --encryption-at-host=true"
        made += ' ${zone:+--zone="$zone"}'
        create = [f'zone="$({asked})"', made + (f" --attach-data-disks {' '.join(data)}" if data else "")]
    return [
        "# 3. Make the new VM from the recorded configuration, with encryption at host.",
        "# Its security type and identities are not in the command below: add them.",
        *create,
        "# 4. Mend mounts and drive letters, rejoin the domain, test; then delete the old VM and its disks.",
        "# 5. When no VM of the vault is left: take back enabledForDiskEncryption from it.",
    ]
