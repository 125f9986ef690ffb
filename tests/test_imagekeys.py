"""Images, gallery image versions and restore points as what depends on a key, counted by hand (FACTS 2.6)."""

from __future__ import annotations

import pytest

import diskenc_analysis as de
from diskenc_analysis import keydigest
from diskenc_analysis.blast import losses
from diskenc_analysis.frames import rows_of
from diskenc_analysis.imagekeys import COLUMNS, image_sets
from diskenc_analysis.pseudonyms import Pseudonyms
from tests.rules import (
    GROUP,
    PMK,
    cmk,
    des,
    disk,
    image_id,
    key_url,
    records,
    scale_set,
    set_id,
    write,
)

VERSION = f"{GROUP}/Microsoft.Compute/galleries/g/images/i/versions/1.0.0"
POINT = f"{GROUP}/Microsoft.Compute/restorePointCollections/c/restorePoints/p/diskRestorePoints/d"


def resource(own_id, kind, **properties):
    head = {"id": own_id, "name": own_id.rpartition("/")[2], "type": kind, "location": "westeurope"}
    return head | {"properties": properties}


def region(name, os_disk=None, *, secure=None, data=()):
    os_image = {"diskEncryptionSetId": os_disk and set_id(os_disk)}
    if secure:
        own = {
            "confidentialVMEncryptionType": "EncryptedWithCmk",
            "secureVMDiskEncryptionSetId": set_id(secure),
        }
        os_image["securityProfile"] = own
    images = [{"lun": lun, "diskEncryptionSetId": one and set_id(one)} for lun, one in enumerate(data)]
    encryption = {"osDiskImage": os_image, "dataDiskImages": images}
    return {"name": name, "regionalReplicaCount": 1} | (
        {"encryption": encryption} if os_disk or secure else {}
    )


def version(*regions, source=None, **more):
    properties = {"publishingProfile": {"targetRegions": list(regions)}} | more
    storage = {"storageProfile": {"source": {"id": source}}} if source else {}
    return resource(VERSION, "Microsoft.Compute/galleries/images/versions", **properties, **storage)


def image(name, os_disk=None, *data):
    def entry(one):
        return {"diskEncryptionSet": {"id": set_id(one).upper() + "/"}} if one else {}

    storage = {"osDisk": {"osType": "Linux"} | entry(os_disk), "dataDisks": [entry(one) for one in data]}
    return resource(image_id(name), "Microsoft.Compute/images", storageProfile=storage)


def point(encryption, **security):
    kind = "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints"
    return resource(POINT, kind, encryption=encryption, securityProfile=security)


ESTATE = [
    *(
        des(name, key_url("kv", name))
        for name in ("west", "north", "data", "cvm", "golden", "points", "idle")
    ),
    version(
        region("West Europe", "west", data=["data", None, "north"]),
        region("northeurope", "north", secure="cvm"),
        region("eastus"),
    ),
    image("golden", "golden", "golden", None),
    image("plain"),
    point(cmk("points"), secureVMDiskEncryptionSetId=set_id("cvm")),
    disk("d", encryption=cmk("west")),
]
#: How many images, versions and restore points need each set: a version counts once, whatever its regions.
COPIES = {"west": 1, "north": 1, "data": 1, "cvm": 2, "golden": 1, "points": 1, "idle": 0}


@pytest.fixture(scope="module", params=["duckdb", "pandas", "polars", "arrow"])
def inv(request, tmp_path_factory):
    return de.load(write(tmp_path_factory.mktemp("images"), ESTATE), engine=request.param)


def test_each_region_of_a_version_names_the_sets_of_its_disks(inv):
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(image_sets(inv))]
    assert {(row["set"].rpartition("/")[2], row["region"], row["disk"], row["layer"]) for row in found} == {
        ("west", "West Europe", "os", "sse"),
        ("data", "West Europe", "data", "sse"),
        ("north", "West Europe", "data", "sse"),
        ("north", "northeurope", "os", "sse"),
        ("cvm", "northeurope", "os", "confidential"),
        ("golden", "westeurope", "os", "sse"),
        ("golden", "westeurope", "data", "sse"),
        ("points", "westeurope", "", "sse"),
        ("cvm", "westeurope", "", "confidential"),
    }
    assert {row["kind"] for row in found} == {"image_version", "image", "restore_point"}


def test_what_depends_on_a_key_counts_images_versions_and_restore_points(inv):
    own = de.key_ownership(inv)
    by_set = {row["set_name"]: row["copies"] for row in records(de.custody(inv, own)) if row["use"] == "set"}
    assert by_set == COPIES
    vault = de.blast_radius(inv, vault="kv", own=own)
    # One version, one image and one restore point, however many of their disks.
    assert (vault.counts["copies"], vault.counts["disks"]) == (3, 1)
    assert "3 images, image versions and restore points that were read" in repr(vault)
    north = de.blast_radius(inv, des="north", own=own)
    assert [(row["copy_id"], row["region"], row["disk"]) for row in records(north.copies)] == [
        (VERSION, "West Europe", "data"),
        (VERSION, "northeurope", "os"),
    ]
    targets = {row["target"].rpartition("/")[2]: row["copies"] for row in records(de.single_points(inv, own))}
    assert targets["golden"] == 1
    assert "idle" not in targets


#: A model with a disk under `west` and one under `data`, one of confidential VMs, one of the platform's key.
MODELS = [
    scale_set(
        "web",
        disks=[{"diskEncryptionSet": {"id": set_id("west")}}, {"diskEncryptionSet": {"id": set_id("data")}}],
    ),
    scale_set("cvm", disks=[{"securityProfile": {"diskEncryptionSet": {"id": set_id("cvm").upper()}}}]),
    scale_set("plain", disks=[{"storageAccountType": "Premium_LRS"}]),
    scale_set("bare"),
]


@pytest.mark.parametrize("engine", ["duckdb", "pandas", "polars", "arrow"])
def test_a_model_that_names_a_set_can_make_no_instance_without_its_key(tmp_path, engine):
    sets = [des(name, key_url("kv", name)) for name in ("west", "data", "cvm", "idle")]
    found = de.load(write(tmp_path, [*sets, *MODELS, disk("d", encryption=cmk("west"))]), engine=engine)
    own = de.key_ownership(found)
    named = [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(image_sets(found))]
    assert {
        (row["set"].rpartition("/")[2], row["copy_id"][-3:], row["disk"], row["layer"]) for row in named
    } == {
        ("west", "web", "os", "sse"),
        ("data", "web", "data", "sse"),
        ("cvm", "cvm", "os", "confidential"),
    }
    west = de.blast_radius(found, des="west", own=own)
    assert (west.counts["models"], west.counts["copies"], west.counts["disks"]) == (1, 0, 1)
    assert losses()["scale_set_model"]["happens"] + " [inferred]" in west.happens
    assert "1 scale set whose model names it" in repr(west)
    # Two sets lead the scale set `web` to the vault: it counts once there, beside `cvm`.
    assert de.blast_radius(found, vault="kv", own=own).counts["models"] == 2
    points = {row["target"].rpartition("/")[2]: row for row in records(de.single_points(found, own))}
    assert (points["cvm"]["models"], points["cvm"]["uses"]) == (1, "customer, scale_set_model")
    assert "idle" not in points
    idle = str(keydigest.idle(de.custody(found, own)))
    assert "idle" in idle
    assert "cvm" not in idle
    shown = keydigest.points(de.single_points(found, own))
    assert "model of a scale set" in str(shown)


def test_a_key_that_only_images_need_is_not_idle(inv):
    html = str(keydigest.idle(de.custody(inv)))
    assert "idle" in html
    assert "golden" not in html
    assert "points" not in html.replace("restore points", "").replace("restore point", "")


def test_a_set_that_only_an_image_names_is_followed(tmp_path):
    inv = de.load(write(tmp_path, [image("golden", "gone"), disk("d", encryption=PMK)]), engine="polars")
    [row] = records(de.single_points(inv))
    assert (row["target"], row["uses"], row["copies"]) == (set_id("gone").lower(), "unknown", 1)


# A version is under the keys of its regions, its source under that of its own set.
def test_a_version_is_compared_with_the_image_that_it_was_made_of(tmp_path):
    objects = [
        *(des(name, key_url("kv", name)) for name in ("golden", "west")),
        image("golden", "golden"),
        version(
            region("westeurope", "golden"),
            region("northeurope", "west"),
            region("eastus"),
            source=image_id("golden"),
        ),
    ]
    rows = records(de.copied_keys(de.load(write(tmp_path, objects), engine="polars")))
    assert {(row["kind"], row["copy_key"], row["source_key"], row["same_key"]) for row in rows} == {
        ("image_version", f"kv.vault.azure.net/keys/{copy}" if copy else "platform", GOLDEN, same)
        for copy, same in (("golden", "yes"), ("west", "no"), ("", "no"))
    }


GOLDEN = "kv.vault.azure.net/keys/golden"


def test_a_version_of_a_source_that_was_not_read_is_not_judged(tmp_path):
    objects = [des("west", key_url("kv", "west")), version(region("r", "west"), source=image_id("gone"))]
    [row] = records(de.copied_keys(de.load(write(tmp_path, objects), engine="polars")))
    assert (row["source_key"], row["same_key"]) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "odd", ["text", [None], [{"encryption": "none"}], [{"encryption": {"osDiskImage": 5}}]]
)
def test_odd_regions_need_no_set_that_is_known(tmp_path, odd):
    objects = [version(publishingProfile={"targetRegions": odd}), disk("d")]
    inv = de.load(write(tmp_path, objects), engine="polars")
    assert rows_of(image_sets(inv)) == []


def test_lists_of_ids_are_redacted_one_by_one():
    made = Pseudonyms("names", b"x" * 32)
    one, other = made.of("value")(set_id("a")), made.of("value")(set_id("b"))
    assert made.of("refs")(f"{set_id('a')};{set_id('b')}") == f"{one};{other}"
