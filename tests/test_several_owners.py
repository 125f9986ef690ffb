"""Disks of several VMs: what is asked of all owners is settled only where all of them speak."""

import pytest

from tests.rules import HOST, V3, disk, judged, listed, vm, vm_id

ENGINES = ("duckdb", "pandas", "polars", "arrow")
NONE, CACHED, UNSTATED = "None", "ReadWrite", None


#: What a and b say of host caching, and the verdict on the disk's caches. Neither host encrypts.
CASES = {
    "both-none": ((NONE, NONE), "not_applicable"),
    "both-cached": ((CACHED, CACHED), "no"),
    "none-and-cached": ((NONE, CACHED), "no"),  # C6: b has a cache, and does not encrypt it
    "none-and-unstated": ((NONE, UNSTATED), "no"),  # C5: not stated counts as cached
    "none-and-unread": ((NONE,), "unknown"),
    "none-and-no-word": ((NONE, 7), "unknown"),
    "none-and-unlisted": ((NONE, "absent"), "unknown"),  # b was read and does not list the disk
    "cached-and-unread": ((CACHED,), "no"),  # whatever b says, a has a cache that is not encrypted
}


def shared(name, cachings, security=None, owners=None):
    """Build a disk of the VMs a and b, of which as many were read as there are kinds of host caching."""
    ids = [vm_id(f"{name}-{letter}") for letter in "ab"]
    yield disk(name, f"{name}-a", head={"managedByExtended": owners or ids}, maxShares=2)
    for letter, caching in zip("ab", cachings, strict=False):
        data = [] if caching == "absent" else [listed(name, caching=caching)]
        yield vm(f"{name}-{letter}", size=V3, security=security, data=data)


@pytest.mark.parametrize("engine", ENGINES)
def test_caches_do_not_apply_only_where_all_owners_have_none(tmp_path, engine):
    rows = [row for name, (cachings, _) in CASES.items() for row in shared(name, cachings)]
    found = judged(tmp_path, *rows, engine=engine)
    assert {n: found[n]["caches"] for n in CASES} == {n: expected for n, (_, expected) in CASES.items()}
    said = "host caching None is not stated by all of its VMs: caches may not apply [C5, C6]"
    assert said in found["none-and-unread"]["evidence"]
    assert said not in found["both-none"]["evidence"]


def test_owners_that_cannot_be_read_may_have_a_cache(tmp_path):
    """A disk of several shares whose list of owners is no list: a says None, and there may be others."""
    row = judged(tmp_path, *shared("d", (NONE,), owners="a, b"))["d"]
    assert (row["caches"], row["host"]) == ("unknown", "unknown")


def test_under_host_encryption_the_caches_of_all_owners_are_encrypted_or_do_not_apply(tmp_path):
    rows = judged(tmp_path, *shared("d", (NONE, CACHED), HOST), *shared("e", (NONE,), HOST))
    assert (rows["d"]["caches"], rows["e"]["caches"]) == ("yes", "unknown")
