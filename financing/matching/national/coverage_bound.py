"""How many businesses any allocation could reach at all: a bound; called by benchmarks.

Reaching alone counts here, one to a business, whatever is saved: max sum x_ij with one offer to a
request and amounts within rooms. For any prices >= 0 of the rooms no allocation reaches more than
what the rooms cost in all plus, request by request, what its cheapest offer leaves of one (weak
duality). Prices of nothing give the number of requests with an offer that fits its whole room; the
others are learned by the sign of use - room, on samples first.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import MICRO, Sums, no_sums
from financing.matching.national.bits import BITS, lowest_bit
from financing.matching.national.compiled import bare, signed
from financing.matching.national.groups import place_of
from financing.matching.national.orders import Order, Prices, build_block, make_order, no_prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.pairs import is_closed, pair_amount
from financing.matching.national.price_steps import rooms_worth_micro
from financing.matching.national.prices import draw
from financing.matching.national.problem import Data, Groups
from financing.matching.national.rows_of import Look, left_of, look_up, make_look
from financing.matching.national.sieve import Sieve
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.threads import over_parts

ONE = 100_000_000
"""What a business counts, in the unit of the prices: fine enough that their rounding is nothing."""

PLAN = ((30_000, 60, 50_000), (300_000, 40, 6_000), (2**31, 30, 6_000))
"""Requests looked at, rounds, and the first step in ppm of the usual price."""

GROW, SHRINK = 1.25, 0.5


class CoverageBound(NamedTuple):
    """Both hold for every allocation. `eligible`: requests with an offer whose whole room takes it;
    `reached`: the same within the rooms, at the best prices found."""

    eligible: int
    reached: int


def coverage_bound(problem: Problem, *, seed: int, threads: int = 1) -> CoverageBound:
    """For requests that no live match reaches and that may get a proposal.

    Nothing is asked: `with_answers` comes first.
    """
    requests = problem.data.requests
    lines = np.flatnonzero((requests["slots"] > 0) & (requests["is_reached"] == 0)).astype(np.int32)
    prices = no_prices(problem)
    fits = np.zeros(len(lines), dtype=np.bool_)
    cheapest(problem, lines, prices, threads, fits)
    lines = lines[fits]
    if not len(lines):
        return CoverageBound(0, 0)
    best = len(lines)
    usual_ppm = max(1, int(np.median(ONE / requests["least"][lines]) * PPM))
    for most, rounds, step_ppm in PLAN:
        some = lines[draw(problem, lines, min(PPM, most * PPM // len(lines)), seed)]
        share = len(some) / len(lines)
        room = (problem.room * share).astype(np.int64)
        limited = problem.room_count < NO_COUNT
        count = np.where(limited, problem.room_count * share, NO_COUNT).astype(np.int64)
        steps = _Steps(len(room), max(usual_ppm * step_ppm / PPM, 2.0), ONE / usual_ppm)
        found = []
        for _ in range(rounds):
            use = cheapest(problem, some, prices, threads)
            found.append((rooms_worth_micro(room, count, prices) + worth_micro(use), prices))
            if len(some) == len(lines):
                best = min(best, proved(problem, prices, use))
            prices = steps.moved(prices, use.fen > room, limited & (use.count > count), limited)
        prices = min(found, key=lambda one: one[0])[1]
    return CoverageBound(len(lines), best)


class _Steps:
    """Steps (ppm) that grow while the sign of use - room holds and are halved when it flips."""

    def __init__(self, offers: int, step: float, fen_per_ppm: float) -> None:
        self._steps = np.full(offers, step)
        self._signs = np.zeros(offers)
        self._fen_per_ppm = fen_per_ppm

    def moved(self, prices: Prices, over_fen: Bool, over_count: Bool, limited: Bool) -> Prices:
        signs = np.where(over_fen | over_count, 1.0, -1.0)
        self._steps *= np.where(signs * self._signs >= 0, GROW, SHRINK)
        self._steps = np.maximum(self._steps, 1.0)
        # A price at nothing that stays there starts afresh, not with a step grown in idleness.
        idle = (signs < 0) & (prices.fen_ppm == 0) & (prices.count_fen == 0)
        self._signs = np.where(idle, 0.0, signs)
        self._steps = np.where(idle, self._steps / GROW, self._steps)
        by = signs * self._steps
        fen = prices.fen_ppm + np.where(over_fen | (signs < 0), by, 0.0)
        count = prices.count_fen + np.where(
            limited & (over_count | (signs < 0)), by * self._fen_per_ppm, 0.0
        )
        return Prices(
            np.clip(fen, 0, ONE * PPM).astype(np.int64), np.clip(count, 0, ONE).astype(np.int64)
        )


def proved(problem: Problem, prices: Prices, use: Sums) -> int:
    """The most that can be reached, from what all requests would do at these prices."""
    rooms = rooms_worth_micro(problem.room, problem.room_count, prices)
    return (rooms + worth_micro(use)) // (ONE * MICRO)


def worth_micro(use: Sums) -> int:
    """Exact, beyond 64 bits where it must be."""
    return int(use.totals[0]) * MICRO + int(use.totals[1])


def cheapest(
    problem: Problem, lines: Int32, prices: Prices, threads: int, fits: Bool | None = None
) -> Sums:
    """Each line by its cheapest offer, if that costs less than a business counts: use of the rooms,
    and what is left of their worth. `fits` (by line) is filled with who has an offer at all."""
    sieve = problem.sieve
    if sieve is None:
        raise ValueError("a problem without a sieve cannot be walked")
    groups = problem.groups
    group = np.repeat(np.arange(len(groups.term)), np.diff(groups.offers_start))
    by_price = np.lexsort((prices.fen_ppm[groups.offer], group))
    groups = groups._replace(offer=groups.offer[by_price])
    terms = np.asarray(problem.terms, dtype=np.int64)

    def work(start: int, stop: int) -> Sums:
        sums = no_sums(len(problem.room))
        _cheapest(
            lines[start:stop],
            problem.data,
            groups,
            terms,
            sieve,
            prices,
            problem.room,
            problem.room_count,
            make_look(),
            make_order(problem),
            fits[start:stop] if fits is not None else np.zeros(0, dtype=np.bool_),
            sums,
        )
        return sums

    total = no_sums(len(problem.room))
    for one in over_parts(work, len(lines), threads):
        for sums, more in zip(total, one, strict=True):
            sums += more
    return total


@bare
def _cheapest(
    lines: Int32,
    data: Data,
    groups: Groups,
    terms: Int64,
    sieve: Sieve,
    prices: Prices,
    room: Int64,
    room_count: Int64,
    look: Look,
    order: Order,
    fits: Bool,
    sums: Sums,
) -> None:
    requests, patents, offers = data.requests, data.patents, data.offers
    bits, steps, costs, answers = data.bits, data.steps, data.costs, data.answers
    regions_from = data.regions_from
    closed_start, closed_offer = data.closed_start, data.closed_offer
    closed_institution = data.closed_institution
    price_fen, price_count = prices.fen_ppm, prices.count_fen
    sum_fen, sum_count, totals = sums.fen, sums.count, sums.totals
    entries, rows, is_built = order.entries, order.rows, order.is_built
    group, at, count, term = signed(-1), signed(0), signed(0), signed(0)
    for n in range(len(lines)):
        i = lines[n]
        if group < 0 or groups.start[group + 1] <= i:
            group = place_of(groups.start, i, max(group, 0))
            at = groups.offers_start[group]
            count = groups.offers_start[group + 1] - at
            term = signed(groups.term[group])
            for x in range(count):
                entries[x].offer = groups.offer[at + x]
            for block in range((count + BITS - 1) // BITS):
                is_built[block] = 0
        look_up(i, term, requests, patents, sieve, look)
        least = requests[i].least
        closed = requests[i].closed
        best, taken, amount = signed(ONE) * MICRO, signed(-1), signed(0)
        for block in range((count + BITS - 1) // BITS):
            # Prices rise from here on, and nobody takes less than it accepts.
            if float(price_fen[groups.offer[at + block * BITS]]) * float(least) >= float(best):
                break
            if is_built[block] == 0:
                build_block(block, count, groups.province[group], term, sieve, entries, rows)
                is_built[block] = 1
            left = left_of(block, rows, look)
            while left != np.uint64(0):
                j = entries[block * BITS + lowest_bit(left)].offer
                left &= left - np.uint64(1)
                low = max(least, offers[j].minimum)
                if float(price_fen[j]) * float(low) + float(price_count[j]) * MICRO >= float(best):
                    continue
                fen, _ = pair_amount(
                    i,
                    j,
                    term,
                    terms[term],
                    requests,
                    patents,
                    offers,
                    bits,
                    steps,
                    costs,
                    answers,
                    regions_from,
                )
                if fen <= 0 or fen > room[j] or room_count[j] < 1:
                    continue
                if closed >= 0 and is_closed(
                    closed, j, offers, closed_start, closed_institution, closed_offer
                ):
                    continue
                if float(price_fen[j]) * float(fen) + float(price_count[j]) * MICRO >= float(best):
                    continue
                best = price_fen[j] * fen + price_count[j] * MICRO
                taken, amount = signed(j), fen
        if taken < 0:
            continue
        sum_fen[taken] += amount
        sum_count[taken] += 1
        left_micro = signed(ONE) * MICRO - best
        totals[0] += left_micro // MICRO
        totals[1] += left_micro % MICRO
        totals[2] += 1
        if len(fits):
            fits[n] = True
