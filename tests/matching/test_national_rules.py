"""The compiled rules beside the readable ones, pair by pair: outcome, amount, saving, worth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.eligibility import passing_pair
from financing.matching.engine import make_context
from financing.matching.national.from_rows import request_columns
from financing.matching.national.listing import list_pairs
from financing.matching.national.packing import pack
from financing.matching.national.questions import with_answers
from financing.matching.national.tables import check
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)
from tests.matching.instances import instances


def readable_pairs(requests, offers, policy):
    """Every passing pair of places -> amount, saving, worth as first and as another."""
    context = make_context(policy)
    found = {}
    for i, request in enumerate(requests):
        for offer in offers:
            pair = passing_pair(request, offer, context)
            if pair is not None:
                coverage = coverage_value_fen(request, policy)
                found[i, offer.id] = (
                    pair.amount_fen,
                    pair.saving_fen,
                    first_value_fen(coverage, pair.saving_fen, offer.delivery_ppm),
                    alternative_value_fen(pair.saving_fen, offer.delivery_ppm, policy),
                )
    return found


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
    instance = make_instance("product", 40, 40)
    offers = [
        o for o in instance.offers if any(f.fixed_fen and f.payer == "borrower" for f in o.fees)
    ]
    offers = [
        replace(
            o,
            regions=frozenset(),
            industries=frozenset(),
            principal_min_fen=0,
            min_operating_months=0,
            required_certificates=frozenset(),
        )
        for o in offers
    ]
    problem = pack(instance.requests, offers, instance.policy)
    low, high = problem.data.costs["fails_to_0"], problem.data.costs["passes_from_0"]
    edges = [
        (limit, t, j)
        for limit, t, j in zip(*np.nonzero((high > low + 1) & (high < 10**12)), strict=True)
        if limit == 0
    ][:6]
    assert edges
    rows = request_rows(instance.requests)
    asked = [
        replace(
            rows[0],
            id=f"E{n}-{step}",
            principal_fen=fen // 100 * 100,
            least_accepted_fen=fen // 100 * 100,
            term_months=problem.terms[t],
            max_apr_ppm=None,
            drawdown_on=None,
            patents=tuple(
                replace(
                    p,
                    hard_grounds=frozenset(),
                    pledgee_institution_id=None,
                    appraised_value_fen=10**11,
                    appraised_on=instance.policy.as_of,
                    kind="invention",
                )
                for p in rows[0].patents
            ),
        )
        for n, (_, t, j) in enumerate(edges)
        for step, fen in enumerate(
            np.linspace(max(int(low[0, t, j]) - 300, 100), int(high[0, t, j]) + 300, 9)
            .astype(int)
            .tolist()
        )
    ]
    policy = instance.policy
    assert compiled_pairs(request_columns(asked), offers, policy) == readable_pairs(
        asked, offers, policy
    )
