"""From balanced prices to whole loans within rooms: offers are settled, those of small rooms first.

At balanced prices a room is asked for a little too much or too little, and many requests are nearly
indifferent between offers. So an offer is filled exactly (`refill.py`) while those not settled yet
may be asked for more than they have: whoever does not fit goes there at hardly any loss. A small
room needs that freedom; a large one, settled late, finds a filling among its many holders. Between
groups of offers the prices of the others are balanced again, so that what they were left with or
lost does not gather in the last ones. Called by `exchange.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.balance import BLUR_ENDS, Balanced, Steps
from financing.matching.national.compiled import bare
from financing.matching.national.demand import Settled, demand
from financing.matching.national.holdings import Board, Held, drop, put
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.refill import LEAST_SHARE, Asking, refill
from financing.matching.national.tables import Int64
from financing.matching.national.wishes import Log, Wish

KEEPS = 0.5
"""Share of its price that room which gets free again counts in an offer that is settled."""
CALM = 0.002


class Pace(NamedTuple):
    """How the prices of offers not settled yet are balanced before each group.

    `gain`: a large room's demand is off by a small share of it, so prices answer firmly to that.
    """

    rounds: int
    step: float
    gain: float
    last_offers: int


FEW, MANY = Pace(8, 0.002, 40.0, 8), Pace(5, 0.001, 100.0, 30)


def settle(
    problem: Problem,
    balanced: Balanced,
    board: Board,
    held: Held,
    asking: Asking,
    found: Wish,
    log: Log,
    threads: int,
) -> None:
    """Fills `held`, where nobody holds anything yet."""
    pace = FEW if len(held.pair) < 50_000 else MANY
    prices = balanced.prices
    steps = Steps(problem, board, prices)
    price, piece = steps.price.copy(), steps.piece.copy()
    least = LEAST_SHARE * price
    is_priced = (price > 0) | (piece > 0)
    count = np.where(board.room_count < NO_COUNT // 2, board.room_count, 0)
    rooms = board.room * price + count * piece
    offers = np.flatnonzero(is_priced)
    order = offers[np.argsort(rooms[offers], kind="stable")]
    settled = Settled(np.zeros(len(price), dtype=np.uint8), held.pair, np.empty_like(held.pair))
    held.is_open[:] = is_priced & (board.room_count >= 1)
    for group in _groups(order, pace.last_offers):
        moving = is_priced & (settled.is_settled == 0)
        steps.begin(pace.step)
        for number in range(pace.rounds + 1):
            now = np.where(moving, steps.price, price), np.where(moving, steps.piece, piece)
            _, fen, pieces = demand(
                board,
                *now,
                held.pair.shape[1],
                None,
                balanced.blur,
                BLUR_ENDS,
                threads,
                settled,
            )
            if number < pace.rounds:
                steps.move(fen, pieces, BLUR_ENDS, gain=pace.gain, calm=CALM, moving=moving)
        price, piece = now
        _follow(settled.best, board, held)
        refill(group, least, KEEPS, board, held, price, piece, asking, found, log)
        settled.is_settled[group] = 1
    # Offers without a price are asked for too much here and there.
    over = np.flatnonzero((held.left < 0) | (held.pieces < 0))
    refill(over, least, 1.0, board, held, price, piece, asking, found, log)


def _groups(order: Int64, last: int) -> list[Int64]:
    """The first half, half of the rest and so on; the last few by themselves."""
    groups, rest = [], order
    while len(rest) > last:
        half = (len(rest) + 1) // 2
        groups.append(rest[:half])
        rest = rest[half:]
    return [*groups, rest]


@bare
def _follow(best: Int64, board: Board, held: Held) -> None:
    """Everybody takes the set in `best`, whatever room there is."""
    k = held.pair.shape[1]
    for n in range(len(best)):
        for y in range(k):
            x = held.pair[n, y]
            stays = x < 0
            for z in range(k):
                stays = stays or best[n, z] == x
            if not stays:
                drop(n, y, board.offer, board.amount, held)
        for z in range(k):
            x = best[n, z]
            has = x < 0
            for y in range(k):
                has = has or held.pair[n, y] == x
            for y in range(k):
                if not has and held.pair[n, y] < 0:
                    put(n, y, x, board.offer, board.amount, held)
                    has = True
