"""Fitting pairs kept in memory, and what requests take of them at given prices and rooms.

All pairs where requests are few, the best few of each where they are many: the rules of a pair do
not depend on prices, so rounds over kept pairs cost a fraction of a walk. Called by `prices.py` and
`repair.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.national.best_set import (
    MICRO,
    Scratch,
    Sums,
    Taken,
    fill_beside,
    insert,
    make_scratch,
    no_sums,
    nothing_taken,
    part_of_taken,
    settle,
)
from financing.matching.national.compiled import bare, signed
from financing.matching.national.listing import list_pairs
from financing.matching.national.orders import Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import lot
from financing.matching.national.problem import Records
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts


class Candidates(NamedTuple):
    """Pairs of `lines` (packed places, rising): those of line n are start[n] to start[n + 1] - 1.

    `first_fen`: worth as the one that reaches; empty where that is the coverage more.
    """

    lines: Int32
    start: Int64
    offer: Int32
    amount: Int64
    further_fen: Int64
    first_fen: Int64


class State(NamedTuple):
    """What is left and what is held: rooms by offer, held offers by request (-1 = free)."""

    room: Int64
    room_count: Int64
    held: Int32


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The sums of all lines, and what each takes where that was asked for."""

    sums: Sums
    taken: Taken | None

    @property
    def worth_micro(self) -> int:
        """Exact, beyond 64 bits where it must be."""
        return int(self.sums.totals[0]) * MICRO + int(self.sums.totals[1])


def all_candidates(problem: Problem, lines: Int32, threads: int = 1) -> Candidates:
    """Every fitting pair of these lines."""
    found = over_parts(lambda a, b: list_pairs(problem, lines[a:b]), len(lines), threads)
    offer = np.concatenate([one.offer for one in found] or [np.zeros(0, dtype=np.int32)])
    request = np.concatenate([one.request for one in found] or [np.zeros(0, dtype=np.int32)])
    places = np.searchsorted(request, lines) if len(request) else np.zeros(len(lines), dtype=int)
    start = np.append(places, len(request)).astype(np.int64)

    def joined(name: str) -> Int64:
        return np.concatenate([getattr(one, name) for one in found] or [start[:0]])

    first = np.zeros(0, dtype=np.int64) if is_plain(problem) else joined("first_fen")
    return Candidates(lines, start, offer, joined("amount_fen"), joined("further_fen"), first)


def open_state(problem: Problem, *, keeps: bool = False) -> State:
    """All rooms free. `keeps`: with a place to hold what each request gets."""
    most = int(problem.policy.max_proposals_count) if keeps else 0
    held = np.full((problem.count if keeps else 0, most), -1, dtype=np.int32)
    return State(problem.room.copy(), problem.room_count.copy(), held)


def decide(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    state: State,
    *,
    seed: int,
    listed: bool,
    active: Int32 | None = None,
    firsts_only: bool = False,
    threads: int = 1,
) -> Decision:
    """Every line's best set at these prices among offers whose room takes it.

    `listed`: say what each takes; `active`: only these places of `candidates.lines`;
    `firsts_only`: only who is not reached yet, and only one proposal.
    """
    count = len(candidates.lines) if active is None else len(active)
    most = int(problem.policy.max_proposals_count)
    listing = count if listed else 0
    taken = nothing_taken(listing, most)
    plain = is_plain(problem)
    some = np.zeros(0, dtype=np.int32) if active is None else active

    def work(start: int, stop: int) -> Sums:
        sums = no_sums(len(problem.room))
        part = part_of_taken(taken, start, stop)
        _decide(
            candidates,
            start,
            stop,
            some,
            problem.data.requests,
            problem.data.offers,
            prices.fen_ppm,
            prices.count_fen,
            state,
            part,
            sums,
            make_scratch(most),
            np.array([seed, plain, listed, firsts_only], dtype=np.int64),
        )
        return sums

    total = no_sums(len(problem.room))
    for one in over_parts(work, count, threads):
        total.fen[:] += one.fen
        total.count[:] += one.count
        total.totals[:] += one.totals
    return Decision(total, taken if listed else None)


@bare
def _decide(
    candidates: Candidates,
    begin: int,
    end: int,
    active: Int32,
    requests: Records,
    offers: Records,
    price_fen: Int64,
    price_count: Int64,
    state: State,
    taken: Taken,
    sums: Sums,
    scratch: Scratch,
    options: Int64,
) -> None:
    # Arrays by themselves: what is taken out of a tuple inside a loop is counted each time.
    lines, starts, names_of = candidates.lines, candidates.start, candidates.offer
    amount_of, further_of, first_of = (
        candidates.amount,
        candidates.further_fen,
        candidates.first_fen,
    )
    room, room_count, holds = state.room, state.room_count, state.held
    seed, plain, listed = options[0], options[1] == 1, options[2] == 1
    firsts_only = options[3] == 1
    worths, ties, names = scratch.worths, scratch.ties, scratch.names
    amounts, houses = scratch.amounts, scratch.houses
    for at in range(begin, end):
        n = at if len(active) == 0 else active[at]
        i = lines[n]
        held = 0
        for x in range(holds.shape[1]):
            held += holds[i, x] >= 0
        request = requests[i]
        slots = signed(request.slots) - held
        if slots <= 0:
            continue
        reached = request.is_reached != 0 or held > 0
        if firsts_only:
            if reached:
                continue
            slots = signed(1)
        coverage = request.coverage
        needs_single = plain and not reached
        size = 0
        fill = signed(0)
        for x in range(starts[n], starts[n + 1]):
            j = names_of[x]
            amount = amount_of[x]
            price = price_fen[j]
            if float(price) * float(amount) > 4e18:
                continue
            worth = further_of[x] * MICRO - price * amount - price_count[j] * MICRO
            if worth <= 0 and not needs_single:
                continue
            if size > slots and worth < worths[size - 1]:
                continue
            if amount > room[j] or room_count[j] < 1:
                continue
            house = offers[j].institution
            is_held = False
            for y in range(holds.shape[1]):
                other = holds[i, y]
                if other >= 0 and offers[other].institution == house:
                    is_held = True
            if is_held:
                continue
            tie = lot(seed, request.id, j)
            size = insert(
                size, slots + 1, worth, tie, j, amount, house, worths, ties, names, amounts, houses
            )
        single, single_other = -1, signed(-1)
        single_amount, best, second = signed(0), signed(0), signed(0)
        single_tie, second_tie = signed(0), signed(0)
        if not plain and not reached:
            for x in range(min(slots - 1, size)):
                fill += worths[x]
            for x in range(starts[n], starts[n + 1]):
                j = names_of[x]
                amount = amount_of[x]
                price = price_fen[j]
                if float(price) * float(amount) > 4e18:
                    continue
                worth = first_of[x] * MICRO - price * amount - price_count[j] * MICRO
                if worth + fill < second or amount > room[j] or room_count[j] < 1:
                    continue
                total = worth + fill_beside(size, slots, offers[j].institution, worths, houses)
                tie = lot(seed, request.id, j)
                better = total > best
                if total == best and single >= 0:
                    better = tie < single_tie
                if better and total > 0:
                    if best > second or (best == second and single_tie < second_tie):
                        second, single_other, second_tie = best, signed(single), single_tie
                    best, single, single_amount, single_tie = total, signed(j), amount, tie
                elif total > second or (total == second and single_other >= 0 and tie < second_tie):
                    second, single_other, second_tie = total, signed(j), tie
        settle(
            at - begin,
            slots,
            size,
            coverage,
            plain,
            reached,
            listed,
            single,
            single_amount,
            best,
            float(best - second),
            single_other,
            worths,
            names,
            amounts,
            houses,
            offers,
            taken.offer,
            taken.amount,
            taken.loss,
            taken.other,
            sums.fen,
            sums.count,
            sums.totals,
        )
