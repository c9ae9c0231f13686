"""Rooms given to requests at balanced prices; called by `shards.py`.

At prices where every room is asked for about as much as it holds, giving everybody its best set
nearly fills the rooms, if the lottery's blur keeps those who are alike from taking the same. Where
a room is overfull, who loses least per fen leaves, and the offer asks from then on what they would
have paid; who is left with nothing bids again (an auction after Bertsekas, all bids of a round at
once). What is left then goes to whoever still wants it, one after the other. No pair is kept.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.best_set import Taken
from financing.matching.national.candidates import State
from financing.matching.national.compiled import compiled, inlined, signed
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Float64
from financing.matching.national.repair import Given
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.walk import walk

MOST_BIDS = 8
"""Rounds of bids before the rest waits for what is left over."""
RISE = 0.01
"""In every round a bid must rise by so much more (share of the price): ties end."""


class Heaps(NamedTuple):
    """A pairing heap of holders per offer: nodes are places of `Given`, the lowest bid on top."""

    top: Int32
    child: Int32
    next: Int32
    bid: Float64


def outbid(
    problem: Problem,
    prices: Prices,
    state: State,
    given: Given,
    *,
    part: Int64,
    blur_ppm: int,
    seed: int,
    threads: int,
) -> None:
    """Give all rooms of `state` to requests that hold nothing yet; changes `state`, `given`."""
    offers, places = len(problem.room), given.offer.size
    heaps = Heaps(
        np.full(offers, -1, dtype=np.int32),
        np.full(places, -1, dtype=np.int32),
        np.full(places, -1, dtype=np.int32),
        np.zeros(places, dtype=np.float64),
    )
    asked = np.zeros(offers, dtype=np.float64)
    whole = State(state.room.copy(), state.room_count.copy(), given.offer)
    nothing = np.zeros(offers, dtype=np.float64)
    lines = np.arange(problem.count, dtype=np.int32)
    for number in range(MOST_BIDS):
        rise: Float64 = prices.fen_ppm.astype(np.float64) * (RISE * number)
        if number:
            # Room that nobody wants at the price asked costs what it cost at first.
            free = State(state.room.copy(), state.room_count.copy(), given.offer)
            found = _taken(problem, lines, prices, free, 0, seed, takes=True, threads=1)
            _enter(lines, found, given, state.room, state.room_count, nothing, rise, heaps)
            lines = lines[(given.offer[lines] < 0).all(axis=1)]
        raised = Prices(prices.fen_ppm + np.ceil(asked).astype(np.int64), prices.count_fen)
        found = _taken(
            problem, lines, raised, whole, blur_ppm, seed, takes=False, threads=threads, part=part
        )
        gone = _enter(lines, found, given, state.room, state.room_count, asked, rise, heaps)
        lines = np.flatnonzero(gone).astype(np.int32)
        is_free = problem.data.requests["is_reached"][lines] == 0
        lines = lines[is_free & (given.offer[lines] < 0).all(axis=1)]
        if not len(lines):
            return


def _taken(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    state: State,
    blur_ppm: int,
    seed: int,
    *,
    takes: bool,
    threads: int,
    part: Int64 | None = None,
) -> Taken:
    found = walk(
        problem,
        lines,
        prices,
        state,
        seed=seed,
        listed=True,
        blur_ppm=blur_ppm,
        takes=takes,
        part=part,
        threads=threads,
    ).taken
    if found is None:
        raise AssertionError("listed walks list")
    return found


@compiled
def _enter(
    lines: Int32,
    bids: Taken,
    given: Given,
    room: Int64,
    room_count: Int64,
    asked: Float64,
    rise: Float64,
    heaps: Heaps,
) -> Bool:
    """Lines hold what they bid for; gives by request who was let go by an overfull offer."""
    top, child, next_, bid = heaps.top, heaps.child, heaps.next, heaps.bid
    offer, amount = given.offer, given.amount
    k = offer.shape[1]
    left = np.zeros(len(offer), dtype=np.bool_)
    for n in range(len(lines)):
        i = lines[n]
        for y in range(k):
            j = bids.offer[n, y]
            if j < 0:
                continue
            place = signed(0)
            while offer[i, place] >= 0:
                place += 1
            fen = bids.amount[n, y]
            offer[i, place], amount[i, place] = j, fen
            node = i * k + place
            bid[node] = asked[j] + (rise[j] if asked[j] > 0 else 0.0) + bids.loss[n, y] / float(fen)
            child[node], next_[node] = -1, -1
            top[j] = joined(top[j], node, child, next_, bid)
            room[j] -= fen
            room_count[j] -= 1
            while room[j] < 0 or room_count[j] < 0:
                gone = top[j]
                top[j] = without_top(gone, child, next_, bid)
                asked[j] = max(asked[j], bid[gone])
                other, at = gone // k, gone % k
                room[j] += amount[other, at]
                room_count[j] += 1
                offer[other, at], amount[other, at] = -1, 0
                left[other] = True
    return left


def first_come(problem: Problem, prices: Prices, state: State, given: Given, *, seed: int) -> None:
    """Who is not full takes its best of what is left, one after the other in the order of packing;
    changes `state`, `given`."""
    lines = not_full(problem, given)
    found = _taken(problem, lines, prices, state, 0, seed, takes=True, threads=1)
    _hold(lines, found, given)


@compiled
def _hold(lines: Int32, found: Taken, given: Given) -> None:
    offer, amount = given.offer, given.amount
    for n in range(len(lines)):
        i, place = lines[n], 0
        for y in range(offer.shape[1]):
            if found.offer[n, y] >= 0:
                while offer[i, place] >= 0:
                    place += 1
                offer[i, place], amount[i, place] = found.offer[n, y], found.amount[n, y]


def not_full(problem: Problem, given: Given) -> Int32:
    """Lines that may get something more."""
    slots = problem.data.requests["slots"].astype(np.int64)
    return np.flatnonzero((given.offer >= 0).sum(axis=1) < slots).astype(np.int32)


def discounted(prices: Prices, share_ppm: int) -> Prices:
    return Prices(
        prices.fen_ppm * share_ppm // 1_000_000, prices.count_fen * share_ppm // 1_000_000
    )


@inlined
def joined(a: int, b: int, child: Int32, next_: Int32, bid: Float64) -> int:
    """One heap of two; the earlier line below where bids tie."""
    if a < 0:
        return signed(b)
    if b < 0:
        return signed(a)
    if bid[b] < bid[a] or (bid[b] == bid[a] and b > a):
        next_[a] = child[b]
        child[b] = a
        return signed(b)
    next_[b] = child[a]
    child[a] = b
    return signed(a)


@inlined
def without_top(top: int, child: Int32, next_: Int32, bid: Float64) -> int:
    """What is left of a heap without its top."""
    pairs = signed(-1)
    x = signed(child[top])
    while x >= 0:
        y = signed(next_[x])
        next_[x] = -1
        after = signed(-1)
        if y >= 0:
            after = signed(next_[y])
            next_[y] = -1
        one = joined(x, y, child, next_, bid)
        next_[one] = pairs
        pairs = one
        x = after
    rest = signed(-1)
    while pairs >= 0:
        after = signed(next_[pairs])
        next_[pairs] = -1
        rest = joined(rest, pairs, child, next_, bid)
        pairs = after
    return rest
