"""Every fitting pair, or those of some requests; for certificates, tests and questions.

A run never lists its pairs; checks from outside do, on samples where there are many requests.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.bits import BITS, lowest_bit, ones
from financing.matching.national.compiled import bare, signed
from financing.matching.national.groups import lines_before, place_of
from financing.matching.national.orders import Order, build_block, make_order
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import (
    ASK,
    is_closed,
    pair_amount,
    scaled,
    twice_scaled,
)
from financing.matching.national.problem import Data, Groups
from financing.matching.national.rows_of import Look, left_of, look_up, make_look
from financing.matching.national.sieve import Sieve
from financing.matching.national.tables import Int32, Int64


class Pairs(NamedTuple):
    """By pair, in order of requests: packed place, offer, and figures in fen.

    `first_fen`, `further_fen`: worth as the proposal that reaches the business, and as another.
    """

    request: Int32
    offer: Int32
    amount_fen: Int64
    saving_fen: Int64
    first_fen: Int64
    further_fen: Int64


COUNT, LIST, QUESTIONS = 0, 1, 2


def list_pairs(problem: Problem, lines: Int32) -> Pairs:
    """All pairs of these packed places (rising) that pass every rule; asks nothing."""
    most = _look_at(problem, lines, COUNT, _places(0))
    pairs = _places(most)
    found = _look_at(problem, lines, LIST, pairs)
    return Pairs(
        pairs.request[:found],
        pairs.offer[:found],
        pairs.amount_fen[:found],
        pairs.saving_fen[:found],
        pairs.first_fen[:found],
        pairs.further_fen[:found],
    )


def open_questions(problem: Problem, lines: Int32) -> Int64:
    """What the readable rules must be asked before these lines can be decided, each once."""
    pairs = _places(_look_at(problem, lines, COUNT, _places(0)))
    return np.unique(pairs.saving_fen[: _look_at(problem, lines, QUESTIONS, pairs)])


def _places(count: int) -> Pairs:
    """Memory that is not touched is not taken: pairs that pass are fewer."""
    return Pairs(
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int32),
        np.empty(count, dtype=np.int64),
        np.empty(count, dtype=np.int64),
        np.empty(count, dtype=np.int64),
        np.empty(count, dtype=np.int64),
    )


def _look_at(problem: Problem, lines: Int32, wanted: int, pairs: Pairs) -> int:
    if problem.sieve is None:
        raise ValueError("a problem without a sieve cannot be listed")
    return _list(
        problem.data,
        problem.groups,
        problem.sieve,
        lines,
        np.asarray(problem.terms, dtype=np.int64),
        int(problem.policy.alternative_share_ppm),
        make_order(problem),
        make_look(),
        wanted,
        pairs,
    )


@bare
def _list(
    data: Data,
    groups: Groups,
    sieve: Sieve,
    lines: Int32,
    terms: Int64,
    share: int,
    order: Order,
    look: Look,
    wanted: int,
    pairs: Pairs,
) -> int:
    """Gives how many: offers the sieve leaves (COUNT), pairs that pass, or questions' keys."""
    requests, patents, offers = data.requests, data.patents, data.offers
    bits, steps, costs, answers = data.bits, data.steps, data.costs, data.answers
    entries, rows = order.entries, order.rows
    found = signed(0)
    n, group = signed(0), signed(0)
    while n < len(lines):
        group = place_of(groups.start, lines[n], group)
        stop = lines_before(lines, groups.start[group + 1], n)
        term = groups.term[group]
        begin = groups.offers_start[group]
        count = groups.offers_start[group + 1] - begin
        blocks = (count + BITS - 1) // BITS
        for x in range(count):
            entries[x].offer = groups.offer[begin + x]
        for block in range(blocks):
            build_block(block, count, groups.province[group], term, sieve, entries, rows)
        for m in range(n, stop):
            i = lines[m]
            closed = requests[i].closed
            look_up(i, term, requests, patents, sieve, look)
            for block in range(blocks):
                left = left_of(block, rows, look)
                if wanted == COUNT:
                    found += signed(ones(left))
                    continue
                while left != np.uint64(0):
                    j = entries[block * BITS + lowest_bit(left)].offer
                    left &= left - np.uint64(1)
                    amount, saving = pair_amount(
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
                        data.regions_from,
                    )
                    if wanted == QUESTIONS:
                        if amount == ASK:
                            pairs.saving_fen[found] = saving
                            found += 1
                        continue
                    if amount <= 0:
                        continue
                    if closed >= 0 and is_closed(
                        closed,
                        j,
                        offers,
                        data.closed_start,
                        data.closed_institution,
                        data.closed_offer,
                    ):
                        continue
                    delivery = offers[j].delivery
                    pairs.request[found], pairs.offer[found] = i, j
                    pairs.amount_fen[found], pairs.saving_fen[found] = amount, saving
                    pairs.first_fen[found] = scaled(requests[i].coverage + saving, delivery)
                    pairs.further_fen[found] = twice_scaled(saving, share, delivery)
                    found += 1
        n = stop
    return found
