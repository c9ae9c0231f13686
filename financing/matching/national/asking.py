"""Who would gain by rooms that are filled anew; called by `settling.py` and `exchange.py`.

Most pairs are out of the question: their request has something better, or would pay too little. So
all requests are looked at once for many rooms, line by line on all threads, and only those that may
gain are kept for the rooms to choose from.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare, compiled
from financing.matching.national.holdings import Board, Held, worth
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.threads import over_parts


class Asking(NamedTuple):
    """Pairs that nobody holds, by offer in order of lines: those of offer j are start[j] to
    start[j + 1] - 1. `gain`: what the line would gain as things are."""

    start: Int64
    pair: Int64
    line: Int32
    amount: Int64
    gain: Float64


def who_asks(
    offers: Int64,
    least: Float64,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    threads: int,
) -> Asking:
    """Whoever would gain more than `least` (per fen, by offer) by a room of these offers, if it
    cost nothing, beside or instead of what it holds at these prices."""
    is_asked = np.zeros(len(board.room), dtype=np.bool_)
    is_asked[offers] = True

    def work(begin: int, end: int) -> tuple[Int64, Int32, Float64]:
        # Memory that is not touched is not taken.
        most = board.start[end] - board.start[begin]
        pair, line = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
        gain = np.empty(most)
        count = _ask(begin, end, is_asked, least, board, held, price, piece, pair, line, gain)
        return pair[:count].copy(), line[:count].copy(), gain[:count].copy()

    none = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0)
    found = [none, *over_parts(work, len(board.start) - 1, threads)]
    pair, line, gain = (np.concatenate(each) for each in zip(*found, strict=True))
    return _by_offer(pair, line, gain, board.offer, board.amount, len(board.room))


@bare
def _ask(
    begin: int,
    end: int,
    is_asked: Bool,
    least: Float64,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    pair: Int64,
    line: Int32,
    gain: Float64,
) -> int:
    count = 0
    starts, offers, amounts, room = board.start, board.offer, board.amount, board.room
    for n in range(begin, end):
        if board.slots[n] < 1:
            continue
        for x in range(starts[n], starts[n + 1]):
            j = offers[x]
            if not is_asked[j] or amounts[x] > room[j] or is_held(n, x, held):
                continue
            found = gain_of(n, x, least[j] * amounts[x], board, held, price, piece)
            if found > 0:
                pair[count], line[count], gain[count] = x, n, found
                count += 1
    return count


@compiled
def _by_offer(
    pair: Int64, line: Int32, gain: Float64, offer: Int32, amount: Int64, offers: int
) -> Asking:
    start = np.zeros(offers + 1, dtype=np.int64)
    for at in range(len(pair)):
        start[offer[pair[at]] + 1] += 1
    for j in range(offers):
        start[j + 1] += start[j]
    place = start[:-1].copy()
    found = Asking(
        start, np.empty_like(pair), np.empty_like(line), np.empty_like(pair), np.empty_like(gain)
    )
    for at in range(len(pair)):
        x = pair[at]
        to = place[offer[x]]
        found.pair[to], found.line[to], found.gain[to] = x, line[at], gain[at]
        found.amount[to] = amount[x]
        place[offer[x]] += 1
    return found


@bare
def is_held(n: int, x: int, held: Held) -> bool:
    """Whether line n holds pair x."""
    found = False
    for y in range(held.pair.shape[1]):
        found = found or held.pair[n, y] == x
    return found


@bare
def gain_of(
    n: int, x: int, needed: float, board: Board, held: Held, price: Float64, piece: Float64
) -> float:
    """What pair x, at no price, would add to what line n holds, beside it or instead of one; 0
    where that is not more than `needed`."""
    plain, lifted = len(board.first) == 0, board.reached[n] == 0
    if plain and not _may_gain(n, board.further[x], needed, board, held):
        return 0.0
    k = held.pair.shape[1]
    house = board.house[board.offer[x]]
    count, clash = 0, -1
    for y in range(k):
        z = held.pair[n, y]
        if z >= 0:
            count += 1
            if board.house[board.offer[z]] == house:
                clash = y
    own = float(board.further[x])
    own_lift = float(board.coverage[n])
    if not plain:
        own_lift = float(board.first[x] - board.further[x])
    best = own
    if lifted:
        best += own_lift
    for out in range(-1, k):
        if out < 0 and (clash >= 0 or count >= board.slots[n]):
            continue
        if out >= 0 and (held.pair[n, out] < 0 or (clash >= 0 and clash != out)):
            continue
        total, lift = own, own_lift
        for y in range(k):
            z = held.pair[n, y]
            if z >= 0 and y != out:
                i = board.offer[z]
                total += board.further[z] - price[i] * board.amount[z] - piece[i]
                if not plain:
                    lift = max(lift, float(board.first[z] - board.further[z]))
        if lifted:
            total += lift
        best = max(best, total)
    gain = best - worth(n, board, held, price, piece)
    if gain <= needed:
        return 0.0
    return gain


@bare
def _may_gain(n: int, further: int, needed: float, board: Board, held: Held) -> bool:
    """False where a further proposal beside or instead of others cannot be worth as much.

    For who holds several: none of them is held at a loss.
    """
    if further > needed or board.reached[n] != 0:
        return bool(further > needed)
    return bool(held.pair.shape[1] < 2 or held.pair[n, 0] < 0 or held.pair[n, 1] < 0)
