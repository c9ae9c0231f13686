"""Why a pair was or was not proposed, from what a stored run left behind."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.context import make_context
from financing.matching.engine import propose_matches
from financing.matching.explanations import NOT_ALLOCATED, PROPOSED, explain
from financing.matching.stored_runs import StoredRoom, explain_stored, stored_run
from financing.matching.tables import StandingMatch
from tests.matching.instances import instances
from tests.matching.rows import (
    WAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
    policy,
)


def told(request, offer, offers, pol, result):
    by_id = {one.id: one for one in offers if one.kind == request.kind}
    run = stored_run(result, request.kind, request.id)
    return explain_stored(request, offer, by_id, make_context(pol), run)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(instance=instances())
def test_the_outcome_is_that_of_the_run_for_every_pair(instance):
    result, context = propose_matches(**instance), make_context(instance["policy"])
    for request in instance["requests"]:
        for offer in instance["offers"]:
            stored = told(request, offer, instance["offers"], instance["policy"], result)
            live = explain(request, offer, context, result)
            assert stored.outcome == live.outcome
            assert stored.results == live.results
            assert stored.lost_to_offer_ids == live.lost_to_offer_ids


def test_worth_at_the_time_and_prices_are_those_of_the_run():
    instance = make_instance("product", 200, 60)
    rows, pol = request_rows(instance.requests), instance.policy
    result = propose_matches(rows, instance.offers, pol)
    offers = {offer.id: offer for offer in instance.offers}
    requests = {row.id: row for row in rows}
    priced = 0
    for proposal in result.proposals:
        found = told(
            requests[proposal.request_id], offers[proposal.offer_id], instance.offers, pol, result
        )
        room = result.room("loan", proposal.offer_id)
        assert found.outcome == PROPOSED
        assert found.weighed is not None
        assert found.weighed.worth_fen == proposal.value_fen
        assert found.weighed.amount_fen == proposal.amount_fen
        micro = room.price_fen_ppm * proposal.amount_fen + room.price_count_fen * 10**6
        assert 0 <= found.weighed.room_cost_fen * 10**6 - micro < 10**6
        priced += found.weighed.room_cost_fen > 0
        assert [one.offer_id for one in found.got] == [
            p.offer_id for p in result.proposals_of("loan", proposal.request_id)
        ]
    assert priced > 20


def test_who_lost_on_price_lacks_what_the_price_asks():
    """Room for one: the price lies between what both bring, and the loser lacks the rest."""
    offer = loan_offer(capacity_fen=200 * WAN)
    requests = [
        loan_request(id="R1", waiting_days=0),
        loan_request(id="R2", waiting_days=300, patents=(patent(id="P2"),)),
    ]
    pol = policy(waiting_lift_ppm_per_day=1_000, waiting_lift_most_ppm=300_000)
    result = propose_matches(requests, [offer], pol)
    winner, loser = (told(row, offer, [offer], pol, result) for row in requests[::-1])
    assert (winner.outcome, loser.outcome) == (PROPOSED, NOT_ALLOCATED)
    assert loser.weighed.as_first
    assert loser.room.price_fen_ppm > 0
    assert loser.weighed.reduced_fen <= winner.weighed.reduced_fen
    assert loser.needed_fen == max(0, 1 - loser.weighed.reduced_fen)
    # Dearer room would have needed more.
    run = stored_run(result, "loan", "R1")
    dearer = replace(run.rooms["O1"], price_fen_ppm=run.rooms["O1"].price_fen_ppm + 50_000)
    again = explain_stored(
        requests[0],
        offer,
        {"O1": offer},
        make_context(pol),
        replace(run, rooms={"O1": dearer}),
    )
    assert again.weighed.reduced_fen == loser.weighed.reduced_fen - 200 * WAN // 20
    assert again.needed_fen == 1 - again.weighed.reduced_fen


def test_a_further_proposal_that_saves_nothing_is_not_made():
    offers = [
        loan_offer(id="O1", institution_id="I1"),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=34_800),
    ]
    result = propose_matches([loan_request()], offers, policy())
    found = told(loan_request(), offers[1], offers, policy(), result)
    assert found.outcome == NOT_ALLOCATED
    assert (found.weighed.worth_fen, found.needed_fen) == (0, 1)


def test_a_rival_is_beaten_in_its_own_place():
    offers = [
        loan_offer(id="O1", institution_id="I1", interest_rate_ppm=28_000),
        loan_offer(id="O2", institution_id="I1", interest_rate_ppm=30_000),
        loan_offer(id="O3", institution_id="I3", interest_rate_ppm=31_000),
    ]
    pol = policy(max_proposals_count=1)
    result = propose_matches([loan_request()], offers, pol)
    twin, other = (told(loan_request(), offer, offers, pol, result) for offer in offers[1:])
    assert (twin.outcome, twin.lost_to_offer_ids) == ("institution_already_proposed", ("O1",))
    assert (other.outcome, other.lost_to_offer_ids) == ("beyond_k", ("O1",))
    # 0.2 and 0.3 % of 2 million yuan for a year, each as the one that reaches the business.
    assert twin.needed_fen == pytest.approx(200 * WAN * 2 // 1_000, rel=0.05)
    assert other.needed_fen == pytest.approx(200 * WAN * 3 // 1_000, rel=0.05)


def test_a_live_match_cannot_be_beaten():
    match = StandingMatch(
        kind="loan",
        request_id="R1",
        offer_id="O9",
        institution_id="I1",
        is_within_deadline=True,
    )
    offer = loan_offer()
    result = propose_matches([loan_request()], [offer], policy(), standing=[match])
    found = told(loan_request(), offer, [offer], policy(), result)
    assert found.outcome == "institution_already_proposed"
    assert found.needed_fen is None
    assert not found.weighed.as_first


def test_what_a_rule_refuses_is_not_weighed():
    offer = insurance_offer(sum_insured_max_fen=10 * WAN)
    result = propose_matches([insurance_request()], [offer], policy())
    found = told(insurance_request(), offer, [offer], policy(), result)
    assert found.outcome == "sum_insured_out_of_range"
    assert found.weighed is None
    assert isinstance(found.room, StoredRoom)


def test_insurance_is_weighed_as_loans_are():
    offers = [
        insurance_offer(id="O1", institution_id="I1"),
        insurance_offer(id="O2", institution_id="I1", premium_rate_ppm=22_000),
    ]
    result = propose_matches([insurance_request()], offers, policy())
    found = told(insurance_request(), offers[1], offers, policy(), result)
    assert found.outcome == "institution_already_proposed"
    # 0.2 % of 200,000 yuan a year.
    assert found.needed_fen == pytest.approx(20 * WAN * 2 // 1_000, rel=0.01)
