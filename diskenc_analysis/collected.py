"""`export.json` of a collected folder, taken into the ledger: what was asked, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.ledger import NO_FILE, Ledger

if TYPE_CHECKING:
    from diskenc_analysis.note import Note, Part

#: The file beside the rows.
NOTE = "export.json"
_SIGN = '"diskenc collection"'


def read_note(path: Path) -> Note | None:
    """Read what `collect` wrote of itself.

    Parameters
    ----------
    path : Path
        A file of the name `export.json`.

    Returns
    -------
    Note or None
        None where there is no such file, or it is something else.

    Raises
    ------
    UnreadableInputError
        When it is cut short or was changed; names the place.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        if _SIGN.encode() not in file.read(200):
            return None
    from pydantic import ValidationError

    from diskenc_analysis.note import Note

    try:
        return Note.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        message = f"expected the record of a collection, but {place}: {first['msg']}"
        raise UnreadableInputError(f"{path}: {message}") from None


def take_in(path: Path, note: Note, ledger: Ledger) -> int:
    """Write into the ledger what became of each part of a collection.

    Parameters
    ----------
    path : Path
        The `export.json`.
    note : Note
        What it holds.
    ledger : Ledger
        Has the files that were read; parts without a file are added to it.

    Returns
    -------
    int
        Number of the `export.json` itself in the ledger.
    """
    known = {source.path: number for number, source in enumerate(ledger.sources)}
    for part in filter(lambda part: part.type, note.parts):
        file = path.parent / part.name / f"{part.key}.jsonl"
        source = known[file] if file in known else _without_file(file, ledger)
        ledger.recorded(source, part.ended_at, part.sha256)
        ledger.collected(source, part.type, part.status, _why(part))
    source = ledger.add(path)
    ledger.describe(source, "record of a collection", [])
    for arm_type, reason in note.not_asked.items():
        ledger.collected(source, arm_type, "not asked", reason)
    return source


def _without_file(path: Path, ledger: Ledger) -> int:
    source = ledger.add(path)
    ledger.describe(source, NO_FILE, [])
    return source


def _why(part: Part) -> str:
    """Say why a part is not whole, with the counts."""
    if part.status == "complete":
        return ""
    total = part.total_records
    counts = f"{part.rows} of {total} records" if total is not None else f"{part.rows} rows read"
    return "; ".join(filter(None, [part.reason, counts]))
