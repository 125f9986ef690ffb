from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest

from diskenc_analysis.errors import ParameterError, UnknownNameError
from diskenc_analysis.gates import judge, parse


def cov(answers, **columns):
    """Disks of one VM each, with the answers to two questions."""
    n = len(answers)
    base = {
        "vm_id": [f"vm-{i}" for i in range(n)],
        "kind": ["managed_disk"] * n,
        "attachment": ["attached"] * n,
        "customer_keys": answers,
        "temp_disk": answers,
        "subscription_name": ["prod-1"] * n,
        "tags": ['{"env": "live"}'] * n,
    }
    return pd.DataFrame(base | columns)


def one(answers, gate, allow_unknown=0, **columns):
    [outcome] = judge(cov(answers, **columns), [parse(gate)], allow_unknown)
    return outcome


@pytest.mark.parametrize(
    ("answers", "gate", "allowed", "met"),
    [
        (["yes"] * 19 + ["no"], "customer_keys=95", 0, True),  # 19 of 20 are exactly 95 %
        (["yes"] * 19 + ["no"], "customer_keys=95.1", 0, False),
        (["yes"] * 19 + ["unknown"], "customer_keys=100", 0, False),  # the unknown counts as no
        (["yes"] * 19 + ["unknown"], "customer_keys=100", 1, True),
        (["yes"] * 18 + ["unknown"] * 2, "customer_keys=100", 1, False),  # 18 of 19
        (["yes"] * 18 + ["unknown"] * 2, "customer_keys=94", 1, True),  # 94.7 %
        (["no", "unknown"], "customer_keys=50", 5, False),  # what is allowed is left out, never a yes
        (["unknown"], "customer_keys=0", 0, True),
        (["unknown"], "customer_keys=0", 5, False),  # nothing is known, so nothing was shown
        (["not_applicable"] * 3, "customer_keys=100", 0, True),
        (["not_applicable", "no"], "customer_keys=1", 0, False),
        (["yes", "no", "no"], "customer_keys=33.3", 0, True),
        (["yes", "no", "no"], "customer_keys=33.4", 0, False),
    ],
)
def test_the_low_bound_decides(answers, gate, allowed, met):
    assert one(answers, gate, allowed).met is met


def test_it_says_how_the_unknown_was_counted():
    outcome = one(["yes"] * 6 + ["no"] + ["unknown"] * 3, "temp_disk=95", 1)
    assert outcome.line == (
        "gate temp_disk=95 missed. Temp disk: 66.6% of 9 VMs, 2 unknown counted as no, "
        "1 unknown left out as allowed"
    )


def test_a_gate_can_be_of_a_part():
    names = ["prod-a", "Prod-b", "test"]
    assert one(
        ["yes", "yes", "no"], "customer_keys=100@subscription_name=prod-*", subscription_name=names
    ).met
    assert not one(
        ["yes", "no", "yes"], "customer_keys=100@subscription_name=prod-*", subscription_name=names
    ).met
    tags = ['{"env": "live"}', '{"env": "test"}', None]
    assert one(["yes", "no", "no"], "customer_keys=100@tag:env=live", tags=tags).met


def test_a_pattern_that_matches_nothing_is_missed():
    outcome = one(["yes"], "customer_keys=0@subscription_name=prd-*")
    assert (outcome.met, outcome.said) == (False, "Customer control of keys: no disk matches it")


def test_what_is_written_otherwise_is_refused():
    assert parse("temp_disk=99.5%").percent == Fraction(199, 2)
    for text in (
        "temp_disk",
        "temp_disk=",
        "temp_disk=95@",
        "temp_disk=95@location",
        "temp_disk=95@=x",
        "=95",
    ):
        with pytest.raises(ParameterError, match=r"expected|unknown capability"):
            parse(text)
    for text in ("temp_disk=many", "temp_disk=nan", "temp_disk=-1", "temp_disk=1/0"):
        with pytest.raises(ParameterError, match="per cent"):
            parse(text)
    with pytest.raises(UnknownNameError, match='Did you mean "location"'):
        one(["yes"], "temp_disk=95@locatoin=x", location=["x"])
