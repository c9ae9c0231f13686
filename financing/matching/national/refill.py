"""One room filled anew: who holds it and who asks for it, chosen together for the most worth.

A knapsack per offer (`knapsack.py`) while all other rooms keep their holders and their prices: what
each request gains by the room. Gains are estimates where a request holds something already; a room
whose new holders are not worth more in the end is put back. One thread, offers in the order given.
Called by `exchange.py`, `settling.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.asking import Asking, gain_of, is_held
from financing.matching.national.compiled import bare, compiled
from financing.matching.national.holdings import Board, Held, drop, put, worth
from financing.matching.national.knapsack import Bids, best_set_of, make_bids
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64, UInt8
from financing.matching.national.wishes import Log, Wish, make_log, take, wish

LEAST_SHARE = 0.5
"""Of a room's price: who would pay less per fen is not looked at."""


class Late(NamedTuple):
    """Lines for which things are no longer as they were when they asked (`is_other`).

    Who lost a room while others were filled may gain by what it did not ask for: pairs chained by
    offer (`head`, `after`; -1 = end), `used` of them in one place. `bidden`: by line the last
    offer it was looked at for.
    """

    is_other: UInt8
    head: Int64
    after: Int64
    pair: Int64
    line: Int32
    used: Int64
    bidden: Int32


@compiled
def _make_late(board: Board) -> Late:
    """Memory that is not touched is not taken; whoever comes after it is full is not looked at."""
    most = len(board.offer)
    return Late(
        np.zeros(len(board.start) - 1, dtype=np.uint8),
        np.full(len(board.room), -1, dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.int32),
        np.zeros(1, dtype=np.int64),
        np.full(len(board.start) - 1, -1, dtype=np.int32),
    )


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
) -> int:
    """Fills these rooms anew, one after the other; gives how many changed.

    `asking`: who may get in beside those who hold the rooms by then. `price`, `piece`: what others
    pay and what is gained by leaving them, of which each room keeps the share `keeps` once it is
    filled. `least`: gain per fen below which nobody is let in, by offer. A room held by more than
    it has room for loses holders whatever that costs, and is open no longer.
    """
    made = 0
    late = _make_late(board)
    for a in range(len(offers)):
        j = offers[a]
        prices = price[j], piece[j]
        price[j] = piece[j] = 0.0
        held.is_open[j] = 0
        is_over = held.left[j] < 0 or held.pieces[j] < 0
        holders = board.room_count[j] - held.pieces[j]
        most = holders + asking.start[j + 1] - asking.start[j] + _length(j, late)
        bids = make_bids(most)
        count = _bid(j, least[j], board, held, price, piece, asking, late, found, bids)
        known = 0.0
        for at in range(count):
            if bids.inside[at] and not is_over:
                known += bids.gain[at]
        # Best density first; places, which follow the order of requests, break ties.
        order = np.argsort(-bids.gain[:count] / bids.size[:count], kind="mergesort")
        room, pieces = float(board.room[j]), board.room_count[j]
        if best_set_of(order, room, pieces, known + 1.0, bids) > known + 1.0 or is_over:
            log = make_log(count, held.pair.shape[1])
            made += _hand_over(j, order, is_over, board, held, price, piece, bids, late, found, log)
        price[j], piece[j] = prices[0] * keeps, prices[1] * keeps
        # Who stays pays less from now on; who is in or out holds something else.
        for at in range(count):
            if at < holders:
                late.is_other[bids.line[at]] = 1
            if bids.best[at] != 0:
                late.is_other[bids.line[order[at]]] = 1
    return made


@bare
def _bid(
    j: int,
    least: float,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    asking: Asking,
    late: Late,
    found: Wish,
    bids: Bids,
) -> int:
    """Fills `bids` with all holders and those asking that gain by the room as things are now."""
    k = held.pair.shape[1]
    count = 0
    slot = held.head[j]
    while slot >= 0:
        n, x = slot // k, held.pair[slot // k, slot % k]
        gain = worth(n, board, held, price, piece)
        gain -= wish(n, board, held, price, piece, -1, j, found)
        bids.pair[count], bids.line[count], bids.inside[count] = x, n, 1
        bids.gain[count], bids.size[count] = max(gain, 0.0), board.amount[x]
        count += 1
        slot = held.after[slot]
    for at in range(asking.start[j], asking.start[j + 1]):
        x, n = asking.pair[at], asking.line[at]
        if late.is_other[n] != 0:
            late.bidden[n] = j
            count = _bid_of(n, x, count, least, board, held, price, piece, bids)
            continue
        bids.pair[count], bids.line[count], bids.inside[count] = x, n, 0
        bids.gain[count], bids.size[count] = asking.gain[at], asking.amount[at]
        count += 1
    at = late.head[j]
    while at >= 0:
        x, n = late.pair[at], late.line[at]
        if late.bidden[n] != j:
            late.bidden[n] = j
            count = _bid_of(n, x, count, least, board, held, price, piece, bids)
        at = late.after[at]
    return count


@bare
def _bid_of(
    n: int,
    x: int,
    count: int,
    least: float,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    bids: Bids,
) -> int:
    """One more bid where line n does not hold pair x and gains by it."""
    amount = board.amount[x]
    if is_held(n, x, held):
        return count
    gain = gain_of(n, x, least * amount, board, held, price, piece)
    if gain <= 0:
        return count
    bids.pair[count], bids.line[count], bids.inside[count] = x, n, 0
    bids.gain[count], bids.size[count] = gain, amount
    return count + 1


@bare
def _come_late(n: int, board: Board, late: Late) -> None:
    """Line n lost what it held: it may gain by any room."""
    for x in range(board.start[n], board.start[n + 1]):
        at = late.used[0]
        if at == len(late.pair):
            return
        j = board.offer[x]
        late.pair[at], late.line[at] = x, n
        late.after[at] = late.head[j]
        late.head[j] = at
        late.used[0] += 1


@bare
def _length(j: int, late: Late) -> int:
    found, at = 0, late.head[j]
    while at >= 0:
        found += 1
        at = late.after[at]
    return found


@bare
def _hand_over(
    j: int,
    order: Int64,
    is_over: bool,
    board: Board,
    held: Held,
    price: Float64,
    piece: Float64,
    bids: Bids,
    late: Late,
    found: Wish,
    log: Log,
) -> int:
    """Out first, then in, then whoever is out looks for another place; 0 where it was put back."""
    k = held.pair.shape[1]
    logged, gained = 0, 0.0
    for at in range(len(order)):
        x, n = bids.pair[order[at]], bids.line[order[at]]
        for y in range(k):
            if held.pair[n, y] == x and bids.best[at] == 0:
                gained -= worth(n, board, held, price, piece)
                log.slot[logged], log.pair[logged] = n * k + y, x
                logged += 1
                drop(n, y, board.offer, board.amount, held)
                gained += worth(n, board, held, price, piece)
                # Marked: who is out, in contrast to those who never were inside.
                bids.best[at] = 2
    for wanted in (1, 2):
        opened = -1
        if wanted == 1:
            opened = j
        for at in range(len(order)):
            n = bids.line[order[at]]
            if bids.best[at] != wanted:
                continue
            gained -= worth(n, board, held, price, piece)
            gained += wish(n, board, held, price, piece, opened, -1, found)
            logged = take(n, board, held, found, log, logged)
    if (gained > 1.0 or is_over) and held.left[j] >= 0 and held.pieces[j] >= 0:
        for at in range(len(order)):
            if bids.best[at] == 2:
                _come_late(bids.line[order[at]], board, late)
        return 1
    for back in range(logged - 1, -1, -1):
        n, y = log.slot[back] // k, log.slot[back] % k
        if held.pair[n, y] >= 0:
            drop(n, y, board.offer, board.amount, held)
        if log.pair[back] >= 0:
            put(n, y, log.pair[back], board.offer, board.amount, held)
    return 0
