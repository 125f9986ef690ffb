"""What a notebook shows, one call per cell: each function lives in the module of its topic."""

from __future__ import annotations

from diskenc_analysis.disktables import conflicts, kinds, misses, shares
from diskenc_analysis.fulltables import write_tables
from diskenc_analysis.provenance import edition_changes, hashes, provenance
from diskenc_analysis.readlists import files, gaps, reading
from diskenc_analysis.results import coverage_facts, write_facts
from diskenc_analysis.scope import ATTACHED, SNAPSHOTS, UNATTACHED, by_size, held, only, with_scope
from diskenc_analysis.verdict import verdict

__all__ = [
    "ATTACHED",
    "SNAPSHOTS",
    "UNATTACHED",
    "by_size",
    "conflicts",
    "coverage_facts",
    "edition_changes",
    "files",
    "gaps",
    "hashes",
    "held",
    "kinds",
    "misses",
    "only",
    "provenance",
    "reading",
    "shares",
    "verdict",
    "with_scope",
    "write_facts",
    "write_tables",
]
