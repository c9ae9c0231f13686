"""How many businesses could be reached at all: the bound against a solver, at any prices."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.proofs import coverage, sampled_certificate
from financing.matching.national.coverage_bound import cheapest, coverage_bound, proved
from financing.matching.national.engine import allocate_loans
from financing.matching.national.listing import list_pairs
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Closed, pack
from financing.matching.national.questions import with_answers

CASES = pytest.mark.parametrize(
    ("kind", "seed"), [("study", 1), ("study", 2), ("product", 3), ("product", 4)]
)


def packed(kind, seed, requests=600, offers=24):
    """Small, with live matches, full requests and offers closed to some."""
    instance = make_instance(kind, requests, offers, seed)
    closed = Closed(
        institutions=((3, instance.offers[0].institution_id),),
        offers=tuple((n, instance.offers[n % offers].id) for n in range(0, requests, 4)),
        counted=(1, 1, 1, 5),
    )
    problem = pack(instance.requests, instance.offers, instance.policy, closed=closed)
    problem = with_answers(problem, np.arange(problem.count, dtype=np.int32))
    # Few offers of the product's are asked for so much that their rooms bind.
    return replace(problem, room=problem.room // 4)


def most_reached(problem, *, whole):
    """The most that can be reached, by HiGHS over all fitting pairs."""
    optimize = pytest.importorskip("scipy.optimize")
    sparse = pytest.importorskip("scipy.sparse")
    pairs = list_pairs(problem, np.arange(problem.count, dtype=np.int32))
    requests = problem.data.requests[pairs.request]
    free = (requests["slots"] > 0) & (requests["is_reached"] == 0)
    request, offer, amount = pairs.request[free], pairs.offer[free], pairs.amount_fen[free]
    count, columns = len(request), np.arange(len(request))
    rows = [
        sparse.csr_matrix((np.ones(count), (request, columns)), (problem.count, count)),
        sparse.csr_matrix((amount / 1e6, (offer, columns)), (len(problem.room), count)),
        sparse.csr_matrix((np.ones(count), (offer, columns)), (len(problem.room), count)),
    ]
    most = np.concatenate(
        [
            np.ones(problem.count),
            problem.room / 1e6,
            np.where(problem.room_count == NO_COUNT, np.inf, problem.room_count),
        ]
    )
    found = optimize.milp(
        -np.ones(count),
        constraints=optimize.LinearConstraint(sparse.vstack(rows), -np.inf, most),
        bounds=optimize.Bounds(0, 1),
        integrality=np.full(count, int(whole)),
        options={"time_limit": 60},
    )
    return -(found.mip_dual_bound if whole else found.fun), -found.fun


@CASES
def test_nobody_can_reach_more_than_the_bound_and_it_is_near(kind, seed):
    problem = packed(kind, seed)
    bound = coverage_bound(problem, seed=7, threads=2)
    _, reached = most_reached(problem, whole=True)
    relaxed, _ = most_reached(problem, whole=False)
    assert reached <= bound.reached <= bound.eligible
    assert bound.reached <= relaxed * 1.003 + 1
    assert bound.reached < bound.eligible, "rooms bind in these instances"


@CASES
def test_any_prices_prove_a_bound(kind, seed):
    problem = packed(kind, seed)
    relaxed, _ = most_reached(problem, whole=False)
    random = np.random.default_rng(seed)
    requests = problem.data.requests
    free = np.flatnonzero((requests["slots"] > 0) & (requests["is_reached"] == 0))
    limited = problem.room_count < NO_COUNT
    for most in (0, 10**5, 10**6, 10**7, 10**9):
        prices = Prices(
            random.integers(0, most + 1, len(problem.room)),
            np.where(limited, random.integers(0, most + 1, len(problem.room)), 0),
        )
        use = cheapest(problem, free.astype(np.int32), prices, 1)
        assert proved(problem, prices, use) >= int(relaxed * (1 - 1e-9))


def test_without_anybody_to_reach_nothing_is_asked():
    problem = packed("study", 1)
    problem.data.requests["is_reached"] = 1
    assert coverage_bound(problem, seed=1) == (0, 0)


@pytest.mark.parametrize("kind", ["study", "product"])
def test_an_allocation_beside_its_bounds(kind):
    instance = make_instance(kind, 3_000, 100)
    found = allocate_loans(instance.requests, instance.offers, instance.policy)
    report = coverage(found, 1)
    assert report["reached"] == found.reached_count <= report["bound"] <= report["eligible"]
    if kind == "study":
        assert report["reached"] <= report["bound_at_saving"] <= report["bound"]
    else:
        assert "bound_at_saving" not in report


@pytest.mark.parametrize("kind", ["study", "product"])
def test_the_sampled_certificate_agrees_and_sees_what_is_wrong(kind, monkeypatch):
    monkeypatch.setattr("benchmarks.matching_scale.proofs.SAMPLED_ABOVE", 1_000)
    monkeypatch.setattr("benchmarks.matching_scale.proofs.SAMPLE", 500)
    instance = make_instance(kind, 3_000, 100)
    found = allocate_loans(instance.requests, instance.offers, instance.policy)
    report = sampled_certificate(found, 1)
    assert 300 < report["requests"] < 700
    assert report["worth_differences"] == report["value_differences"] == 0
    assert report["rooms_broken"] == 0
    assert abs(report["bound_fen"] / found.bound_fen - 1) < 0.1
    found.worth.value_fen[found.given.offer >= 0] += 1
    line, place = np.argwhere(found.given.offer >= 0)[0]
    found.given.amount[line, place] += 10**15
    report = sampled_certificate(found, 1)
    assert report["value_differences"] > 100
    assert report["rooms_broken"] == 1
