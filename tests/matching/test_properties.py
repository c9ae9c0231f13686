"""The matcher on random instances, held against a second reading of the specification."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from financing.matching.allocation import Candidate, Demand, allocate
from financing.matching.bounds import best_bound, dual_value_fen
from financing.matching.context import make_context
from financing.matching.eligibility import evaluate, passing_pair
from financing.matching.engine import propose_matches
from financing.matching.explanations import UNPROPOSED_CODES, explain
from financing.matching.near_misses import CURABLE, near_misses
from financing.matching.readable import propose_readably
from financing.matching.rooms import Room
from financing.matching.values import alternative_value_fen
from tests.matching.instances import instances, loan_offers, loan_requests
from tests.matching.oracle import best_value, broken_constraints, loan_outcome, room
from tests.matching.rows import policy

calm = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
BOTH = pytest.mark.parametrize("propose", [propose_matches, propose_readably])


@settings(calm, max_examples=300)
@given(loan_requests(1), loan_offers(1))
def test_rules_basket_and_amount_agree_with_the_oracle(request, offer):
    expected = loan_outcome(request, offer, policy())
    context = make_context(policy())
    evaluation = evaluate(request, offer, context)
    assert evaluation.passed == (expected is not None), evaluation.failed_codes
    assert (passing_pair(request, offer, context) is not None) == evaluation.passed
    if expected:
        pair = evaluation.pair
        assert (pair.amount_fen, pair.saving_fen, pair.basket.patent_ids) == expected
    for result in evaluation.results:
        if not result.passed:
            assert result.applies
            assert result.gap or result.code in {
                "not_open",
                "region_not_served",
                "industry_not_accepted",
                "size_not_accepted",
            }


@BOTH
@calm
@given(instance=instances())
def test_every_constraint_is_honoured(propose, instance):
    result = propose(**instance)
    requests, offers = instance["requests"], instance["offers"]
    assert (
        broken_constraints(
            result.proposals, requests, offers, instance["policy"], instance["standing"]
        )
        == []
    )
    request_of = {r.id: r for r in requests}
    offer_of = {o.id: o for o in offers}
    for p in result.proposals:
        outcome = loan_outcome(request_of[p.request_id], offer_of[p.offer_id], instance["policy"])
        assert outcome == (p.amount_fen, p.saving_fen, p.patent_ids)
    assert result.value_fen == sum(p.value_fen for p in result.proposals)
    assert result.value_fen <= result.bound_fen


@BOTH
@calm
@given(instance=instances())
def test_every_pair_has_exactly_one_coherent_explanation(propose, instance):
    result = propose(**instance)
    proposed = {(p.request_id, p.offer_id) for p in result.proposals}
    context = make_context(instance["policy"])
    pol, standing = instance["policy"], instance["standing"]
    for request in instance["requests"]:
        mine = [p for p in result.proposals if p.request_id == request.id]
        live = [m for m in standing if m.request_id == request.id]
        counted = len(mine) + sum(m.is_within_deadline for m in live)
        taken = {p.institution_id for p in mine} | {m.institution_id for m in live}
        for offer in instance["offers"]:
            told = explain(request, offer, context, result)
            failed = [r.code for r in told.results if not r.passed]
            is_proposed = (request.id, offer.id) in proposed
            assert (told.outcome == "proposed") == is_proposed
            if is_proposed:
                assert failed == []
            elif failed:
                assert told.outcome == failed[0]
            else:
                assert told.outcome in UNPROPOSED_CODES
                fen, count = room(offer, pol)
                used = [p for p in result.proposals if p.offer_id == offer.id]
                left = fen - sum(p.amount_fen for p in used)
                pieces_left = None if count is None else count - len(used)
                if told.outcome == "institution_already_proposed":
                    assert offer.institution_id in taken
                    assert told.lost_to_offer_ids
                elif told.outcome == "beyond_k":
                    assert counted >= pol.max_proposals_count
                elif told.outcome == "capacity_exhausted":
                    assert told.amount_fen > fen or count == 0
                elif counted and not alternative_value_fen(
                    told.saving_fen, offer.delivery_ppm, pol
                ):
                    # One more proposal that is worth nothing is not made.
                    assert told.outcome == "not_allocated"
                else:
                    # Room was there and went to others: something was given away, and what is
                    # left is too little.
                    assert used
                    assert told.amount_fen > left or pieces_left == 0
                    assert told.price_ppm is not None


@BOTH
@calm
@given(instance=instances(), rng=st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_bytes(propose, instance, rng):
    first = propose(**instance)
    shuffled = {
        **instance,
        **{name: shuffle(instance[name], rng) for name in ("requests", "offers", "standing")},
    }
    shuffled["requests"] = [
        replace(r, patents=tuple(shuffle(r.patents, rng))) for r in shuffled["requests"]
    ]
    shuffled["offers"] = [
        replace(
            o,
            accepted_patents=tuple(shuffle(o.accepted_patents, rng)),
            limit_table=tuple(shuffle(o.limit_table, rng)),
        )
        for o in shuffled["offers"]
    ]
    second = propose(**shuffled)
    assert repr(first) == repr(second)
    assert first.input_digest == second.input_digest
    assert first.results_digest == second.results_digest


def shuffle(rows, rng: random.Random):
    rows = list(rows)
    rng.shuffle(rows)
    return rows


@calm
@given(instances(most_requests=3))
def test_near_misses_fit_after_the_change_and_only_cure_the_curable(instance):
    context = make_context(instance["policy"])
    for request in instance["requests"]:
        misses = near_misses(request, instance["offers"], context)
        offers = {offer.id: offer for offer in instance["offers"]}
        assert [m.saving_fen for m in misses] == sorted(
            (m.saving_fen for m in misses), reverse=True
        )
        for miss in misses:
            failed = evaluate(request, offers[miss.offer_id], context).failed_codes
            assert failed
            assert set(failed) <= CURABLE
            assert all(result.passed for result in miss.results)
            changed = {
                "change_term": {"term_months": miss.after},
                "change_principal": {"principal_fen": miss.after},
                "lower_least_accepted": {"least_accepted_fen": miss.after},
            }.get(miss.change_code)
            if changed:
                fits = loan_outcome(
                    replace(request, **changed), offers[miss.offer_id], instance["policy"]
                )
                assert fits is not None
                assert fits[:2] == (miss.amount_fen, miss.saving_fen)


@st.composite
def tiny_markets(draw):
    offers = [("loan", f"O{n}") for n in range(3)]
    rooms = {
        offer: Room(draw(st.integers(0, 30)), draw(st.sampled_from((None, None, 0, 1, 2))))
        for offer in offers
    }
    demands = []
    for n in range(draw(st.integers(1, 3))):
        candidates = []
        for number, offer in enumerate(offers):
            if not draw(st.booleans()):
                continue
            alternative = draw(st.integers(0, 20))
            first = alternative + draw(st.integers(0, 100))
            candidates.append(
                Candidate(
                    offer=offer,
                    institution_id=draw(st.sampled_from(("A", "B", f"X{number}"))),
                    amount_fen=draw(st.integers(1, 20)),
                    saving_fen=alternative,
                    first_fen=first,
                    alternative_fen=alternative,
                    kept_first_fen=first,
                    kept_alternative_fen=alternative,
                    lot=draw(st.integers(0, 3)),
                )
            )
        demands.append(
            Demand(
                request=("loan", f"R{n}"),
                is_reached=draw(st.booleans()),
                slots=draw(st.integers(0, 3)),
                closed_institutions=draw(st.sampled_from((frozenset(), frozenset({"A"})))),
                candidates=tuple(candidates),
                lot=n,
            )
        )
    return demands, rooms


@settings(calm, max_examples=200)
@given(tiny_markets())
def test_allocation_is_feasible_and_bound_is_valid_by_brute_force(market):
    demands, rooms = market
    allocation = allocate(demands, rooms)
    best = best_value(demands, rooms)
    bound, prices = best_bound(demands, rooms)
    assert allocation.value_fen <= best <= bound
    assert dual_value_fen(demands, rooms, prices) == bound
    for offer, left in allocation.rooms_left.items():
        used = [c for row in allocation.choices.values() for c in row if c.candidate.offer == offer]
        assert left.fen == rooms[offer].fen - sum(c.candidate.amount_fen for c in used)
        assert left.fen >= 0
        assert left.count is None or left.count == rooms[offer].count - len(used) >= 0


@settings(calm, max_examples=200)
@given(tiny_markets())
def test_one_request_alone_gets_its_best_set(market):
    """With room for all, the greedy is exact for a single request (MATCHING §1)."""
    demands, rooms = market
    wide = {offer: Room(10**9, None) for offer in rooms}
    allocation = allocate(demands[:1], wide)
    assert allocation.value_fen == best_value(demands[:1], wide)
