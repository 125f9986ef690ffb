"""Every disk judged against the encryption matrix: layers, key owner and the ten capabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis import judge_vm
from diskenc_analysis.editions import capabilities, resolve_edition
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.facts import DiskFacts, disk_facts
from diskenc_analysis.frames import BAR, Frame, distinct, gathered, given, helper, kept, native_of
from diskenc_analysis.identity import identity
from diskenc_analysis.judge import OF_VM, WORST_FIRST, disk_verdicts
from diskenc_analysis.layers import Layers
from diskenc_analysis.methods import decide
from diskenc_analysis.reasons import reasons

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_LAYERS = ("sse", "host", "ade", "confidential", "method", "key_owner", "key_store")
_KIND = ("kind", "role", "attachment")
_OF_VM = (*OF_VM, "temp_disk_key_owner", "vm_evidence")
_PLACE = ("subscription_id", "subscription_name", "resource_group", "location", "vm_id", "gib", "tags")
_IDENTITY = ("disk_id", "name", *_PLACE)
#: The columns of the coverage frame, in order.
COLUMNS = (
    "disk_id",
    "name",
    *_KIND,
    *_PLACE,
    *_LAYERS,
    "temp_disk_key_owner",
    *capabilities(),
    "conflicts",
    "evidence",
)


def coverage(inv: Inventory, edition: str = "latest", columns: Sequence[str] | None = None) -> Any:
    """Judge every disk of an inventory.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    edition : str
        Edition of the encryption matrix, or `latest`.
    columns : sequence of str, optional
        The columns wanted, among `COLUMNS`; all of them by default. A few take a fifth less time.

    Returns
    -------
    frame
        One row per managed disk, ephemeral OS disk, unmanaged disk and snapshot, of the inventory's engine,
        with the columns of `COLUMNS`: text but for `gib` (float, GiB). One of pandas shows its shares and
        next steps where it stands last in a cell; what is made of it is an ordinary frame.

    Raises
    ------
    UnknownNameError
        When the edition or a column is unknown.
    ParameterError
        When it is given anything but an inventory, or no column, or one twice.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> cov = coverage(load(sample_path()))
    >>> sorted(set(cov["at_rest"]))
    ['no', 'not_applicable', 'yes']
    """
    if not hasattr(inv, "ledger"):
        raise ParameterError(
            f"expected an inventory, got {type(inv).__name__}: inv = de.load(...), then de.coverage(inv)"
        )
    wanted = COLUMNS if columns is None else _asked(columns)
    found = judged(inv, edition, wanted)
    words = [name for name in _VERDICT if name in wanted]
    table = helper(inv, f"verdicts_{_suffix(edition, wanted)}", found.rows_of_verdicts(), ["verdict", *words])
    out = found.rows.join(table, on="verdict", how="left").select(*wanted)
    native = native_of(inv, out)
    if inv.engine != "pandas":
        return native
    from diskenc_analysis.covered import Covered

    return Covered(native)


def _asked(columns: Sequence[str]) -> tuple[str, ...]:
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    for name in names:
        if name not in COLUMNS:
            raise UnknownNameError.of("column", name, COLUMNS)
    if not names or len({*names}) < len(names):
        raise ParameterError(f"expected columns of coverage, each once, got {list(names)}")
    return names


@dataclass(frozen=True)
class Judged:
    """Every disk with the number of its verdict, and what stands behind each number.

    Attributes
    ----------
    rows : Frame
        The identity columns and `verdict`.
    owners : Frame
        `disk_key` and `vm_key`: every VM of the disks that have several.
    verdicts : dict
        By number: the kind, the layers, the capabilities, conflicts and evidence.
    facts : dict
        By number: the facts that were judged.
    """

    rows: Frame
    owners: Frame
    verdicts: dict[str, dict[str, str]]
    facts: dict[str, dict[str, str]]

    def rows_of_verdicts(self) -> list[dict[str, str]]:
        """Give the verdicts as rows of a table."""
        return [{"verdict": name} | row for name, row in self.verdicts.items()]


def judged(inv: Inventory, edition: str = "latest", columns: Sequence[str] = COLUMNS) -> Judged:
    """Judge every disk, and leave the words apart from the rows, which stay narrow.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    edition : str
        Edition of the encryption matrix, or `latest`.
    columns : sequence of str
        Those of the identity among them are put in the rows.

    Returns
    -------
    Judged

    Raises
    ------
    UnknownNameError
        When the edition is unknown.
    """
    edition = resolve_edition(edition)
    facts = disk_facts(inv)
    layers = {text: decide(profile) for text, profile in facts.profiles.items()}
    vms, of_vm = _vms(inv, facts, layers, edition)
    rows = facts.rows.join(vms.rename({"judged": "of_vm"}), on="vm_key", how="left")
    rows = rows.join(_worst(facts, vms, inv, of_vm), on="disk_key", how="left")
    worst = nw.when(given("worst")).then(nw.col("worst")).otherwise(nw.col("of_vm").fill_null(""))
    text = nw.concat_str([nw.col("profile"), worst], separator=_DOUBLE)
    rows = kept(inv, rows.select("disk_key", "vm_key", judged=text), "disk_judged")
    found = {one: f"v{at}" for at, one in enumerate(distinct(rows, "judged"))}
    names = [{"judged": one, "verdict": name} for one, name in found.items()]
    # Few distinct verdicts, in many words: joined when they are asked for, a million rows stay narrow.
    rows = rows.join(helper(inv, "verdict_names", names, ["judged", "verdict"]), on="judged", how="left")
    place = [name for name in _IDENTITY if name in columns]
    known = kept(inv, identity(inv, rows).select(*place, "verdict"), f"coverage_{_suffix(edition, columns)}")
    first = facts.rows.join(facts.extra.select("disk_key").unique(), on="disk_key", how="semi")
    owners = nw.concat([facts.extra, first.select("disk_key", "vm_key")], how="vertical")
    return Judged(
        known,
        owners,
        {name: _verdict(one, facts, layers, of_vm, edition) for one, name in found.items()},
        {name: facts.profiles[one.partition(_DOUBLE)[0]] for one, name in found.items()},
    )


def _suffix(edition: str, columns: Sequence[str]) -> str:
    """Name a table after what it holds: one that was handed out is not replaced by one of other columns."""
    chosen = "" if columns == COLUMNS else "_".join(["", *(str(COLUMNS.index(name)) for name in columns)])
    return resolve_edition(edition).replace("-", "_") + chosen


_DOUBLE = "¦"
_VERDICT = (*_KIND, *_LAYERS, "temp_disk_key_owner", *capabilities(), "conflicts", "evidence")


def _verdict(
    text: str,
    facts: DiskFacts,
    layers: Mapping[str, Layers],
    of_vm: Mapping[str, Mapping[str, str]],
    edition: str,
) -> dict[str, str]:
    """Judge one combination of a disk's profile and its VMs' verdicts."""
    profile, _, of_vms = text.partition(_DOUBLE)
    mine, own = facts.profiles[profile], layers[profile]
    vm = of_vm.get(of_vms) or _parsed(of_vms)
    verdicts = disk_verdicts(mine, own, vm, edition)
    return {
        **{n: mine[n] for n in _KIND},
        **{n: getattr(own, n) for n in _LAYERS},
        "temp_disk_key_owner": _temp_key_owner(verdicts["temp_disk"], vm),
        **verdicts,
        "conflicts": "; ".join(own.conflicts),
        "evidence": "; ".join(
            filter(None, [*own.evidence, vm["vm_evidence"], *reasons(mine, own, verdicts)])
        ),
    }


def _parsed(text: str) -> dict[str, str]:
    """Read the verdicts of several VMs back from their text; of no VM all are empty."""
    values = text.split("~") if text else [""] * len(_OF_VM)
    return dict(zip(_OF_VM, values, strict=True))


def _temp_key_owner(temp_disk: str, vm: Mapping[str, str]) -> str:
    """Name who holds the temp disk's key; empty where no temp disk is encrypted."""
    if temp_disk in ("yes", "unknown"):
        return vm["temp_disk_key_owner"] or "unknown"
    return ""


def _vms(
    inv: Inventory, facts: DiskFacts, layers: Mapping[str, Layers], edition: str
) -> tuple[Frame, dict[str, dict[str, str]]]:
    """Judge every VM once: `vm_key` with `judged`, and the verdicts behind each value of that."""
    states = [{"profile": text, "states": _states(one)} for text, one in layers.items()]
    marked = facts.rows.join(
        helper(inv, "layer_states", states, ["profile", "states"]), on="profile", how="left"
    )
    owned = marked.filter(given("vm_key")).select("vm_key", "states")
    more = facts.extra.join(marked.select("disk_key", "states"), on="disk_key", how="inner")
    owned = nw.concat([owned, more.select("vm_key", "states")], how="vertical")
    words = sorted({row["states"] for row in states}) or ["//"]  # an inventory without disks
    grouped = gathered(owned, "vm_key", "states", words)
    grouped = grouped.join(facts.vms.select("vm_key", "vm"), on="vm_key", how="left")
    judged = nw.concat_str([nw.col("vm").fill_null(""), nw.col("states")], separator=BAR)
    grouped = kept(inv, grouped.select("vm_key", judged=judged), "vm_judged")
    return grouped, {t: _vm_verdict(t, words, facts.vm_facts, edition) for t in distinct(grouped, "judged")}


def _states(layers: Layers) -> str:
    """Name the layers that the VM is judged by; ADE that is contradicted may or may not be (RULES L8)."""
    by_customer = layers.sse in ("customer", "platform_and_customer") and layers.host not in ("on", "partial")
    doubtful = "ade" in layers.disputed or (layers.ade == "on" and by_customer)
    ade = "unknown" if doubtful else layers.ade
    return "/".join([ade, layers.confidential, layers.kek if layers.ade == "on" else ""])


def _vm_verdict(
    text: str, words: list[str], known: Mapping[str, Mapping[str, str]], edition: str
) -> dict[str, str]:
    vm, _, held = text.partition(BAR)
    states = [words[int(i)].split("/") for i in held.strip("+").split("+") if i]
    gathered = {
        name: "+".join(sorted({parts[k] for parts in states} - {""}))
        for k, name in enumerate(("ade_states", "conf_states", "kek_states"))
    }
    return judge_vm.vm_verdicts({**judge_vm.UNSEEN, **known.get(vm, {}), **gathered}, edition)


def _worst(facts: DiskFacts, vms: Frame, inv: Inventory, of_vm: Mapping[str, Mapping[str, str]]) -> Frame:
    """Take for each disk of several VMs the worst of their verdicts (RULES C3)."""
    shared = facts.extra.select("disk_key").unique()
    first = (
        facts.rows.join(shared, on="disk_key", how="semi")
        .filter(given("vm_key"))
        .select("disk_key", "vm_key")
    )
    pairs = nw.concat([facts.extra, first], how="vertical").join(vms, on="vm_key", how="left")
    ranked = [{"judged": text, **verdict, **_ranks(verdict)} for text, verdict in of_vm.items()]
    pairs = pairs.join(helper(inv, "vm_ranked", ranked, ["judged", *_OF_VM]), on="judged", how="left")
    stated = nw.when(nw.col("temp_disk_key_owner") != "").then(nw.col("temp_disk_key_owner"))
    pairs = pairs.with_columns(temp_disk_key_owner=stated)  # a VM without a temp disk agrees with all
    grouped = pairs.group_by("disk_key").agg(
        *[nw.col(n).min() for n in (*OF_VM, "vm_evidence")],
        nw.col("temp_disk_key_owner").min().alias("low"),
        nw.col("temp_disk_key_owner").max().alias("high"),
    )
    low, high = nw.col("low").fill_null(""), nw.col("high").fill_null("")
    owner = nw.when(low == high).then(low).otherwise(nw.lit("unknown"))
    values = [*[nw.col(n).str.slice(1) for n in OF_VM], owner, nw.col("vm_evidence")]
    return grouped.select("disk_key", worst=nw.concat_str(values, separator="~"))


def _ranks(verdict: Mapping[str, str]) -> dict[str, str]:
    return {n: f"{WORST_FIRST[n].index(verdict[n])}{verdict[n]}" for n in OF_VM}
