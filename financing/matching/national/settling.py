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

from financing.matching.columns import PPM
from financing.matching.national.asking import who_asks
from financing.matching.national.balance import BLUR_ENDS, Steps
from financing.matching.national.compiled import bare, signed
from financing.matching.national.demand import Settled, demand
from financing.matching.national.holdings import Board, Float32, Held, drop, put
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.refill import LEAST_SHARE, refill
from financing.matching.national.tables import Bool, Int64, UInt8
from financing.matching.national.threads import over_parts
from financing.matching.national.wishes import Wish

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


FEW, MANY = Pace(8, 0.002, 40.0, 8), Pace(6, 0.001, 100.0, 30)


class Turns(NamedTuple):
    """Offers by group, in the order in which they are settled, and the place of its group by offer;
    those without a price come after all of them."""

    groups: list[Int64]
    of_offer: UInt8


def turns_of(board: Board, prices: Prices) -> Turns:
    """Small rooms first: the first half of all offers, half of the rest and so on."""
    price, piece = prices.fen_ppm / PPM, prices.count_fen
    count = np.where(board.room_count < NO_COUNT // 2, board.room_count, 0)
    rooms = board.room * price + count * piece
    offers = np.flatnonzero((price > 0) | (piece > 0))
    order = offers[np.argsort(rooms[offers], kind="stable")]
    groups = _groups(order, pace_of(board).last_offers)
    turn = np.full(len(board.room), len(groups), dtype=np.uint8)
    for place, group in enumerate(groups):
        turn[group] = place
    return Turns(groups, turn)


def pace_of(board: Board) -> Pace:
    """Many requests afford fewer rounds, and their demand answers to smaller steps."""
    return FEW if len(board.start) - 1 < 50_000 else MANY


def in_order_of_turns(
    board: Board, blur: Float32, turns: Turns, threads: int
) -> tuple[Board, Float32]:
    """The same with the pairs of each line in falling order of their offers' turns, so that a line
    has those together that it can still choose; without those larger than the room."""
    fits = board.amount <= board.room[board.offer]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(fits)])[board.start]
    count = start[-1]
    found = board._replace(
        start=start,
        offer=np.empty(count, dtype=np.int32),
        amount=np.empty(count, dtype=np.int64),
        further=np.empty(count, dtype=np.int64),
        first=np.empty(count if len(board.first) else 0, dtype=np.int64),
    )
    found_blur = np.empty(count, dtype=np.float32)

    def work(begin: int, end: int) -> None:
        _order(begin, end, board, blur, fits, turns.of_offer, found, found_blur)

    over_parts(work, len(start) - 1, threads)
    return found, found_blur


@bare
def _order(
    begin: int,
    end: int,
    board: Board,
    blur: Float32,
    fits: Bool,
    turn: UInt8,
    found: Board,
    found_blur: Float32,
) -> None:
    offer = board.offer
    for n in range(begin, end):
        at, last = found.start[n], signed(0)
        for x in range(board.start[n], board.start[n + 1]):
            last = max(last, signed(turn[offer[x]]))
        while at < found.start[n + 1]:
            for x in range(board.start[n], board.start[n + 1]):
                if fits[x] and turn[offer[x]] == last:
                    found.offer[at], found_blur[at] = offer[x], blur[x]
                    found.amount[at], found.further[at] = board.amount[x], board.further[x]
                    if len(board.first):
                        found.first[at] = board.first[x]
                    at += 1
            last -= 1


def settle(
    problem: Problem,
    prices: Prices,
    blur: Float32,
    board: Board,
    held: Held,
    turns: Turns,
    found: Wish,
    threads: int,
) -> None:
    """Fills `held`, where nobody holds anything yet. Pairs of `board` are in order of turns."""
    pace = pace_of(board)
    steps = Steps(problem, board, prices)
    price, piece = steps.price.copy(), steps.piece.copy()
    least = LEAST_SHARE * price
    is_priced = (price > 0) | (piece > 0)
    best = np.empty_like(held.pair)
    held.is_open[:] = is_priced & (board.room_count >= 1)
    for now, group in enumerate(turns.groups):
        settled = Settled(turns.of_offer, now, held.pair, best)
        moving = is_priced & (turns.of_offer >= now)
        steps.begin(pace.step)
        for number in range(pace.rounds + 1):
            asked = np.where(moving, steps.price, price), np.where(moving, steps.piece, piece)
            k = held.pair.shape[1]
            _, fen, pieces = demand(board, *asked, k, None, blur, BLUR_ENDS, threads, settled)
            if number < pace.rounds:
                steps.move(fen, pieces, BLUR_ENDS, gain=pace.gain, calm=CALM, moving=moving)
        price, piece = asked
        _follow(best, board, held)
        asking = who_asks(group, least, board, held, price, piece, threads)
        refill(group, least, KEEPS, board, held, price, piece, asking, found)
    # Offers without a price are asked for too much here and there.
    over = np.flatnonzero((held.left < 0) | (held.pieces < 0))
    asking = who_asks(over, least, board, held, price, piece, threads)
    refill(over, least, 1.0, board, held, price, piece, asking, found)


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
