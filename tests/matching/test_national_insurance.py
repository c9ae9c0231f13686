"""Insurance on the national engine: compiled rules beside the readable ones, runs, baskets."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from financing.matching.context import make_context
from financing.matching.eligibility import passing_pair
from financing.matching.national.certificate import bound_fen
from financing.matching.national.checked_columns import check
from financing.matching.national.from_rows import insurance_columns
from financing.matching.national.insurance_packing import pack_insurances
from financing.matching.national.insurance_pairs import insurance_candidates, insurance_figures
from financing.matching.national.no_requests import no_loans
from financing.matching.national.packing import NO_COUNT, Closed
from financing.matching.national.run import KindInput, RunInput, run_matching
from financing.matching.national.tables import ColumnError, InsuredPatentColumns
from financing.matching.policy import SizeWeight, StandardPremium
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)
from tests.matching.instances import DIVISIONS, EXPIRIES, REGIONS
from tests.matching.rows import WAN, YUAN, insurance_offer, insurance_request, patent, policy

CONDITIONS = ("co_owner_consent_missing", "ownership_dispute", "annuity_unpaid")
COVERS = ("enforcement", "infringement_loss")

POLICIES = [
    policy(
        max_proposals_count=k,
        first_time_lift_ppm=100_000,
        waiting_lift_ppm_per_day=1_000,
        waiting_lift_most_ppm=50_000,
        size_weights=(SizeWeight("micro", 70_000),),
        alternative_share_ppm=share,
        standard_premiums=(StandardPremium("enforcement", 800 * YUAN, 200 * YUAN, 101, 24_001),),
    )
    for k, share in ((1, 200_000), (3, 200_000), (2, 1_000_000))
]


@st.composite
def insured_patents(draw, number):
    return patent(
        id=f"P{number}",
        kind=draw(st.sampled_from(("invention", "utility_model", "design"))),
        expires_on=draw(st.sampled_from((*EXPIRIES, date(2028, 6, 20), date(2028, 6, 19)))),
        insurability_failures=draw(st.frozensets(st.sampled_from(CONDITIONS), max_size=2)),
    )


@st.composite
def insurance_requests(draw, number):
    return insurance_request(
        id=f"R{number}",
        business_id=f"B{number}",
        region_code=draw(st.sampled_from(REGIONS)),
        industry_code=draw(st.sampled_from(("C3911", "C39", "I65"))),
        size_class=draw(st.sampled_from(("micro", "small"))),
        cover_kind=draw(st.sampled_from(COVERS)),
        sum_insured_fen=draw(st.sampled_from((4 * WAN, 5 * WAN, 20 * WAN + 33, 80 * WAN + 1))),
        max_premium_fen=draw(st.sampled_from((None, None, 500 * YUAN, 2_000 * YUAN))),
        is_first_time_borrower=draw(st.booleans()),
        waiting_days=draw(st.integers(0, 100)),
        patents=tuple(draw(insured_patents(n)) for n in range(draw(st.integers(0, 3)))),
    )


@st.composite
def insurance_offers(draw, number):
    return insurance_offer(
        id=f"O{number}",
        institution_id=f"I{draw(st.integers(0, 2))}",
        status=draw(st.sampled_from(("published", "published", "published", "paused"))),
        is_institution_suspended=draw(st.sampled_from((False, False, False, True))),
        opens_on=draw(st.sampled_from((None, date(2025, 6, 20), date(2025, 6, 21)))),
        closes_on=draw(st.sampled_from((None, date(2025, 6, 21)))),
        regions=draw(st.frozensets(st.sampled_from(DIVISIONS), max_size=2)),
        industries=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"C", "I65"})))),
        size_classes=draw(st.sampled_from((frozenset(), frozenset({"micro"})))),
        cover_kind=draw(st.sampled_from(COVERS)),
        sum_insured_min_fen=draw(st.sampled_from((0, 5 * WAN))),
        sum_insured_max_fen=draw(st.sampled_from((20 * WAN + 33, 100 * WAN))),
        accepted_kinds=draw(st.sampled_from((frozenset({"invention"}), frozenset()))).union(
            draw(st.frozensets(st.sampled_from(("utility_model", "design"))))
        ),
        min_patents_count=draw(st.sampled_from((0, 1, 1, 2))),
        min_remaining_months=draw(st.sampled_from((0, 12, 36))),
        conditions=draw(st.frozensets(st.sampled_from((*CONDITIONS, "never_failed")))),
        premium_min_fen=draw(st.sampled_from((0, 500 * YUAN))),
        premium_base_fen=draw(st.sampled_from((0, 100 * YUAN))),
        premium_per_patent_fen=draw(st.sampled_from((0, 50 * YUAN, 400 * YUAN))),
        premium_rate_ppm=draw(st.sampled_from((19_999, 24_000, 26_000))),
        capacity_fen=draw(st.sampled_from((0, 30 * WAN, 1_000 * WAN))),
        held_fen=draw(st.sampled_from((0, 5 * WAN))),
        capacity_count=draw(st.sampled_from((None, None, 1, 3))),
        delivery_ppm=draw(st.sampled_from((1_000_000, 700_000))),
    )


@st.composite
def insurance_instances(draw, most=8):
    return (
        [draw(insurance_requests(n)) for n in range(draw(st.integers(1, most)))],
        [draw(insurance_offers(n)) for n in range(draw(st.integers(1, most)))],
        draw(st.sampled_from(POLICIES)),
    )


def run_of(requests, offers, pol, **of_kind):
    return RunInput(
        loans=KindInput(requests=no_loans(), offers=()),
        insurances=KindInput(requests=insurance_columns(requests), offers=tuple(offers), **of_kind),
        policy=pol,
    )


def many(count=400, offers_count=25, seed=3):
    """Requests and offers of a size that fills some offers' rooms."""
    random = np.random.default_rng(seed)
    requests = [
        insurance_request(
            id=f"R{n:04d}",
            region_code=REGIONS[random.integers(len(REGIONS))],
            cover_kind=COVERS[random.integers(2)],
            sum_insured_fen=int(random.integers(5, 60)) * WAN,
            patents=tuple(patent(id=f"P{n}-{m}") for m in range(random.integers(1, 4))),
        )
        for n in range(count)
    ]
    offers = [
        insurance_offer(
            id=f"O{n}",
            institution_id=f"I{random.integers(12)}",
            cover_kind=COVERS[random.integers(2)],
            premium_rate_ppm=int(random.integers(15, 26)) * 1_000,
            capacity_fen=int(random.integers(50, 500)) * WAN,
            capacity_count=int(random.integers(5, 40)) if n % 4 == 0 else None,
            delivery_ppm=int(random.integers(7, 11)) * 100_000,
        )
        for n in range(offers_count)
    ]
    return requests, offers


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(insurance_instances())
def test_pairs_agree_with_the_readable_rules(instance):
    requests, offers, pol = instance
    columns = insurance_columns(requests)
    check(columns)
    packed = pack_insurances(columns, offers, pol)
    problem, context = packed.problem, make_context(pol)
    found = insurance_candidates(packed)
    everything = np.tile(np.arange(len(offers), dtype=np.int32), (len(requests), 1))
    amounts, savings = insurance_figures(packed, everything)
    seen = {
        (int(i), int(j)): x
        for i in range(problem.count)
        for x in range(found.start[i], found.start[i + 1])
        for j in (found.offer[x],)
    }
    for i in range(problem.count):
        request = requests[problem.line[i]]
        for j, offer in enumerate(packed.offer_rows):
            pair = passing_pair(request, offer, context)
            assert ((i, j) in seen) == (pair is not None) == (amounts[i, j] > 0)
            if pair is None:
                continue
            x = seen[i, j]
            coverage = coverage_value_fen(request, pol)
            assert found.amount[x] == amounts[i, j] == pair.amount_fen
            assert savings[i, j] == pair.saving_fen
            assert found.further_fen[x] == alternative_value_fen(
                pair.saving_fen, offer.delivery_ppm, pol
            )
            if len(found.first_fen):
                assert found.first_fen[x] == first_value_fen(
                    coverage, pair.saving_fen, offer.delivery_ppm
                )
            else:
                assert problem.data.requests["coverage"][i] == coverage


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(insurance_instances())
def test_proposals_carry_what_the_readable_rules_find(instance):
    requests, offers, pol = instance
    result = run_matching(run_of(requests, offers, pol), threads=1)
    insurances, context = result.insurances, make_context(pol)
    proposals = insurances.proposals
    by_id = {offer.id: offer for offer in offers}
    rows = [p for row in requests for p in sorted(row.patents, key=lambda one: one.id)]
    value = 0
    for n in range(len(proposals)):
        request = requests[proposals.place[n]]
        offer = by_id[insurances.offer_ids[proposals.offer[n]]]
        pair = passing_pair(request, offer, context)
        assert pair is not None
        mine = proposals.patent_id[proposals.patents_start[n] : proposals.patents_start[n + 1]]
        assert tuple(rows[place] for place in mine) == pair.basket.kept
        assert proposals.premium_fen[n] == pair.premium_fen
        assert proposals.saving_fen[n] == pair.saving_fen
        assert proposals.amount_fen[n] == pair.amount_fen
        assert not proposals.is_conditional[n]
        value += int(proposals.value_fen[n])
    assert value == result.value_fen <= result.bound_fen
    assert (insurances.left_fen >= 0).all()
    assert insurances.is_eligible.tolist() == [
        any(passing_pair(row, offer, context) for offer in offers) for row in requests
    ]


def test_rooms_institutions_and_what_people_settled_are_honoured():
    requests, offers = many()
    closed = Closed(
        institutions=tuple((n, f"I{n % 12}") for n in range(0, 90, 3)),
        offers=tuple((n, f"O{n % 25}") for n in range(0, 400, 5)),
        counted=(3, 6, 6, 9, 9, 9),
    )
    result = run_matching(run_of(requests, offers, policy(), closed=closed))
    insurances, proposals = result.insurances, result.insurances.proposals
    house = {offer.id: offer.institution_id for offer in offers}
    taken = {}
    for n in range(len(proposals)):
        place, offer = int(proposals.place[n]), insurances.offer_ids[proposals.offer[n]]
        assert (place, house[offer]) not in closed.institutions
        assert (place, offer) not in closed.offers
        assert not (proposals.is_first[n] and place in closed.counted)
        taken.setdefault(place, []).append(house[offer])
    for place, houses in taken.items():
        assert len(set(houses)) == len(houses) <= max(0, 3 - closed.counted.count(place))
    limited = insurances.room_count >= 0
    assert (insurances.left_fen >= 0).all()
    assert (insurances.left_count[limited] >= 0).all()
    assert (insurances.price_fen_ppm > 0).any()
    assert 0 < result.value_fen <= result.bound_fen
    # Offers that suit everybody alike: prices that move one by one prove some 30 % only.
    assert result.gap < 0.04


def test_anyone_can_recompute_the_bound():
    requests, offers = many()
    result = run_matching(run_of(requests, offers, policy()))
    packed = pack_insurances(insurance_columns(requests), offers, policy())
    problem, found = packed.problem, insurance_candidates(packed)
    count = np.diff(found.start)
    bound = bound_fen(
        {
            "request": np.repeat(np.arange(problem.count), count),
            "offer": found.offer.astype(np.int64),
            "institution": problem.data.offers["institution"][found.offer].astype(np.int64),
            "amount_fen": found.amount,
            "first_fen": found.first_fen,
            "further_fen": found.further_fen,
        },
        {
            "slots": problem.data.requests["slots"].astype(np.int64),
            "is_reached": problem.data.requests["is_reached"].astype(np.int64),
        },
        {
            "room_fen": problem.room,
            "room_count": np.where(problem.room_count == NO_COUNT, -1, problem.room_count),
            "price_fen_ppm": result.insurances.price_fen_ppm,
            "price_count_fen": result.insurances.price_count_fen,
        },
    )
    assert abs(bound - result.bound_fen) <= 1


def test_digests_depend_neither_on_order_nor_on_threads():
    requests, offers = many(5_000, 40)
    columns = insurance_columns(requests)
    order = np.random.default_rng(1).permutation(len(requests))
    places = np.concatenate(
        [np.arange(columns.patents_start[i], columns.patents_start[i + 1]) for i in order]
    )
    other = replace(
        columns,
        **{
            f.name: getattr(columns, f.name)[order]
            for f in fields(columns)
            if "allowed" in f.metadata and f.name != "patents_start"
        },
        patents=InsuredPatentColumns(
            **{f.name: getattr(columns.patents, f.name)[places] for f in fields(columns.patents)}
        ),
        patents_start=np.append(0, np.cumsum(np.diff(columns.patents_start)[order])),
    )
    digests = set()
    for given_columns, given_offers, threads in ((columns, offers, 1), (other, offers[::-1], 2)):
        run = replace(
            run_of(requests[:1], given_offers, policy()),
            insurances=KindInput(requests=given_columns, offers=tuple(given_offers)),
        )
        result = run_matching(run, threads=threads)
        digests.add((result.input_digest, result.result_digest))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("cover_kind", 5, "insurance_requests.cover_kind, line 2: 5; allowed: from 0 to 4"),
        ("sum_insured_fen", 0, "sum_insured_fen, line 2: 0; allowed: from 1"),
        ("max_premium_fen", -2, "max_premium_fen, line 2: -2; allowed: from 0"),
    ],
)
def test_a_wrong_column_is_named(column, value, text):
    columns = insurance_columns([insurance_request(id=f"R{n}") for n in range(5)])
    values = getattr(columns, column).copy()
    values[2] = value
    with pytest.raises(ColumnError, match=text):
        check(replace(columns, **{column: values}))
