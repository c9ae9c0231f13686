"""One room filled anew: who holds it and who could, chosen together for the most worth.

A knapsack per offer while all other rooms keep their holders and their prices: what each request
gains by the room, and branch and bound from the present holders on, within a limit of steps. Gains
are estimates where a request holds something already; a room whose new holders are not worth more
in the end is put back. One thread, offers in the order given. Called by `exchange.py`,
`settling.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare, compiled
from financing.matching.national.holdings import Board, Held, drop, put, worth
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64, UInt8
from financing.matching.national.wishes import Log, Wish, take, wish

MOST_STEPS = 2_000
MOST_LOOKS = 2_000_000
"""Steps times requests asking, for one room."""
LEAST_SHARE = 0.5
"""Of a room's price: who would pay less per fen is not looked at."""


class Asking(NamedTuple):
    """Pairs by offer with line and figures, side by side because a room looks at them all; then
    places to work in, by request asking."""

    start: Int64
    pair: Int64
    line: Int32
    amount: Int64
    further: Int64
    gain: Float64
    size: Float64
    who: Int64
    inside: UInt8
    best: UInt8
    gains: Float64
    sizes: Float64
    smallest: Float64


def make_asking(board: Board) -> Asking:
    start, pair = _by_offer(board.offer, len(board.room))
    most = int(np.diff(start).max(initial=0))
    return Asking(
        start,
        pair,
        np.repeat(np.arange(len(board.start) - 1, dtype=np.int32), np.diff(board.start))[pair],
        board.amount[pair],
        board.further[pair],
        np.zeros(most),
        np.zeros(most),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.uint8),
        np.zeros(most, dtype=np.uint8),
        np.zeros(most + 1),
        np.zeros(most + 1),
        np.zeros(most + 1),
    )


@compiled
def _by_offer(offer: Int32, offers: int) -> tuple[Int64, Int64]:
    start = np.zeros(offers + 1, dtype=np.int64)
    for x in range(len(offer)):
        start[offer[x] + 1] += 1
    for j in range(offers):
        start[j + 1] += start[j]
    at, pair = start[:-1].copy(), np.empty(len(offer), dtype=np.int64)
    for x in range(len(offer)):
        pair[at[offer[x]]] = x
        at[offer[x]] += 1
    return start, pair


@compiled
def refill(
    offers: Int64,
    least: Float64,
    keeps: float,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    asking: Asking,
    found: Wish,
    log: Log,
) -> int:
    """Fills these rooms anew, one after the other; gives how many changed.

    `price`, `piece`: what others pay and what is gained by leaving them, of which each room keeps
    the share `keeps` once it is filled. `least`: gain per fen below which nobody is asked, by
    offer. A room held by more than it has room for loses holders whatever that costs, and is open
    no longer.
    """
    made = 0
    for a in range(len(offers)):
        j = offers[a]
        prices = price[j], piece[j]
        price[j] = piece[j] = 0.0
        held.is_open[j] = 0
        is_over = held.left[j] < 0 or held.pieces[j] < 0
        count = _ask(j, least[j], board, held, price, piece, asking, found)
        known = 0.0
        for at in range(count):
            asking.best[at] = 0
            if asking.inside[at] and not is_over:
                known += asking.gain[at]
        # Best density first; places, which follow the order of requests, break ties.
        order = np.argsort(-asking.gain[:count] / asking.size[:count], kind="mergesort")
        room, pieces = float(board.room[j]), board.room_count[j]
        if _pack(order, room, pieces, known + 1.0, asking) > known + 1.0 or is_over:
            made += _hand_over(j, order, is_over, board, held, price, piece, asking, found, log)
        price[j], piece[j] = prices[0] * keeps, prices[1] * keeps
    return made


@bare
def _ask(
    j: int,
    least: float,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    asking: Asking,
    found: Wish,
) -> int:
    """Who would gain by the room, and what: `asking.inside` marks its holders."""
    count = 0
    plain = len(board.first) == 0
    for at in range(asking.start[j], asking.start[j + 1]):
        x = asking.pair[at]
        n = asking.line[at]
        amount = asking.amount[at]
        if amount > board.room[j] or board.slots[n] < 1:
            continue
        is_held = False
        for y in range(held.pair.shape[1]):
            is_held = is_held or held.pair[n, y] == x
        if is_held:
            gain = worth(n, board, held, price, piece)
            gain -= wish(n, board, held, price, piece, -1, j, found)
        else:
            if plain and not _may_gain(n, asking.further[at], least * amount, board, held):
                continue
            gain = _gain(n, x, board, held, price, piece)
            if gain <= least * amount:
                continue
        asking.gain[count], asking.size[count], asking.who[count] = max(gain, 0.0), amount, at
        asking.inside[count] = is_held
        count += 1
    return count


@bare
def _may_gain(n: int, further: int, needed: float, board: Board, held: Held) -> bool:
    """False where a further proposal beside or instead of others cannot be worth as much.

    For who holds several: none of them is held at a loss.
    """
    if further > needed or board.reached[n] != 0:
        return bool(further > needed)
    return bool(held.pair.shape[1] < 2 or held.pair[n, 0] < 0 or held.pair[n, 1] < 0)


@bare
def _gain(n: int, x: int, board: Board, held: Held, price: Float64, piece: Float64) -> float:
    """What pair x, at no price, would add to what line n holds, beside it or instead of one."""
    k = held.pair.shape[1]
    house = board.house[board.offer[x]]
    plain, lifted = len(board.first) == 0, board.reached[n] == 0
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
    return best - worth(n, board, held, price, piece)


@bare
def _pack(order: Int64, room: float, pieces: int, known: float, asking: Asking) -> float:
    """Branch and bound; `asking.best`, by place in `order`, marks the best set above `known`."""
    count = len(order)
    gain, size, inside = asking.gain, asking.size, asking.inside
    gains, sizes = asking.gains, asking.sizes
    gains[0] = sizes[0] = 0.0
    for at in range(count):
        inside[at] = 0
        gains[at + 1] = gains[at] + gain[order[at]]
        sizes[at + 1] = sizes[at] + size[order[at]]
    # From each place on the smallest: below that nothing more goes in.
    smallest = asking.smallest
    smallest[count] = 1e300
    for at in range(count - 1, -1, -1):
        smallest[at] = min(smallest[at + 1], size[order[at]])
    best, value, left, taken = known, 0.0, room, 0
    at, steps = 0, 0
    limit = min(MOST_STEPS, MOST_LOOKS // max(count, 1))
    while steps < limit:
        steps += 1
        # What could still come of it: the rest in order, the last one in part.
        low, high = at, count
        while low < high:
            middle = (low + high + 1) // 2
            if sizes[middle] - sizes[at] <= left:
                low = middle
            else:
                high = middle - 1
        bound = value + gains[low] - gains[at]
        if low < count:
            one = order[low]
            bound += gain[one] * (left - (sizes[low] - sizes[at])) / size[one]
        if bound > best + 1.0:
            while left >= smallest[at] and taken < pieces:
                one = order[at]
                if size[one] <= left and gain[one] > 0:
                    inside[at] = 1
                    left -= size[one]
                    value += gain[one]
                    taken += 1
                at += 1
            if value > best:
                best = value
                for b in range(count):
                    asking.best[b] = inside[b]
        # Back to the last one inside, and on without it.
        at -= 1
        while at >= 0 and inside[at] == 0:
            at -= 1
        if at < 0:
            break
        one = order[at]
        inside[at] = 0
        left += size[one]
        value -= gain[one]
        taken -= 1
        at += 1
    return best


@bare
def _hand_over(
    j: int,
    order: Int64,
    is_over: bool,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    asking: Asking,
    found: Wish,
    log: Log,
) -> int:
    """Out first, then in, then whoever is out looks for another place; 0 where it was put back."""
    k = held.pair.shape[1]
    logged, gained = 0, 0.0
    for at in range(len(order)):
        x, n = asking.pair[asking.who[order[at]]], asking.line[asking.who[order[at]]]
        for y in range(k):
            if held.pair[n, y] == x and asking.best[at] == 0:
                gained -= worth(n, board, held, price, piece)
                log.slot[logged], log.pair[logged] = n * k + y, x
                logged += 1
                drop(n, y, board.offer, board.amount, held)
                gained += worth(n, board, held, price, piece)
                # Marked: who is out, in contrast to those who never were inside.
                asking.best[at] = 2
    for wanted in (1, 2):
        opened = -1
        if wanted == 1:
            opened = j
        for at in range(len(order)):
            n = asking.line[asking.who[order[at]]]
            if asking.best[at] != wanted:
                continue
            gained -= worth(n, board, held, price, piece)
            gained += wish(n, board, held, price, piece, opened, -1, found)
            logged = take(n, board, held, found, log, logged)
    if (gained > 1.0 or is_over) and held.left[j] >= 0 and held.pieces[j] >= 0:
        return 1
    for back in range(logged - 1, -1, -1):
        n, y = log.slot[back] // k, log.slot[back] % k
        if held.pair[n, y] >= 0:
            drop(n, y, board.offer, board.amount, held)
        if log.pair[back] >= 0:
            put(n, y, log.pair[back], board.offer, board.amount, held)
    return 0
