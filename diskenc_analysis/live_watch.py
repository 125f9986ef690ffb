"""The progress of a collection, on a terminal."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from diskenc_analysis.ending import ENDS
from diskenc_analysis.live_state import Progress


@contextmanager
def watching() -> Iterator[Callable[[Progress], None] | None]:
    """Show the progress of a collection on stderr, where that is a terminal.

    An end asked for by a scheduler counts as Ctrl-C, so that the collection is left in order. What the SDK
    would log of a sign-in that fails is left to our own message.

    Yields
    ------
    callable or None
        To be called with the progress; None where nobody watches.
    """
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    for number in ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("signing in")

        def show(progress: Progress) -> None:
            bar.update(task, total=progress.parts, completed=progress.parts_done, description=str(progress))

        yield show
