"""The best proposals of one request from its priced candidates, exact; compiled into the walks.

Given prices each request decides alone: the best candidates by worth, at most one per institution
(a matroid, so taking them by worth is exact for further proposals), each tried as the first
(MATCHING §1). Worth is in micro-fen: value x 10^6 - price x amount.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import inlined, signed
from financing.matching.national.problem import Float64, Records
from financing.matching.national.tables import Int32, Int64

MICRO = 1_000_000


class Taken(NamedTuple):
    """By line and place: offer (-1 = none), amount, what losing it would cost (micro-fen), and the
    offer that would come instead (-1 = none).

    A place without an offer may name as `other` one that just fails to be worth anything, with its
    amount and, as `loss`, by how much.
    """

    offer: Int32
    amount: Int64
    loss: Float64
    other: Int32


def nothing_taken(lines: int, most: int) -> Taken:
    """For so many lines and places."""
    shape = (lines, most)
    return Taken(
        np.full(shape, -1, dtype=np.int32),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.float64),
        np.full(shape, -1, dtype=np.int32),
    )


def part_of_taken(taken: Taken, start: int, stop: int) -> Taken:
    """Of these lines; the arrays are shared."""
    return Taken(*(values[start:stop] for values in taken))  # type: ignore[arg-type]


class Sums(NamedTuple):
    """What the lines would use of each offer, and their worth as whole fen and micro-fen rest.

    `totals`: fen of worth, rest in micro-fen, requests with something, pairs to ask about.
    """

    fen: Int64
    count: Int64  # type: ignore[assignment]
    totals: Int64


class Scratch(NamedTuple):
    """Where a walk keeps the best further candidates of one request, in falling order of worth."""

    worths: Int64
    ties: Int64
    names: Int32
    amounts: Int64
    houses: Int32


def make_scratch(most: int) -> Scratch:
    return Scratch(
        np.empty(most + 2, dtype=np.int64),
        np.empty(most + 2, dtype=np.int64),
        np.empty(most + 2, dtype=np.int32),
        np.empty(most + 2, dtype=np.int64),
        np.empty(most + 2, dtype=np.int32),
    )


def no_sums(offers: int) -> Sums:
    return Sums(
        np.zeros(offers, dtype=np.int64),
        np.zeros(offers, dtype=np.int64),
        np.zeros(4, dtype=np.int64),
    )


@inlined
def insert(
    size: int,
    most: int,
    worth: int,
    tie: int,
    j: int,
    amount: int,
    institution: int,
    worths: Int64,
    ties: Int64,
    names: Int32,
    amounts: Int64,
    houses: Int32,
) -> int:
    """Keep the best `most`, one per institution, in falling order; gives how many are kept."""
    place = size
    for known in range(size):
        if houses[known] == institution:
            place = known
    if place == size and size == most:
        place = size - 1
    if place < size:
        # Somebody leaves: the institution's own, or the last one where there is no more room.
        if worth < worths[place] or (worth == worths[place] and tie > ties[place]):
            return size
        size -= 1
        for x in range(place, size):
            worths[x], ties[x], names[x] = worths[x + 1], ties[x + 1], names[x + 1]
            amounts[x], houses[x] = amounts[x + 1], houses[x + 1]
    x = size
    while x > 0 and (worth > worths[x - 1] or (worth == worths[x - 1] and tie < ties[x - 1])):
        worths[x], ties[x], names[x] = worths[x - 1], ties[x - 1], names[x - 1]
        amounts[x], houses[x] = amounts[x - 1], houses[x - 1]
        x -= 1
    worths[x], ties[x], names[x] = worth, tie, j
    amounts[x], houses[x] = amount, institution
    return size + 1


@inlined
def fill_beside(size: int, slots: int, institution: int, worths: Int64, houses: Int32) -> int:
    """Worth of the best others beside a first proposal of this institution."""
    total = signed(0)
    left = slots - 1
    for y in range(size):
        if left > 0 and worths[y] > 0 and houses[y] != institution:
            total += worths[y]
            left -= 1
    return total


@inlined
def settle(
    n: int,
    slots: int,
    size: int,
    coverage: int,
    plain: bool,
    reached: bool,
    listed: bool,
    single: int,
    single_amount: int,
    single_total: int,
    single_loss: float,
    single_other: int,
    worths: Int64,
    names: Int32,
    amounts: Int64,
    houses: Int32,
    offers: Records,
    taken_offer: Int32,
    taken_amount: Int64,
    taken_loss: Float64,
    taken_other: Int32,
    sum_fen: Int64,
    sum_count: Int64,
    totals: Int64,
) -> int:
    """Put the set together, add it to the sums, list it; gives its worth.

    `single`: the first proposal where it had to be tried apart (-1 = not tried or none is worth
    it), with the worth of its whole set, what losing it would cost and who would come instead.
    """
    chosen = 0
    best = signed(0)
    if plain or reached:
        while chosen < min(slots, size) and worths[chosen] > 0:
            best += worths[chosen]
            chosen += 1
        if not reached and size > 0:
            if chosen == 0 and coverage * MICRO + worths[0] > 0:
                chosen = 1
                best = worths[0]
            if chosen > 0:
                best += coverage * MICRO
        if listed:
            for y in range(chosen, min(slots, size)):
                taken_other[n, y], taken_amount[n, y] = names[y], amounts[y]
                taken_loss[n, y] = float(-worths[y])
        if chosen == 0:
            return signed(0)
        last, after = signed(0), signed(-1)
        if size > slots and worths[slots] > 0:
            last, after = worths[slots], signed(names[slots])
        for y in range(chosen):
            sum_fen[names[y]] += amounts[y]
            sum_count[names[y]] += 1
            if listed:
                taken_offer[n, y], taken_amount[n, y] = names[y], amounts[y]
                loss, other = float(worths[y] - last), after
                if chosen == 1 and not reached:
                    loss, other = float(worths[0] + coverage * MICRO), signed(-1)
                    if size > 1 and worths[1] + coverage * MICRO > 0:
                        loss, other = float(worths[0] - worths[1]), signed(names[1])
                taken_loss[n, y], taken_other[n, y] = loss, other
    else:
        if single < 0:
            return signed(0)
        best = single_total
        sum_fen[single] += single_amount
        sum_count[single] += 1
        if listed:
            taken_offer[n, 0], taken_amount[n, 0] = single, single_amount
            taken_loss[n, 0], taken_other[n, 0] = single_loss, single_other
        house = offers[single].institution
        last, after = signed(0), signed(-1)
        used = 0
        for y in range(size):
            if houses[y] != house:
                used += 1
                if used == slots and worths[y] > 0:
                    last, after = worths[y], signed(names[y])
        used = 0
        for y in range(size):
            if used < slots - 1 and houses[y] != house:
                used += 1
                if worths[y] <= 0:
                    if listed:
                        taken_other[n, used], taken_amount[n, used] = names[y], amounts[y]
                        taken_loss[n, used] = float(-worths[y])
                    continue
                sum_fen[names[y]] += amounts[y]
                sum_count[names[y]] += 1
                if listed:
                    taken_offer[n, used], taken_amount[n, used] = names[y], amounts[y]
                    taken_loss[n, used] = float(worths[y] - last)
                    taken_other[n, used] = after
    totals[0] += best // MICRO
    totals[1] += best % MICRO
    totals[2] += 1
    return best
