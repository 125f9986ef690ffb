from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from diskenc_analysis.errors import UnreadableInputError
from diskenc_analysis.folder import pack
from diskenc_analysis.manifest import seal, verify


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "report"
    (made / "data").mkdir(parents=True)
    for name in ("page.html", "facts.json", "data/disks.csv"):
        (made / name).write_text(name)
    seal(made, {"inputs": {}})
    return made


def test_a_folder_as_it_was_made_is_good(folder):
    found = verify(folder)
    assert found.complaints == ()
    assert found.files == 3
    assert found.manifest_sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert verify(folder, expected=found.manifest_sha256.upper() + "\n").complaints == ()


def test_the_seal_is_what_sha256sum_reads(folder):
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert (folder / "manifest.sha256").read_text() == f"{digest}  manifest.json\n"


def test_what_changed_is_missing_or_extra_is_named(folder):
    (folder / "page.html").write_text("pagE.html")
    (folder / "data" / "disks.csv").unlink()
    (folder / "data" / "note.txt").write_text("mine")
    assert verify(folder).complaints == (
        "missing: data/disks.csv",
        "extra: data/note.txt",
        "changed: page.html",
    )


def test_a_manifest_that_was_made_anew_is_known_by_the_hash_that_was_noted(folder):
    noted = verify(folder).manifest_sha256
    (folder / "page.html").write_text("all is well")
    for name in ("manifest.json", "manifest.sha256"):
        (folder / name).unlink()
    seal(folder, {"inputs": {}})
    assert verify(folder).complaints == ()
    [complaint] = verify(folder, expected=noted).complaints
    assert complaint.startswith("changed: manifest.json (its hash is ")


def test_manifest_and_seal_that_do_not_agree(folder):
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + "\n")
    assert verify(folder).complaints == ("changed: manifest.json or manifest.sha256 (they do not agree)",)
    (folder / "manifest.sha256").unlink()
    assert verify(folder).complaints == ("missing: manifest.sha256",)


def test_a_manifest_that_leads_out_of_the_folder_is_not_followed(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    content = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(b"x").hexdigest()
    content["files"] = {"../secret": {"sha256": digest}, str(secret): {"sha256": digest}}
    (folder / "manifest.json").write_text(json.dumps(content))
    said = verify(folder).complaints
    assert "changed: ../secret (it leads out of the folder)" in said
    assert f"changed: {secret} (it leads out of the folder)" in said


def test_a_link_in_place_of_a_file_is_no_file(folder, tmp_path):
    (tmp_path / "same").write_text("page.html")
    (folder / "page.html").unlink()
    (folder / "page.html").symlink_to(tmp_path / "same")
    assert verify(folder).complaints == ("changed: page.html (it leads out of the folder)",)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"files": []}', '{"files": {"a": 1}}'])
def test_without_a_manifest_there_is_nothing_to_check_by(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UnreadableInputError, match=r"expected a report folder with manifest.json"):
        verify(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"files": "x"}'])
def test_a_manifest_that_lists_nothing_any_more_is_named_as_changed(folder, content):
    (folder / "manifest.json").write_bytes(content)
    assert verify(folder).complaints == (
        "changed: manifest.json or manifest.sha256 (they do not agree)",
        "changed: manifest.json (it lists no files with their hashes)",
    )


def test_a_broken_zip_of_a_report_is_refused(folder, tmp_path):
    pack(folder, tmp_path / "a.zip", "report")
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    names, extra = (int.from_bytes(raw[at : at + 2], "little") for at in (26, 28))
    raw[30 + names + extra + 4] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(UnreadableInputError, match=r"a.zip: expected the whole zip of a report, but: "):
        verify(tmp_path / "a.zip")


def test_the_zip_file_is_the_folder_and_the_same_twice(folder, tmp_path):
    files = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for file in files:
        pack(folder, file, "report")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert verify(files[0]) == verify(folder)
    names = zipfile.ZipFile(files[0]).namelist()
    assert names == [
        f"report/{n}"
        for n in ("data/disks.csv", "facts.json", "manifest.json", "manifest.sha256", "page.html")
    ]
