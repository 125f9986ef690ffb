"""What a sample tenant is made of: every kind of disk, and the truth about it, from `data/sample_kinds.txt`.

The truth is worked out by hand from the documentation's matrix and the rules of the verdict, whose numbers
(L layers, K keys, C capabilities) stand beside it; nothing here asks the code that it is there to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diskenc_analysis.sample_parts import PARTS, PMK, Json, Part
from diskenc_analysis.share import data_file

_SIZES = {
    "v3": "Standard_D4s_v3",
    "v4": "Standard_D4s_v4",
    "v5": "Standard_D4s_v5",
    "v5d": "Standard_D4ds_v5",
    "e3": "Standard_E8s_v3",
    "e5d": "Standard_E8ds_v5",
    "f2": "Standard_F4s_v2",
    "ds2": "Standard_DS3_v2",
    "cvm": "Standard_DC4as_v5",
    "cvmd": "Standard_DC4ads_v5",
    "odd": "Experimental_Q8",
    "gone": "",
}
_FLAGS: dict[str, Json] = {
    "linux": {"os": "Linux"},
    "uniform": {"form": "instance"},
    "flexible": {"form": "flexible"},
    "absent": {"form": "absent"},
    "seen": {"seen": "encrypted"},
    "plain": {"seen": "notEncrypted"},
    "uncached": {"caching": "None"},
    "ultra": {"sku": "UltraSSD_LRS", "caching": "None"},
    "premium_v2": {"sku": "PremiumV2_LRS", "caching": "None"},
}
_OPERATIONS = {"Enable": "EnableEncryption", "Disable": "DisableEncryption"}
_OPERATIONS["FormatAll"] = "EnableEncryptionFormatAll"


@dataclass(frozen=True)
class Vm:
    """A virtual machine: a `vm`, an `instance` (Uniform), `flexible`, or `absent` where it cannot be read.

    `temp_key` is the truth of `temp_disk_key_owner`. `ade` is the operation, the volume type and the store of
    the key-encryption key of its ADE extension, `legacy` the generation with an Entra app; `apart` lists the
    extension in a file of its own, `agent` is another extension, `view` an instance view.
    """

    size: str
    os: str = "Windows"
    image: str = "platform"
    host: bool = False
    temp_key: str = ""
    form: str = "vm"
    ade: tuple[str, ...] = ()
    legacy: bool = False
    apart: bool = False
    agent: bool = False
    view: bool = False
    power: str = "running"


@dataclass(frozen=True)
class Disk:
    """A row of coverage: `disk`, `snapshot`, `vhd`, `ephemeral`, or `nameless` (ephemeral without an id).

    `verdicts` are the letters for both editions, `parts` begin with storage encryption, `seen` is what the
    instance view says, and `owners` are positions among the kind's VMs.
    """

    verdicts: tuple[str, str]
    parts: tuple[Part, ...]
    role: str
    form: str = "disk"
    sku: str = "Premium_LRS"
    caching: str = "ReadWrite"
    seen: str = ""
    owners: tuple[int, ...] = (0,)
    state: str = ""


@dataclass(frozen=True)
class Kind:
    """An archetype: VMs and disks that come together, and its weight in each subscription profile."""

    label: str
    mix: Mapping[str, int]
    vms: tuple[Vm, ...]
    disks: tuple[Disk, ...]


def _vm(text: str) -> Vm:
    size, *flags = text.split()
    given: Json = {"os": "Linux", "image": "confidential"} if size.startswith("cvm") else {}
    for flag in flags:
        name, _, value = flag.partition("=")
        if name == "ade":
            operation, *more = value.split(",")
            given["ade"] = (_OPERATIONS[operation], *more)
        else:
            given |= _FLAGS.get(flag) or {"temp_key" if name == "key" else name: value or True}
    return Vm(_SIZES[size], **given)


def _disk(text: str, vms: int) -> Disk:
    role, letters, *flags = text.split()
    parts, given = [], {"caching": "ReadOnly"} if role == "data" else {}
    for flag in flags:
        if flag[0] == "!":
            parts.append(Part({}, {"conflict": flag[1:]}))
        elif flag in PARTS:
            parts.append(PARTS[flag])
        else:
            given |= _FLAGS.get(flag) or dict([flag.split("=")])
    if not parts or "sse" not in parts[0].truth:
        parts.insert(0, PMK)
    owners = (
        tuple(map(int, given.pop("vm", "0").split(","))) if vms and given.get("form") != "snapshot" else ()
    )
    seed, _, newest = letters.partition("/")
    return Disk((seed, newest or seed), tuple(parts), role, owners=owners, **given)


def _kind(line: str) -> Kind:
    label, mix, vms, disks = (cell.strip() for cell in line.split("|"))
    weights = {word[:2]: int(word[2:]) for word in mix.split()}
    machines = tuple(_vm(text) for text in vms.split(";") if text)
    return Kind(label, weights, machines, tuple(_disk(text, len(machines)) for text in disks.split(";")))


def _kinds(table: str) -> tuple[Kind, ...]:
    lines = [line for line in table.strip().split("\n") if not line.startswith("#")]
    return tuple(_kind(line) for line in "\n".join(lines).replace("\n  |", " |").split("\n"))


#: Every kind of the sample, in the order of the table.
KINDS = _kinds(data_file("sample_kinds.txt").read_text(encoding="utf-8"))
