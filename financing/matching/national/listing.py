"""Every fitting pair, or those of some requests; for certificates, tests and questions.

A run never lists its pairs; checks from outside do, on samples where there are many requests.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import (
    ASK,
    is_closed,
    pair_amount,
    scaled,
    twice_scaled,
)
from financing.matching.national.problem import Data, Groups
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


def list_pairs(problem: Problem, lines: Int32) -> Pairs:
    """All pairs of these packed places (rising) that pass every rule; asks nothing."""
    counts = np.zeros(len(lines), dtype=np.int64)
    terms = np.asarray(problem.terms, dtype=np.int64)
    empty = Pairs(*(np.zeros(0, dtype=t) for t in ("i4", "i4", "i8", "i8", "i8", "i8")))
    share = int(problem.policy.alternative_share_ppm)
    _list(problem.data, problem.groups, lines, terms, share, counts, False, empty)
    starts = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    total = int(starts[-1])
    pairs = Pairs(*(np.zeros(total, dtype=t) for t in ("i4", "i4", "i8", "i8", "i8", "i8")))
    _list(problem.data, problem.groups, lines, terms, share, starts[:-1].copy(), True, pairs)
    return pairs


@bare
def _list(
    data: Data,
    groups: Groups,
    lines: Int32,
    terms: Int64,
    share: int,
    places: Int64,
    fills: bool,
    pairs: Pairs,
) -> None:
    group = 0
    for n in range(len(lines)):
        i = lines[n]
        while groups.start[group + 1] <= i:
            group += 1
        term = groups.term[group]
        closed = data.requests[i].closed
        for x in range(groups.offers_start[group], groups.offers_start[group + 1]):
            j = groups.offer[x]
            amount, saving = pair_amount(
                i,
                j,
                term,
                terms[term],
                data.requests,
                data.patents,
                data.offers,
                data.bits,
                data.steps,
                data.costs,
                data.answers,
                data.regions_from,
            )
            if amount <= 0:
                continue
            if closed >= 0 and is_closed(
                closed,
                j,
                data.offers,
                data.closed_start,
                data.closed_institution,
                data.closed_offer,
            ):
                continue
            if fills:
                at = places[n]
                pairs.request[at], pairs.offer[at] = i, j
                pairs.amount_fen[at], pairs.saving_fen[at] = amount, saving
                delivery = data.offers[j].delivery
                pairs.first_fen[at] = scaled(data.requests[i].coverage + saving, delivery)
                pairs.further_fen[at] = twice_scaled(saving, share, delivery)
            places[n] += 1


def open_questions(problem: Problem, lines: Int32) -> Int64:
    """What the readable rules must be asked before these lines can be decided, each once."""
    terms = np.asarray(problem.terms, dtype=np.int64)
    count = _questions(problem.data, problem.groups, lines, terms, np.zeros(0, dtype=np.int64))
    found = np.zeros(count, dtype=np.int64)
    _questions(problem.data, problem.groups, lines, terms, found)
    return np.unique(found)


@bare
def _questions(data: Data, groups: Groups, lines: Int32, terms: Int64, found: Int64) -> int:
    group, count = 0, 0
    for n in range(len(lines)):
        i = lines[n]
        while groups.start[group + 1] <= i:
            group += 1
        term = groups.term[group]
        for x in range(groups.offers_start[group], groups.offers_start[group + 1]):
            amount, key = pair_amount(
                i,
                groups.offer[x],
                term,
                terms[term],
                data.requests,
                data.patents,
                data.offers,
                data.bits,
                data.steps,
                data.costs,
                data.answers,
                data.regions_from,
            )
            if amount == ASK:
                if count < len(found):
                    found[count] = key
                count += 1
    return count
