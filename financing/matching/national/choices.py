"""What each request takes at given prices and rooms: exact, request by request (MATCHING §3).

`decide` walks a request's candidates best first until no later one can matter. Called by
`prices.py`, `repair.py` and `engine.py`. Worth is in micro-fen (value x 10^6 - price x amount).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import compiled, inlined
from financing.matching.national.orders import Order, Orders, Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import (
    ASK,
    is_closed,
    lot,
    pair_amount,
    scaled,
    twice_scaled,
)
from financing.matching.national.problem import Data, Float64, Groups
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts

MICRO = 1_000_000
NOTHING = np.int64(-(2**62))


class State(NamedTuple):
    """What is left and what is held: rooms by offer, held offers by request (-1 = free)."""

    room: Int64
    room_count: Int64
    held: Int32


class Taken(NamedTuple):
    """By line and place: offer (-1 = none), amount, and what losing it would cost (micro-fen)."""

    offer: Int32
    amount: Int64
    loss: Float64


class Sums(NamedTuple):
    """What the lines would use of each offer, and their worth as whole fen and micro-fen rest.

    `totals`: fen of worth, rest in micro-fen, requests with something, pairs to ask about.
    """

    fen: Int64
    count: Int64
    totals: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The sums of all lines, and what each takes where that was asked for."""

    sums: Sums
    taken: Taken | None

    @property
    def worth_micro(self) -> int:
        """Exact, beyond 64 bits where it must be."""
        return int(self.sums.totals[0]) * MICRO + int(self.sums.totals[1])


def open_state(problem: Problem, *, most: int) -> State:
    """Nothing given yet."""
    held = np.full((problem.count, most), -1, dtype=np.int32)
    return State(problem.room.copy(), problem.room_count.copy(), held)


def decide(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    orders: Orders,
    state: State,
    *,
    seed: int,
    listed: bool,
    by_lot: bool = True,
    threads: int = 1,
) -> Decision:
    """Every line's best set at these prices among offers whose room takes it.

    `listed`: say what each takes; `by_lot`: ties by the lottery, else by the offers' order.
    """
    most = int(problem.policy.max_proposals_count)
    count = len(lines) if listed else 0
    taken = Taken(
        np.full((count, most), -1, dtype=np.int32),
        np.zeros((count, most), dtype=np.int64),
        np.zeros((count, most), dtype=np.float64),
    )
    share = int(problem.policy.alternative_share_ppm)
    plain = is_plain(problem)
    first = orders.first if orders.first is not None else orders.further

    def work(start: int, stop: int) -> Sums:
        offers = len(problem.room)
        sums = Sums(
            np.zeros(offers, dtype=np.int64),
            np.zeros(offers, dtype=np.int64),
            np.zeros(4, dtype=np.int64),
        )
        _decide(
            lines[start:stop],
            problem.data,
            problem.groups,
            np.asarray(problem.terms, dtype=np.int64),
            prices,
            orders.further,
            first,
            state,
            Taken(taken.offer[start:stop], taken.amount[start:stop], taken.loss[start:stop]),
            sums,
            np.array([share, seed, plain, listed, by_lot, most], dtype=np.int64),
        )
        return sums

    found = over_parts(work, len(lines), threads)
    total = Sums(
        np.zeros(len(problem.room), dtype=np.int64),
        np.zeros(len(problem.room), dtype=np.int64),
        np.zeros(4, dtype=np.int64),
    )
    for one in found:
        total.fen[:] += one.fen
        total.count[:] += one.count
        total.totals[:] += one.totals
    return Decision(total, taken if listed else None)


@inlined
def _insert(
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
    enters = True
    if place < size:
        # The institution is there: only a better offer of it takes its place.
        if worth < worths[place] or (worth == worths[place] and tie > ties[place]):
            enters = False
        else:
            size -= 1
    elif size == most:
        place = size - 1
        if worth < worths[place] or (worth == worths[place] and tie > ties[place]):
            enters = False
        else:
            size -= 1
    if enters:
        # Close the gap of the one that leaves, then open one at the right place.
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
        size += 1
    return size


@compiled
def _decide(
    lines: Int32,
    data: Data,
    groups: Groups,
    terms: Int64,
    prices: Prices,
    further: Order,
    first: Order,
    state: State,
    taken: Taken,
    sums: Sums,
    options: Int64,
) -> None:
    # Arrays by themselves: what is taken out of a tuple inside a loop is counted each time.
    requests, patents, offers = data.requests, data.patents, data.offers
    bits, steps, costs, answers = data.bits, data.steps, data.costs, data.answers
    regions_from = data.regions_from
    closed_start, closed_offer = data.closed_start, data.closed_offer
    closed_institution = data.closed_institution
    group_start, group_term, group_low = groups.start, groups.term, groups.low
    group_high, offers_start = groups.high, groups.offers_start
    names_of, bound_low, bound_high = further.offer, further.low, further.high
    firsts, first_low, first_high = first.offer, first.low, first.high
    most_delivery = first.most_delivery
    price_fen, price_count = prices.fen_ppm, prices.count_fen
    room, room_count, holds = state.room, state.room_count, state.held
    taken_offer, taken_amount, taken_loss = taken.offer, taken.amount, taken.loss
    sum_fen, sum_count, totals = sums.fen, sums.count, sums.totals
    share, seed = options[0], options[1]
    plain, listed, by_lot, k = options[2] == 1, options[3] == 1, options[4] == 1, options[5]
    worths = np.empty(k + 2, dtype=np.int64)
    ties = np.empty(k + 2, dtype=np.int64)
    names = np.empty(k + 2, dtype=np.int32)
    amounts = np.empty(k + 2, dtype=np.int64)
    houses = np.empty(k + 2, dtype=np.int32)
    group = 0
    for n in range(len(lines)):
        i = lines[n]
        while group_start[group + 1] <= i:
            if group_start[min(group + 64, len(group_start) - 1)] <= i:
                group = min(group + 64, len(group_start) - 2)
            else:
                group += 1
        held = 0
        for x in range(k):
            held += holds[i, x] >= 0
        slots = int(requests[i].slots) - held
        if slots <= 0:
            continue
        reached = requests[i].is_reached != 0 or held > 0
        closed = requests[i].closed
        coverage = requests[i].coverage
        term = group_term[group]
        months = terms[term]
        principal = float(requests[i].principal)
        low, high = float(group_low[group]), float(group_high[group])
        w = (principal - low) / (high - low) if high > low else 0.0
        begin, end = offers_start[group], offers_start[group + 1]

        # --- the best further proposals, one per institution, and one more than can be used
        size = 0
        most = slots + 1
        needs_single = plain and not reached
        for x in range(begin, end):
            bound = bound_low[x] + w * (bound_high[x] - bound_low[x])
            bound = (bound + 2.0 + 1e-9 * abs(bound)) * MICRO
            if size == most and bound < worths[size - 1]:
                break
            if bound <= 0.0:
                # What is worth nothing by itself matters only as the one that reaches.
                if not needs_single:
                    break
                if size >= 2 or bound + float(coverage) * MICRO <= 0.0:
                    if size == 0 or bound < worths[min(size, 2) - 1]:
                        break
            j = names_of[x]
            amount, saving = pair_amount(
                i,
                j,
                term,
                months,
                requests,
                patents,
                offers,
                bits,
                steps,
                costs,
                answers,
                regions_from,
            )
            if amount == ASK:
                totals[3] += 1
            if amount <= 0 or amount > room[j] or room_count[j] < 1:
                continue
            if closed >= 0 and is_closed(
                closed, j, offers, closed_start, closed_institution, closed_offer
            ):
                continue
            price = price_fen[j]
            if float(price) * float(amount) > 4e18:
                continue
            if plain:
                worth = saving * MICRO
            else:
                worth = twice_scaled(saving, share, offers[j].delivery) * MICRO
            worth -= price * amount + price_count[j] * MICRO
            if worth <= 0 and not needs_single:
                continue
            house = offers[j].institution
            if held > 0:
                is_held = False
                for y in range(k):
                    other = holds[i, y]
                    if other >= 0 and offers[other].institution == house:
                        is_held = True
                if is_held:
                    continue
            tie = lot(seed, requests[i].id, j) if by_lot else np.int64(j)
            size = _insert(
                size, most, worth, tie, j, amount, house, worths, ties, names, amounts, houses
            )

        # --- put the set together
        best = np.int64(0)
        chosen = 0
        single = -1
        single_amount = np.int64(0)
        single_loss = 0.0
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
        else:
            # Each of the best few tried as the first, filled up with the best others.
            fill = np.int64(0)
            for x in range(min(slots - 1, size)):
                fill += worths[x]
            second_best = NOTHING
            best = np.int64(0)
            for x in range(begin, end):
                bound = first_low[x] + w * (first_high[x] - first_low[x])
                bound += most_delivery[x] * float(coverage)
                bound = (bound + 2.0 + 1e-9 * abs(bound)) * MICRO
                if bound + fill < (max(second_best, 0) if listed else best):
                    break
                j = firsts[x]
                amount, saving = pair_amount(
                    i,
                    j,
                    term,
                    months,
                    requests,
                    patents,
                    offers,
                    bits,
                    steps,
                    costs,
                    answers,
                    regions_from,
                )
                if amount == ASK:
                    totals[3] += 1
                if amount <= 0 or amount > room[j] or room_count[j] < 1:
                    continue
                if closed >= 0 and is_closed(
                    closed, j, offers, closed_start, closed_institution, closed_offer
                ):
                    continue
                price = price_fen[j]
                if float(price) * float(amount) > 4e18:
                    continue
                worth = scaled(coverage + saving, offers[j].delivery) * MICRO
                worth -= price * amount + price_count[j] * MICRO
                others = np.int64(0)
                left = slots - 1
                for y in range(size):
                    if left > 0 and houses[y] != offers[j].institution:
                        others += worths[y]
                        left -= 1
                total = worth + others
                better = total > best
                if total == best and single >= 0:
                    better = lot(seed, requests[i].id, j) < lot(seed, requests[i].id, single)
                if better and total > 0:
                    if single >= 0:
                        second_best = best
                    best, single, single_amount = total, j, amount
                elif total > second_best:
                    second_best = total
            if single >= 0:
                single_loss = float(best - max(second_best, 0))
            else:
                best = np.int64(0)

        # --- sums and lists
        if single < 0 and chosen == 0:
            continue
        totals[0] += best // MICRO
        totals[1] += best % MICRO
        totals[2] += 1
        at = 0
        if single >= 0:
            sum_fen[single] += single_amount
            sum_count[single] += 1
            if listed:
                taken_offer[n, 0], taken_amount[n, 0] = single, single_amount
                taken_loss[n, 0] = single_loss
            at = 1
            left = slots - 1
            house = offers[single].institution
            last = np.int64(0)
            used = 0
            for y in range(size):
                if houses[y] == house:
                    continue
                if used < left:
                    used += 1
                else:
                    last = worths[y]
                    break
            used = 0
            for y in range(size):
                if used < left and houses[y] != house:
                    sum_fen[names[y]] += amounts[y]
                    sum_count[names[y]] += 1
                    if listed:
                        taken_offer[n, at], taken_amount[n, at] = names[y], amounts[y]
                        taken_loss[n, at] = float(worths[y] - last)
                    at += 1
                    used += 1
        else:
            last = max(worths[slots], 0) if size > slots else np.int64(0)
            for y in range(chosen):
                sum_fen[names[y]] += amounts[y]
                sum_count[names[y]] += 1
                if listed:
                    taken_offer[n, y], taken_amount[n, y] = names[y], amounts[y]
                    loss = float(worths[y] - last)
                    if chosen == 1 and not reached:
                        loss = float(worths[0] + coverage * MICRO)
                        if size > 1 and worths[1] + coverage * MICRO > 0:
                            loss = float(worths[0] - worths[1])
                    taken_loss[n, y] = loss
