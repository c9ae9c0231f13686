"""Rooms settled one after the other: who asks, in which order pairs lie, who comes late."""

import itertools

import numpy as np

from financing.matching.national.asking import who_asks
from financing.matching.national.candidates import decide, open_state
from financing.matching.national.demand import Settled, blur_of, demand
from financing.matching.national.holdings import Board, Held, drop, make_board, put, take_stock
from financing.matching.national.orders import Prices
from financing.matching.national.proposals import Given
from financing.matching.national.refill import refill
from financing.matching.national.settling import in_order_of_turns, turns_of
from financing.matching.national.wishes import make_wish
from tests.matching.test_national_gap import KINDS, packed

LARGE = 2**40


def prices_of(problem, seed, most=150_000):
    random = np.random.default_rng(seed)
    fen = random.integers(0, most, len(problem.room))
    fen[random.random(len(fen)) < 0.3] = 0
    return Prices(fen, np.zeros(len(fen), dtype=np.int64))


def held_at(problem, candidates, prices):
    """What everybody takes at these prices, whatever room there is."""
    state = open_state(problem, keeps=True)
    taken = decide(problem, candidates, prices, state, seed=3, listed=True).taken
    return take_stock(problem, candidates, Given(taken.offer, taken.amount))


def worth_of(board, n, pairs, net):
    """Of a set of pairs of line n, at these worths as further ones."""
    total = sum(net[x] for x in pairs)
    if pairs and not board.reached[n]:
        if len(board.first):
            total += max(float(board.first[x] - board.further[x]) for x in pairs)
        else:
            total += float(board.coverage[n])
    return total


def may_be(board, n, pairs):
    houses = [board.house[board.offer[x]] for x in pairs]
    return len(pairs) <= board.slots[n] and len(set(houses)) == len(houses)


@KINDS
def test_who_asks_is_who_would_gain_more_than_the_least(kind):
    problem, candidates = packed(kind, 400, 60)
    board = make_board(problem, candidates)
    prices = prices_of(problem, 5)
    held = held_at(problem, candidates, prices)
    for n in range(0, len(held.pair), 2):
        # Every second one has less than it would take, so that it has something to gain.
        y = int(np.argmax(held.pair[n]))
        if held.pair[n, y] >= 0:
            drop(n, y, board.offer, board.amount, held)
    price, piece = prices.fen_ppm / 1e6, prices.count_fen.astype(float)
    net = board.further - price[board.offer] * board.amount
    offers = np.flatnonzero(np.arange(len(board.room)) % 3 != 0)
    least = 0.05 * price
    wanted = {}
    for n in range(len(board.start) - 1):
        mine = [int(x) for x in held.pair[n] if x >= 0]
        now = worth_of(board, n, mine, net)
        for x in range(board.start[n], board.start[n + 1]):
            j = board.offer[x]
            if j not in offers or x in mine or board.amount[x] > board.room[j]:
                continue
            free = {**{z: net[z] for z in mine}, x: float(board.further[x])}
            sets = [[*mine, x], *([*(z for z in mine if z != out), x] for out in mine)]
            worths = [worth_of(board, n, one, free) for one in sets if may_be(board, n, one)]
            # What is held may also all be left for the room.
            worths.append(worth_of(board, n, [x], free))
            gain = max(worths) - now
            if board.slots[n] >= 1 and gain > least[j] * board.amount[x]:
                wanted[x] = (n, gain)
    assert len(wanted) > 100
    for threads in (1, 2):
        found = who_asks(offers, least, board, held, price, piece, threads)
        assert set(found.pair.tolist()) == set(wanted)
        assert len(found.pair) == len(wanted)
        assert (
            np.repeat(np.arange(len(board.room)), np.diff(found.start)) == board.offer[found.pair]
        ).all()
        assert [wanted[x][0] for x in found.pair.tolist()] == found.line.tolist()
        assert np.allclose([wanted[x][1] for x in found.pair.tolist()], found.gain)
        assert (board.amount[found.pair] == found.amount).all()


@KINDS
def test_offers_in_their_turns_are_asked_for_by_who_may_still_choose_them(kind):
    problem, candidates = packed(kind, 300, 60)
    before = make_board(problem, candidates)
    random = np.random.default_rng(2)
    ids = problem.data.requests["id"].copy()
    blurred = blur_of(before, ids, 5, 1)
    prices = prices_of(problem, 7)
    turns = turns_of(before, prices)
    assert (turns.of_offer[prices.fen_ppm == 0] == len(turns.groups)).all()
    for place, group in enumerate(turns.groups):
        assert (turns.of_offer[group] == place).all()
    # So small a room that some of its pairs are larger.
    small = before._replace(room=np.minimum(before.room, np.median(before.amount).astype(np.int64)))
    board, blur = in_order_of_turns(small, blurred, turns, 2)
    fits = small.amount <= small.room[small.offer]
    assert 0 < fits.sum() < len(fits)
    for n in range(len(small.start) - 1):
        old = np.arange(small.start[n], small.start[n + 1])[
            fits[small.start[n] : small.start[n + 1]]
        ]
        old = old[np.argsort(-turns.of_offer[small.offer[old]].astype(int), kind="stable")]
        new = slice(board.start[n], board.start[n + 1])
        for name in ("offer", "amount", "further"):
            assert (getattr(board, name)[new] == getattr(small, name)[old]).all()
        if len(small.first):
            assert (board.first[new] == small.first[old]).all()
        assert (blur[new] == blurred[old]).all()
    # Everybody holds some pair at random, and those of settled offers stay.
    holds = np.full((len(board.start) - 1, 3), -1, dtype=np.int64)
    for n in np.flatnonzero(np.diff(board.start)):
        if board.slots[n]:
            holds[n, 0] = random.integers(board.start[n], board.start[n + 1])
    price, piece = prices.fen_ppm / 1e6, prices.count_fen.astype(float)
    width = 1e-3
    by = np.where(board.further > 0, width * blur, np.maximum(width * blur, 0))
    now = 2
    best = np.empty_like(holds)
    settled = Settled(turns.of_offer, now, holds, best)
    _, fen, pieces = demand(board, price, piece, 3, None, blur, width, 2, settled)
    is_settled = turns.of_offer[board.offer] < now
    assert is_settled.any()
    for n in range(len(holds)):
        mine = [x for x in range(board.start[n], board.start[n + 1]) if not is_settled[x]]
        net = {
            x: board.further[x] - (price[board.offer[x]] + by[x]) * board.amount[x] for x in mine
        }
        x = int(holds[n, 0])
        if x >= 0 and is_settled[x]:
            net[x] = board.further[x] - price[board.offer[x]] * board.amount[x]
        sets = (
            one
            for size in range(1, 4)
            for one in itertools.combinations(net, size)
            if may_be(board, n, one)
        )
        most = max((worth_of(board, n, one, net) for one in sets), default=0.0)
        chosen = [x for x in best[n].tolist() if x >= 0]
        assert may_be(board, n, chosen)
        assert abs(worth_of(board, n, chosen, net) - max(most, 0.0)) < 1
    taken = best[best >= 0]
    assert (np.bincount(board.offer[taken], minlength=len(fen)) == pieces).all()
    assert (np.bincount(board.offer[taken], board.amount[taken], len(fen)) == fen).all()


def few(worths):
    """One room of 100 fen per offer, loans of 100; `worths`: by line, of each offer."""
    lines, offers = len(worths), 2
    pairs = [(n, j, worth) for n, row in enumerate(worths) for j, worth in sorted(row.items())]
    board = Board(
        np.searchsorted([n for n, _, _ in pairs], np.arange(lines + 1)),
        np.array([j for _, j, _ in pairs], dtype=np.int32),
        np.full(len(pairs), 100),
        np.array([worth for _, _, worth in pairs]),
        np.zeros(0, dtype=np.int64),
        np.ones(lines, dtype=np.int64),
        np.ones(lines, dtype=np.uint8),
        np.zeros(lines, dtype=np.int64),
        np.arange(offers, dtype=np.int32),
        np.full(offers, 100),
        np.full(offers, LARGE),
    )
    held = Held(
        np.full((lines, 1), -1, dtype=np.int64),
        board.room.copy(),
        board.room_count.copy(),
        np.full(offers, -1, dtype=np.int64),
        np.full(lines, -1, dtype=np.int64),
        np.full(lines, -1, dtype=np.int64),
        np.zeros(offers, dtype=np.uint8),
    )
    return board, held, {(n, j): x for x, (n, j, _) in enumerate(pairs)}


def filled(board, held):
    """Both rooms anew, the first one first; the offer that each line holds then."""
    nothing, offers = np.zeros(2), np.arange(2)
    asking = who_asks(offers, nothing, board, held, nothing, nothing, 1)
    found = make_wish(board, 1)
    refill(offers, nothing, 1.0, board, held, nothing, nothing, asking, found)
    return [int(board.offer[x]) if x >= 0 else None for x in held.pair[:, 0]]


def test_who_loses_a_room_is_looked_at_for_the_next_though_it_did_not_ask():
    # Line 0 holds offer 0, which is worth more to line 1; offer 1 is worth more to it than to 2.
    board, held, pair = few([{0: 50, 1: 45}, {0: 60}, {1: 10}])
    put(0, 0, pair[0, 0], board.offer, board.amount, held)
    put(2, 0, pair[2, 1], board.offer, board.amount, held)
    assert filled(board, held) == [1, 0, None]


def test_who_got_a_room_does_not_keep_others_out_of_the_next():
    # Line 0 asks for both and gets offer 0; then offer 1 is worth most to line 1.
    board, held, pair = few([{0: 600, 1: 550}, {1: 520}, {1: 500}])
    put(2, 0, pair[2, 1], board.offer, board.amount, held)
    assert filled(board, held) == [0, 1, None]
