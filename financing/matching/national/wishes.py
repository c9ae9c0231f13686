"""The best set of one request from net worths of its pairs, and where that finds room.

At most one per institution, each tried as the first. Called by `demand.py`, `shifts.py` and
`refill.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare, compiled, inlined
from financing.matching.national.holdings import Board, Held, drop, put
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64


class Wish(NamedTuple):
    """The set found (pairs, -1 = none); pairs that could be in it with their net worths, and the
    best met of them."""

    pair: Int64
    at: Int64
    net: Float64
    best: Float64
    best_pair: Int64
    best_house: Int32


class Log(NamedTuple):
    """What was changed, in order: slot and the pair it held before (-1 = none)."""

    slot: Int64
    pair: Int64


def make_wish(board: Board, k: int) -> Wish:
    most = int(np.diff(board.start).max(initial=0))
    return Wish(
        np.full(k, -1, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.float64),
        np.zeros(k + 2, dtype=np.float64),
        np.zeros(k + 2, dtype=np.int64),
        np.zeros(k + 2, dtype=np.int32),
    )


@compiled
def make_log(lines: int, k: int) -> Log:
    """For so many lines, each of which leaves and takes up to k pairs twice."""
    size = 4 * k * lines
    return Log(np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64))


@bare
def wish(
    n: int,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    opened: int,
    barred: int,
    found: Wish,
) -> float:
    """Fills `found.pair` with the best set that finds room beside all others; gives its worth.

    An open room takes whatever is not larger than all it has. `opened`: an offer whose room is not
    asked about, `barred`: one it may not take; -1 = none.
    """
    offers, amounts = board.offer, board.amount
    left, pieces, is_open, pair = held.left, held.pieces, held.is_open, held.pair
    k = pair.shape[1]
    count = 0
    # First what it holds, which wins where another is worth as much.
    for y in range(k):
        x = pair[n, y]
        if x >= 0 and offers[x] != barred:
            count = could_take(x, count, board, price, piece, found)
    for x in range(board.start[n], board.start[n + 1]):
        j = offers[x]
        fits = amounts[x] <= left[j] and pieces[j] >= 1
        if fits or j == opened or (is_open[j] != 0 and amounts[x] <= board.room[j]):
            is_held = j == barred
            for y in range(k):
                is_held = is_held or pair[n, y] == x
            if not is_held:
                count = could_take(x, count, board, price, piece, found)
    return choose(n, count, board, found)


@inlined
def could_take(
    x: int, count: int, board: Board, price: Float64, piece: Float64, found: Wish
) -> int:
    """Adds pair x to the `count` that `choose` is to look at; gives how many they are then."""
    j = board.offer[x]
    found.at[count] = x
    found.net[count] = board.further[x] - price[j] * board.amount[x] - piece[j]
    return count + 1


@bare
def take(n: int, board: Board, held: Held, found: Wish, log: Log, logged: int) -> int:
    """Line n takes the set in `found` instead of its own; gives the length of the log."""
    k = held.pair.shape[1]
    for y in range(k):
        x = held.pair[n, y]
        stays = False
        for z in range(k):
            stays = stays or found.pair[z] == x
        if x >= 0 and not stays:
            log.slot[logged], log.pair[logged] = n * k + y, x
            logged += 1
            drop(n, y, board.offer, board.amount, held)
    for z in range(k):
        x = found.pair[z]
        has = x < 0
        for y in range(k):
            has = has or held.pair[n, y] == x
        if has:
            continue
        for y in range(k):
            if held.pair[n, y] < 0:
                log.slot[logged], log.pair[logged] = n * k + y, -1
                logged += 1
                put(n, y, x, board.offer, board.amount, held)
                break
    return logged


@inlined
def choose(n: int, count: int, board: Board, found: Wish) -> float:
    """The best set of the first `count` pairs of `found.at`; gives its worth."""
    k = len(found.pair)
    pairs, net = found.at, found.net
    best, best_pair, best_house = found.best, found.best_pair, found.best_house
    for y in range(k):
        found.pair[y] = -1
    slots = min(board.slots[n], k)
    if slots < 1:
        return 0.0
    plain, lifted = len(board.first) == 0, board.reached[n] == 0
    least = 0.0
    if plain and lifted:
        # One that costs more than it saves may still be worth reaching the business.
        least = -float(board.coverage[n])
    size = 0
    for at in range(count):
        value, x = net[at], pairs[at]
        if value <= least:
            continue
        house = board.house[board.offer[x]]
        size = _keep(size, slots + 1, value, x, house, best, best_pair, best_house)
        if size > slots:
            least = max(least, best[size - 1])
    if plain or not lifted:
        chosen, total = 0, 0.0
        while chosen < min(slots, size) and best[chosen] > 0:
            found.pair[chosen] = best_pair[chosen]
            total += best[chosen]
            chosen += 1
        if lifted and size > 0:
            if chosen == 0:
                found.pair[0] = best_pair[0]
                total = best[0]
            total += board.coverage[n]
        return total
    fill = 0.0
    for y in range(min(slots - 1, size)):
        fill += best[y]
    most, single = 0.0, -1
    for at in range(count):
        x = pairs[at]
        value = net[at] + (board.first[x] - board.further[x])
        if value + fill <= most:
            continue
        house = board.house[board.offer[x]]
        used = 0
        for y in range(size):
            if used < slots - 1 and best_house[y] != house:
                value += best[y]
                used += 1
        if value > most:
            most, single = value, x
    if single < 0:
        return 0.0
    found.pair[0] = single
    used = 0
    for y in range(size):
        if used < slots - 1 and best_house[y] != board.house[board.offer[single]]:
            used += 1
            found.pair[used] = best_pair[y]
    return most


@inlined
def _keep(
    size: int,
    most: int,
    value: float,
    x: int,
    house: int,
    best: Float64,
    best_pair: Int64,
    best_house: Int32,
) -> int:
    """Keep the best `most`, one per institution, in falling order; the earlier one where equal."""
    place = size
    for y in range(size):
        if best_house[y] == house:
            place = y
    if place == size and size == most:
        place = size - 1
    if place < size:
        if value <= best[place]:
            return size
        size -= 1
        for y in range(place, size):
            best[y], best_pair[y], best_house[y] = best[y + 1], best_pair[y + 1], best_house[y + 1]
    y = size
    while y > 0 and value > best[y - 1]:
        best[y], best_pair[y], best_house[y] = best[y - 1], best_pair[y - 1], best_house[y - 1]
        y -= 1
    best[y], best_pair[y], best_house[y] = value, x, house
    return size + 1
