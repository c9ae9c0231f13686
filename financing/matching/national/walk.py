"""Best candidates first, request by request, until no later one can matter.

No list of pairs is kept (MATCHING §3). Called by `engine.py` for the exact bound over all requests,
for the best offers of single requests and for short lists where requests are many.
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
    settle,
)
from financing.matching.national.candidates import Candidates, State
from financing.matching.national.compiled import bare, inlined, signed
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
from financing.matching.national.problem import Data, Groups
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts


class Short(NamedTuple):
    """By line and place: the best candidates met, offer -1 = none; worths in fen."""

    offer: Int32
    amount: Int64
    further_fen: Int64
    first_fen: Int64
    worth: Int64


def no_short(count: int, most: int = 8) -> Short:
    """Places for the best `most` candidates of so many lines."""
    shape = (count, most)
    return Short(
        np.full(shape, -1, dtype=np.int32),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.full(shape, -(2**62), dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Sums of all lines, and what each would take or the best candidates it met, where asked."""

    sums: Sums
    taken: Taken | None

    @property
    def worth_micro(self) -> int:
        """Exact, beyond 64 bits where it must be."""
        return int(self.sums.totals[0]) * MICRO + int(self.sums.totals[1])


def walk(
    problem: Problem,
    lines: Int32,
    prices: Prices,
    orders: Orders,
    state: State,
    *,
    seed: int,
    listed: bool,
    by_lot: bool = True,
    short: Short | None = None,
    threads: int = 1,
) -> Walked:
    """Every line's best set at these prices among offers whose room takes it.

    `listed`: say what each takes; `by_lot`: ties by the lottery, else by the offers' order;
    `short`: filled with the best candidates each line met on its walk.
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
    kept = short if short is not None else no_short(0)

    def work(start: int, stop: int) -> Sums:
        sums = no_sums(len(problem.room))
        _walk(
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
            Short(*(values[start:stop] for values in kept)),  # type: ignore[arg-type]
            make_scratch(most),
            np.array([share, seed, plain, listed, by_lot, most], dtype=np.int64),
        )
        return sums

    found = over_parts(work, len(lines), threads)
    total = no_sums(len(problem.room))
    for one in found:
        total.fen[:] += one.fen
        total.count[:] += one.count
        total.totals[:] += one.totals
    return Walked(total, taken if listed else None)


@inlined
def keep(
    n: int,
    j: int,
    amount: int,
    further_fen: int,
    first_fen: int,
    worth: int,
    offer: Int32,
    amounts: Int64,
    further: Int64,
    first: Int64,
    worths: Int64,
) -> None:
    """Keep a candidate among the best of its line; one met twice keeps its better worth."""
    most = offer.shape[1]
    to = most
    for x in range(most):
        if offer[n, x] == j:
            if worth > worths[n, x]:
                worths[n, x] = worth
            return
    for x in range(most - 1, -1, -1):
        if worth > worths[n, x]:
            to = x
    if to == most:
        return
    for x in range(most - 1, to, -1):
        offer[n, x], amounts[n, x] = offer[n, x - 1], amounts[n, x - 1]
        further[n, x], first[n, x] = further[n, x - 1], first[n, x - 1]
        worths[n, x] = worths[n, x - 1]
    offer[n, to], amounts[n, to] = j, amount
    further[n, to], first[n, to], worths[n, to] = further_fen, first_fen, worth


@bare
def _walk(
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
    short: Short,
    scratch: Scratch,
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
    short_offer, short_amount, short_worth = short.offer, short.amount, short.worth
    short_further, short_first = short.further_fen, short.first_fen
    sum_fen, sum_count, totals = sums.fen, sums.count, sums.totals
    share, seed = options[0], options[1]
    plain, listed, by_lot, k = options[2] == 1, options[3] == 1, options[4] == 1, options[5]
    worths, ties, names = scratch.worths, scratch.ties, scratch.names
    amounts, houses = scratch.amounts, scratch.houses
    group = 0
    for n in range(len(lines)):
        i = lines[n]
        while group_start[group + 1] <= i:
            if group_start[min(group + 64, len(group_start) - 1)] <= i:
                group = min(group + 64, len(group_start) - 2)
            else:
                group += 1
        held = 0
        for x in range(holds.shape[1]):
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
                if bound + float(coverage) * MICRO <= 0.0:
                    break
                if size >= 2 and bound < worths[1]:
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
            further_fen = saving
            if not plain:
                further_fen = twice_scaled(saving, share, offers[j].delivery)
            worth = further_fen * MICRO - price * amount - price_count[j] * MICRO
            if len(short_offer) > 0:
                keep(
                    n,
                    j,
                    amount,
                    further_fen,
                    scaled(coverage + saving, offers[j].delivery),
                    worth,
                    short_offer,
                    short_amount,
                    short_further,
                    short_first,
                    short_worth,
                )
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
            tie = lot(seed, requests[i].id, j) if by_lot else signed(j)
            size = insert(
                size, most, worth, tie, j, amount, house, worths, ties, names, amounts, houses
            )

        # --- each of the best few tried as the first, filled up with the best others
        single = -1
        single_amount, best, second = signed(0), signed(0), signed(0)
        if not plain and not reached:
            fill = signed(0)
            for x in range(min(slots - 1, size)):
                fill += worths[x]
            for x in range(begin, end):
                bound = first_low[x] + w * (first_high[x] - first_low[x])
                bound += most_delivery[x] * float(coverage)
                bound = (bound + 2.0 + 1e-9 * abs(bound)) * MICRO
                if bound + fill < (second if listed else best):
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
                if len(short_offer) > 0:
                    keep(
                        n,
                        j,
                        amount,
                        twice_scaled(saving, share, offers[j].delivery),
                        scaled(coverage + saving, offers[j].delivery),
                        worth,
                        short_offer,
                        short_amount,
                        short_further,
                        short_first,
                        short_worth,
                    )
                total = worth + fill_beside(size, slots, offers[j].institution, worths, houses)
                better = total > best
                if total == best and single >= 0:
                    better = lot(seed, requests[i].id, j) < lot(seed, requests[i].id, single)
                if better and total > 0:
                    second = max(second, best)
                    best, single, single_amount = total, signed(j), amount
                elif total > second:
                    second = total
        settle(
            n,
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
            worths,
            names,
            amounts,
            houses,
            offers,
            taken_offer,
            taken_amount,
            taken_loss,
            sum_fen,
            sum_count,
            totals,
        )


def short_candidates(lines: Int32, short: Short, *, plain: bool) -> Candidates:
    """The kept candidates of these lines as lists."""
    met = short.offer >= 0
    start = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(met.sum(axis=1), out=start[1:])
    first = np.zeros(0, dtype=np.int64) if plain else short.first_fen[met]
    return Candidates(
        lines, start, short.offer[met], short.amount[met], short.further_fen[met], first
    )
