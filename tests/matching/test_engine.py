"""Allocation by example: standing matches, k, capacity, churn, weights, validation."""

from dataclasses import replace
from datetime import date

import pytest

from financing.matching.allocation import Candidate, Demand, best_first
from financing.matching.bounds import Price, dual_value_fen
from financing.matching.context import make_context
from financing.matching.delivery import smoothed_delivery_ppm
from financing.matching.engine import propose_matches
from financing.matching.explanations import count_refusals, explain
from financing.matching.near_misses import near_miss, near_misses
from financing.matching.policy import RegionWeight, SizeWeight
from financing.matching.rooms import Room, room_of
from financing.matching.tables import DecidedPair, LimitStep, PreviousProposal, StandingMatch
from financing.matching.validation import TableError
from financing.matching.values import weight_ppm
from tests.matching.rows import (
    AS_OF,
    WAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
    policy,
)


def proposed(result):
    return [(p.request_id, p.offer_id, p.is_first) for p in result.proposals]


def offers_of(count, **changes):
    return [
        loan_offer(
            id=f"O{n}", institution_id=f"I{n}", interest_rate_ppm=30_000 + 100 * n, **changes
        )
        for n in range(1, count + 1)
    ]


def live(offer_id="O1", institution_id="I1", *, within=True):
    return StandingMatch(
        kind="loan",
        request_id="R1",
        offer_id=offer_id,
        institution_id=institution_id,
        is_within_deadline=within,
    )


def test_best_offers_first_up_to_k():
    result = propose_matches([loan_request()], offers_of(5), policy())
    assert proposed(result) == [("R1", "O1", True), ("R1", "O2", False), ("R1", "O3", False)]
    context = make_context(policy())
    told = explain(loan_request(), offers_of(5)[3], context, result)
    assert told.outcome == "beyond_k"
    assert told.lost_to_offer_ids == ("O1", "O2", "O3")


def test_live_matches_count_towards_k_and_as_reached():
    result = propose_matches([loan_request()], offers_of(5), policy(), standing=[live()])
    assert proposed(result) == [("R1", "O2", False), ("R1", "O3", False)]
    # Two proposals at a fifth of the saving, no coverage value.
    assert result.value_fen == sum(p.saving_fen // 5 for p in result.proposals)


def test_past_its_deadline_a_live_match_only_closes_its_institution():
    standing = [live(within=False)]
    result = propose_matches([loan_request()], offers_of(5), policy(), standing=standing)
    assert proposed(result) == [("R1", "O2", True), ("R1", "O3", False), ("R1", "O4", False)]
    told = explain(loan_request(), offers_of(5)[0], make_context(policy()), result)
    assert told.outcome == "institution_already_proposed"


def test_past_its_deadline_a_live_match_does_not_use_up_k():
    small = loan_offer(id="O2", institution_id="I2", capacity_fen=1)
    pol = policy(max_proposals_count=1)
    for within, outcome in ((True, "beyond_k"), (False, "capacity_exhausted")):
        result = propose_matches([loan_request()], [small], pol, standing=[live(within=within)])
        assert explain(loan_request(), small, make_context(pol), result).outcome == outcome


def test_one_proposal_per_institution():
    offers = [replace(offer, institution_id="I1") for offer in offers_of(3)]
    result = propose_matches([loan_request()], offers, policy())
    assert proposed(result) == [("R1", "O1", True)]


def test_reach_comes_before_alternatives_when_room_is_short():
    requests = [loan_request(), loan_request(id="R2")]
    offers = [
        loan_offer(capacity_fen=200 * WAN),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=32_000, capacity_fen=200 * WAN),
    ]
    result = propose_matches(requests, offers, policy())
    assert sorted(p.offer_id for p in result.proposals) == ["O1", "O2"]
    assert all(p.is_first for p in result.proposals)
    assert {p.request_id for p in result.proposals} == {"R1", "R2"}


def test_alternatives_share_what_room_is_left():
    requests = [loan_request(), loan_request(id="R2")]
    standing = [
        StandingMatch(
            kind="loan",
            request_id=request.id,
            offer_id="O9",
            institution_id="I9",
            is_within_deadline=True,
        )
        for request in requests
    ]
    offer = loan_offer(capacity_fen=390 * WAN)
    result = propose_matches(requests, [offer], policy(), standing=standing)
    assert len(result.proposals) == 1
    one = loan_offer(capacity_count=1)
    assert len(propose_matches(requests, [one], policy(), standing=standing).proposals) == 1


def candidate(number, institution_id, first, alternative):
    return Candidate(
        offer=("loan", f"O{number}"),
        institution_id=institution_id,
        amount_fen=1,
        saving_fen=alternative,
        first_fen=first,
        alternative_fen=alternative,
        kept_first_fen=first,
        kept_alternative_fen=alternative,
        lot=number,
    )


def test_first_proposal_is_chosen_with_the_best_others_beside_it():
    # The greatest first value closes the institution of the best alternative.
    candidates = [
        candidate(1, "A", 100, 0),
        candidate(2, "A", 99, 50),
        candidate(3, "B", 98, 1),
    ]
    # Together O2 as an alternative beside O3: 98 + 50, against 100 + 1.
    assert best_first(candidates, 2) is candidates[2]
    assert best_first(candidates, 1) is candidates[0]
    assert best_first([], 2) is None


def test_bound_pays_for_the_room():
    demands = [
        Demand(("loan", f"R{n}"), False, 1, frozenset(), (candidate(1, "A", 100, 0),), n)
        for n in range(2)
    ]
    rooms = {("loan", "O1"): Room(1, None)}
    # At a price of 100 per fen nobody gains, and the room itself is worth 100.
    prices = {("loan", "O1"): Price(100 * 10**6, 0)}
    assert dual_value_fen(demands, rooms, prices) == 100
    assert dual_value_fen(demands, rooms, {}) == 200
    counted = {("loan", "O1"): Room(9, 1)}
    assert dual_value_fen(demands, counted, {("loan", "O1"): Price(0, 100)}) == 100
    with pytest.raises(ValueError, match="count"):
        dual_value_fen(demands, rooms, {("loan", "O1"): Price(0, 1)})
    with pytest.raises(ValueError, match="negative"):
        dual_value_fen(demands, rooms, {("loan", "O1"): Price(-1, 0)})


def test_capacity_and_not_allocated():
    requests = [loan_request(), loan_request(id="R2")]
    offer = loan_offer(capacity_fen=390 * WAN)
    result = propose_matches(requests, [offer], policy())
    assert len(result.proposals) == 1
    loser = next(r for r in requests if r.id != result.proposals[0].request_id)
    told = explain(loser, offer, make_context(policy()), result)
    assert (told.outcome, told.room_left_fen) == ("not_allocated", 190 * WAN)
    assert told.price_ppm == result.proposals[0].value_fen * 10**6 // (200 * WAN)
    small = loan_offer(capacity_fen=199 * WAN)
    result = propose_matches(requests, [small], policy())
    told = explain(requests[0], small, make_context(policy()), result)
    assert (told.outcome, told.room_fen) == ("capacity_exhausted", 199 * WAN)


@pytest.mark.parametrize(
    ("changes", "room"),
    [
        ({"booked_fen": 4_000 * WAN, "held_fen": 500 * WAN}, Room(8_500 * WAN, None)),
        ({"booked_fen": 10_000 * WAN, "held_fen": 500 * WAN}, Room(0, None)),
        ({"capacity_count": 5, "booked_count": 2, "held_count": 1}, Room(15_000 * WAN, 3)),
        ({"capacity_count": 3, "booked_count": 3}, Room(15_000 * WAN, 0)),
        ({"booked_fen": 9_999 * WAN, "held_fen": 2 * WAN}, Room(0, None)),
        ({"booked_fen": 12_000 * WAN}, Room(0, None)),
    ],
)
def test_room_is_open_capacity_times_oversubscription_less_held(changes, room):
    assert room_of(loan_offer(**changes), 1_500_000) == room


def test_an_offer_without_pieces_left_is_exhausted():
    offer = loan_offer(capacity_count=2, booked_count=2)
    result = propose_matches([loan_request()], [offer], policy())
    told = explain(loan_request(), offer, make_context(policy()), result)
    assert told.outcome == "capacity_exhausted"


def test_the_order_of_decisions_and_previous_proposals_does_not_matter():
    decided = [
        DecidedPair(
            kind="loan",
            request_id=f"R{n}",
            institution_id="I1",
            criterion="other",
            fingerprint="fx",
        )
        for n in range(3)
    ]
    previous = [PreviousProposal(kind="loan", request_id="R1", offer_id=f"O{n}") for n in range(3)]
    runs = [
        propose_matches([loan_request()], offers_of(3), policy(), decided=d, previous=p)
        for d, p in ((decided, previous), (decided[::-1], previous[::-1]))
    ]
    assert runs[0] == runs[1]


def test_a_proposal_is_not_churned_without_a_margin():
    offers = [
        loan_offer(id="O1", institution_id="I1", interest_rate_ppm=30_000),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=30_100),
    ]
    pol = policy(max_proposals_count=1, churn_margin_ppm=50_000)
    previous = [PreviousProposal(kind="loan", request_id="R1", offer_id="O2")]
    assert propose_matches([loan_request()], offers, pol).proposals[0].offer_id == "O1"
    kept = propose_matches([loan_request()], offers, pol, previous=previous)
    assert kept.proposals[0].offer_id == "O2"
    better = [replace(offers[0], interest_rate_ppm=29_000), offers[1]]
    changed = propose_matches([loan_request()], better, pol, previous=previous)
    assert changed.proposals[0].offer_id == "O1"


def test_ties_are_drawn_by_the_seed_and_previous_wins_them():
    offers = [loan_offer(id=f"O{n}", institution_id=f"I{n}") for n in range(6)]

    def winner(seed, previous=()):
        pol = policy(seed=seed, max_proposals_count=1, churn_margin_ppm=0)
        return propose_matches([loan_request()], offers, pol, previous=previous).proposals[0]

    winners = {winner(f"seed{n}").offer_id for n in range(12)}
    assert len(winners) > 2
    previous = [PreviousProposal(kind="loan", request_id="R1", offer_id="O3")]
    assert {winner(f"seed{n}", previous).offer_id for n in range(12)} == {"O3"}


def test_weights_lift_what_lags_and_the_finest_region_counts():
    pol = policy(
        region_weights=(RegionWeight("320000", 100_000), RegionWeight("320500", 300_000)),
        size_weights=(SizeWeight("micro", 50_000),),
        first_time_lift_ppm=20_000,
        waiting_lift_ppm_per_day=1_000,
        waiting_lift_most_ppm=5_000,
    )
    assert weight_ppm(loan_request(region_code="110108", size_class="small"), pol) == 1_000_000
    request = loan_request(is_first_time_borrower=True, waiting_days=3)
    assert weight_ppm(request, pol) == 1_373_000
    assert weight_ppm(replace(request, waiting_days=30), pol) == 1_375_000
    assert weight_ppm(loan_request(region_code="320102"), pol) == 1_150_000


def test_weight_decides_who_is_reached():
    requests = [loan_request(), loan_request(id="R2", region_code="330106")]
    pol = policy(region_weights=(RegionWeight("330000", 200_000),))
    result = propose_matches(requests, [loan_offer(capacity_fen=200 * WAN)], pol)
    assert proposed(result) == [("R2", "O1", True)]


def test_delivery_lowers_an_offer_and_is_smoothed():
    offers = [
        loan_offer(id="O1", institution_id="I1", delivery_ppm=500_000),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=31_000),
    ]
    result = propose_matches([loan_request()], offers, policy(max_proposals_count=1))
    assert result.proposals[0].offer_id == "O2"
    assert smoothed_delivery_ppm(kept_count=0, due_count=0, prior_count=0) == 1_000_000
    assert smoothed_delivery_ppm(kept_count=0, due_count=10, prior_count=10) == 500_000
    with pytest.raises(ValueError, match="kept_count"):
        smoothed_delivery_ppm(kept_count=2, due_count=1, prior_count=10)


def test_both_kinds_in_one_run_do_not_meet():
    requests = [loan_request(), insurance_request()]
    offers = [loan_offer(), insurance_offer()]
    result = propose_matches(requests, offers, policy())
    assert [(p.kind, p.institution_id, p.premium_fen) for p in result.proposals] == [
        ("insurance", "I9", 4_150_00),
        ("loan", "I1", None),
    ]


def test_every_faulty_value_is_named_at_the_border():
    requests = [
        loan_request(principal_fen=0, region_code="32050"),
        loan_request(id="R2", patents=(patent(kind="plant"), patent())),
        loan_request(id="R2", least_accepted_fen=201 * WAN),
    ]
    with pytest.raises(TableError) as caught:
        propose_matches(requests, [loan_offer(collateral_basis="limit_table")], policy())
    found = {(f.table, f.row_id, f.column) for f in caught.value.faults}
    assert found == {
        ("loan_requests", "R1", "principal_fen"),
        ("loan_requests", "R1", "region_code"),
        ("patents", "P1", "kind"),
        ("loan_requests", "R2", "patents"),
        ("loan_requests", "R2", "least_accepted_fen"),
        ("loan_requests", "R2", "id"),
        ("loan_offers", "O1", "limit_table"),
    }


@pytest.mark.parametrize("value", [True, 1.0, float("nan"), -1, 10**16, "1", None])
def test_amounts_are_whole_fen_and_nothing_else(value):
    with pytest.raises(TableError):
        propose_matches([loan_request(principal_fen=value)], [], policy())


NEAR = [
    ({"term_months": 60}, {}, "change_term", 36, ()),
    ({"term_months": 3}, {}, "change_term", 6, ()),
    ({"term_months": 36, "patents": (patent(expires_on=date(2028, 1, 1)),)}, {},
     "change_term", 18, ()),
    ({"principal_fen": 40 * WAN, "least_accepted_fen": 10 * WAN}, {},
     "change_principal", 50 * WAN, ()),
    ({"patents": (patent(appraised_value_fen=200 * WAN),)}, {},
     "lower_least_accepted", 80 * WAN, ()),
    ({"patents": (patent(hard_grounds=frozenset({"annuity_unpaid"})),)}, {},
     "pay_annuity", (), ("P1",)),
    ({"patents": (patent(hard_grounds=frozenset({"co_owner_consent_missing"})),)}, {},
     "get_consent", (), ("P1",)),
    ({"patents": (patent(appraised_value_fen=None, appraised_on=None),)}, {},
     "get_appraisal", 250 * WAN, ("P1",)),
    ({}, {"required_certificates": frozenset({"high_tech"})}, "get_certificate",
     ("high_tech",), ()),
    ({}, {"min_patents_count": 3}, "add_patents", 3, ()),
    ({}, {"collateral_basis": "limit_table", "limit_table": (LimitStep(2, 300 * WAN),)},
     "add_patents", 2, ()),
    ({"established_on": date(2024, 3, 3)}, {"min_operating_months": 24}, "wait_until",
     None, ()),
]  # fmt: skip


@pytest.mark.parametrize(("of_request", "of_offer", "code", "after", "patents"), NEAR)
def test_near_miss_is_the_smallest_single_change(of_request, of_offer, code, after, patents):
    offer = loan_offer(**of_offer)
    miss = near_miss(loan_request(**of_request), offer, make_context(policy()))
    if code == "wait_until":
        # The offer closes before the business is old enough; it fits once it stays open.
        assert miss is None
        miss = near_miss(
            loan_request(**of_request), replace(offer, closes_on=None), make_context(policy())
        )
        after = date(2026, 3, 3)
    assert (miss.change_code, miss.after, miss.patent_ids) == (code, after, patents)


@pytest.mark.parametrize(
    ("of_request", "of_offer"),
    [
        ({}, {"regions": frozenset({"110000"})}),
        ({"term_months": 60}, {"interest_rate_ppm": 40_000}),
        ({"term_months": 60, "certificates": frozenset()},
         {"required_certificates": frozenset({"high_tech"})}),
        ({"patents": (patent(hard_grounds=frozenset({"owner_mismatch"})),)}, {}),
        ({}, {}),
        ({}, {"required_certificates": frozenset({"a", "b"})}),
    ],
)  # fmt: skip
def test_no_near_miss_where_one_curable_change_is_not_enough(of_request, of_offer):
    context = make_context(policy())
    assert near_miss(loan_request(**of_request), loan_offer(**of_offer), context) is None


def test_a_low_appraisal_is_never_answered_with_a_higher_one():
    request = loan_request(
        patents=(patent(appraised_value_fen=10 * WAN),), least_accepted_fen=200 * WAN
    )
    miss = near_miss(request, loan_offer(), make_context(policy()))
    assert miss is None


def test_near_misses_come_by_what_they_would_save():
    offers = [
        loan_offer(id="O1", term_max_months=6, interest_rate_ppm=34_000),
        loan_offer(id="O2", term_max_months=6, interest_rate_ppm=30_000),
        insurance_offer(id="O3"),
    ]
    misses = near_misses(loan_request(), offers, make_context(policy()))
    assert [miss.offer_id for miss in misses] == ["O2", "O1"]


def test_insurance_near_miss():
    miss = near_miss(
        insurance_request(sum_insured_fen=2 * WAN), insurance_offer(), make_context(policy())
    )
    assert (miss.change_code, miss.after) == ("change_sum_insured", 5 * WAN)


@pytest.mark.parametrize(
    ("failure", "code"),
    [("annuity_unpaid", "pay_annuity"), ("co_owner_consent_missing", "get_consent")],
)
def test_insurance_near_miss_cures_a_patent(failure, code):
    request = insurance_request(patents=(patent(insurability_failures=frozenset({failure})),))
    offer = insurance_offer(conditions=frozenset({failure}))
    miss = near_miss(request, offer, make_context(policy()))
    assert (miss.change_code, miss.patent_ids) == (code, ("P1",))


def test_refusals_are_counted_by_rule():
    requests = [loan_request(), loan_request(id="R2", term_months=60)]
    offers = [loan_offer(), loan_offer(id="O2", status="paused")]
    counts = count_refusals(requests, offers, make_context(policy()))
    assert counts == {"not_open": 2, "term_out_of_range": 2}


def test_nothing_in_nothing_out():
    result = propose_matches([], [], policy())
    assert (result.proposals, result.value_fen, result.bound_fen) == ((), 0, 0)
    assert policy().as_of == AS_OF
