"""Near ties and where they lead prices, held against dense algebra and walks without an offer."""

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national import price_steps
from financing.matching.national.best_set import nothing_taken
from financing.matching.national.candidates import open_state
from financing.matching.national.near_ties import UNIT_FEN, Bonds, add_ties, bonds_of, no_ties
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, pack
from financing.matching.national.pairs import blurred, lot
from financing.matching.national.price_steps import Demand, FinePrices, PriceSteps
from financing.matching.national.questions import with_answers
from financing.matching.national.walk import walk


def taken_by_hand():
    """Three lines: of offer 0 or 1 by 30 ppm, of 2 or none by 10 ppm, of 1 or 0 by 90 ppm; the
    first just does not take offer 2."""
    taken = nothing_taken(3, 2)
    taken.offer[:, 0] = [0, 2, 1]
    taken.other[:, 0] = [1, -1, 0]
    taken.amount[:, 0] = [5 * UNIT_FEN, 7 * UNIT_FEN, UNIT_FEN]
    taken.loss[:, 0] = taken.amount[:, 0] * np.array([30, 10, 90])
    taken.other[0, 1], taken.amount[0, 1] = 2, 4 * UNIT_FEN
    taken.loss[0, 1] = taken.amount[0, 1] * 20
    return taken


def test_ties_count_amounts_the_more_the_nearer():
    ties = no_ties(3)
    bonds = bonds_of(taken_by_hand(), 50, ties)
    assert ties.shared.tolist() == [5 * 20, 5 * 20, 0]
    assert ties.lone.tolist() == [0, 0, 7 * 40 + 4 * 30]
    assert [array.tolist() for array in bonds] == [[0], [1], [5 * 20]]
    wider = no_ties(3)
    bonds = bonds_of(taken_by_hand(), 100, wider)
    assert [array.tolist() for array in bonds] == [[0], [1], [5 * 70 + 10]]
    again = no_ties(3)
    add_ties(taken_by_hand(), 100, again)
    assert all((a == b).all() for a, b in zip(wider, again, strict=True))


def test_what_a_walk_says_of_losing_an_offer_is_what_happens_without_it():
    instance = make_instance("study", 800, 800)
    problem = pack(instance.requests, instance.offers, instance.policy)
    lines = np.arange(problem.count, dtype=np.int32)
    problem = with_answers(problem, lines)
    offers = len(problem.room)
    prices = Prices(
        np.random.default_rng(7).integers(0, 12_000, offers), np.zeros(offers, dtype=np.int64)
    )

    def walked(some, closed=-1, cheaper=None, **options):
        state, at = open_state(problem), prices.fen_ppm.copy()
        if closed >= 0:
            state.room[closed] = 0
        if cheaper is not None:
            at[cheaper[0]] -= cheaper[1]
        return walk(
            problem, some, Prices(at, prices.count_fen), state, seed=3, listed=True, **options
        )

    whole = walked(lines, reach_ppm=2_000).taken
    seen = {"other": 0, "none": 0, "nearly": 0, "full": 0}
    for n in np.flatnonzero((whole.other >= 0).any(axis=1) | (whole.offer >= 0).any(axis=1))[:400]:
        one = lines[n : n + 1]
        best = walked(one)
        for offer, amount, loss, other in zip(*(values[n] for values in whole), strict=True):
            if offer >= 0:
                without = walked(one, closed=offer)
                assert best.worth_micro - without.worth_micro == loss
                came = set(without.taken.offer[0]) - set(best.taken.offer[0]) - {-1}
                assert came == ({other} if other >= 0 else set())
                seen["other" if other >= 0 else "none"] += 1
                # All places are taken, and yet another waits.
                seen["full"] += bool(other >= 0 and (best.taken.offer[0] >= 0).all())
            elif other >= 0 and loss < 2_000 * amount and (best.taken.offer[0] >= 0).sum() > 1:
                # Whoever takes two gains by each: the third comes beside them.
                cheaper = int(loss // amount) + 1
                assert other in walked(one, cheaper=(other, cheaper)).taken.offer[0]
                assert other not in walked(one, cheaper=(other, cheaper - 2)).taken.offer[0]
                seen["nearly"] += 1
    assert all(count > 5 for count in seen.values()), seen


def test_parts_of_a_ppm_make_so_many_pairs_dearer():
    drawn = [lot(11, number, 5) for number in range(40_000)]
    for width, share in ((1, 0.25), (20, 0.75)):
        some = np.array([blurred(width, int(share * price_steps.PART), one) for one in drawn])
        plain = np.array([blurred(width, 0, one) for one in drawn])
        assert abs((some - plain).mean() - share) < 0.01
        assert abs(some.mean() + 0.5 - share) < 0.1 * width
        assert some.min() >= -4 * width
        assert some.max() <= 4 * width


def network(offers, seed):
    """Bonds with the ties they add up to, and what goes to nobody."""
    random = np.random.default_rng(seed)
    keys = np.unique(random.integers(0, offers * offers, offers * 6))
    first, second = keys // offers, keys % offers
    keep = first < second
    bonds = Bonds(first[keep], second[keep], random.integers(1, 10**6, keep.sum()))
    shared = np.zeros(offers, dtype=np.int64)
    np.add.at(shared, bonds.first, bonds.weight)
    np.add.at(shared, bonds.second, bonds.weight)
    return bonds, shared, random.integers(0, 10**5, offers)


def dense(bonds, shared, lone, room, blur):
    """How demand falls with prices, as a matrix."""
    reach = price_steps.REACH * blur
    matrix = np.diag((shared + lone).astype(float))
    matrix[bonds.first, bonds.second] -= bonds.weight
    matrix[bonds.second, bonds.first] -= bonds.weight
    matrix *= 2 * UNIT_FEN / reach**2
    return matrix + np.diag(room * price_steps.STIFF / reach)


def test_prices_rise_to_where_the_network_takes_the_excess():
    blur = 50
    bonds, shared, lone = network(60, 2)
    room = np.full(60, 10**9)
    limit = np.full(60, NO_COUNT)
    matrix = dense(bonds, shared, lone, room, blur)
    goal = np.random.default_rng(5).uniform(-150, 150, 60)
    demand = Demand(room + matrix @ goal, np.full(60, 100.0), shared * 1.0, lone * 1.0)
    steps = PriceSteps.begin(room, limit, bonds)
    prices = FinePrices(np.full(60, 10_000.0), np.zeros(60))
    moved = steps.moved(prices, demand, blur).ppm - prices.ppm
    assert np.abs(moved - price_steps.DAMPED * goal).max() < 9


def test_bonds_of_a_sample_are_scaled_to_what_all_say():
    bonds, shared, lone = network(60, 2)
    room, limit, blur = np.full(60, 10**9), np.full(60, NO_COUNT), 50
    goal = np.random.default_rng(5).uniform(-150, 150, 60)
    matrix = dense(bonds, shared, lone, room, blur)
    demand = Demand(room + matrix @ goal, np.full(60, 100.0), shared * 1.0, lone * 1.0)
    prices = FinePrices(np.full(60, 10_000.0), np.zeros(60))
    tenth = bonds._replace(weight=bonds.weight // 10)
    whole = PriceSteps.begin(room, limit, bonds).moved(prices, demand, blur).ppm
    scaled = PriceSteps.begin(room, limit, tenth).moved(prices, demand, blur).ppm
    assert np.abs(whole - scaled).max() < 1


def test_who_has_far_to_go_goes_faster_each_time():
    room, limit = np.array([1_000]), np.array([NO_COUNT])
    steps = PriceSteps.begin(room, limit)
    prices = FinePrices(np.array([10_000.0]), np.zeros(1))
    none = np.zeros(1)
    demand = Demand(np.array([3_000.0]), np.array([3.0]), none, none)
    way = [prices.ppm[0]]
    for _ in range(4):
        prices = steps.moved(prices, demand, 10)
        way.append(prices.ppm[0])
    assert np.diff(way).tolist() == [40, 80, 160, 320]
    assert steps.moved(prices, demand._replace(fen=np.array([1.0])), 10).ppm[0] == way[-1] - 40


@pytest.mark.parametrize("lacks", ["fen", "pieces"])
def test_what_lacks_has_a_price(lacks):
    """One offer, loans of 100 fen each worth between nothing and 1,000 ppm: half of 200 fit."""
    worth = (np.arange(200) + 0.5) * 5
    room = np.array([10_000 if lacks == "fen" else 10**6])
    limit = np.array([150 if lacks == "fen" else 100])
    steps = PriceSteps.begin(room, limit)
    # From prices of the wrong kind.
    prices = FinePrices(np.full(1, 20.0), np.full(1, 0.03))
    for _ in range(60):
        each = prices.ppm[0] + prices.count_fen[0] / 100 * 1e6
        count = float((worth > each).sum())
        near = np.full(1, 100 / 5 / 2 / UNIT_FEN * (price_steps.REACH * 20) ** 2)
        demand = Demand(np.full(1, count * 100), np.full(1, count), np.zeros(1), near)
        prices = steps.moved(prices, demand, 20)
    found = prices.ppm[0] if lacks == "fen" else prices.count_fen[0] / 100 * 1e6
    assert abs(found - 500) < 12
    assert (prices.count_fen[0] if lacks == "fen" else prices.ppm[0]) < 1
