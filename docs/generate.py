"""Write the pages of `docs/` that follow from the code: notebooks, their parameters, the data dictionary.

`python docs/generate.py` writes them; a test holds them to what it would write. Notebooks are taken as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt

from diskenc_analysis import schema
from diskenc_analysis.coverage import COLUMNS
from diskenc_analysis.editions import CONDITIONS, capabilities, edition_label, editions, records
from diskenc_analysis.matrix import matrix
from diskenc_analysis.params import NOTEBOOKS, REPORTED

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Made by docs/generate.py: change what it is made of, and run it again. -->\n"
_SIGNS = {Ge: ("ge", "at least"), Le: ("le", "at most"), Gt: ("gt", "above"), Lt: ("lt", "below")}
#: What a notebook cannot do without, beside an inventory.
NEEDS = {"drift": "baseline: exports/2026-10-24"}
_SKIPPED = ("How this report was made", "How this was made")


def pages() -> dict[str, str]:
    """Give every generated page by its path in `docs/`."""
    made = {f"notebooks/{name}.md": notebook_page(name) for name in NOTEBOOKS}
    own = {"data-dictionary.md": dictionary(), "matrix.md": matrix_page(), "README.md": index(made)}
    return {**made, **own, "../README.md": readme()}


BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"


def readme() -> str:
    """Give the project's README with the latest measurements in their place."""
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    found = json.loads((DOCS.parent / "benchmarks" / "latest.json").read_text(encoding="utf-8"))
    return f"{before}{BEGIN}\n{speed(found)}{END}{rest.partition(END)[2]}"


def speed(found: dict[str, Any]) -> str:
    """Write what `make bench` measured: each engine over saved inventories, and whole commands."""
    about, steps = found["machine"], []
    done = [one for one in found["steps"] if "total" in one]
    for one in done:
        seconds = [f"{one['seconds'][name]:.1f}" for name in ("open", "judge", "sum")]
        before = [
            r["total"] for r in done if r["engine"] == one["engine"] and r["disks"] * 10 == one["disks"]
        ]
        growth = f"{one['total'] / before[0]:.1f}" if before else ""
        steps.append([f"{one['disks']:,}", one["engine"], *seconds, f"{one['peak']:,.0f}", growth])
    whole = [
        [
            one["name"],
            f"{one['ours'][0]:.1f}",
            f"{one['ours'][2]:,.0f}",
            f"{one['yardstick'][0]:.1f}",
            f"{one['ratio']:.1f}",
        ]
        for one in found["whole"]
    ]
    versions = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    where = f"{about['date']}, {about['cpus']} cores, {about['memory_gib']:.0f} GiB, Python {about['python']}, {versions}"
    heads = ["disks", "engine", "open, s", "judge, s", "sum, s", "peak, MiB", "growth per tenfold"]
    commands = ["whole command", "s", "peak, MiB", "yardstick, s", "ratio"]
    return f"{table(heads, steps)}\n{table(commands, whole)}\nMeasured on {where}.\n"


def table(headings: list[str], lines: list[list[str]]) -> str:
    """Write a Markdown table."""
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _cells_of(name: str, kind: str) -> list[str]:
    book = json.loads((DOCS.parent / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


def notebook_page(name: str) -> str:
    """Write the page of a notebook: its question, its parameters, and how to read its parts."""
    first, *others = _cells_of(name, "markdown")
    title, _, question = first.partition("\n")
    needs = NEEDS.get(name, "")
    given = f" --params {name}.yaml" if needs else ""
    read = "--history history" if name == "trend" else "exports/"
    run = f"diskenc report {read} --notebook {name}{given} -o out/{name}"
    said = f", where `{name}.yaml` says `{needs}`" if needs else ""
    how = "Part of every report." if name in REPORTED else f"Rendered by name: `{run}`{said}."
    parts = [
        f"{title.strip()}\n\n{NOTE}",
        question.strip(),
        "",
        f"{how} To change it: `diskenc lab`, then `{name}.ipynb`.",
    ]
    parts += ["", "## Parameters", "", _parameters(name), "## How to read it", ""]
    parts += [
        _deeper(cell) + "\n"
        for cell in others
        if "\n" in cell.strip() and not cell.lstrip("# ").startswith(_SKIPPED)
    ]
    return "\n".join(parts).rstrip() + "\n"


def _deeper(cell: str) -> str:
    """Put the headings of a notebook one level below those of the page."""
    return "\n".join(f"#{line}" if line.startswith("##") else line for line in cell.splitlines())


def _parameters(name: str) -> str:
    lines = []
    for field, info in NOTEBOOKS[name].model_fields.items():
        default = json.dumps(info.default, ensure_ascii=False)
        limits = [
            f"{words} {getattr(rule, key)}"
            for rule in info.metadata
            for kind, (key, words) in _SIGNS.items()
            if isinstance(rule, kind)
        ]
        choices = (
            [str(one) for one in get_args(info.annotation)]
            if "Literal" in str(get_origin(info.annotation))
            else []
        )
        taken = ", ".join(choices or limits) or getattr(info.annotation, "__name__", "text")
        taken = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}.get(
            taken, taken
        )
        lines.append([f"`{field}`", f"`{default}`", taken, info.description or ""])
    return table(["parameter", "default", "takes", "what it says"], lines)


def dictionary() -> str:
    """Write the data dictionary: canonical tables, and the columns of the coverage."""
    parts = ["# Data dictionary\n", NOTE]
    parts.append(
        "The tables of an inventory (`inv.disks`, `inv.vms` ...), from `data/schema.csv`. A path is that of Azure Resource\nManager; several stand for spellings of one thing, the first that is there counts. A *verdict* column is one that a\nverdict rests on. Tables of resources also have `id`, `name`,\n`subscription_id`, `resource_group`, `location`, `tags`, `source` (the file), `key` (the id as the joins compare it) and\n`doubt` (columns whose value cannot be trusted, and why); those made of members have `parent_key` in place of an id. A\ncolumn of type ref has one beside it that ends in `_key`.\n"
    )
    for name, one in schema.tables().items():
        types = (
            f"From {', '.join(f'`{kind}`' for kind in one.types)}."
            if one.types
            else "Made of members of other rows."
        )
        lines = [
            [
                f"`{c.name}`",
                c.dtype,
                ", ".join(f"`{p}`" for p in c.paths),
                c.meaning,
                "yes" if c.verdict else "",
            ]
            for c in one.columns
        ]
        parts.append(
            f"## {name}\n\n{types}\n\n{table(['column', 'type', 'path', 'meaning', 'verdict'], lines)}"
        )
    known = capabilities()
    lines = [
        [f"`{name}`", known[name].question if name in known else _COVERAGE.get(name, "")] for name in COLUMNS
    ]
    parts.append(
        f"## The coverage frame\n\n`de.coverage(inv)`: one row per disk. A capability is `yes`, `no`, `not_applicable` or `unknown`.\n\n{table(['column', 'what it says'], lines)}"
    )
    return "\n".join(parts)


_COVERAGE = {
    "disk_id": "id as it came",
    "name": "name of the disk",
    "kind": "managed_disk, ephemeral_os_disk, unmanaged_disk or snapshot",
    "role": "os, data or unknown",
    "attachment": "attached, unattached or unknown; a deallocated VM's disk is attached",
    "subscription_id": "GUID",
    "subscription_name": "name, where subscriptions were exported",
    "resource_group": "as the id spells it",
    "location": "region",
    "vm_id": "id of the owning VM or instance",
    "gib": "size in GiB",
    "tags": 'JSON text; by="tag:NAME" groups by one',
    "sse": "layer: platform, customer, platform_and_customer, storage_account or unknown",
    "host": "layer: on, off, partial, not_attached or unknown",
    "ade": "layer: on, off, was_on or unknown",
    "confidential": "layer: off, platform, customer, guest_state_only, non_persisted_tpm or unknown",
    "method": "the strongest layer: confidential, ade, host, sse, unmanaged or unknown",
    "key_owner": "platform, customer, platform_and_customer, customer_secret or unknown",
    "key_store": "platform, key_vault_standard, key_vault_premium, key_vault (tier not read), managed_hsm or unknown",
    "temp_disk_key_owner": "who holds the key of the VM's temp disk; empty where none is encrypted",
    "conflicts": "contradictions in the data, joined by semicolons; empty where there are none",
    "evidence": "which fields decided, with the numbers of the rules",
}


def matrix_page() -> str:
    """Write the encryption matrix, edition by edition, with its conditions and capabilities."""
    parts = ["# The encryption matrix\n", NOTE]
    for name in reversed(editions()):
        frame = matrix(name, wide=True)
        lines = [[str(cell) for cell in row] for row in frame.to_numpy().tolist()]
        parts.append(f"## Edition {name}\n\n{edition_label(name)}.\n\n{table(list(frame.columns), lines)}")
    caps = [[f"`{c.name}`", c.label, c.question, c.combine, c.counted_per] for c in capabilities().values()]
    parts.append(
        "## Capabilities\n\nHow several methods on one disk combine, and what is counted, from `data/capabilities.csv`.\n"
    )
    parts.append(table(["capability", "label", "question", "combine", "counted per"], caps))
    parts.append(
        "## Conditions\n\n" + table(["condition", "in words"], [[f"`{n}`", w] for n, w in CONDITIONS.items()])
    )
    wants = [
        [f"`{row['requirement']}`", row["label"], row["capabilities"].replace("|", ", ")]
        for row in records("requirements.csv")
    ]
    parts.append(
        "## Requirements\n\nWhat `de.options` can be asked for, beside the capabilities themselves.\n\n"
        + table(["requirement", "what it asks", "capabilities"], wants)
    )
    return "\n".join(parts)


def index(notebooks: dict[str, str]) -> str:
    """Write the list of all pages."""
    listed = [f"- [{text.splitlines()[0].removeprefix('# ')}]({path})" for path, text in notebooks.items()]
    return "\n".join(["# Documentation\n", NOTE, _HAND, "## The notebooks\n", *listed, ""])


_HAND = """\
- [How a verdict is reached](verdict.md), rule by rule, with the sources
- [The encryption matrix](matrix.md) in all its editions, capabilities, conditions and requirements
- [Data dictionary](data-dictionary.md): every table and column
- [When something goes wrong](troubleshooting.md): sign-in, rights, throttling, exports cut short, huge tenants
- [How to extend it](extending.md): a capability, an edition, a notebook, a control
- [Reports each night](scheduled/README.md), and [a history of captures](history.md)
"""


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
