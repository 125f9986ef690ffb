"""`export.json` of a collected folder, taken into the ledger: what was asked, and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.ledger import NO_FILE, Ledger

#: The file beside the rows, and the member that tells it from an export of that name.
NOTE, KIND = "export.json", "diskenc collection"


def read_note(path: Path) -> dict[str, Any] | None:
    """Read what `collect` wrote of itself.

    Parameters
    ----------
    path : Path
        A file of the name `export.json`.

    Returns
    -------
    dict or None
        None where there is no such file, or it is something else.

    Raises
    ------
    UnreadableInputError
        When it is cut short.
    """
    try:
        text = path.read_text(encoding="utf-8")
        note = json.loads(text) if f'"{KIND}"' in text[:200] else None
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UnreadableInputError(f"{path}: expected the record of a collection, but: {error}") from None
    return note if isinstance(note, dict) and note.get("kind") == KIND else None


def take_in(path: Path, note: dict[str, Any], ledger: Ledger) -> None:
    """Write into the ledger what became of each part of a collection.

    Parameters
    ----------
    path : Path
        The `export.json`.
    note : dict
        What it holds.
    ledger : Ledger
        Has the files that were read; parts without a file are added to it.
    """
    known = {source.path: number for number, source in enumerate(ledger.sources)}
    for part in filter(lambda part: part["type"], note["parts"]):
        file = path.parent / part["name"] / f"{part['key']}.jsonl"
        source = known[file] if file in known else _without_file(file, ledger)
        ledger.recorded(source, part["ended_at"], part["sha256"])
        ledger.collected(source, part["type"], part["status"], _why(part))
    source = _without_file(path, ledger)
    for arm_type, reason in note["not_asked"].items():
        ledger.collected(source, arm_type, "not asked", reason)


def _without_file(path: Path, ledger: Ledger) -> int:
    source = ledger.add(path)
    ledger.describe(source, NO_FILE, [])
    return source


def _why(part: dict[str, Any]) -> str:
    """Say why a part is not whole, with the counts."""
    if part["status"] == "complete":
        return ""
    rows, total = part["rows"], part["total_records"]
    counts = f"{rows} of {total} records" if total is not None else f"{rows} rows read"
    return "; ".join(filter(None, [part["reason"], counts]))
