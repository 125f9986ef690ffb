"""Files of every kind, told apart by their names and handed to the reader as JSON, part by part."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diskenc_analysis.archives import SHEET, is_archive, parts
from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.flatfiles import written
from diskenc_analysis.ledger import sha256
from diskenc_analysis.normalised import Mark
from diskenc_analysis.packed import plain_name
from diskenc_analysis.reader import Reader
from diskenc_analysis.signs import signs_of_count

_SHAPES = {"csv": "CSV", "parquet": "Parquet", "sheet": "sheet of a workbook"}
_KINDS = {
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
}
#: Shape, in the ledger, of a file that nothing here reads.
NOT_READ = "not read: neither JSON, CSV, Parquet, a workbook nor a .zip"
#: Shape of a file that could not be read, where the others were loaded all the same.
UNREADABLE = "unreadable"


def kind_of(name: str) -> str:
    """Tell by a file's name how it is to be read.

    Parameters
    ----------
    name : str
        A file name.

    Returns
    -------
    {"json", "csv", "parquet", ""}
        Empty where no reader knows it.

    Examples
    --------
    >>> kind_of("disks.ndjson.zst"), kind_of("AzureResources.CSV"), kind_of("notes.txt")
    ('json', 'csv', '')
    """
    return _KINDS.get(plain_name(name).rpartition(".")[2].lower(), "")


@dataclass
class Intake:
    """Takes files in, one by one."""

    reader: Reader
    hasher: ThreadPoolExecutor
    keep_going: bool = False

    def take(self, path: Path, shown: Path | None = None, digest: Future[str] | None = None) -> None:
        """Take one file in, or each part of one that holds several.

        Parameters
        ----------
        path : Path
            The file.
        shown : Path, optional
            Its name for people, where it is part of another file.
        digest : Future, optional
            Will hold the hash of the file that it is part of.

        Raises
        ------
        UnreadableInputError
            When it cannot be read at all, unless `keep_going`: then the ledger names it with the reason.
        """
        shown, digest = shown or path, digest or self.hasher.submit(sha256, path)
        accounts, mark = len(self.reader.ledger.sources), self.reader.rows.mark()
        try:
            if path.suffix != SHEET and is_archive(shown.name):
                for part, name in parts(path, shown, self.reader.scratch):
                    self.take(part, name, digest)
            else:
                self._take_one(path, shown, digest)
        except UnreadableInputError as error:
            reason = str(error).replace(str(path), str(shown))
            if not self.keep_going:
                raise UnreadableInputError(reason) from None
            self._lose(shown, digest, reason, accounts, mark)

    def _take_one(self, path: Path, shown: Path, digest: Future[str]) -> None:
        ledger = self.reader.ledger
        source, kind = ledger.add(shown), "sheet" if path.suffix == SHEET else kind_of(shown.name)
        ledger.hash_later(source, digest)
        if kind == "json":
            self.reader.read(path, source)
        elif kind:
            self._take_flat(path, kind, source)
        else:
            ledger.describe(source, NOT_READ, [])
        if not ledger.sources[source].signs:
            ledger.sign(source, signs_of_count(ledger.sources[source].shape, ledger.rows_of(source)))

    def _take_flat(self, path: Path, kind: str, source: int) -> None:
        """Read a table of cells by way of JSON lines: there is one reader."""
        flat = written(path, kind, self.reader.connection, self.reader.scratch)
        self.reader.rows.flat.add(source)
        if flat.path.stat().st_size:
            self.reader.read(flat.path, source)
        flat.path.unlink()
        self.reader.rows.exported[source] = flat.exported
        ledger = self.reader.ledger
        ledger.describe(source, _SHAPES[kind], ledger.sources[source].signs)
        ledger.set_aside(source, "", "unreadable", flat.rejected)

    def _lose(self, shown: Path, digest: Future[str], reason: str, accounts: int, mark: Mark) -> None:
        """Keep nothing of a file that could not be read to its end, but its name and the reason.

        Of an archive that breaks off, the parts that were read before are kept.
        """
        ledger, source = self.reader.ledger, accounts
        if len(ledger.sources) == accounts or ledger.sources[accounts].path != shown:
            source = ledger.add(shown)
            ledger.hash_later(source, digest)
        else:
            self.reader.forget(source, mark)
        ledger.describe(source, UNREADABLE, [])
        ledger.note(source, reason)
