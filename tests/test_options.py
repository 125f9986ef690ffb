"""Which option fits, worked out by hand from the published table and the pages beside it."""

from __future__ import annotations

import csv
import re

import pytest

import diskenc_analysis as de
from diskenc_analysis.editions import capabilities, methods
from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.option_moves import EFFORTS, IN_PLACE, NEEDS, disks_to_change, effort
from diskenc_analysis.options import all_options, options, requirements
from diskenc_analysis.plainrows import rows
from diskenc_analysis.share import data_file

SEED, NEWEST = "2023-05-15", "2026-04-02"


def read(name):
    with data_file(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fits(requires, edition="latest", **more):
    frame = options(requires, edition, **more)
    return dict(zip(frame["option"], frame["fits"], strict=True))


def split(yes="", conditional="", no=""):
    """Write an expected answer in short."""
    groups = {"yes": yes, "conditional": conditional, "no": no}
    return {name: answer for answer, names in groups.items() for name in names.split()}


EVERY = "sse host confidential confidential_host ade"


@pytest.mark.parametrize(
    ("requires", "edition", "expected"),
    [
        ([], SEED, split(yes=EVERY)),
        # Seed, row 2: no, yes, yes, no; encryption at host may be used on a confidential VM as well.
        (["temp_disk"], SEED, split(yes="host ade confidential_host", no="sse confidential")),
        # Newest: v5 sizes encrypt it under any method, host always does.
        (["temp_disk"], NEWEST, split(yes="host confidential_host", conditional="sse ade confidential")),
        # Row 7: SSE and host do not use the CPU.
        (["no_vm_cpu"], SEED, split(yes="sse host", no="ade confidential confidential_host")),
        (["temp_disk", "no_vm_cpu"], SEED, split(yes="host", no="sse ade confidential confidential_host")),
        # Row 3; the confidential column is for the OS disk only, and the data disks have storage encryption.
        (["caches"], NEWEST, split(yes="host ade confidential_host", conditional="confidential", no="sse")),
        # Row 5: with DES, DES, KEK, DES.
        (["customer_keys"], SEED, split(conditional=EVERY)),
        (["hsm"], NEWEST, split(conditional=EVERY)),
        # Row 8: no for custom Linux images under ADE alone.
        (["custom_linux_image"], SEED, split(yes="sse host confidential confidential_host", no="ade")),
        (["custom_linux_image"], NEWEST, split(yes="sse host confidential confidential_host", no="ade")),
        # Rows 1 to 4 together.
        (["end_to_end"], SEED, split(yes="host ade confidential_host", no="sse confidential")),
        (
            ["end_to_end"],
            NEWEST,
            split(yes="host confidential_host", conditional="ade confidential", no="sse"),
        ),
        # Row 10: Unhealthy, Healthy, Healthy, Not applicable - the last whatever else protects the VM.
        (["defender_healthy"], SEED, split(yes="host ade", no="sse confidential confidential_host")),
        (["defender_healthy"], NEWEST, split(yes="host ade", no="sse confidential confidential_host")),
        # Row 9: confidential alone, and for the OS disk.
        (
            ["enhanced_key_protection"],
            NEWEST,
            split(conditional="confidential confidential_host", no="sse host ade"),
        ),
        # All seven of the list at once: nothing but host stands every row.
        (
            [
                *("temp_disk", "customer_keys", "hsm", "no_vm_cpu"),
                *("custom_linux_image", "end_to_end", "defender_healthy"),
            ],
            SEED,
            split(conditional="host", no="sse ade confidential confidential_host"),
        ),
    ],
)
def test_which_option_fits(requires, edition, expected):
    assert fits(requires, edition) == expected


def test_the_best_fit_stands_first_and_what_is_missing_is_named():
    frame = options(["caches", "customer_keys", "no_vm_cpu"])
    assert frame["option"].tolist() == ["host", "sse", "confidential", "confidential_host", "ade"]
    assert frame["conditions"].tolist()[0] == "with a disk encryption set"
    assert frame["missing"].tolist() == ["", "caches", "no_vm_cpu", "no_vm_cpu", "no_vm_cpu"]
    assert {str(dtype) for dtype in frame.dtypes} == {"string[pyarrow]"}


def test_conditions_are_those_of_the_cells():
    frame = options(["temp_disk"]).set_index("option")
    assert frame.loc["sse", "conditions"] == "on VM sizes of version 5 and later"
    assert frame.loc["ade", "conditions"] == (
        "where the encrypted volumes include the temp disk or on VM sizes of version 5 and later"
    )
    hsm = options(["hsm"]).set_index("option")["conditions"]
    assert hsm["ade"] == "with a key encryption key; key in Azure Key Vault Premium"
    assert hsm["host"] == "with a disk encryption set; key in Azure Key Vault Premium or Managed HSM"
    assert (
        options(["custom_images"]).set_index("option").loc["ade", "conditions"]
        == "not for a custom Linux image"
    )


def test_a_condition_that_holds_is_no_condition():
    assert fits(["temp_disk"], given=["vm_size_v5_plus"])["sse"] == "yes"
    assert fits(["temp_disk"], SEED, given=["vm_size_v5_plus"])["sse"] == "no"
    with pytest.raises(UnknownNameError, match='Did you mean "vm_size_v5_plus"'):
        options(["temp_disk"], given=["vm_size_v5"])


def test_limits_follow_what_is_asked():
    plain, both = options(["temp_disk"]), options(["temp_disk", "customer_keys"])
    said = "keep a platform-managed key"
    assert said not in plain.set_index("option").loc["host", "limits"]
    assert said in both.set_index("option").loc["host", "limits"]


def test_costs_limits_and_prerequisites_of_each_option_are_told():
    frame = options(["at_rest"]).set_index("option")
    assert "2028-09-15" in frame.loc["ade", "limits"]
    assert "2028-09-15" not in frame.loc["host", "limits"]
    assert "without extra cost" in frame.loc["sse", "costs"]
    assert "stop of each VM" in frame.loc["host", "costs"]
    assert "Microsoft.Compute/EncryptionAtHost" in frame.loc["host", "prerequisites"]
    assert "no conversion" in frame.loc["confidential", "prerequisites"]
    assert "OS disk alone" in frame.loc["confidential", "limits"]
    assert all(re.search(r"\d{4}-\d\d-\d\d", text) for text in frame["sources"])


def test_one_requirement_may_be_given_as_text():
    assert options("temp_disk").equals(options(["temp_disk"]))


def test_an_unknown_requirement_is_named_with_its_near_miss():
    with pytest.raises(UnknownNameError, match=r"temp_disc.*Did you mean \"temp_disk\"\?"):
        options(["caches", "temp_disc"])
    with pytest.raises(UnknownNameError, match="2023-05-16"):
        options(["caches"], "2023-05-16")


def test_the_files_use_declared_words_only():
    assert {m for option in all_options().values() for m in (*option.methods, *option.others)} <= set(
        methods()
    )
    assert set(requirements()) >= set(capabilities())
    for row in read("option_facts.csv"):
        assert set(row["options"].split("|")) <= set(all_options())
        assert set(filter(None, row["when"].split("|"))) <= set(capabilities())
        assert row["fact"] in ("cost", "limit", "prerequisite")
        assert re.search(r"\d{4}-\d\d-\d\d|undated|\d+\.\d+\.\d+", row["source"]), row
    for row in read("requirements.csv"):
        assert set(row["capabilities"].split("|")) <= set(capabilities())


STATES = ("loose", "ordinary", "host", "ade", "confidential")


def test_every_option_has_a_move_from_every_state():
    there = {(row["option"], row["state"]) for row in read("option_moves.csv")}
    assert there >= {(option, state) for option in all_options() for state in STATES}
    assert there >= {("*", state) for state in ("unmanaged", "unread", "ephemeral", "data")}
    assert {row["move"] for row in read("option_moves.csv")} >= set(IN_PLACE)


COMPUTE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"


def disk(name, vm="", key="PlatformKey", **more):
    owner = {"managedBy": f"{COMPUTE}/virtualMachines/{vm}"} if vm else {}
    body = {"encryption": {"type": f"EncryptionAtRestWith{key}"}, "diskSizeGB": 8} | more
    return {
        "id": f"{COMPUTE}/disks/{name}",
        "name": name,
        "type": "Microsoft.Compute/disks",
        "properties": body,
    } | owner


def vm(name, size="Standard_D4s_v3", host=None):
    profile = {
        "osDisk": {"name": f"{name}-os", "osType": "Linux", "managedDisk": {"id": f"{COMPUTE}/disks/{name}"}}
    }
    body = {"hardwareProfile": {"vmSize": size}, "storageProfile": profile | {"dataDisks": []}}
    body |= {"securityProfile": {"encryptionAtHost": True}} if host else {}
    return {
        "id": f"{COMPUTE}/virtualMachines/{name}",
        "name": name,
        "type": "Microsoft.Compute/virtualMachines",
        "properties": body,
    }


SECRET = {
    "diskEncryptionKey": {"secretUrl": "https://kv.vault.azure.net/secrets/s/1", "sourceVault": {"id": "/v"}}
}
ADE = {
    "encryptionSettingsCollection": {
        "enabled": True,
        "encryptionSettingsVersion": "1.1",
        "encryptionSettings": [],
    }
}
ESTATE = [
    *(disk("plain", "plain"), vm("plain")),
    *(disk("hosted", "hosted"), vm("hosted", host=True)),
    *(disk("guest", "guest", **ADE), vm("guest")),
    disk("loose"),
    disk("orphan", "nobody"),
]


@pytest.fixture(params=["duckdb", "pandas", "polars", "arrow"])
def estate(request, tmp_path):
    import json

    (tmp_path / "estate.json").write_text(json.dumps(ESTATE), encoding="utf-8")
    return de.load(tmp_path, engine=request.param)


def needs(estate, requires, option=None):
    found = rows(disks_to_change(estate, requires, option))
    return {row["name"]: (row["need"], row["move"]) for row in found}


def test_what_each_disk_needs_for_caches(estate):
    # C1: host and ADE give caches; C2: not applicable to an unattached disk; the orphan's VM was not read.
    assert needs(estate, "caches") == {
        "plain": ("change", "switch_on"),
        "hosted": ("keep", ""),
        "guest": ("keep", ""),
        "loose": ("not_applicable", ""),
        "orphan": ("unknown", "read_first"),
    }


def test_what_each_disk_needs_for_an_own_key(estate):
    # All have the platform's key but the guest's, whose ADE has no KEK: customer_keys is no (K1).
    found = needs(estate, "customer_keys", "host")
    assert found == {
        "plain": ("change", "switch_on"),
        "hosted": ("change", "set"),
        # Encryption at host is refused for disks that are or were under ADE: new disks and a new VM.
        "guest": ("change", "new_disks"),
        "loose": ("change", "set"),
        "orphan": ("change", "read_first"),
    }
    assert needs(estate, "customer_keys", "confidential")["plain"] == ("change", "new_vm")


def test_the_frame_keeps_every_row_and_counts(estate):
    found = disks_to_change(estate, "caches")
    counted = effort(found)
    assert tuple(counted) == EFFORTS
    assert counted == {"keep": 2, "in_place": 1, "anew": 0, "no_way": 0, "unknown": 1, "not_applicable": 1}
    assert {row["need"] for row in rows(found)} <= set(NEEDS)


def test_an_option_that_cannot_fit_is_refused(estate):
    with pytest.raises(ParameterError, match="sse does not give caches; expected an option that does: host"):
        disks_to_change(estate, "caches", "sse")
    with pytest.raises(UnknownNameError, match='Did you mean "host"'):
        disks_to_change(estate, "caches", "hosts")
    with pytest.raises(ParameterError, match="at least one requirement"):
        disks_to_change(estate, [])
