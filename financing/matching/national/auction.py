"""Who is reached through which offer, by an auction that starts at the learned prices.

Near the best prices many offers tie for many requests, so asking each for its best alone floods
some offers and leaves others empty. Here whoever is not placed bids for its best offer what the
second best leaves it indifferent to; an offer that is overfull lets its lowest bids go and asks
from then on what they bid; who was let go bids again (an auction after Bertsekas, with rooms in
fen). Firsts only; called by `shards.py` before room goes to further proposals.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.candidates import Candidates, State
from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.orders import Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Float64, Records, Words
from financing.matching.national.tables import Int32, Int64

START = 0.95
"""Share of the learned prices to begin with: bids raise what is too low, never lower it."""
LEAST_RISE = 0.01
"""A bid is so much (share of the price) above what would leave it indifferent: ties end."""
MOST_BIDS = 150
"""Bids of one line before it leaves the rest to the rounds that follow."""


class Heaps(NamedTuple):
    """A pairing heap of bids per offer: lines are its nodes, the lowest bid on top."""

    top: Int32
    child: Int32
    next: Int32
    bid: Float64


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


def reach_by_auction(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    state: State,
    amounts: Int64,
    *,
    seed: int,
) -> None:
    """Give a first proposal to lines that no proposal reaches; changes `state` and `amounts`.

    Lines bid in the order of their lots; the same result whatever the order of rows.
    """
    ids = problem.data.requests["id"][candidates.lines]
    held = (state.held[candidates.lines] >= 0).any(axis=1)
    reached = problem.data.requests["is_reached"][candidates.lines] != 0
    slots = problem.data.requests["slots"][candidates.lines] > 0
    some = np.flatnonzero(~held & ~reached & slots & (np.diff(candidates.start) > 0))
    # Packing decides places; lots, then ids, decide who is first.
    order = np.lexsort((ids[some], lots(ids[some], seed)))
    bidders: Int32 = some[order].astype(np.int32)
    count = len(bidders)
    heaps = Heaps(
        np.full(len(problem.room), -1, dtype=np.int32),
        np.full(count, -1, dtype=np.int32),
        np.full(count, -1, dtype=np.int32),
        np.zeros(count, dtype=np.float64),
    )
    place = np.full(count, -1, dtype=np.int64)
    base: Float64 = (prices.fen_ppm * START).astype(np.float64)
    _bid(
        bidders,
        candidates,
        problem.data.requests,
        is_plain(problem),
        base,
        base.copy(),
        prices.count_fen.astype(np.float64),
        state.room,
        state.room_count,
        heaps,
        place,
        np.arange(count, dtype=np.int32),
        np.zeros(count, dtype=np.int32),
    )
    won = place >= 0
    lines = candidates.lines[bidders[won]]
    state.held[lines, 0] = candidates.offer[place[won]]
    amounts[lines, 0] = candidates.amount[place[won]]


def lots(ids: Int64, seed: int) -> Words:
    """A number drawn for each id; the same wherever it is drawn."""
    x = ids.astype(np.uint64) ^ np.uint64(seed & (2**63 - 1))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@bare
def _bid(
    some: Int32,
    candidates: Candidates,
    requests: Records,
    plain: bool,
    base: Float64,
    price: Float64,
    price_count: Float64,
    room: Int64,
    room_count: Int64,
    heaps: Heaps,
    place: Int64,
    queue: Int32,
    bids: Int32,
) -> None:
    """`price`: fen_ppm an offer asks now; `place`: of the pair each line holds; `queue`: lines
    still to bid, a ring."""
    lines, starts, names_of = candidates.lines, candidates.start, candidates.offer
    amount_of, further_of, first_of = (
        candidates.amount,
        candidates.further_fen,
        candidates.first_fen,
    )
    top, child, next_, bid = heaps.top, heaps.child, heaps.next, heaps.bid
    waiting = len(queue)
    at = 0
    while waiting > 0:
        n = queue[at]
        at = at + 1 if at + 1 < len(queue) else 0
        waiting -= 1
        line = some[n]
        coverage = requests[lines[line]].coverage
        best, second = 0.0, 0.0
        chosen = signed(-1)
        chosen_price = 0.0
        for x in range(starts[line], starts[line + 1]):
            j = names_of[x]
            amount = amount_of[x]
            # Room that nobody wants at the price asked costs what it cost at first.
            fits = amount <= room[j] and room_count[j] > 0
            each = base[j] if fits else price[j]
            first = float(further_of[x] + coverage) if plain else float(first_of[x])
            worth = first - each * float(amount) / 1e6 - price_count[j]
            if worth > best:
                second = best
                best, chosen, chosen_price = worth, signed(x), each
            elif worth > second:
                second = worth
        if chosen < 0:
            continue
        j, amount = names_of[chosen], amount_of[chosen]
        bids[n] += 1
        bid[n] = chosen_price + (best - second) * 1e6 / float(amount) + LEAST_RISE * price[j] + 1.0
        place[n] = chosen
        child[n], next_[n] = -1, -1
        top[j] = joined(top[j], n, child, next_, bid)
        room[j] -= amount
        room_count[j] -= 1
        while room[j] < 0 or room_count[j] < 0:
            gone = top[j]
            top[j] = without_top(gone, child, next_, bid)
            room[j] += amount_of[place[gone]]
            room_count[j] += 1
            price[j] = max(price[j], bid[gone])
            place[gone] = -1
            if bids[gone] < MOST_BIDS:
                to = at + waiting
                queue[to if to < len(queue) else to - len(queue)] = gone
                waiting += 1
