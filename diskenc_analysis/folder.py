"""What a report folder holds: executed notebooks, pages, facts, the full tables, the appendix, the index."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diskenc_analysis.appendix import write_appendix
from diskenc_analysis.datafiles import write_csv
from diskenc_analysis.errors import DiskencError, ReportCheckError
from diskenc_analysis.head import Head
from diskenc_analysis.indexpage import Chapter, make_index
from diskenc_analysis.results import write_facts
from diskenc_analysis.runs import DATA, FACTS, HELD, Run

APPENDIX = "appendix.xlsx"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass
class Contents:
    """What was put into a report folder.

    Attributes
    ----------
    pages : list of str
        Names of the pages, in the order of the notebooks.
    facts : dict
        The numbers of all notebooks, by notebook.
    failures : tuple of DiskencError
        Why the other notebooks have no page.

    Examples
    --------
    >>> Contents().pages
    []
    """

    pages: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    failures: tuple[DiskencError, ...] = ()


@dataclass(frozen=True)
class Finished:
    """A notebook that was run and made a page of.

    Attributes
    ----------
    run : Run
        The run of it.
    chapter : Chapter
        What the index says of it.
    failure : DiskencError or None
        Why it has no page.
    """

    run: Run
    chapter: Chapter
    failure: DiskencError | None


def finish(run: Run, work: Path, head: Head) -> Finished:
    """Put the page of a notebook into a report folder, and its executed copy.

    Parameters
    ----------
    run : Run
        The notebook that was run. One that failed leaves its executed copy alone.
    work : Path
        The folder.
    head : Head
        What stands at the top of the page.

    Returns
    -------
    Finished
    """
    _keep_copy(run, work)
    return Finished(run, *_chapter(run, work, head))


def fill(work: Path, finished: Sequence[Finished], head: Head, as_of: str = "") -> Contents:
    """Fill a report folder with what its notebooks have in common, all but its manifest.

    Parameters
    ----------
    work : Path
        A folder with the pages.
    finished : sequence of Finished
        The notebooks that were run.
    head : Head
        What stands at the top of the index.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    Contents
    """
    made, chapters = Contents(), [one.chapter for one in finished]
    for one in finished:
        if one.failure:
            made.failures += (one.failure,)
            continue
        made.pages.append(f"{one.run.name}.html")
        made.facts[one.run.name] = one.run.facts()
        _keep_tables(one.run, work)
    write_facts(work / FACTS, made.facts)
    _spread(work, as_of)
    files = sorted(path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file())
    index = make_index(chapters, head, [(name, (work / name).stat().st_size) for name in files], as_of)
    (work / "index.html").write_text(index, encoding="utf-8", newline="\n")
    return made


def _keep_copy(run: Run, work: Path) -> None:
    """Put the executed copy in place, without the places of the run."""
    if run.copy.is_file():
        text = run.copy.read_text(encoding="utf-8").replace(HELD, "").replace(f"{run.folder}/", "")
        (work / run.copy.name).write_text(text, encoding="utf-8", newline="\n")


def _chapter(run: Run, work: Path, head: Head) -> tuple[Chapter, DiskencError | None]:
    """Make the page of a notebook, unless it failed or the page does."""
    from diskenc_analysis.page import make_page

    if run.error:
        return Chapter(run.name, failure=str(run.error)), run.error
    try:
        executed = run.executed()
        page = make_page(executed, head)
    except ReportCheckError as error:
        named = ReportCheckError(f"notebook {run.name}: {error}")
        return Chapter(run.name, failure=str(named)), named
    (work / f"{run.name}.html").write_text(page.html, encoding="utf-8", newline="\n")
    return Chapter.of(run.name, executed), None


def _keep_tables(run: Run, work: Path) -> None:
    for file in (*run.tables, *run.texts):
        target = work / file.relative_to(run.folder)
        if target.exists() and target.read_bytes() != file.read_bytes():
            raise ReportCheckError(f"two notebooks wrote different tables named {file.stem}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _spread(work: Path, as_of: str) -> None:
    """Write the tables out for those who open CSV and workbooks."""
    files = sorted((work / DATA).glob("*.parquet"))
    for file in files:
        write_csv(file)
    write_appendix(work / APPENDIX, files, "Appendix: every row behind the report", as_of)


def pack(folder: Path, target: Path, name: str) -> None:
    """Make one attachable file of a finished folder. The same files give the same bytes.

    Parameters
    ----------
    folder : Path
        The finished folder.
    target : Path
        The zip file to write.
    name : str
        Name of the folder in it.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", _ZIP_DATE)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                    shutil.copyfileobj(source, packed)
