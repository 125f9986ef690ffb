from __future__ import annotations

import hashlib
import json
import shutil

import nbformat
import pytest

from diskenc_analysis import history, params, report, runner
from diskenc_analysis.errors import (
    NotebookFailedError,
    ParameterError,
    ReportCheckError,
    UnreadableInputError,
)
from diskenc_analysis.exports import load
from diskenc_analysis.manifest import verify
from tests.rules import ade, disk, vm, write
from tests.shared import QUICK

OUTER = ("appendix.xlsx", "data", "facts.json", "index.html", "manifest.json", "manifest.sha256")
FACTS = 'open(facts_out, "w").write(\'{"n": 1}\')'


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """A folder of notebooks, each written as the source of its one cell."""

    def make(**sources):
        folder = tmp_path / "notebooks"
        folder.mkdir()
        for name, source in sources.items():
            cells = [
                nbformat.v4.new_code_cell(
                    'inventory = ""\nas_of = ""\nfacts_out = ""\ndata_out = ""',
                    metadata={"tags": ["parameters"]},
                ),
                nbformat.v4.new_code_cell(source),
            ]
            kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
            made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
            nbformat.write(made, folder / f"{name}.ipynb")
            monkeypatch.setitem(params.NOTEBOOKS, name, params.CoverageParams)
        monkeypatch.setattr(runner, "notebook_dir", lambda: folder)

    return make


def test_the_folder_is_complete(rendered):
    made, _ = rendered
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(
        [*OUTER, *(f"{name}.{suffix}" for name in params.REPORTED for suffix in ("html", "ipynb"))]
    )
    tables = (
        "ade_migration",
        "controls",
        "copied_keys",
        "defender",
        "disk_policies",
        "disks",
        "disks_to_change",
        "exposure",
        "files_read",
    )
    tables += ("findings", "gaps", "key_checks", "key_ownership", "keys", "matrix", "single_points")
    tables += ("subscriptions",)
    files = sorted(path.name for path in (made.folder / "data").iterdir())
    assert files == [f"{name}.{suffix}" for name in tables for suffix in ("csv", "parquet")]
    names = (*params.REPORTED, "index")
    assert made.pages == tuple(made.folder / f"{name}.html" for name in names)
    assert sorted(path.name for path in made.folder.parent.iterdir()) == [made.folder.name]


def test_the_manifest_covers_every_file(rendered):
    made, _ = rendered
    manifest = json.loads((made.folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        content = (made.folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    every = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == every - {"manifest.json", "manifest.sha256"}
    assert sorted(manifest["inputs"]) == ["disks.json", "snapshots.json", "subscriptions.json", "vms.json"]
    assert manifest["parameters"]["coverage"]["as_of"] == "2026-11-24"
    assert manifest["started"].endswith("+00:00")
    assert made.manifest_sha256 == hashlib.sha256((made.folder / "manifest.json").read_bytes()).hexdigest()


def test_the_inputs_are_those_that_were_read(rendered, tenant):
    manifest = json.loads((rendered[0].folder / "manifest.json").read_text())
    for name, digest in manifest["inputs"].items():
        assert digest == hashlib.sha256((tenant / name).read_bytes()).hexdigest()


def test_the_facts_are_those_worked_out_by_hand(rendered):
    # vm-1 has encryption at host, vm-2 has not; data-1 alone has a customer's key.
    # 256 of 128 + 256 + 64 + 32 + 128 = 608 GiB are 42.1053 %.
    facts = json.loads((rendered[0].folder / "facts.json").read_text())["coverage"]
    assert facts["disks"] == 5
    temp = facts["capabilities"]["temp_disk"]
    assert set(temp) == {"vms"}
    assert (temp["vms"]["yes"], temp["vms"]["no"], temp["vms"]["share_low"]) == (1, 1, 0.5)
    keys = facts["capabilities"]["customer_keys"]
    assert (keys["disks"]["yes"], keys["disks"]["no"], keys["disks"]["share"]) == (1, 4, 0.2)
    assert (keys["gib"]["yes"], keys["gib"]["share"]) == (256, 0.421053)
    flow = facts["capabilities"]["data_flow"]["disks"]
    assert (flow["yes"], flow["no"], flow["not_applicable"]) == (2, 1, 2)
    assert facts["by_kind"] == [
        {"kind": "managed_disk", "attachment": "attached", "disks": 3, "gib": 448},
        {"kind": "managed_disk", "attachment": "unattached", "disks": 1, "gib": 32},
        {"kind": "snapshot", "attachment": "unattached", "disks": 1, "gib": 128},
    ]
    assert facts["ledger"]["rows_read"] == 8
    assert facts["as_of"] == "2026-11-24"


def test_the_page_says_nothing_of_this_machine(rendered, tenant):
    page = (rendered[0].folder / "coverage.html").read_text()
    assert str(tenant) not in page
    assert str(tenant.parent) not in page
    assert str(tenant.parent) not in (rendered[0].folder / "facts.json").read_text()


def test_progress_counts_the_cells(rendered):
    _, seen = rendered
    for name in params.REPORTED:
        cells = [(cell, total) for told, cell, total in seen if told == name]
        assert cells == [(n, len(cells)) for n in range(1, len(cells) + 1)]
    assert {told for told, _, _ in seen} == set(params.REPORTED)


def test_rendered_again_from_the_saved_inventory_the_bytes_are_the_same(rendered, tenant, tmp_path):
    saved = load(tenant, engine="duckdb").save(tmp_path / tenant.name)
    again = report.render(saved, tmp_path / "again", as_of="2026-11-24")
    assert again.facts == rendered[0].facts
    names = {path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file()}
    different = [n for n in names if (again.folder / n).read_bytes() != (rendered[0].folder / n).read_bytes()]
    assert sorted(map(str, different)) == ["manifest.json", "manifest.sha256"]


def test_an_earlier_inventory_is_read_and_hashed_and_leaves_no_path(tenant, tmp_path):
    earlier = tmp_path / "last-year"
    shutil.copytree(tenant, earlier)
    params = {"baseline": str(earlier), "baseline_as_of": "2025-11-24"} | QUICK
    names = ["ade_migration"]
    made = report.render(tenant, tmp_path / "out", names, params, as_of="2026-11-24")
    assert made.facts["ade_migration"]["run_out"]["points"] == [
        {"day": "2025-11-24", "vms": 0},
        {"day": "2026-11-24", "vms": 0},
    ]
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest["inputs"]["earlier/vms.json"] == manifest["inputs"]["vms.json"]
    assert manifest["parameters"]["ade_migration"]["baseline"] == str(earlier)
    for file in ("ade_migration.html", "ade_migration.ipynb", "facts.json"):
        assert str(tmp_path) not in (made.folder / file).read_text()
    with pytest.raises(UnreadableInputError, match="no-such"):
        report.render(tenant, tmp_path / "bad", names, {"baseline": str(tmp_path / "no-such")})


def test_a_history_gives_counts_and_leaves_no_path(tenant, tmp_path):
    past = tmp_path / "past"
    history.add(load(tenant, engine="auto"), past, "2026-01-01")
    params = {"history": str(past)} | QUICK
    made = report.render(tenant, tmp_path / "out", ["ade_migration"], params, as_of="2026-11-24")
    points = made.facts["ade_migration"]["run_out"]["points"]
    assert points == [{"day": "2026-01-01", "vms": 0}, {"day": "2026-11-24", "vms": 0}]
    for file in ("ade_migration.html", "ade_migration.ipynb", "facts.json"):
        assert str(tmp_path) not in (made.folder / file).read_text()
    with pytest.raises(UnreadableInputError, match="expected a history"):
        report.render(tenant, tmp_path / "bad", ["ade_migration"], {"history": str(tmp_path)})


@pytest.mark.parametrize(
    ("notebook", "params"),
    [
        ("coverage", {"what_if_host": "on", "what_if_where": {"name": "os-1"}}),
        ("controls", {"exceptions": "granted.csv"}),
    ],
)
def test_names_that_a_person_writes_cannot_go_with_pseudonyms(tenant, tmp_path, notebook, params):
    options = report.Options(redact="names")
    with pytest.raises(ParameterError, match="cannot go with redact"):
        report.render(tenant, tmp_path / "out", [notebook], params, options=options)


def test_exceptions_are_found_from_where_the_person_is_and_hashed(tenant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    granted = "finding,scope,reason,owner,approver,expires\ncis_azure_3.0.0/8.4,,moving,Ann,Bob,2027-01-01\n"
    (tmp_path / "granted.csv").write_text(granted)
    params, absent = {"exceptions": "granted.csv"} | QUICK, {"exceptions": "no-such.csv"}
    made = report.render(tenant, tmp_path / "out", ["controls"], params, as_of="2026-11-24")
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest["inputs"]["granted.csv"] == hashlib.sha256(granted.encode()).hexdigest()
    assert manifest["parameters"]["controls"]["exceptions"] == "granted.csv"
    assert "granted.csv" in (made.folder / "controls.html").read_text()
    with pytest.raises(UnreadableInputError, match=r"^no-such\.csv: expected a CSV file of exceptions"):
        report.render(tenant, tmp_path / "bad", ["controls"], absent, as_of="2026-11-24")


def test_runbooks_are_in_the_folder_and_its_manifest(tmp_path):
    objects = [vm("w"), disk("w-os", "w", system="Windows", collection=ade())]
    made = report.render(write(tmp_path / "in", objects), tmp_path / "out", ["ade_migration"], QUICK)
    [name] = (path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*.txt"))
    assert name == "data/runbooks/wave-001.txt"
    assert "az vm encryption disable" in (made.folder / name).read_text()
    assert name in json.loads((made.folder / "manifest.json").read_text())["files"]
    assert verify(made.folder).complaints == ()
    assert "steps for a person to review" in (made.folder / "index.html").read_text()


def test_a_report_is_replaced_as_a_whole(notebooks, tenant, tmp_path):
    out = tmp_path / "out"
    notebooks(first=FACTS, second=FACTS)
    report.render(tenant, out, notebooks=["first"])
    report.render(tenant, out, notebooks=["second"])
    assert sorted(path.name for path in out.iterdir()) == sorted(
        {*OUTER, "second.html", "second.ipynb"} - {"data"}
    )


@pytest.mark.parametrize("content", ["", '{"files": []}', '{"kind": "diskenc report", "'])
def test_a_folder_that_is_not_ours_is_left_alone(tenant, tmp_path, content):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "manifest.json").write_text(content)
    with pytest.raises(ParameterError, match="is not a report folder"):
        report.render(tenant, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_failed_notebook_leaves_its_copy_and_the_others_are_rendered(notebooks, tenant, tmp_path):
    out = tmp_path / "out"
    notebooks(
        bad="# comment\nraise RuntimeError('no <luck>')",
        dumb="1 + 1",
        good=FACTS,
        wide="from IPython.display import HTML, display\ndisplay(HTML('<img src=//a.b/c>'))\n" + FACTS,
    )
    made = report.render(
        tenant, out, notebooks=["bad", "dumb", "wide", "good"], options=report.Options(jobs=2)
    )
    assert [str(failure) for failure in made.failures] == [
        "notebook bad, cell [3] (# comment): RuntimeError: no <luck>",
        "notebook dumb wrote no facts; expected the file named by its parameter facts_out",
        'notebook wide: an output of cell 3 would load from outside: <img src="//a.b/c">',
    ]
    assert made.exit_code == 4
    assert made.pages == (out / "good.html", out / "index.html")
    assert sorted(out.glob("*.html")) == [out / "good.html", out / "index.html"]
    failed = nbformat.read(out / "bad.ipynb", as_version=4)
    assert any(o.output_type == "error" for c in failed.cells if c.cell_type == "code" for o in c.outputs)
    assert "RuntimeError: no &lt;luck&gt;" in (out / "index.html").read_text()
    assert verify(out).complaints == ()


def test_a_check_that_failed_has_an_exit_code_of_its_own(notebooks, tenant, tmp_path):
    notebooks(dumb="1 + 1")
    assert report.render(tenant, tmp_path / "out", notebooks=["dumb"]).exit_code == 5


def test_notebooks_run_at_the_same_time(notebooks, tenant, tmp_path):
    # Each waits for the other, which one after the other would never come.
    meet = (
        "import pathlib, time\nme, other = {0!r}, {1!r}\nplace = pathlib.Path({2!r})\n"
        "place.joinpath(me).touch()\n"
        "while not place.joinpath(other).exists():\n    time.sleep(0.05)\n"
    )
    place = str(tmp_path)
    notebooks(a=meet.format("a", "b", place) + FACTS, b=meet.format("b", "a", place) + FACTS)
    made = report.render(tenant, tmp_path / "out", notebooks=["a", "b"], options=report.Options(jobs=2))
    assert made.failures == ()


def test_two_notebooks_cannot_write_one_table(notebooks, tenant, tmp_path):
    load = "from diskenc_analysis.datafiles import write_table\n"
    write = load + "write_table(data_out, 't', [{{'n': {0}}}], 'q')\n"
    notebooks(a=write.format(1) + FACTS, b=write.format(2) + FACTS)
    with pytest.raises(ReportCheckError, match="different tables named t"):
        report.render(tenant, tmp_path / "out", notebooks=["a", "b"])
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_input_keeps_its_exit_code(notebooks, tenant, tmp_path):
    notebooks(bad="from diskenc_analysis import errors\nraise errors.UnreadableInputError('broken file')")
    with pytest.raises(UnreadableInputError, match="broken file"):
        report.render(tenant, tmp_path / "out", notebooks=["bad"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import time\ntime.sleep(600)", "a cell took longer than 2 s"),
        ("import os\nos._exit(1)", "its kernel died"),
    ],
)
def test_a_cell_that_hangs_or_a_kernel_that_dies_is_a_failed_notebook(notebooks, tmp_path, source, said):
    notebooks(bad=source)
    with pytest.raises(NotebookFailedError, match=said):
        runner.run_notebook("bad", {"inventory": ""}, tmp_path, timeout=2)
    assert (tmp_path / "bad.ipynb").is_file()


def test_the_executed_copy_holds_no_paths_and_charts_as_data(rendered):
    made, _ = rendered
    executed = nbformat.read(made.folder / "coverage.ipynb", as_version=4)
    assert executed.metadata.papermill.input_path == "coverage.ipynb"
    assert executed.metadata.papermill.output_path == "coverage.ipynb"
    outputs = [o for c in executed.cells if c.cell_type == "code" for o in c.outputs]
    charts = [o.data for o in outputs if "application/vnd.plotly.v1+json" in o.get("data", {})]
    assert charts
    assert all("text/html" not in data for data in charts)


def test_a_run_that_was_killed_while_replacing_is_undone(notebooks, tenant, tmp_path):
    out, previous = tmp_path / "out", tmp_path / ".out.previous"
    previous.mkdir()
    (previous / "manifest.json").write_text('{"kind": "diskenc report"}')
    notebooks(bad="from diskenc_analysis import errors\nraise errors.UnreadableInputError('broken file')")
    with pytest.raises(UnreadableInputError):
        report.render(tenant, out, notebooks=["bad"])
    assert (out / "manifest.json").read_text() == '{"kind": "diskenc report"}'


def test_wrong_arguments_are_refused_before_anything_runs(tenant, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UnreadableInputError, match="no such file or folder"):
        report.render(tmp_path / "missing", out)
    with pytest.raises(ParameterError, match="'as_of'"):
        report.render(tenant, out, as_of="soon")
    with pytest.raises(ParameterError, match="Did you mean"):
        report.render(tenant, out, params={"editon": "latest"})
    with pytest.raises(ParameterError, match="the report sets it"):
        report.render(tenant, out, params={"facts_out": "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_missed_gate_is_said_on_every_page_and_the_report_is_written(notebooks, tenant, tmp_path):
    # One VM of two has its temp disk encrypted.
    notebooks(good=FACTS)
    gates = ["temp_disk=95", "temp_disk=50@location=west*"]
    made = report.render(tenant, tmp_path / "out", notebooks=["good"], options=report.Options(gates=gates))
    assert made.exit_code == 1
    missed = "Gate temp_disk=95 missed. Temp disk: 50% of 2 VMs."
    met = "Gate temp_disk=50@location=west* met. Temp disk: 50% of 2 VMs."
    for page in made.pages:
        text = page.read_text()
        assert missed in text
        assert met in text
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest["gates"] == [missed[0].lower() + missed[1:-1], met[0].lower() + met[1:-1]]
