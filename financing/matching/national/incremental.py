"""One request beside many offers, and one offer beside many requests, compiled; for the books.

The rules are those of `pairs.py`; here is only which pairs are looked at and what is kept of them.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.bits import BITS, lowest_bit
from financing.matching.national.compiled import bare, signed
from financing.matching.national.groups import place_of
from financing.matching.national.pairs import ASK, REFUSED, pair_amount, scaled, twice_scaled
from financing.matching.national.prefetch import prefetch
from financing.matching.national.problem import Groups, Records, Words
from financing.matching.national.tables import Bool, Int32, Int64


class Found(NamedTuple):
    """By offer found: its place, and figures in fen.

    Where the readable rules must be asked, `amount` is ASK and `saving` the question.
    """

    place: Int64
    amount: Int64
    saving: Int64
    first: Int64
    further: Int64


class Accepting(NamedTuple):
    """As bits by offer, 64 to a word: does it accept the request's term, size class, region and
    industry."""

    term: Words
    size_class: Words
    region: Words
    industry: Words


@bare
def scan_offers(
    accepting: Accepting,
    is_priced: Bool,
    months: int,
    requests: Records,
    patents: Records,
    offers: Records,
    bits: Words,
    steps: Int64,
    costs: Records,
    answers: Int64,
    share: int,
    found: Int64,
) -> int:
    """Request 0 beside the offers that accept it; gives how many pairs are kept in `found`.

    Minus one less the place of an offer whose costs are not known yet (`is_priced`). `costs` has
    one term and its last limit: the request's. `found`: the rows of a `Found`.
    """
    count = 0
    coverage = requests[0].coverage
    principal, least = requests[0].principal, requests[0].least
    for word in range(len(accepting.term)):
        left = accepting.term[word] & accepting.size_class[word]
        left &= accepting.region[word] & accepting.industry[word]
        while left != np.uint64(0):
            j = word * BITS + lowest_bit(left)
            left &= left - np.uint64(1)
            if (offers[j].minimum > principal) | (offers[j].maximum < least):
                continue
            if not is_priced[j]:
                return signed(-1 - j)
            amount, saving = pair_amount(
                0, j, 0, months, requests, patents, offers, bits, steps, costs, answers, 1
            )
            if amount > 0:
                found[3, count] = scaled(coverage + saving, offers[j].delivery)
                found[4, count] = twice_scaled(saving, share, offers[j].delivery)
            elif amount != ASK:
                continue
            found[0, count], found[1, count], found[2, count] = j, amount, saving
            count += 1
    return signed(count)


class Taken(NamedTuple):
    """By request found: packed line, and figures in fen as those of `request_book.Takers`.

    Where the readable rules must be asked, `amount` is ASK and `saving` the question.
    """

    line: Int32
    amount: Int64
    saving: Int64
    worth: Int64
    is_reached: Bool


def no_figures(line: Int32) -> Taken:
    """Places for the figures of these lines."""
    three = np.empty((3, len(line)), dtype=np.int64)
    return Taken(line, three[0], three[1], three[2], np.empty(len(line), dtype=np.bool_))


AHEAD = 16
"""So many lines before its turn a request is asked for, and its patents half as many."""


@bare
def scan_requests(
    groups: Groups,
    terms: Int64,
    requests: Records,
    patents: Records,
    offers: Records,
    bits: Words,
    steps: Int64,
    costs: Records,
    answers: Int64,
    regions_from: int,
    share: int,
    taken: Taken,
) -> int:
    """Offer 0 beside the lines (rising) of `taken`; gives how many are kept there, from 0 on.

    Requests without a free place are left out.
    """
    lines, amounts, savings, worths = taken.line, taken.amount, taken.saving, taken.worth
    delivery = offers[0].delivery
    kept, group = 0, 0
    last = len(lines) - 1
    for x in range(len(lines)):
        ahead = lines[min(x + AHEAD, last)]
        patent = requests[lines[min(x + AHEAD // 2, last)]].patents_start
        # Records begin within a line of the cache: the next one's begin is in this one's second.
        prefetch(requests, ahead)
        prefetch(requests, ahead + 1)
        prefetch(patents, patent)
        prefetch(patents, patent + 2)
        i = lines[x]
        group = place_of(groups.start, i, group)
        if requests[i].slots == 0:
            continue
        term = groups.term[group]
        amount, saving = pair_amount(
            i,
            0,
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
        if amount == REFUSED:
            continue
        is_reached = requests[i].is_reached != 0
        if is_reached:
            worths[kept] = twice_scaled(saving, share, delivery)
        else:
            worths[kept] = scaled(requests[i].coverage + saving, delivery)
        lines[kept], amounts[kept], savings[kept] = i, amount, saving
        taken.is_reached[kept] = is_reached
        kept += 1
    return signed(kept)
