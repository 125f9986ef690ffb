"""Local disks by the names of VM sizes, as the pages of their series state them."""

from __future__ import annotations

import pytest

from diskenc_analysis.sizes import by_name

# Size without its prefix, and the GiB of local disk that its page states.
STATED = {
    "M208ms_v2": 4096,
    "M208s_v2": 4096,
    "M416ms_v2": 8192,
    "M416-208s_v2": 8192,
    "M32ms_v2": 0,
    "M64s_v2": 0,
    "M64ms_v2": 0,
    "M128s_v2": 0,
    "M128ms_v2": 0,
    "M192is_v2": 0,
    "M192ims_v2": 0,
    "M32dms_v2": 1024,
    "M64ds_v2": 2048,
    "M12s_v3": 0,
    "M48s_1_v3": 0,
    "M176s_4_v3": 0,
    "M12ds_v3": 400,
    "FX4ms_v2": 0,
    "DC2s": 100,
    "NP10s": 736,
    "NC4as_T4_v3": 176,
    "NV4as_v4": 88,
    "ND96asr_v4": 6000,
    "ND96amsr_A100_v4": 6400,
    "ND96isr_H100_v5": 1024,
    "ND96isr_MI300X_v5": 1000,
    "HB368rs_v5": 480,
}


@pytest.mark.parametrize("size", STATED)
def test_a_size_has_the_local_disk_that_its_page_states(size):
    version = size.rpartition("_v")[2]
    v5_plus = "yes" if version.isdigit() and int(version) >= 5 else "no"
    assert by_name(f"Standard_{size}") == ("yes" if STATED[size] else "no", v5_plus)


@pytest.mark.parametrize("size", ["M832ixs_v2", "M832ixs", "M416s_8_v3", "PB6s"])
def test_a_size_whose_page_was_not_read_is_unknown(size):
    assert by_name(f"Standard_{size}")[0] == "unknown"
