"""Proposals of the run before are kept by the policy's margin; value and bound stay the true ones.

And small runs are never worth less than the greedy.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national import engine
from financing.matching.national.candidates import all_candidates
from financing.matching.national.churn import kept_offers
from financing.matching.national.engine import allocate_loans, seed_number
from financing.matching.national.from_rows import insurance_columns, request_columns
from financing.matching.national.greedy import greedy
from financing.matching.national.loan_figures import loan_savings
from financing.matching.national.no_requests import no_insurances, no_loans
from financing.matching.national.packing import pack
from financing.matching.national.proposals import worth_of
from financing.matching.national.questions import with_answers
from financing.matching.national.run import KindInput, RunInput, run_matching
from financing.matching.readable import propose_readably
from tests.matching.rows import (
    WAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
    policy,
)


def pairs(*places):
    table = np.array(places, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1].astype(np.int32)


def loans(requests, offers, pol, previous):
    return RunInput(
        loans=KindInput(
            requests=request_columns(requests), offers=tuple(offers), previous=pairs(*previous)
        ),
        insurances=KindInput(requests=no_insurances(), offers=()),
        policy=pol,
    )


def chosen(result):
    return [result.offer_ids[j] for j in result.proposals.offer]


@pytest.mark.parametrize(
    ("rate_ppm", "margin_ppm", "expected"),
    [
        # 4.8 points are saved by the offer proposed before.
        (28_000, 500_000, "O1"),
        (28_000, 30_000, "O2"),
        (30_000, 0, "O1"),
    ],
)
def test_another_offer_must_be_better_by_the_margin(rate_ppm, margin_ppm, expected):
    offers = (
        loan_offer(id="O1", institution_id="I1", interest_rate_ppm=30_000),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=rate_ppm),
    )
    for seed in ("s1", "s2", "s3", "s4"):
        pol = policy(max_proposals_count=1, churn_margin_ppm=margin_ppm, seed=seed)
        result = run_matching(loans([loan_request()], offers, pol, [(0, 0)]))
        assert chosen(result.loans) == [expected]


@pytest.mark.parametrize(("margin_ppm", "expected"), [(500_000, "O1"), (30_000, "O2")])
def test_the_margin_holds_where_only_the_nearest_pairs_are_kept(margin_ppm, expected, monkeypatch):
    monkeypatch.setattr(engine, "KEEP_ALL", 0)
    offers = (
        loan_offer(id="O1", institution_id="I1", interest_rate_ppm=30_000),
        loan_offer(id="O2", institution_id="I2", interest_rate_ppm=28_000),
    )
    pol = policy(max_proposals_count=1, churn_margin_ppm=margin_ppm)
    result = run_matching(loans([loan_request()], offers, pol, [(0, 0)]))
    assert chosen(result.loans) == [expected]


def test_insurance_is_kept_by_the_same_margin():
    offers = tuple(
        insurance_offer(id=f"O{n}", institution_id=f"I{n}", premium_rate_ppm=rate)
        for n, rate in ((1, 20_000), (2, 19_800))
    )
    for margin, expected in ((100_000, "O1"), (1_000, "O2")):
        run = RunInput(
            loans=KindInput(requests=no_loans(), offers=()),
            insurances=KindInput(
                requests=insurance_columns([insurance_request()]),
                offers=offers,
                previous=pairs((0, 0)),
            ),
            policy=policy(max_proposals_count=1, churn_margin_ppm=margin),
        )
        assert chosen(run_matching(run).insurances) == [expected]


def test_what_was_proposed_keeps_its_room_and_its_rank():
    offer = loan_offer(capacity_fen=200 * WAN)
    requests = [loan_request(id=f"R{n}", patents=(patent(id=f"P{n}"),)) for n in range(4)]
    for seed in ("s1", "s2", "s3"):
        result = run_matching(loans(requests, [offer], policy(seed=seed), [(2, 0)]))
        assert result.loans.proposals.place.tolist() == [2]
    offers = [
        loan_offer(id=f"O{n}", institution_id=f"I{n}", interest_rate_ppm=30_000) for n in range(3)
    ]
    for seed in ("s1", "s2", "s3"):
        pol = policy(seed=seed, max_proposals_count=2)
        result = run_matching(loans([loan_request()], offers, pol, [(0, 1), (0, 2)]))
        assert sorted(chosen(result.loans)) == ["O1", "O2"]


def test_a_pair_that_fits_no_longer_is_not_kept():
    offers = (loan_offer(id="O1", status="paused"), loan_offer(id="O2", institution_id="I2"))
    result = run_matching(loans([loan_request()], offers, policy(), [(0, 0)]))
    assert chosen(result.loans) == ["O2"]


def test_value_and_bound_are_stated_without_the_bonus():
    instance = make_instance("product", 3_000, 400)
    pol = replace(instance.policy, churn_margin_ppm=300_000)
    random = np.random.default_rng(4)
    # The day before rates were a little different.
    offers = [
        replace(
            offer, interest_rate_ppm=offer.interest_rate_ppm + int(random.integers(-2_000, 2_000))
        )
        for offer in instance.offers
    ]
    before = allocate_loans(instance.requests, offers, pol)
    line, place = np.nonzero(before.given.offer >= 0)
    number = {offer.id: n for n, offer in enumerate(instance.offers)}
    numbers = np.array([number[row.id] for row in before.problem.offer_rows], dtype=np.int32)
    previous = (
        before.problem.line[line].astype(np.int64),
        numbers[before.given.offer[line, place]],
    )
    free = allocate_loans(instance.requests, instance.offers, pol)
    kept = allocate_loans(instance.requests, instance.offers, pol, previous=previous)
    # The very same prices prove the very same bound.
    assert kept.bound_fen == free.bound_fen
    assert (kept.prices.fen_ppm == free.prices.fen_ppm).all()
    assert kept.value_fen <= kept.bound_fen
    assert kept.value_fen == int(kept.worth.value_fen.sum())

    def same(result):
        known = kept_offers(result.problem, np.argsort(numbers).astype(np.int32), previous)
        both = result.given.offer[:, :, None] == known[:, None, :]
        return int((both & (result.given.offer >= 0)[:, :, None]).sum())

    # Of the pairs that still pass, some that would have changed are kept.
    still = int((kept.kept.further_fen >= 0).sum())
    assert same(kept) > same(free) + 0.2 * (still - same(free))


@pytest.mark.parametrize("kind", ["study", "product"])
def test_small_runs_are_never_worth_less_than_the_greedy(kind):
    for count, offers_count in ((60, 20), (300, 60), (400, 15)):
        instance = make_instance(kind, count, offers_count)
        problem = pack(instance.requests, instance.offers, instance.policy)
        lines = np.arange(problem.count, dtype=np.int32)
        problem = with_answers(problem, lines)
        seed = seed_number(instance.policy.seed)
        given = greedy(problem, all_candidates(problem, lines), seed)
        floor = int(worth_of(problem, given, loan_savings(problem, given), seed).value_fen.sum())
        used = np.zeros(len(problem.room), dtype=np.int64)
        np.add.at(used, given.offer[given.offer >= 0], given.amount[given.offer >= 0])
        assert (used <= problem.room).all()
        found = allocate_loans(instance.requests, instance.offers, instance.policy)
        assert floor <= found.value_fen <= found.bound_fen
        if count < 400:
            # The same but for lots, which are drawn otherwise.
            rows = request_rows(instance.requests)
            readable = propose_readably(rows, instance.offers, instance.policy)
            assert abs(floor - readable.value_fen) < 0.01 * readable.value_fen
