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


def fill(work: Path, runs: Sequence[Run], head: Head, as_of: str = "") -> Contents:
    """Fill a report folder with all but its manifest.

    Parameters
    ----------
    work : Path
        An empty folder.
    runs : sequence of Run
        The notebooks that were run. One that failed leaves its executed copy alone.
    head : Head
        What stands at the top of the index and of every page.
    as_of : str
        The date that the report speaks for, or empty.

    Returns
    -------
    Contents
    """
    made, chapters = Contents(), []
    for run in runs:
        _keep_copy(run, work)
        chapter, failure = _chapter(run, work, head)
        chapters.append(chapter)
        if failure:
            made.failures += (failure,)
            continue
        made.pages.append(f"{run.name}.html")
        made.facts[run.name] = run.facts()
        _keep_tables(run, work)
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
