"""The README's table of twelve kinds of disk: what scanners in use say, and what the kit says.

The scanners' columns are in `data/conformance.csv`: Prowler 5.46.0 (its two checks on customer keys) and
Cloud Custodian 0.7.52 (a filter for disks without a customer key, and one for VMs without encryption at
host), both run offline on one estate. The kit's columns are made anew here. To write the table into the
README: `python -m tests.test_conformance`.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import pytest

from diskenc_analysis.share import data_file
from tests.rules import (
    CVM,
    CVM_DISK,
    HOST,
    V5D,
    Json,
    Rows,
    ade,
    cmk,
    disk,
    judged,
    secured,
    stores,
    vm,
    vm_id,
)

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
COLUMNS = ("at_rest", "temp_disk", "caches", "data_flow", "key_owner", "method")


def _attached(name: str, *, security: Json | None = None, **of_disk: Json) -> list[Json]:
    return [vm(name, security=security), disk(f"{name}-os", name, system="Windows", **of_disk)]


def _estate() -> list[Json]:
    key = cmk("standard")
    shared = [vm("s1", data=["shared"], security=HOST), vm("s2", data=["shared"])]
    owners = [{"vmUri": vm_id("s1")}, {"vmUri": vm_id("s2")}]
    confidential = secured(CVM_DISK + "CustomerKey", "confidential")
    return [
        *stores(),
        *_attached("pmk"),
        *_attached("cmk", encryption=key),
        *_attached("both", encryption=cmk("double", double=True)),
        *_attached("pmk-host", security=HOST),
        *_attached("cmk-host", security=HOST, encryption=key),
        *_attached("ade", collection=ade()),
        vm("off"),
        disk("off-os", "off", system="Windows", state="Reserved"),
        disk("free-cmk", encryption=key),
        disk("free-pmk"),
        disk("free-ade", collection=ade()),
        vm("cvm", security=CVM, size=V5D),
        disk("cvm-os", "cvm", system="Windows", security=confidential),
        *shared,
        disk("s1-os", "s1", system="Windows"),
        disk("s2-os", "s2", system="Windows"),
        disk("shared", "s1", encryption=key, maxShares=2, shareInfo=owners),
    ]


#: One disk of each kind, in the order of `data/conformance.csv`; the verdicts worked out from RULES by hand.
EXPECTED = {
    "pmk-os": ("yes", "no", "no", "no", "platform", "sse"),
    "cmk-os": ("yes", "no", "no", "no", "customer", "sse"),
    "both-os": ("yes", "no", "no", "no", "platform_and_customer", "sse"),
    "pmk-host-os": ("yes", "yes", "yes", "yes", "platform", "host"),
    "cmk-host-os": ("yes", "yes", "yes", "yes", "customer", "host"),
    # No extension was read, so whether ADE reaches the temp disk is not known (C3).
    "ade-os": ("yes", "unknown", "yes", "yes", "customer", "ade"),
    "off-os": ("yes", "no", "no", "no", "platform", "sse"),
    "free-cmk": ("yes", "not_applicable", "not_applicable", "not_applicable", "customer", "sse"),
    "free-pmk": ("yes", "not_applicable", "not_applicable", "not_applicable", "platform", "sse"),
    "free-ade": ("yes", "not_applicable", "not_applicable", "not_applicable", "customer", "ade"),
    "cvm-os": ("yes", "yes", "yes", "yes", "customer", "confidential"),
    # One VM of two is not encrypted at host: what is asked of all of them is no (C3, C6).
    "shared": ("yes", "no", "no", "no", "customer", "sse"),
}


def _table(rows: Rows) -> str:
    """Render the table as the README shows it."""
    with data_file("conformance.csv").open(encoding="utf-8", newline="") as file:
        kinds = list(csv.DictReader(file))
    names = ("kind", "Prowler", "Custodian: disks", "Custodian: VMs", *(c.replace("_", " ") for c in COLUMNS))
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    for kind, name in zip(kinds, EXPECTED, strict=True):
        said = [rows[name][column].replace("_", " ") for column in COLUMNS]
        lines.append(f"| {' | '.join([*kind.values(), *said])} |")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Rows:
    return judged(tmp_path_factory.mktemp("conformance"), *_estate())


@pytest.mark.parametrize("name", EXPECTED)
def test_kit_says_what_a_coverage_audit_should(rows, name):
    assert tuple(rows[name][column] for column in COLUMNS) == EXPECTED[name]


def test_readme_shows_what_the_kit_says(rows):
    text = README.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == _table(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        table = _table(judged(Path(folder), *_estate()))
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    sys.stdout.write(f"{table}\n")
