"""An end that a scheduler or a closing terminal asks for, taken like Ctrl-C: nothing is left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

#: What asks a process to end, where the system has it.
ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def tidily() -> Iterator[None]:
    """Let a run that is asked to end clean up first, and then end as the system expects.

    Yields
    ------
    None
        Within the block such a signal raises `KeyboardInterrupt`, once. At its end the process dies of that
        signal, so that a shell sees 143 or 129 and systemd a stop that it asked for. A signal that whoever
        started this chose to ignore, as `nohup` does, stays ignored.

    Examples
    --------
    >>> with tidily():
    ...     signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    False
    """
    asked: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # the second of a pair must not disturb the cleaning up
        asked.append(number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in ENDS}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if asked:
            _die(asked[0])


def _die(number: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)  # the first process of a container does not die of it
