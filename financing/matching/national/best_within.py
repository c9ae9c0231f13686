"""Which of the requests that one offer fits its room takes; for whoever asks a book of requests."""

from collections.abc import Callable

import numpy as np

from financing.matching.national.compiled import bare, signed
from financing.matching.national.packing import NO_COUNT
from financing.matching.national.request_book import Takers
from financing.matching.national.tables import Int32, Int64

FIRST_LOOK = 2_048
"""So many are put in order at first, four times as many whenever room is left."""

DIGITS, STEP_BITS = 4, 22
"""Four digits of 22 bits after the point: two different shares of at most 10^12 fen differ by more
than one part in 10^24. A rest below 10^12 times a digit stays within 64 bits."""


def best_within(
    found: Takers,
    room_fen: int,
    room_count: int = NO_COUNT,
    *,
    lot: Callable[[Int32], Int64] = np.asarray,
) -> Int64:
    """Which of them the offer's room takes: those not reached first, most worth per fen first.

    What no longer fits is passed over. Ties by `lot` of the places in the columns. Indices, best
    first: what a greedy hand does with the offer alone (`allocation.py`).
    """
    chosen = []
    density = found.worth_fen / np.maximum(found.amount_fen, 1)
    for reached in (False, True):
        waiting = np.flatnonzero((found.is_reached == reached) & (found.amount_fen <= room_fen))
        most = FIRST_LOOK
        while len(waiting) and room_count > 0:
            is_next = np.ones(len(waiting), dtype=np.bool_)
            if len(waiting) > most:
                ranked = density[waiting]
                # Equal to the last digit of a float may still be in another order exactly.
                is_next = ranked >= np.partition(ranked, -most)[-most] * (1 - 1e-12)
            part = _in_order(found, waiting[is_next], lot)
            taken = np.empty(len(part), dtype=np.int64)
            taken = taken[: _take(part, found.amount_fen, room_fen, room_count, taken)]
            chosen.append(taken)
            room_fen -= int(found.amount_fen[taken].sum())
            room_count -= len(taken)
            waiting = waiting[~is_next]
            waiting = waiting[found.amount_fen[waiting] <= room_fen]
            most *= 4
    return np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)


def _in_order(found: Takers, some: Int64, lot: Callable[[Int32], Int64]) -> Int64:
    """By falling worth per fen, exactly; ties by lot."""
    amount = np.maximum(found.amount_fen[some], 1)
    digit, rest = np.divmod(found.worth_fen[some], amount)
    digits = [-digit]
    for _ in range(DIGITS):
        digit, rest = np.divmod(rest << STEP_BITS, amount)
        digits.append(-digit)
    return some[np.lexsort((lot(found.place[some]), *reversed(digits)))]


@bare
def _take(part: Int64, amount: Int64, room_fen: int, room_count: int, taken: Int64) -> int:
    """One after the other what still fits; gives how many."""
    count = 0
    for x in part:
        if amount[x] <= room_fen and count < room_count:
            taken[count] = x
            room_fen -= amount[x]
            count += 1
    return signed(count)
