"""Controls by hand, disk by disk; exceptions at a date; and the mappings held to their sources."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis.controls import chosen, controls, frameworks, predicates
from diskenc_analysis.coverage import COLUMNS
from diskenc_analysis.errors import ParameterError, UnknownNameError, UnreadableInputError
from diskenc_analysis.exceptions import read_exceptions
from tests.rules import (
    CVM,
    CVM_DISK,
    GROUP,
    HOST,
    ade,
    cmk,
    disk,
    disk_id,
    listed,
    records,
    secured,
    snapshot,
    stores,
    vm,
    write,
)

SUBSCRIPTION, RESOURCE_GROUP = GROUP.partition("/resourceGroups/")[0], GROUP.removesuffix("/providers")
HEADER = "finding,scope,reason,owner,approver,expires\n"


def _vm(name, *, of_disk=None, **machine):
    return [vm(name, **machine), disk(f"{name}-os", name, system="Windows", **(of_disk or {}))]


def _objects():
    closed = {"networkAccessPolicy": "DenyAll", "publicNetworkAccess": "Disabled"}
    vhd = listed(None) | {
        "name": "vhd-os",
        "vhd": {"uri": "https://account.blob.core.windows.net/vhds/os.vhd"},
    }
    confidential = secured(f"{CVM_DISK}CustomerKey", "confidential")
    return [
        *stores(),
        *_vm("plain"),
        *_vm("host", security=HOST, of_disk={"encryption": cmk("standard"), **closed}),
        *_vm("ade", of_disk={"collection": ade()}),
        *_vm("cvm", security=CVM, of_disk={"security": confidential}),
        *_vm("double", of_disk={"encryption": cmk("double", double=True)}),
        vm("vhd", os_disk=vhd),
        disk("loose"),
        disk("loose-cmk", encryption=cmk("standard")),
        disk("lost-os", "lost", system="Windows"),
        snapshot("copy"),
    ]


@pytest.fixture(scope="module")
def inv(tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("tenant"), _objects()), engine="duckdb")


@pytest.fixture(scope="module")
def found(inv):
    """Give the status of every disk by every control."""
    rows = records(de.findings(inv, framework="all"))
    assert len(rows) == 10 * len(controls())
    return {(row["name"], row["rule_id"]): row["status"] for row in rows}


# By hand: m met, x not met, - not applicable, ? unknown; confidential VMs: no Defender verdict (C11).
NAMES = ("plain-os", "host-os", "ade-os", "cvm-os", "double-os")
NAMES += ("vhd-os", "loose", "loose-cmk", "lost-os", "copy")
EXPECTED = {
    "cis_azure_3.0.0/8.2": "mmmmmxmmm-",
    "cis_azure_3.0.0/8.3": "xmmmm---x-",
    "cis_azure_3.0.0/8.4": "------xm--",
    "mcsb_1/DP-4": "xmm-x---?-",
    "mcsb_2/DP-5": "xmmmm-xmxx",
    "nist_800_53_Rev._5/SC-28": "xmxxxx--?-",
    "nist_800_53_Rev._5/SC-12": "xmmmm-xmxx",
    "nist_800_53_Rev._5.1.1/SC-12": "xxxxmxxxxx",
    "pci_dss_4.0.1/3.5.1.2": "x??-x---?-",
}
LETTERS = {"met": "m", "not_met": "x", "not_applicable": "-", "unknown": "?"}


@pytest.mark.parametrize("control", EXPECTED)
def test_each_disk_is_judged_by_hand(found, control):
    assert "".join(LETTERS[found[name, control]] for name in NAMES) == EXPECTED[control]


def test_disk_encryption_alone_never_meets_the_card_standard(found):
    statuses = {status for (_, control), status in found.items() if control.startswith("pci_dss")}
    assert "met" not in statuses
    for one in chosen("pci_dss"):
        assert "removable media" in one.caveat


def test_the_network_of_an_export(found):
    # Only one disk says that nobody may export it; the others do not say at all.
    assert found["host-os", "cis_azure_3.0.0/8.5"] == "met"
    assert found["plain-os", "cis_azure_3.0.0/8.5"] == "unknown"
    assert found["copy", "cis_azure_3.0.0/8.5"] == "not_applicable"


def test_every_control_has_a_source_a_predicate_and_words():
    for one in controls().values():
        assert one.source
        assert one.title
        assert one.severity in ("high", "medium", "low")
        assert one.at_most in ("", "unknown")
        assert one.control_id == f"{one.framework}_{one.version}/{one.control}".replace(" ", "_")
        assert one.predicate in predicates()
    assert {one.column for one in predicates().values()} <= {*COLUMNS, "network"}
    assert "met" not in {word for one in controls().values() for word in one.title.lower().split()}


def test_frameworks_are_named_with_their_near_miss():
    assert [one.version for one in chosen("mcsb")] == ["1"]
    assert len(chosen("all")) == len(controls())
    with pytest.raises(UnknownNameError, match='Did you mean "cis_azure"'):
        chosen("cis_azur")
    with pytest.raises(UnknownNameError, match="version of cis_azure"):
        chosen("cis_azure@9")
    assert set(frameworks()) >= {"cis_azure", "mcsb", "nist_800_53", "pci_dss", "iso_27001", "hipaa"}


def test_a_finding_keeps_its_id(inv):
    rows = records(de.findings(inv, framework="cis_azure"))
    [row] = [r for r in rows if r["name"] == "loose" and "8.4" in r["rule_id"]]
    assert row["finding_id"] == f"cis_azure_3.0.0/8.4:{disk_id('loose').lower()}"
    assert row["evidence"].startswith("customer control of keys: no; ")


def _excepted(inv, tmp_path, lines, as_of="2026-11-24"):
    path = tmp_path / "exceptions.csv"
    path.write_text(HEADER + lines, encoding="utf-8")
    rows = records(de.findings(inv, framework="cis_azure", exceptions=path, as_of=as_of))
    found = {}
    for row in rows:
        found[row["name"], row["rule_id"].partition("/")[2]] = (row["exception"], row["exception_note"])
    return found


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("", True),
        (SUBSCRIPTION.upper(), True),
        (f"{RESOURCE_GROUP}/", True),
        (disk_id("loose"), True),
        (disk_id("other"), False),
    ],
)
def test_exceptions_hold_for_their_scope_and_rule(inv, tmp_path, scope, covered):
    found = _excepted(inv, tmp_path, f"cis_azure_3.0.0/8.4,{scope},lab,me,you,2026-12-31\n")
    note = "lab (owner me, approved by you, until 2026-12-31)"
    assert found["loose", "8.4"] == (("excepted", note) if covered else ("", ""))
    assert found["loose", "8.2"] == ("", "")


@pytest.mark.parametrize(
    ("expires", "word"), [("2026-11-24", "excepted"), ("2026-11-23", "expired"), ("20261124", "excepted")]
)
def test_exceptions_expire(inv, tmp_path, expires, word):
    found = _excepted(
        inv, tmp_path, f"cis_azure_3.0.0/8.4:{disk_id('loose').lower()},,lab,me,you,{expires}\n"
    )
    assert found["loose", "8.4"][0] == word
    assert found["loose-cmk", "8.4"][0] == ""


def test_a_wider_exception_in_force_counts_before_a_narrower_one_that_expired(inv, tmp_path):
    lines = f"cis_azure_3.0.0/8.4,{disk_id('loose')},old,me,you,2026-01-01\n"
    lines += f"cis_azure_3.0.0/8.4,{SUBSCRIPTION},new,me,you,2026-12-31\n"
    assert _excepted(inv, tmp_path, lines)["loose", "8.4"][0] == "excepted"


def test_exceptions_without_a_date_are_refused(inv, tmp_path):
    with pytest.raises(ParameterError, match="as_of"):
        _excepted(inv, tmp_path, "cis_azure_3.0.0/8.4,,lab,me,you,2026-12-31\n", as_of="")


CONTROL = "cis_azure_3.0.0/8.4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected one column 'finding', got nothing"),
        (HEADER.replace("scope", "scop"), "line 1: expected one column 'scope', got .*Did you mean"),
        (HEADER.replace(",", ";"), "line 1: expected one column 'finding', got finding;scope;"),
        (HEADER.replace("\n", ",owner\n"), "line 1: expected one column 'owner'"),
        (
            HEADER + f"{CONTROL},,why,me,you,soon\n",
            "line 2, column 'expires': expected a date as YYYY-MM-DD, got 'soon'",
        ),
        (HEADER + f"{CONTROL},,why,me,you,\n", "line 2, column 'expires': expected a date .*, got ''"),
        (
            HEADER + f"{CONTROL},,,me,you,2026-12-31\n",
            "line 2, column 'reason': expected a value, got nothing",
        ),
        (HEADER + f"{CONTROL},,why\n", "line 2, column 'owner': expected a value, got nothing"),
        (HEADER + f"{CONTROL},,why, so,me,you,2026-12-31\n", "line 2, .*expected 6 cells .*, got 7"),
        # A quoted cell may hold line breaks: the line is that of the file.
        (
            HEADER + f'{CONTROL},,"a\nb",me,you,2026-12-31\n{CONTROL},,why,me,,2026-12-31\n',
            "line 4, column 'approver'",
        ),
        (
            HEADER + "cis_azure_3.0.0/8.44,,why,me,you,2026-12-31\n",
            "line 2, column 'finding': expected the rule_id .*got 'cis_azure_3.0.0/8.44'. Did you mean",
        ),
        # What reaches nobody knows how far must not be taken for everywhere.
        (
            HEADER + f"{CONTROL},/providers/Microsoft.Management/managementGroups/a,why,me,you,2026-12-31\n",
            "line 2, column 'scope': expected the ARM id of a subscription, resource group or disk",
        ),
        (HEADER + f"{CONTROL},rg-prod,why,me,you,2026-12-31\n", "column 'scope': .*got rg-prod"),
    ],
)
def test_a_wrong_file_of_exceptions_is_named_with_its_place(tmp_path, text, said):
    path = tmp_path / "exceptions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableInputError, match=said):
        read_exceptions(path, controls())


@pytest.mark.parametrize("content", [b"\xff\xfef\x00", b"finding\x00", b'finding,"scope'])
def test_a_file_of_exceptions_that_is_no_text_is_named(tmp_path, content):
    path = tmp_path / "exceptions.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=r"exceptions\.csv"):
        read_exceptions(path)


def test_columns_of_exceptions_come_in_any_order_and_blank_lines_say_nothing(tmp_path):
    path = tmp_path / "exceptions.csv"
    text = (
        f"Expires, Note,owner,approver,reason,scope,finding\n\n2026-12-31,x,me,you,lab,,{CONTROL}\n,,,,,,\n"
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    [one] = read_exceptions(path, controls())
    assert (one.finding, one.scope, one.reason, one.expires) == (CONTROL, "", "lab", "2026-12-31")


def test_an_exception_of_one_finding_holds_in_any_case_and_within_its_scope(inv, tmp_path):
    whole = f"{CONTROL}:{disk_id('loose').upper()}/"
    assert _excepted(inv, tmp_path, f"{whole},,lab,me,you,2026-12-31\n")["loose", "8.4"][0] == "excepted"
    elsewhere = f"{whole},/subscriptions/other,lab,me,you,2026-12-31\n"
    assert _excepted(inv, tmp_path, elsewhere)["loose", "8.4"][0] == ""


def test_what_is_met_needs_no_exception(inv, tmp_path):
    found = _excepted(inv, tmp_path, f"{CONTROL},,lab,me,you,2026-12-31\n")
    assert found["loose-cmk", "8.4"] == ("", "")
    assert [name for name, (word, _) in found.items() if word] == [("loose", "8.4")]


def test_a_date_that_is_none_is_refused(inv, tmp_path):
    with pytest.raises(ParameterError, match=r"as_of: expected a date as YYYY-MM-DD, got .24\.11\.2026."):
        _excepted(inv, tmp_path, f"{CONTROL},,lab,me,you,2026-12-31\n", as_of="24.11.2026")


def test_a_missing_file_of_exceptions_is_named(tmp_path):
    with pytest.raises(UnreadableInputError, match=r"none\.csv: expected a CSV file of exceptions"):
        read_exceptions(tmp_path / "none.csv")
