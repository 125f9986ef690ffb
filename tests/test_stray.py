"""A confidential disk on a VM that was read and is not confidential: each of the two may be right (L8)."""

import pytest

from tests.rules import CVM, CVM_DISK, HOST, MARKETPLACE, V3, ade, disk, judged, secured, vm

ENGINES = ("duckdb", "pandas", "polars", "arrow")
PLATFORM, GUEST = f"{CVM_DISK}PlatformKey", "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey"
#: What the security profile of the VM says, that of its OS disk, and more of the disk.
CASES = {
    "stray": (None, PLATFORM, {}),
    "guest": (None, GUEST, {}),
    "launch": ({"securityType": "TrustedLaunch"}, PLATFORM, {}),
    "host": (HOST, PLATFORM, {}),
    "ade": (None, PLATFORM, {"collection": ade()}),
    "whole": (CVM, PLATFORM, {}),
    "plain": (None, "TrustedLaunch", {}),
}
JUDGED = ("confidential", "defender_status", "caches", "no_vm_cpu", "enhanced_key_protection", "at_rest")
EXPECTED = {
    # The disk is right: not applicable, encrypted by the guest. The VM is right: unhealthy, no encryption.
    "stray": ("platform", "unknown", "unknown", "unknown", "unknown", "yes"),
    "guest": ("guest_state_only", "unknown", "no", "yes", "no", "yes"),
    "launch": ("platform", "unknown", "unknown", "unknown", "unknown", "yes"),
    # The host encrypts the caches in both readings.
    "host": ("platform", "unknown", "yes", "unknown", "unknown", "yes"),
    "ade": ("platform", "unknown", "yes", "no", "unknown", "yes"),
    "whole": ("platform", "NotApplicable", "yes", "no", "yes", "yes"),
    "plain": ("off", "Unhealthy", "no", "yes", "no", "yes"),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_confidential_disk_on_a_vm_that_is_not(tmp_path, engine):
    rows = []
    for name, (profile, of_disk, more) in CASES.items():
        rows += [vm(name, size=V3, security=profile, image=MARKETPLACE)]
        rows += [disk(f"{name}-os", name, system="Windows", security=secured(of_disk), **more)]
    found = judged(tmp_path, *rows, engine=engine)
    assert {n: tuple(found[f"{n}-os"][c] for c in JUDGED) for n in CASES} == EXPECTED
    said = "confidential disk on a VM that is not confidential"
    assert {n for n in CASES if said in found[f"{n}-os"]["conflicts"]} == {*CASES} - {"whole", "plain"}


def test_a_confidential_disk_whose_vm_was_not_read_stands_alone(tmp_path):
    row = judged(tmp_path, disk("d", "gone", system="Windows", security=secured(PLATFORM)))["d"]
    assert (row["defender_status"], row["caches"], row["conflicts"]) == ("NotApplicable", "yes", "")
