"""Which encryption option meets a set of requirements: on what conditions, at what cost, with what limits.

The answers come out of the matrix; costs, limits and prerequisites stand in `data/option_facts.csv`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from diskenc_analysis.editions import CONDITIONS, Cell, capabilities, cells, records
from diskenc_analysis.errors import UnknownNameError
from diskenc_analysis.matrix import describe, text_frame
from diskenc_analysis.option_list import Option, all_options, asked, parts, requirements, wanted

__all__ = ["all_options", "asked", "not_for_data_disks", "option_facts", "options", "requirements"]

if TYPE_CHECKING:
    import pandas as pd

_OPPOSITE = {"yes": "no", "no": "yes"}
_UNMET = {"no", "not_applicable", "Unhealthy", "NotApplicable"}
_FITS = ("yes", "conditional", "no")
#: Decided by an option's first method alone: a disk has one key that counts (RULES K1), and a confidential
#: VM has the table's status whatever else protects it (RULES C11).
_BY_FIRST = ("customer_keys", "hsm", "defender_status")
_COLUMNS = ("option", "label", "fits", "scope", "conditions", "missing")
_FACTS = ("prerequisite", "cost", "limit")

Table = Mapping[tuple[str, str], Sequence[Cell]]


def options(
    requires: str | Sequence[str] = (), edition: str = "latest", *, given: Sequence[str] = ()
) -> pd.DataFrame:
    """Say which options meet a set of requirements, and on which conditions.

    Parameters
    ----------
    requires : str or sequence of str
        Of `requirements()`: `temp_disk`, `customer_keys`, `hsm`, `no_vm_cpu`, `custom_linux_image`,
        `end_to_end`, `defender_healthy`, or any capability of the matrix.
    edition : str
        One of `editions()`, or `latest`. Costs and limits are those of the newest documents in any edition.
    given : sequence of str
        Conditions of the matrix that hold for your VMs, such as `vm_size_v5_plus`.

    Returns
    -------
    pandas.DataFrame
        One row per option, the best fit first: `option`, `label`, `fits` (`yes`, `conditional`, `no`),
        `scope` (which disks), `conditions` (of the matrix, under which it fits), `missing` (capabilities
        that it does not give), `prerequisites`, `costs`, `limits` and `sources`; each joined by `; `,
        Arrow-backed strings.

    Raises
    ------
    UnknownNameError
        When a requirement, a condition or the edition does not exist.

    Examples
    --------
    >>> options(["temp_disk", "no_vm_cpu"])[["option", "fits"]].values.tolist()[:2]
    [['host', 'yes'], ['sse', 'conditional']]
    >>> options("custom_linux_image").set_index("option").loc["ade", "missing"]
    'custom_images'
    """
    true = {*given, *(row["given"] for row in wanted(requires))} - {""}
    for name in true:
        if name not in CONDITIONS:
            raise UnknownNameError.of("condition", name, CONDITIONS)
    table, names = cells(edition), list(asked(requires))
    found = [_answer(option, names, table, true) for option in all_options().values()]
    columns = [*_COLUMNS, *(f"{fact}s" for fact in _FACTS), "sources"]
    return text_frame(sorted(found, key=_rank), columns)


def _rank(row: Sequence[str]) -> tuple[int, int]:
    """Put the best fit first, and among equals that with the fewest conditions."""
    return _FITS.index(row[2]), len(row[4].split("; "))


def _answer(option: Option, names: list[str], table: Table, true: set[str]) -> list[str]:
    needs = {name: _need(name, option.methods, table, true) for name in names}
    missing = [name for name, need in needs.items() if need is None]
    conditions = [part for need in needs.values() for part in (need or "").split("; ")]
    rest = [name for name in names if name not in missing]
    short = [capabilities()[name].label for name in _short(option, rest, table, true)]
    conditions += [f"for the OS disk alone ({', '.join(short)})"] if short else []
    fits = "no" if missing else "conditional" if any(conditions) else "yes"
    facts = option_facts(option.name, names)
    said = (_joined(row["text"] for row in facts if row["fact"] == fact) for fact in _FACTS)
    cited = [option.source, *(row["source"] for row in facts), *(_cited(option, names, table))]
    ways = "" if missing else _joined(conditions)
    line = [option.name, option.label, fits, option.scope, ways, "; ".join(missing)]
    return [*line, *said, _joined(cited)]


def option_facts(option: str, names: Sequence[str]) -> list[dict[str, str]]:
    """Give what to know of an option, from `data/option_facts.csv`.

    Parameters
    ----------
    option : str
        Of `all_options()`.
    names : sequence of str
        Capabilities that are asked for: some facts matter where all of certain ones are.

    Returns
    -------
    list of dict of str to str
        With `fact` (`prerequisite`, `cost` or `limit`), `text` and `source`.

    Examples
    --------
    >>> [row["fact"] for row in option_facts("sse", [])]
    ['cost']
    """
    rows = records("option_facts.csv")
    return [r for r in rows if option in parts(r["options"]) and set(parts(r["when"])) <= set(names)]


def _cited(option: Option, names: Sequence[str], table: Table) -> list[str]:
    return [cell.source for name in names for method in option.methods for cell in table[name, method]]


def not_for_data_disks(option: str, names: Sequence[str], edition: str = "latest") -> list[str]:
    """Name the capabilities that the data disks do not get from an option.

    Parameters
    ----------
    option : str
        Of `all_options()`.
    names : sequence of str
        Capabilities.
    edition : str
        One of `editions()`, or `latest`.

    Returns
    -------
    list of str
        Those of the names that only the OS disk gets.

    Examples
    --------
    >>> not_for_data_disks("confidential_host", ["caches", "enhanced_key_protection"])
    ['enhanced_key_protection']
    """
    return _short(all_options()[option], names, cells(edition), set())


def _short(option: Option, names: Sequence[str], table: Table, true: set[str]) -> list[str]:
    if not option.others:
        return []
    known = capabilities()
    mine = [n for n in names if known[n].counted_per == "disk" and "data_disk" not in known[n].scopes]
    return [n for n in mine if _need(n, option.others, table, true) is None]


def _need(name: str, methods: Sequence[str], table: Table, true: set[str]) -> str | None:
    """Say what makes a capability a yes: nothing (empty), a condition in words, or None where nothing does.

    Storage encryption is always on beneath the others (RULES C1), and yields to their key.
    """
    active = methods[:1] if name in _BY_FIRST else dict.fromkeys((*methods, "sse"))
    needs = [_of_cell(name, table, method, true) for method in active]
    if capabilities()[name].combine == "all":
        return None if None in needs else _joined(need or "" for need in needs)
    if "" in needs:
        return ""
    return " or ".join(dict.fromkeys(need for need in needs if need)) or None


def _of_cell(name: str, table: Table, method: str, true: set[str]) -> str | None:
    first, *notes = table[name, method]
    if name == "hsm":
        stores = describe([first]).replace(" and ", " or ")
        return _joined([_of_cell("customer_keys", table, method, true) or "", f"key in {stores}"])
    if first.condition and _OPPOSITE[first.value] not in _UNMET:
        return None if first.condition in true else f"not {CONDITIONS[first.condition]}"
    if not first.condition and first.value not in _UNMET:
        return ""
    routes = [cell.condition for cell in (first, *notes) if cell.value not in _UNMET]
    if true & set(routes):
        return ""
    return " or ".join(dict.fromkeys(CONDITIONS[route] for route in routes)) or None


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))
