"""Who has what in a sample tenant: its subscriptions, and what is drawn by chance for each copy of a kind."""

from __future__ import annotations

import json
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import NAMESPACE_DNS, uuid5

from diskenc_analysis.sample_kinds import KINDS, Disk, Kind
from diskenc_analysis.sample_parts import Json
from diskenc_analysis.sample_plan import Plan, plan_of

#: Code, name, environment, region and share in percent of each subscription profile.
_PROFILES = (
    ("eu", "contoso-prod-eu", "Prod", "westeurope", 28),
    ("us", "contoso-prod-us", "Prod", "eastus", 22),
    ("le", "contoso-legacy-ade", "Prod", "uksouth", 16),
    ("co", "contoso-confidential", "Prod", "northeurope", 10),
    ("sb", "contoso-dev-sandbox", "Dev", "westus2", 14),
    ("ac", "contoso-acquired", "Prod", "eastus2", 10),
)
_APPS = ("web", "api", "sql", "erp", "etl", "sap", "mail", "file", "bi", "hr")
_OWNERS = ("platform-team", "data-team", "r.ivanova@contoso.example", "R&D <lab>")
#: Size in GiB, IOPS, MB/s and tier of Premium SSD disks; the first two are OS disks of Linux and Windows.
_DISK_SIZES = (
    *((30, 120, 25, "P4"), (127, 500, 100, "P10"), (64, 240, 50, "P6"), (128, 500, 100, "P10")),
    *((256, 1100, 125, "P15"), (512, 2300, 150, "P20"), (1024, 5000, 200, "P30"), (2048, 7500, 250, "P40")),
)


def guid(*words: object) -> str:
    """GUID made from words, always the same from the same.

    Examples
    --------
    >>> guid("tenant") == guid("tenant") != guid("hub")
    True
    """
    return str(uuid5(NAMESPACE_DNS, ".".join(map(str, words)) + ".contoso.example"))


@dataclass
class Subscription:
    """A subscription: its share of the disks in percent, and what all of its resources have in common."""

    code: str
    name: str
    env: str
    location: str
    share: int
    tag: str
    rows: int = 0
    keys: set[tuple[str, str]] = field(default_factory=set)
    common: dict[str, object] = field(init=False)
    tags: list[str] = field(init=False)
    node_tags: str = field(init=False)

    def __post_init__(self) -> None:
        own: Json = {"sub": guid(self.name), "hub": guid("hub"), "tag": self.tag, "location": self.location}
        own |= {"app": guid(self.name, "app"), "secret": guid(self.name, "secret")}
        self.common = own | {"version": guid(self.name, "version").replace("-", "")}
        head = {"env": self.env.lower(), "costCenter": f"CC-{1000 + self.share}"}
        owners = _OWNERS if self.code == "sb" else _OWNERS[:3]
        # Nobody has tagged what came with an acquisition.
        made = [{"owner": "unknown"}, {}] if self.code == "ac" else [head | {"owner": o} for o in owners]
        self.tags = [json.dumps(tags, separators=(",", ":")) for tags in made]
        self.node_tags = json.dumps(made[0] | {"aks-managed-poolName": "nodepool1"}, separators=(",", ":"))


def subscriptions_of(count: int) -> list[Subscription]:
    """Make subscriptions of the profiles, which repeat with a number behind the name.

    Examples
    --------
    >>> [sub.name for sub in subscriptions_of(7)][-2:]
    ['contoso-acquired', 'contoso-prod-eu-2']
    """
    made = []
    for i in range(count):
        code, name, env, location, share = _PROFILES[i % len(_PROFILES)]
        again = f"{1 + i // len(_PROFILES)}" if i >= len(_PROFILES) else ""
        made.append(Subscription(code, f"{name}-{again}".rstrip("-"), env, location, share, code + again))
    return made


def draw(rng: random.Random, subs: list[Subscription], disks: int) -> Iterator[tuple[Subscription, Plan]]:
    """Place each kind once in its home, then fill each subscription up to its share."""
    plans, codes = [plan_of(kind) for kind in KINDS], [profile[0] for profile in _PROFILES]
    left = disks
    for plan in plans:
        if len(plan.kind.disks) <= left:
            left -= len(plan.kind.disks)
            sub = subs[codes.index(next(iter(plan.kind.mix))) % len(subs)]
            sub.rows += len(plan.kind.disks)
            yield sub, plan
    spare = next(plan for plan in plans if plan.kind.label == "free_pmk")
    for sub, rows in zip(subs, _shares(subs, disks, left), strict=True):
        weights = list(accumulate(plan.kind.mix.get(sub.code, 0) for plan in plans))
        while rows > 0:
            plan = plans[bisect(weights, rng.random() * weights[-1])]
            plan = plan if len(plan.kind.disks) <= rows else spare
            rows -= len(plan.kind.disks)  # noqa: PLW2901
            yield sub, plan


def _shares(subs: list[Subscription], disks: int, left: int) -> list[int]:
    """Split what is left so that each subscription comes near its share of all."""
    total = sum(sub.share for sub in subs)
    lacking = [max(0, disks * sub.share // total - sub.rows) for sub in subs]
    shares = [left * lack // max(1, sum(lacking)) for lack in lacking]
    shares[0] += left - sum(shares)
    return shares


def fields(rng: random.Random, n: int, sub: Subscription, plan: Plan) -> dict[str, object]:
    """What differs between the copies of a kind."""
    app = _APPS[n % len(_APPS)]
    group = f"RG-{app.capitalize()}-{sub.env}"
    tags = sub.tags[n % len(sub.tags)]
    if plan.name.startswith("aks"):
        group, tags = f"MC_rg-aks-{sub.env.lower()}_aks-{app}_{sub.location}", sub.node_tags
    upper, case = group.upper(), n // len(_APPS) % 10
    values: dict[str, object] = {"vm": plan.name.format(app=app, n=n), "tags": tags}
    values["rg_disk"] = upper if case in {0, 3} else group
    values["rg_vm"] = upper if case in {2, 3} else group
    values["rg_owner"] = group.lower() if case == 1 else group
    values["rg_list"] = upper if case == 4 else group  # noqa: PLR2004
    day = f"202{2 + n % 4}-{1 + n % 12:02d}-{1 + n % 28:02d}"
    values["created"] = f"{day}T{n % 24:02d}:15:00.{n % 10000:07d}+00:00"
    for i in range(len(plan.kind.vms)):
        values[f"vmid{i}"] = _dashed(f"{rng.getrandbits(128):032x}")
    for k, disk in enumerate(plan.kind.disks):
        values |= _disk_fields(rng.getrandbits(128), k, disk, plan.kind)
    return values


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _disk_fields(bits: int, k: int, disk: Disk, kind: Kind) -> dict[str, object]:
    text = f"{bits:032x}"
    windows = not kind.vms or kind.vms[0].os == "Windows"
    gib, iops, mbps, tier = _DISK_SIZES[int(windows) if disk.role == "os" else 2 + bits % 6]
    sizes = {f"gib{k}": gib, f"bytes{k}": gib * 2**30, f"iops{k}": iops, f"mbps{k}": mbps, f"tier{k}": tier}
    return {f"hex{k}": text, f"guid{k}": _dashed(text), **sizes}
