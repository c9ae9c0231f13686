"""The national engine: constraints, certificate, the same result whatever the order and threads."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national import engine
from financing.matching.national.best_set import MICRO
from financing.matching.national.candidates import all_candidates, decide, open_state
from financing.matching.national.certificate import bound_fen
from financing.matching.national.engine import allocate_loans
from financing.matching.national.listing import list_pairs
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Closed, pack
from financing.matching.national.prices import room_worth_micro
from financing.matching.national.tables import ColumnError, LoanRequestColumns, PatentColumns
from financing.matching.national.walk import walk

KINDS = pytest.mark.parametrize("kind", ["study", "product"])


def shuffled(columns: LoanRequestColumns, seed: int) -> LoanRequestColumns:
    """The same requests in another order, their patents moved with them."""
    order = np.random.default_rng(seed).permutation(len(columns))
    start = columns.patents_start
    places = np.concatenate([np.arange(start[i], start[i + 1]) for i in order])
    patents = PatentColumns(
        **{f.name: getattr(columns.patents, f.name)[places] for f in fields(PatentColumns)}
    )
    counts = np.diff(start)[order]
    changed = {
        f.name: getattr(columns, f.name)[order]
        for f in fields(columns)
        if f.name not in {"patents", "patents_start"} and not f.name.endswith(("codes", "ids"))
    }
    return replace(
        columns,
        **changed,
        patents=patents,
        patents_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )


def dumped(problem, prices):
    """Pairs, requests and offers as the certificate takes them."""
    pairs = list_pairs(problem, np.arange(problem.count, dtype=np.int32))
    offers = problem.data.offers
    return (
        {
            "request": pairs.request.astype(np.int64),
            "offer": pairs.offer.astype(np.int64),
            "institution": offers["institution"][pairs.offer].astype(np.int64),
            "amount_fen": pairs.amount_fen,
            "first_fen": pairs.first_fen,
            "further_fen": pairs.further_fen,
        },
        {
            "slots": problem.data.requests["slots"].astype(np.int64),
            "is_reached": problem.data.requests["is_reached"].astype(np.int64),
        },
        {
            "room_fen": problem.room,
            "room_count": np.where(problem.room_count == NO_COUNT, -1, problem.room_count),
            "price_fen_ppm": prices.fen_ppm,
            "price_count_fen": prices.count_fen,
        },
    )


@KINDS
def test_a_walk_finds_what_looking_at_every_pair_finds(kind):
    instance = make_instance(kind, 3_000, 200)
    problem = pack(instance.requests, instance.offers, instance.policy)
    lines = np.arange(problem.count, dtype=np.int32)
    pairs = all_candidates(problem, lines)
    random = np.random.default_rng(5)
    for most in (0, 50_000, 400_000):
        fen = random.integers(0, most + 1, len(problem.room))
        limited = problem.room_count < NO_COUNT
        prices = Prices(fen, np.where(limited, fen * 100, 0))
        state = open_state(problem)
        walked = walk(problem, lines, prices, state, seed=3, listed=True)
        looked = decide(problem, pairs, prices, state, seed=3, listed=True)
        assert walked.worth_micro == looked.worth_micro
        for one, other in zip(walked.sums, looked.sums, strict=True):
            assert (one == other).all()
        assert (walked.taken.offer == looked.taken.offer).all()
        taken = walked.taken.offer >= 0
        assert (walked.taken.loss[taken] == looked.taken.loss[taken]).all()
        assert (walked.taken.other[taken] == looked.taken.other[taken]).all()


@KINDS
def test_every_constraint_is_honoured_and_the_bound_can_be_recomputed(kind):
    instance = make_instance(kind, 2_000, 120)
    ids = [offer.id for offer in instance.offers]
    closed = Closed(
        institutions=tuple((n, instance.offers[n % 7].institution_id) for n in range(0, 60, 3)),
        offers=tuple((n, ids[n % 11]) for n in range(0, 2_000, 5)),
        counted=(3, 6, 6, 9),
    )
    result = allocate_loans(instance.requests, instance.offers, instance.policy, closed=closed)
    problem, given = result.problem, result.given
    used, count = np.zeros(len(ids), dtype=np.int64), Counter()
    shut = set(closed.institutions)
    barred = set(closed.offers)
    for i, names in enumerate(given.offer):
        place = int(problem.line[i])
        taken = [int(j) for j in names if j >= 0]
        live = closed.counted.count(place)
        assert len(taken) <= max(0, 3 - live)
        houses = [problem.offer_rows[j].institution_id for j in taken]
        assert len(set(houses)) == len(houses)
        assert not {(place, house) for house in houses} & shut
        assert not {(place, problem.offer_rows[j].id) for j in taken} & barred
        if live:
            assert result.worth.first[i] == 255
        for j, amount in zip(names, given.amount[i], strict=True):
            if j >= 0:
                used[j] += amount
                count[int(j)] += 1
    assert (used <= problem.room).all()
    assert all(number <= problem.room_count[j] for j, number in count.items())
    assert 0 < result.value_fen <= result.bound_fen
    assert result.gap < 0.05
    assert abs(bound_fen(*dumped(problem, result.prices)) - result.bound_fen) <= 1


@KINDS
@pytest.mark.parametrize(("keeps_all", "keeps_near"), [(400_000, 0), (0, 2_000_000), (0, 0)])
def test_neither_the_order_of_rows_nor_threads_change_the_result(
    kind, keeps_all, keeps_near, monkeypatch
):
    monkeypatch.setattr(engine, "KEEP_ALL", keeps_all)
    monkeypatch.setattr(engine, "KEEP_NEAR", keeps_near)
    instance = make_instance(kind, 9_000, 150)
    digests = {
        allocate_loans(columns, offers, instance.policy, threads=threads).digest()
        for columns, offers, threads in (
            (instance.requests, instance.offers, 1),
            (shuffled(instance.requests, 1), instance.offers[::-1], 2),
        )
    }
    assert len(digests) == 1


def test_a_bound_holds_at_any_prices():
    instance = make_instance("product", 500, 40)
    problem = pack(instance.requests, instance.offers, instance.policy)
    pairs = all_candidates(problem, np.arange(problem.count, dtype=np.int32))
    value = allocate_loans(instance.requests, instance.offers, instance.policy).value_fen
    random = np.random.default_rng(2)
    for most in (1, 10_000, 1_000_000):
        prices = Prices(
            random.integers(0, most, len(problem.room)), np.zeros(len(problem.room), dtype=np.int64)
        )
        found = decide(problem, pairs, prices, open_state(problem), seed=1, listed=False)
        assert (found.worth_micro + room_worth_micro(problem, prices)) / MICRO >= value


def test_yesterdays_prices_are_a_start():
    instance = make_instance("study", 1_000, 80)
    result = allocate_loans(instance.requests, instance.offers, instance.policy)
    known = {
        row.id: (int(result.prices.fen_ppm[j]), int(result.prices.count_fen[j]))
        for j, row in enumerate(result.problem.offer_rows)
    }
    again = allocate_loans(instance.requests, instance.offers, instance.policy, start=known)
    assert again.bound_fen <= result.bound_fen


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("principal_fen", 0, "principal_fen, line 4: 0; allowed: from 1 to 1000000000000"),
        ("term_months", 601, "term_months, line 4: 601; allowed: from 1 to 600"),
        ("max_apr_ppm", -2, "max_apr_ppm, line 4: -2; allowed: from 0 to 1000000, or -1"),
        ("least_accepted_fen", 10**12, "at most principal_fen"),
        ("region", 60_000, "region: an index of its"),
    ],
)
def test_a_wrong_column_is_named(column, value, text):
    instance = make_instance("study", 10, 5)
    values = getattr(instance.requests, column).copy()
    values[4] = value
    wrong = replace(instance.requests, **{column: values})
    with pytest.raises(ColumnError, match=text.split(";")[0]):
        allocate_loans(wrong, instance.offers, instance.policy)
