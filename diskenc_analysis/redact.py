"""An inventory with pseudonyms in place of its names or ids, so that all that is made of it has them too."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diskenc_analysis import schema
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.inventory import Inventory
from diskenc_analysis.parquet import in_memory
from diskenc_analysis.pseudonyms import MODES, Pseudonyms
from diskenc_analysis.share import data_file

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "diskenc redaction key"
_BATCH = 65_536


def pseudonyms(mode: str, key: Path) -> Pseudonyms:
    """Make pseudonyms, the same as in the run before where its key file is still there.

    Parameters
    ----------
    mode : {"names", "ids", "all"}
        What is to be replaced.
    key : Path
        The key file.

    Returns
    -------
    Pseudonyms

    Raises
    ------
    UnknownNameError
        When there is no such mode.
    ParameterError
        When something else than a key file has that name.

    Examples
    --------
    >>> pseudonyms("names", Path("no-such-file")).name("vm")[:5]
    'name-'
    """
    if mode not in MODES:
        raise UnknownNameError.of("redaction", mode, MODES)
    if not key.exists():
        return Pseudonyms(mode, secrets.token_bytes(32))
    try:
        content = json.loads(key.read_text(encoding="utf-8"))
        made = Pseudonyms(mode, bytes.fromhex(content["secret"]))
        made.originals.update(content["originals"])
    except (OSError, ValueError, LookupError, TypeError):
        content = {}
    if content.get("kind") != KIND:
        raise ParameterError(f"{key}: expected the key file of a redacted report, or no file")
    return made


def write_key(made: Pseudonyms, file: Path) -> None:
    """Write the key file, which tells the original of every pseudonym.

    Parameters
    ----------
    made : Pseudonyms
        After they were used.
    file : Path
        A new file; its owner alone can read it.
    """
    file.touch(mode=0o600)
    content = {"kind": KIND, "secret": made.secret.hex(), "originals": dict(sorted(made.originals.items()))}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def redacted(inv: Inventory, made: Pseudonyms) -> Inventory:
    """Replace names and ids in every table of an inventory.

    Parameters
    ----------
    inv : Inventory
        As read; it is not changed.
    made : Pseudonyms
        Learns every original that it meets.

    Returns
    -------
    Inventory
        In DuckDB, of the engine that `auto` finds; its verdicts are the same.
    """
    connection = in_memory()
    names = ("ledger", *schema.tables())
    # Sentences are last, since a name can be found in them only once it is known.
    for name in names:
        for batch in _batches(inv, name):
            _changed(name, batch, made, lambda kind: kind != "prose")
    for name in names:
        connection.from_arrow(inv.connection.table(name).limit(0).to_arrow_table()).create(name)
        for batch in _batches(inv, name):
            connection.from_arrow(_table(_changed(name, batch, made, lambda _: True))).insert_into(name)
    return Inventory(connection, "auto")


def _batches(inv: Inventory, name: str) -> Iterator[pa.RecordBatch]:
    yield from inv.connection.table(name).to_arrow_reader(_BATCH)


def _table(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _changed(
    table: str, batch: pa.RecordBatch, made: Pseudonyms, wanted: Callable[[str], bool]
) -> pa.RecordBatch:
    import pyarrow as pa

    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = _kind(table, name)
        changes = kind != "keep" and pa.types.is_string(column.type) and wanted(kind)
        columns.append(_mapped(column, made.of(kind)) if changes else column)
    return pa.record_batch(columns, names=batch.schema.names)


def _mapped(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Change each distinct value once."""
    import pyarrow as pa

    coded = column.dictionary_encode()
    values = pa.array([change(text) for text in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, values).cast(pa.string())


@cache
def _kinds() -> dict[tuple[str, str], str]:
    with data_file("redaction.csv").open(encoding="utf-8", newline="") as file:
        return {(row["table"], row["column"]): row["kind"] for row in csv.DictReader(file)}


def _kind(table: str, column: str) -> str:
    known = _kinds()
    places = ((table, column), (table, "*"), ("*", column))
    return next((known[place] for place in places if place in known), "value")
