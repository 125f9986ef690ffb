from __future__ import annotations

import gzip
import json
from contextlib import contextmanager

import pytest

from diskenc_analysis.envelopes import opened, read_text
from diskenc_analysis.errors import UnreadableInputError
from tests.exported import disk, graph, lines, page, save

ROWS = [disk(name) for name in ("a", 'b]"}', "c[{", 'd\\"]', '],":"', "]}")]
TEXT = json.dumps(ROWS)
#: Members that come behind the array and hold brackets, arrays and escaped quotes themselves.
FACETS = [{"expression": 'x"]}', "data": [{"count": 1, "in": [[], {"y": []}]}]}]


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def ready(tmp_path, scratch):
    """Save some content and open it as a large file."""

    @contextmanager
    def open_it(content, name="export.json"):
        with opened(save(tmp_path / name, content), scratch) as found:
            yield found

    return open_it


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("plain.json", TEXT.encode()),
        ("marked.json", b"\xef\xbb\xbf" + TEXT.encode()),
        ("utf16le.json", b"\xff\xfe" + TEXT.encode("utf-16-le")),
        ("utf16be.json", b"\xfe\xff" + TEXT.encode("utf-16-be")),
        ("packed.json.gz", TEXT.encode()),
        ("packed_utf16.json.gz", TEXT.encode("utf-16")),
    ],
)
class TestEncodings:
    def test_small(self, tmp_path, name, raw):
        assert read_text(save(tmp_path / name, raw)) == TEXT

    def test_large(self, ready, name, raw):
        with ready(raw, name) as found:
            assert found.path.read_text(encoding="utf-8") == TEXT
            assert (found.shape, found.format) == ("array", "array")


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'["abc\xff"]', r"byte 5: .* found b'\\xff'"),
        (b'\xef\xbb\xbf["abc\xff"]', r"byte 8: .* found b'\\xff'"),
        (b'["\xc3"]', r"byte 2: .* found b'\\xc3'"),
        (gzip.compress(b"[]", mtime=0), r"byte 1: .* found b'\\x8b'"),
    ],
)
def test_bytes_that_are_no_text_are_named(tmp_path, raw, place):
    path = save(tmp_path / "export.json", raw)
    with pytest.raises(UnreadableInputError, match=rf"export\.json: {place}"):
        read_text(path)


def whole():
    return gzip.compress(TEXT.encode(), mtime=0)


#: Archives by what is wrong with them; the third byte of the deflated block is of no known kind.
BROKEN = {
    "cut": whole()[:-12],
    "changed": whole()[:40] + bytes([whole()[40] ^ 255]) + whole()[41:],
    "no block": whole()[:10] + b"\xff" + whole()[11:],
    "not packed": TEXT.encode(),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_a_broken_archive_is_refused(tmp_path, scratch, raw):
    path = tmp_path / "export.json.gz"
    path.write_bytes(raw)
    with pytest.raises(UnreadableInputError, match=r"export\.json\.gz: expected a whole gzip archive"):
        read_text(path)
    with pytest.raises(UnreadableInputError, match=r"export\.json\.gz"), opened(path, scratch):
        pass
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "shape", "form"),
    [
        (TEXT, "array", "array"),
        (json.dumps(ROWS, indent=1), "array", "array"),
        (lines(ROWS), "JSON lines", "newline_delimited"),
        (lines([ROWS, ROWS]), "JSON lines", "newline_delimited"),
        (lines([{"value": ROWS}, {"value": ROWS}]), "JSON lines", "newline_delimited"),
        ("\n".join(json.dumps(row, indent=1) for row in ROWS), "JSON values", "unstructured"),
        (page(ROWS), "ARM page", "array"),
        (graph(ROWS), "Resource Graph reply", "array"),
        (json.dumps({"data": {"columns": [], "rows": []}}, indent=1), "JSON values", "unstructured"),
    ],
)
def test_the_shape_of_a_large_file(ready, content, shape, form):
    with ready(content) as found:
        assert (found.shape, found.format) == (shape, form)


@pytest.mark.parametrize(
    "first", [{}, {"count": 6, "note": 'a "value": [', "nested": {"value": [1], "data": [2]}}]
)
@pytest.mark.parametrize("name", ["value", "data", "Value"])
@pytest.mark.parametrize(
    "last", [{}, {"facets": FACETS, "resultTruncated": "false"}, {"nextLink": "x]}", "z": []}]
)
def test_the_array_is_cut_out_of_its_envelope(ready, first, name, last):
    with ready(json.dumps({**first, name: ROWS, **last}, indent=1)) as found:
        assert json.loads(found.path.read_text(encoding="utf-8")) == ROWS
        expected = {key.lower(): value for key, value in {**first, **last}.items()}
        assert found.members == expected | {name.lower(): []}


@pytest.mark.parametrize("rows", [[], [[]], [5, None, "]"]])
def test_an_array_of_anything_is_cut_out(ready, rows):
    with ready(page(rows, nextLink=None)) as found:
        assert json.loads(found.path.read_text(encoding="utf-8")) == rows


def test_an_envelope_larger_than_the_windows_is_cut_at_its_own_end(ready):
    many = [disk(f"disk-{n}-]}}", note="[" * 100) for n in range(400)]
    with ready(graph(many, facets=FACETS * 100)) as found:
        assert json.loads(found.path.read_text(encoding="utf-8")) == many
        assert found.members["facets"] == FACETS * 100


@pytest.mark.parametrize(
    "content",
    [
        page(ROWS)[:-40],
        page(ROWS).rstrip("}\n"),
        page(ROWS) + "}",
        page(ROWS).replace("]\n}", "],\n}"),
    ],
)
def test_an_envelope_that_does_not_end_as_it_should_is_refused(ready, content):
    with (
        pytest.raises(UnreadableInputError, match=r"export\.json: .*its end could not be found"),
        ready(content),
    ):
        pass


@pytest.mark.parametrize("content", ["<!DOCTYPE html><title>Sign in</title>", "no json", "5", '"text"', "  "])
def test_what_does_not_begin_as_json_is_refused(ready, content):
    with (
        pytest.raises(UnreadableInputError, match="expected JSON, but the file begins with b'"),
        ready(content),
    ):
        pass


def test_nothing_is_left_behind(ready, scratch):
    with ready(page(ROWS), "export.json.gz"):
        assert {path.name for path in scratch.iterdir()} == {"copy.json", "array.json"}
    assert list(scratch.iterdir()) == []


def test_a_plain_file_is_read_in_its_place(ready, tmp_path):
    with ready(TEXT) as found:
        assert found.path == tmp_path / "export.json"
        assert found.whole is None


def test_uncut_is_the_file_as_it_came(ready, tmp_path):
    with ready(page(ROWS)) as found:
        again = found.uncut()
        assert (again.path, again.format, again.members) == (tmp_path / "export.json", "unstructured", {})


def test_errors_name_the_file_that_came_and_not_the_copy(ready, tmp_path):
    with ready(page(ROWS)) as found:
        message = found.explain(ValueError(f'Malformed JSON in "{found.path}"\nmore'))
    assert message.startswith(f"{tmp_path / 'export.json'}: expected ARM page")
    assert "array.json" not in message
    assert "more" not in message
