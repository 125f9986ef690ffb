"""Snapshots, restore points and images under another key than what they were made of."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis import keydigest
from tests.rules import (
    GROUP,
    PMK,
    cmk,
    des,
    disk,
    disk_id,
    image_id,
    key_url,
    records,
    set_id,
    snapshot,
    write,
)


def _copy(name, of, encryption):
    made = {"createOption": "Copy", "sourceResourceId": disk_id(of).upper()}
    return snapshot(name, encryption=encryption, creationData=made)


def _restore_point(name, of, encryption):
    own_id = f"{GROUP}/Microsoft.Compute/restorePointCollections/c/restorePoints/r/diskRestorePoints/{name}"
    kind = "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints"
    body = {"sourceResourceId": disk_id(of), "encryption": encryption}
    return {"id": own_id, "name": name, "type": kind, "properties": body}


def _image(name, os_of, data_of):
    os_disk = {"osType": "Linux", "managedDisk": {"id": disk_id(os_of)}}
    data = {"lun": 0, "snapshot": {"id": f"{GROUP}/Microsoft.Compute/snapshots/{data_of}"}}
    data["diskEncryptionSet"] = {"id": set_id("one")}
    storage = {"osDisk": os_disk, "dataDisks": [data]}
    return {
        "id": image_id(name),
        "name": name,
        "type": "Microsoft.Compute/images",
        "location": "westeurope",
        "properties": {"storageProfile": storage},
    }


OBJECTS = [
    des("one", key_url("kv", "k")),
    des("same-key", key_url("kv", "K").replace("0123", "ffff")),
    des("two", key_url("kv", "other")),
    disk("pmk"),
    disk("cmk", encryption=cmk("one")),
    disk("gone-set", encryption=cmk("not-read")),
    disk("untyped", encryption=None),
    _copy("plain", "pmk", PMK),
    _copy("weaker", "cmk", PMK),
    _copy("rotated", "cmk", cmk("same-key")),
    _copy("moved", "cmk", cmk("two")),
    _copy("of-gone", "no-such-disk", PMK),
    _copy("of-unread-set", "gone-set", cmk("not-read")),
    _copy("of-unread-set-2", "gone-set", cmk("one")),
    _copy("of-untyped", "untyped", PMK),
    snapshot("sourceless"),
    _restore_point("point", "cmk", {"type": "EncryptionAtRestWithPlatformKey"}),
    _restore_point("point-too", "cmk", cmk("one")),
    _image("image", "cmk", "rotated"),
]


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_every_copy_is_compared_with_its_source(tmp_path, engine):
    found = records(de.copied_keys(de.load(write(tmp_path, OBJECTS), engine=engine)))
    rows = sorted((row["copy_id"].rpartition("/")[2], row["kind"], row["same_key"]) for row in found)
    assert rows == [
        # Its OS disk has no set, so no customer key; its data disk has the key of the snapshot.
        ("image", "image", "no"),
        ("image", "image", "yes"),
        ("moved", "snapshot", "no"),
        ("of-gone", "snapshot", "unknown"),
        ("of-unread-set", "snapshot", "yes"),  # one set has one key, whichever it is
        ("of-unread-set-2", "snapshot", "unknown"),
        ("of-untyped", "snapshot", "unknown"),
        ("plain", "snapshot", "yes"),
        ("point", "restore_point", "no"),
        ("point-too", "restore_point", "yes"),
        ("rotated", "snapshot", "yes"),  # another set and version, but the same key
        ("weaker", "snapshot", "no"),
    ]


def test_the_keys_are_named(tmp_path):
    found = records(de.copied_keys(de.load(write(tmp_path, OBJECTS), engine="polars")))
    [row] = [row for row in found if row["copy_id"].endswith("/moved")]
    assert (row["copy_key"], row["source_key"]) == (
        "kv.vault.azure.net/keys/other",
        "kv.vault.azure.net/keys/k",
    )


def test_the_list_shows_what_differs_and_what_is_not_known(tmp_path):
    lists = dict(keydigest.copies(de.copied_keys(de.load(write(tmp_path, OBJECTS), engine="polars"))).lists)
    assert list(lists) == ["Under another key: 4", "Not known: 3"]
    assert "rg-rules/weaker" in {line[1] for line in lists["Under another key: 4"].lines}


def test_without_copies_there_is_nothing_to_say(tmp_path):
    found = de.copied_keys(de.load(write(tmp_path, [disk("d")]), engine="polars"))
    assert records(found) == []
    assert keydigest.copies(found).lists == ()
