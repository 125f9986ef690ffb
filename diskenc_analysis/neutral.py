"""Cells of a spreadsheet made harmless: no text of a stranger's becomes a formula or hides what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

#: What begins a formula in some spreadsheet program; the wide ones are taken for the narrow by some.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones are meant
_HIDDEN = r"[\p{Cc}\p{Cf}]"


def visible(batch: pa.RecordBatch) -> pa.RecordBatch:
    r"""Put a mark in place of each control, bidirectional or zero-width character.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Any columns; those of text change.

    Returns
    -------
    pyarrow.RecordBatch
        Of the same shape. Parquet alone keeps such characters.

    Examples
    --------
    >>> import pyarrow as pa
    >>> visible(pa.record_batch({"name": ["a\u202eb\n"]})).column(0).to_pylist()
    ['a�b�']
    """
    import pyarrow.compute as pc

    return _text(batch, lambda column: pc.replace_substring_regex(column, _HIDDEN, "\ufffd"))


def neutral(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep a spreadsheet from taking a name in a CSV file for a formula (CWE-1236).

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Any columns; those of text change.

    Returns
    -------
    pyarrow.RecordBatch
        With an apostrophe before what would begin a formula, and as `visible` makes it.

    Examples
    --------
    >>> import pyarrow as pa
    >>> neutral(pa.record_batch({"name": ["=1+1", "vm-1"], "n": [-1, 2]})).to_pydict()
    {'name': ["'=1+1", 'vm-1'], 'n': [-1, 2]}
    """
    import pyarrow.compute as pc

    pattern = rf"^\s*([{''.join(FORMULA).replace('-', '')}-])"
    quoted = _text(batch, lambda column: pc.replace_substring_regex(column, pattern, r"'\0"))
    return visible(quoted)


def _text(batch: pa.RecordBatch, change: Any) -> pa.RecordBatch:
    import pyarrow as pa

    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    columns = [
        change(column.cast(pa.string())) if any(kind(column.type) for kind in kinds) else column
        for column in batch.columns
    ]
    return pa.record_batch(columns, names=batch.schema.names)
