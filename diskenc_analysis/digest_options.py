"""What the notebook on the choice of a method shows, one call per cell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.datafiles import write_table
from diskenc_analysis.editions import edition_label, editions, resolve_edition
from diskenc_analysis.folded import Lists
from diskenc_analysis.frames import lazy
from diskenc_analysis.matrix import matrix
from diskenc_analysis.option_list import all_options, asked, requirements
from diskenc_analysis.option_moves import NEEDS, disks_to_change, effort
from diskenc_analysis.options import option_facts, options
from diskenc_analysis.plainrows import count_rows, rows
from diskenc_analysis.results import origin
from diskenc_analysis.tables import HtmlTable, table
from diskenc_analysis.text import amount, number
from diskenc_analysis.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from diskenc_analysis.inventory import Inventory

__all__ = [
    "changes",
    "choice_facts",
    "efforts_of",
    "moves",
    "names",
    "option_details",
    "option_list",
    "option_verdict",
    "other_edition",
    "printed",
    "requirement_list",
    "write_changes",
]


def names(requires: str) -> list[str]:
    """Take the parameter of the notebook apart.

    Examples
    --------
    >>> names("temp_disk, customer_keys")
    ['temp_disk', 'customer_keys']
    """
    return [name.strip() for name in requires.split(",") if name.strip()]


def other_edition(edition: str) -> str:
    """Name the edition to compare with: the one before, or the newest for the oldest.

    Examples
    --------
    >>> other_edition("latest"), other_edition("2023-05-15")
    ('2023-05-15', '2026-04-02')
    """
    known = editions()
    place = known.index(resolve_edition(edition))
    return known[place - 1] if place else known[-1]


def printed(edition: str) -> HtmlTable:
    """Show the matrix as printed, with its conditions in words."""
    return table(matrix(edition, wide=True), f"Edition {resolve_edition(edition)}: {edition_label(edition)}")


def requirement_list() -> HtmlTable:
    """List what can be asked of an option."""
    lines = [{"Requirement": name, "What it asks": words} for name, words in requirements().items()]
    return table(lines, "Requirements that can be asked for")


def option_list(found: pd.DataFrame) -> HtmlTable:
    """List the options with their fit, the best first; `found` is what `options` gives."""
    columns = {
        "label": "Option",
        "fits": "Fits",
        "conditions": "On which condition",
        "missing": "Does not give",
    }
    return table(found, "Which option fits", columns | {"scope": "Which disks"})


def option_details(found: pd.DataFrame, requires: str) -> Lists:
    """List what each option asks for, costs and does not do, with the sources, the best option first."""
    wanted = list(asked(names(requires)))
    known = all_options()
    lists = tuple(
        (known[option].label, table(_facts(option, wanted), known[option].label))
        for option in found["option"].tolist()
    )
    return Lists(lists, "There is no option.")


def _facts(option: str, wanted: list[str]) -> list[dict[str, str]]:
    order = ("prerequisite", "cost", "limit")
    found = sorted(option_facts(option, wanted), key=lambda row: order.index(row["fact"]))
    said = {"prerequisite": "Needs", "cost": "Costs", "limit": "Limit"}
    return [{"What": said[r["fact"]], "In words": r["text"], "Source": r["source"]} for r in found]


def efforts_of(inv: Inventory, cov: Any, requires: str, edition: str = "latest") -> dict[str, dict[str, int]]:
    """Count by option what the disks would have to do; options that cannot fit are left out."""
    wanted = names(requires)
    found = options(wanted, edition)
    fitting = found.loc[found["fits"] != "no", "option"].tolist()
    return {way: effort(disks_to_change(inv, wanted, way, cov=cov, edition=edition)) for way in fitting}


def option_verdict(
    found: pd.DataFrame, counts: Mapping[str, Mapping[str, int]], requires: str, option: str
) -> Verdict:
    """Put the answer into words: which option, and how many disks it changes."""
    wanted = ", ".join(requirements()[name].lower() for name in names(requires))
    if not counts:
        return Verdict(
            (f"No single option meets all of: {wanted}.", "The table below says what each one lacks.")
        )
    way = option or next(iter(counts))
    line = found.set_index("option").loc[way]
    where = f", {line['conditions']}" if line["conditions"] else ""
    first = f"For these requirements ({wanted}) {all_options()[way].label} fits{where}."
    mine = counts[way]
    total = sum(mine.values())
    met, here, anew, dark = (number(mine[key]) for key in ("keep", "in_place", "anew", "unknown"))
    said = f"Of {amount(total, 'disks')}, {met} meet them already, {here} can be changed in place, "
    said += f"{anew} need a new disk or VM, and {dark} are unknown."
    more = [f"The option does not reach {number(mine['no_way'])} of them."] if mine["no_way"] else []
    late = "Azure Disk Encryption retires on 2028-09-15: it is no way to begin."
    return Verdict((first, said, *more, *([late] if way == "ade" else [])))


def moves(found: Any) -> HtmlTable:
    """Count the disks to change, or not known, by what it takes."""
    counted = lazy(found).filter(nw.col("need").is_in(NEEDS[:2]))
    summed = counted.group_by("need", "steps").agg(disks=nw.len(), gib=nw.col("gib").sum())
    lines = sorted(rows(nw.to_native(summed)), key=lambda row: (row["need"], -row["disks"], row["steps"]))
    columns = {"need": "Needs", "disks": "Disks", "gib": "GiB", "steps": "What it takes"}
    return table(lines, "What it takes", columns)


def changes(found: Any, limit: int = 25) -> HtmlTable:
    """List the disks that would have to change, or of which it is not known; those to change first."""
    frame = lazy(found).filter(nw.col("need").is_in(NEEDS[:2])).sort("need", "move", "disk_id")
    native = nw.to_native(frame)
    lines = [
        {
            "Disk": row["name"],
            "Where": f"{row['subscription_name'] or row['subscription_id']} / {row['resource_group']}",
            "Method now": row["method"],
            "Lacks": row["missing"] or "–",
            "Not known": row["unsure"] or "–",
            "Move": row["move"].replace("_", " "),
        }
        for row in rows(native, limit)
    ]
    return table(lines, "Disks to change", None, limit, count_rows(native), "disks_to_change")


def choice_facts(
    inv: Inventory,
    found: pd.DataFrame,
    counts: Mapping[str, Mapping[str, int]],
    requires: str,
    edition: str = "latest",
    as_of: str = "",
) -> dict[str, Any]:
    """Gather the numbers of the report on the choice of a method."""
    columns = ["option", "fits", "conditions", "missing"]
    return origin(inv, edition, as_of) | {
        "requires": names(requires),
        "options": rows(found[columns]),
        "efforts": {way: dict(one) for way, one in counts.items()},
    }


def write_changes(folder: str | os.PathLike[str], found: Any) -> None:
    """Write every disk with what it would have to do as Parquet; an empty folder writes nothing.

    Examples
    --------
    >>> write_changes("", None)
    """
    question = "Which disks would have to change for the requirements, and by what move?"
    write_table(folder, "disks_to_change", found, question, by=["disk_id"])
