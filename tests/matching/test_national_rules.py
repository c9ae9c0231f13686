"""The compiled rules beside the readable ones, pair by pair: outcome, amount, saving, worth."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national.checked_columns import check
from financing.matching.national.from_rows import request_columns
from financing.matching.national.listing import list_pairs
from financing.matching.national.packing import pack
from financing.matching.national.questions import with_answers
from tests.matching.ceilings import around_the_ceiling
from tests.matching.instances import instances
from tests.matching.oracle_pairs import readable_pairs


def compiled_pairs(columns, offers, policy):
    check(columns)
    problem = pack(columns, offers, policy)
    lines = np.arange(problem.count, dtype=np.int32)
    problem = with_answers(problem, lines)
    pairs = list_pairs(problem, lines)
    return {
        (int(problem.line[i]), problem.offer_rows[j].id): tuple(map(int, figures))
        for i, j, *figures in zip(*pairs, strict=True)
    }


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(instances())
def test_edges_agree_with_the_readable_rules(instance):
    requests, offers, policy = instance["requests"], instance["offers"], instance["policy"]
    found = compiled_pairs(request_columns(requests), offers, policy)
    assert found == readable_pairs(requests, offers, policy)


@pytest.mark.parametrize("kind", ["study", "product"])
def test_a_realistic_instance_agrees_with_the_readable_rules(kind):
    instance = make_instance(kind, 150, 60)
    found = compiled_pairs(instance.requests, instance.offers, instance.policy)
    expected = readable_pairs(request_rows(instance.requests), instance.offers, instance.policy)
    assert len(expected) > 40
    assert found == expected


def test_amounts_around_the_ceiling_are_asked_one_by_one():
    """A fixed fee makes small loans too dear; where exactly is decided by rounding to the fen."""
    asked, offers, policy = around_the_ceiling()
    assert compiled_pairs(request_columns(asked), offers, policy) == readable_pairs(
        asked, offers, policy
    )
