"""What requests would take of each room at given prices, over pairs kept in memory.

The fast half of `candidates.decide`: no rooms, no lots, worth rounded to fen, and a blur: each
pair's worth moved by a fixed random share of its amount, so that requests in equal circumstances do
not all change their minds at one price. For the rounds of `balance.py` and `settling.py`; the
bound is worked out by `decide`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare, signed
from financing.matching.national.holdings import Board, Float32
from financing.matching.national.pairs import lot
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64, UInt8
from financing.matching.national.threads import over_parts
from financing.matching.national.wishes import Wish, choose, could_take, make_wish

HALF_LOT = 1 << 30


class Settled(NamedTuple):
    """Offers whose `turn` is before `now` let nobody new in: pairs held by line and place, which
    stay, and best sets found. Pairs of each line are in falling order of their offers' turns."""

    turn: UInt8
    now: int
    holds: Int64
    best: Int64


def blur_of(board: Board, ids: Int64, seed: int, threads: int) -> Float32:
    """By pair: between -4 and 4, most near 0, from the lottery of the seed."""
    blur = np.empty(len(board.offer), dtype=np.float32)
    over_parts(lambda a, b: _blur(a, b, board, ids, seed, blur), len(ids), threads)
    return blur


@bare
def _blur(begin: int, end: int, board: Board, ids: Int64, seed: int, blur: Float32) -> None:
    for n in range(begin, end):
        for x in range(board.start[n], board.start[n + 1]):
            # Two even numbers of 31 bits from one lot of 63: their sum peaks in the middle.
            drawn = lot(seed, ids[n], signed(board.offer[x]))
            both = (drawn & (2 * HALF_LOT - 1)) + (drawn >> 32)
            blur[x] = 4.0 * (both / (2.0 * HALF_LOT) - 1.0)


def demand(
    board: Board,
    price: Float64,
    piece: Float64,
    k: int,
    active: Int32 | None,
    blur: Float32,
    width: float,
    threads: int,
    settled: Settled | None = None,
) -> tuple[int, Int64, Int64]:
    """Worth in fen, and by offer fen and proposals, of the best sets of `active` lines (all).

    `width`: value per fen by which a pair whose blur is 1 is dearer. `settled`: offers that are
    left to their holders; then all lines, and it is filled with their best sets.
    """
    if settled is None:
        nobody = np.zeros((0, k), dtype=np.int64)
        settled = Settled(np.zeros(len(board.room), dtype=np.uint8), 0, nobody, nobody)
    offers = len(board.room)
    some = np.zeros(0, dtype=np.int32) if active is None else active
    count = len(board.start) - 1 if active is None else len(active)

    def work(begin: int, end: int) -> tuple[int, Int64, Int64]:
        fen, pieces = np.zeros(offers, dtype=np.int64), np.zeros(offers, dtype=np.int64)
        found = make_wish(board, k)
        worth = _demand(
            begin, end, some, board, price, piece, blur, width, settled, found, fen, pieces
        )
        return worth, fen, pieces

    worth, fen, pieces = 0, np.zeros(offers, dtype=np.int64), np.zeros(offers, dtype=np.int64)
    for one in over_parts(work, count, threads):
        worth += one[0]
        fen += one[1]
        pieces += one[2]
    return worth, fen, pieces


@bare
def _demand(
    begin: int,
    end: int,
    active: Int32,
    board: Board,
    price: Float64,
    piece: Float64,
    blur: Float32,
    width: float,
    settled: Settled,
    found: Wish,
    fen: Int64,
    pieces: Int64,
) -> int:
    total = signed(0)
    offers, amounts, further, room = board.offer, board.amount, board.further, board.room
    turn, now, holds, best = settled.turn, settled.now, settled.holds, settled.best
    pairs, net = found.at, found.net
    for at in range(begin, end):
        n = at if len(active) == 0 else active[at]
        count = 0
        for x in range(board.start[n], board.start[n + 1]):
            j = offers[x]
            if turn[j] < now:
                break
            if amounts[x] > room[j]:
                continue
            by = width * blur[x]
            if further[x] <= 0:
                # The lottery makes nothing of worth out of what is worth nothing.
                by = max(by, 0.0)
            pairs[count] = x
            net[count] = further[x] - (price[j] + by) * amounts[x] - piece[j]
            count += 1
        for y in range(holds.shape[1] if len(holds) else 0):
            x = holds[n, y]
            if x >= 0 and turn[offers[x]] < now:
                count = could_take(x, count, board, price, piece, found)
        total += signed(choose(n, count, board, found))
        for y in range(len(found.pair)):
            x = found.pair[y]
            if len(best):
                best[n, y] = x
            if x >= 0:
                fen[offers[x]] += amounts[x]
                pieces[offers[x]] += 1
    return total
