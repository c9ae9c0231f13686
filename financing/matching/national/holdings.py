"""Who holds what while exchanges are tried: pairs by request, holders by offer, rooms left.

Changed in place by `settling.py`, `shifts.py` and `refill.py`, written back at the end.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from financing.matching.national.candidates import Candidates
from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Float64
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64, UInt8

Float32 = NDArray[np.float32]


class Board(NamedTuple):
    """What does not change: pairs of line n are start[n] to start[n + 1] - 1; figures in fen.

    `first` is empty where a first proposal is worth `coverage` more than a further one.
    """

    start: Int64
    offer: Int32
    amount: Int64
    further: Int64
    first: Int64
    slots: Int64
    reached: UInt8
    coverage: Int64
    house: Int32
    room: Int64
    room_count: Int64


class Held(NamedTuple):
    """Pairs held by line and place (-1 = none), what is left of each offer, and chains of holders.

    A slot is line x k + place; `head`, `after`, `before` chain the slots of each offer. `is_open`:
    offers that may for now be asked for more than they have room for (`settling.py`).
    """

    pair: Int64
    left: Int64
    pieces: Int64
    head: Int64
    after: Int64
    before: Int64
    is_open: UInt8


def make_board(problem: Problem, candidates: Candidates) -> Board:
    mine = problem.data.requests[candidates.lines]
    return Board(
        candidates.start,
        candidates.offer,
        candidates.amount,
        candidates.further_fen,
        candidates.first_fen,
        mine["slots"].astype(np.int64),
        np.ascontiguousarray(mine["is_reached"]),
        np.ascontiguousarray(mine["coverage"]),
        np.ascontiguousarray(problem.data.offers["institution"]),
        problem.room,
        problem.room_count,
    )


def nobody(problem: Problem, lines: int) -> Held:
    """Nothing held yet by so many lines, all rooms free."""
    shape = (lines, int(problem.policy.max_proposals_count))
    count = shape[0] * shape[1]
    return Held(
        np.full(shape, -1, dtype=np.int64),
        problem.room.copy(),
        problem.room_count.copy(),
        np.full(len(problem.room), -1, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
        np.zeros(len(problem.room), dtype=np.uint8),
    )


def take_stock(problem: Problem, candidates: Candidates, given: Given) -> Held:
    """The holdings of an allocation made of these pairs."""
    held = nobody(problem, len(candidates.lines))
    _find(candidates, given.offer, held)
    return held


def write_back(lines: Int32, board: Board, held: Held, given: Given) -> None:
    """Puts what these lines (packed places) hold into the allocation."""
    is_held = held.pair >= 0
    pair = np.maximum(held.pair, 0)
    if len(board.offer):
        given.offer[lines] = np.where(is_held, board.offer[pair], -1)
        given.amount[lines] = np.where(is_held, board.amount[pair], 0)


@bare
def _find(candidates: Candidates, offer: Int32, held: Held) -> None:
    lines, start, names = candidates.lines, candidates.start, candidates.offer
    for n in range(len(lines) - 1, -1, -1):
        for y in range(offer.shape[1]):
            if offer[lines[n], y] < 0:
                continue
            for x in range(start[n], start[n + 1]):
                if names[x] == offer[lines[n], y]:
                    put(n, y, x, names, candidates.amount, held)


@bare
def put(n: int, y: int, x: int, names: Int32, amounts: Int64, held: Held) -> None:
    """Line n takes pair x in its place y, which is free."""
    slot = n * held.pair.shape[1] + y
    j = names[x]
    held.pair[n, y] = x
    held.after[slot] = held.head[j]
    held.before[slot] = -1
    if held.head[j] >= 0:
        held.before[held.head[j]] = slot
    held.head[j] = slot
    held.left[j] -= amounts[x]
    held.pieces[j] -= 1


@bare
def drop(n: int, y: int, names: Int32, amounts: Int64, held: Held) -> None:
    """Line n gives up what it holds in place y."""
    slot = n * held.pair.shape[1] + y
    x = held.pair[n, y]
    j = names[x]
    if held.before[slot] >= 0:
        held.after[held.before[slot]] = held.after[slot]
    else:
        held.head[j] = held.after[slot]
    if held.after[slot] >= 0:
        held.before[held.after[slot]] = held.before[slot]
    held.after[slot] = held.before[slot] = -1
    held.left[j] += amounts[x]
    held.pieces[j] += 1
    held.pair[n, y] = -1


@bare
def worth(n: int, board: Board, held: Held, price: Float64, piece: Float64) -> float:
    """What line n's holdings are worth less the prices of the rooms they use, in fen."""
    total, lift, some = 0.0, -1e300, False
    for y in range(held.pair.shape[1]):
        x = held.pair[n, y]
        if x >= 0:
            j = board.offer[x]
            some = True
            total += board.further[x] - price[j] * board.amount[x] - piece[j]
            if len(board.first):
                lift = max(lift, float(board.first[x] - board.further[x]))
            else:
                lift = float(board.coverage[n])
    if some and board.reached[n] == 0:
        total += lift
    return total
