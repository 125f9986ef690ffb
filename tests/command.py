"""The command `diskenc`: in a process of its own, as a user runs it, or in this one."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from diskenc_analysis.cli import main

COMMAND = [sys.executable, "-c", "from diskenc_analysis.cli import main; main()"]
Done = subprocess.CompletedProcess[str]


def process(*arguments: str, cwd: Path | None = None) -> Done:
    """Run the command as a user would: for what an import, an exit or a stream of a process may change."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=300
    )


def diskenc(*arguments: str, cwd: Path | None = None) -> Done:
    """Run the command in this process, with streams, arguments and working folder of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code: object = 0
    with (
        _arguments(arguments),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    out, err = (_text(stream) for stream in streams)
    assert isinstance(code, int), code
    return Done([*COMMAND, *arguments], code, out, err)


@contextlib.contextmanager
def _arguments(arguments: tuple[str, ...]) -> Iterator[None]:
    before = sys.argv, sys.excepthook  # typer sets a hook of its own
    sys.argv = ["diskenc", *arguments]
    try:
        yield
    finally:
        sys.argv, sys.excepthook = before


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    raw.seek(0)
    return io.TextIOWrapper(raw, encoding="utf-8").read()  # as a pipe in text mode is read
