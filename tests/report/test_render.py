from __future__ import annotations

import hashlib
import json

import nbformat
import pytest

from diskenc_analysis import params, report, runner
from diskenc_analysis.errors import NotebookFailedError, ParameterError, UnreadableInputError


@pytest.fixture(scope="module")
def rendered(tenant, tmp_path_factory):
    seen = []
    out = tmp_path_factory.mktemp("render") / "re{port}"
    made = report.render(tenant, out, as_of="2026-11-24", progress=lambda *told: seen.append(told))
    return made, seen


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """A folder of notebooks, each written as the source of its one cell."""

    def make(**sources):
        folder = tmp_path / "notebooks"
        folder.mkdir()
        for name, source in sources.items():
            cells = [
                nbformat.v4.new_code_cell(
                    'inventory = ""\nas_of = ""\nfacts_out = ""', metadata={"tags": ["parameters"]}
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
    names = sorted(path.name for path in made.folder.iterdir())
    assert names == ["coverage.html", "coverage.ipynb", "facts.json", "manifest.json"]
    assert made.pages == (made.folder / "coverage.html",)
    assert sorted(path.name for path in made.folder.parent.iterdir()) == [made.folder.name]


def test_the_manifest_covers_every_file(rendered):
    made, _ = rendered
    manifest = json.loads((made.folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        content = (made.folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert set(manifest["files"]) == {"coverage.html", "coverage.ipynb", "facts.json"}
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
    assert seen[0][:2] == ("coverage", 1)
    assert seen[-1][1] == seen[-1][2] == len(seen)


def test_rendered_twice_the_bytes_are_the_same(rendered, tenant, tmp_path):
    again = report.render(tenant, tmp_path / "again", as_of="2026-11-24")
    for name in ("coverage.html", "facts.json"):
        assert (again.folder / name).read_bytes() == (rendered[0].folder / name).read_bytes()


def test_a_report_is_replaced_as_a_whole(notebooks, tenant, tmp_path):
    out = tmp_path / "out"
    facts = 'open(facts_out, "w").write(\'{"ledger": {"files": []}}\')'
    notebooks(first=facts, second=facts)
    report.render(tenant, out, notebooks=["first"])
    report.render(tenant, out, notebooks=["second"])
    assert sorted(path.name for path in out.iterdir()) == [
        "facts.json",
        "manifest.json",
        "second.html",
        "second.ipynb",
    ]


@pytest.mark.parametrize("content", ["", '{"files": []}', '{"kind": "diskenc report", "'])
def test_a_folder_that_is_not_ours_is_left_alone(tenant, tmp_path, content):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "manifest.json").write_text(content)
    with pytest.raises(ParameterError, match="is not a report folder"):
        report.render(tenant, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_failed_notebook_keeps_the_old_report(notebooks, tenant, tmp_path):
    out = tmp_path / "out"
    notebooks(
        good='open(facts_out, "w").write(\'{"ledger": {"files": []}}\')',
        bad="# comment\nraise RuntimeError('no <luck>')",
    )
    report.render(tenant, out, notebooks=["good"])
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(NotebookFailedError) as caught:
        report.render(tenant, out, notebooks=["bad"])
    said = str(caught.value)
    assert caught.value.exit_code == 4
    assert said.startswith(
        "notebook bad, cell [3] (# comment): RuntimeError: no <luck>; the executed copy is in"
    )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    failed = nbformat.read(tmp_path / "out.failed" / "bad.ipynb", as_version=4)
    assert any(o.output_type == "error" for c in failed.cells if c.cell_type == "code" for o in c.outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notebooks", "out", "out.failed"]


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
    notebooks(bad="1 / 0")
    with pytest.raises(NotebookFailedError):
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
