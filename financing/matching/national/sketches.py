"""A few bytes of each request, and what one offer wants of them: most lines are refused by these.

Made with a book (`request_book.py`) and read by its scan (`incremental.py`). A request is 64 bytes
and 24 for each patent; of the sketch's 21 the rules read a few, line after line and without a
branch. What is refused here the rules of `pairs.py` refuse too; they decide on the rest. Amounts
are notches, 1,024 to a doubling: a smaller amount never has the higher notch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.problem import MOST_STEPS, Records
from financing.matching.national.tables import Bool, Int32, Int64, UInt8, UInt16
from financing.matching.national.threads import over_parts
from financing.matching.tables import COLLATERAL_BASES, PATENT_KINDS

KINDS = len(PATENT_KINDS)
MOST = 255
"""A byte that says "so much or more"; no life reaches it, so that it can be asked for in vain."""
MANY = 15
"""So many patents of a kind, or more."""

PER_DOUBLING = 20
EVEN = 81
"""The byte of patents worth what is asked for at least; twice as much is PER_DOUBLING more."""

BLOCK = 4_096
"""Lines looked at in the first step before the second."""

NOTCHES_PER_DOUBLING_LOG = 10
BELOW_ONE = 1022 << NOTCHES_PER_DOUBLING_LOG
MOST_NOTCH = 65_535

# Fields of `Sketch.figures`: where their bits begin. Above each that is compared stays a bit free:
# set and with what is wanted taken away it stays set where the field is at least as much, so that
# one subtraction compares all.
PRINCIPAL, BELOW, OPERATING, CERTIFICATES, LIMIT = 0, 17, 34, 43, 51
FIGURES_FREE = 1 << 16 | 1 << 33 | 1 << 42

# Of `Sketch.patents`: the first of three fields and how far to the next.
LIFE, LIFE_NEXT = 0, 9
VALUE, VALUE_NEXT = 27, 8
NUMBER, NUMBER_NEXT = 51, 4
LIFE_FREE = 1 << 8 | 1 << 17 | 1 << 26


place = cast(Callable[[Any], int], np.uint64)
"""An index without a sign: one with a sign may count from the end, which costs a test each time."""


class Sketch(NamedTuple):
    """By packed request. `figures`: notch of the principal, MOST_NOTCH less the notch of the least
    accepted, months of operation, certificates (bit n is n, n + 8, ... of them), place of the
    limit. `patents`, by kind: longest life in months + 1 (0: none lives), value of all over the
    least accepted, how many. `youngest`: months to the latest appraisal, MOST: none.
    """

    figures: Int64
    patents: Int64
    industry: UInt16
    region: UInt16
    youngest: UInt8


class Wanted(NamedTuple):
    """What one offer wants. `industry`, `region`: by code; `figures`, `life`: by term what is
    compared with those of a sketch; `principal`: least notch by term and limit; `least`: greatest
    notch of what is least accepted, by number of patents it takes; `lends`: most over the least
    accepted in ppm, by kind and value; `unappraised`: greatest notch for which the value does not
    matter.
    """

    industry: Bool
    region: Bool
    figures: Int64
    life: Int64
    principal: Int32
    least: Int32
    lends: Int64
    certificates: int
    age: int
    unappraised: int


class Stretch(NamedTuple):
    """Lines to look at, as stretches of packed requests of one term.

    `begin`: first line; `edge`: one longer, lines of all stretches before; `term`: place of it.
    """

    begin: Int64
    edge: Int64
    term: Int32


def make_sketch(requests: Records, patents: Records, threads: int) -> Sketch:
    """One pass over the packed requests of a book."""
    count = len(requests)
    words, codes = np.empty((2, count), dtype=np.int64), np.empty((2, count), dtype=np.uint16)
    sketch = Sketch(words[0], words[1], codes[0], codes[1], np.empty(count, dtype=np.uint8))
    over_parts(lambda a, b: _draw(a, b, requests, patents, sketch), count, threads)
    return sketch


def what_it_wants(
    offers: Records, steps: Int64, costs: Records, terms: tuple[int, ...], takes: tuple[Bool, Bool]
) -> Wanted:
    """Of the first offer. `costs`: by limit, term and offer; `takes`: industries, then regions."""
    offer = offers[0]
    is_table = bool(offer["basis"] == COLLATERAL_BASES.index("limit_table"))
    counts = np.arange(KINDS * MANY + 1)
    reach = np.full(len(counts), offer["maximum"])
    if is_table:
        reached = (steps[0, :MOST_STEPS] <= counts[:, None]) | (counts[:, None] >= MANY)
        reach = np.minimum(np.where(reached, steps[0, MOST_STEPS:], 0).max(axis=1), reach)
    least = notches(reach)
    least[(counts < offer["patents_least"]) & (counts < MANY)] = -1
    life = np.zeros(len(terms), dtype=np.int64)
    lends = np.zeros((KINDS, MOST + 1), dtype=np.int64)
    for kind in range(KINDS):
        share = float(offer[f"loan_to_value_{kind}"])
        if offer["basis"] == COLLATERAL_BASES.index("share_of_principal"):
            share *= PPM / int(offer["secured_ppm"])
        needed = np.full(len(terms), MOST)
        if share >= 0:
            longest = np.maximum(np.add(terms, offer["margin"]), offer[f"life_{kind}"])
            needed = np.minimum(longest + 1, MOST - 1)
            lends[kind] = np.minimum(share * _WORTH, 2.0**60) + 1
            lends[kind, 0] = 0
        life |= needed.astype(np.int64) << (LIFE + kind * LIFE_NEXT)
    principal = _least_principal(offer, costs[:, :, 0])
    figures = np.minimum(principal.min(axis=1), MOST_NOTCH).astype(np.int64) << PRINCIPAL
    figures |= (MOST_NOTCH - int(least.max())) << BELOW
    figures |= min(max(int(offer["operating"]), 0), MOST) << OPERATING
    unappraised = np.array([offer["unappraised_limit"]], dtype=np.int64)
    return Wanted(
        *takes,
        figures=figures,
        life=life,
        principal=principal,
        least=least,
        lends=lends,
        certificates=_folded(int(offer["certificates"])) << CERTIFICATES,
        age=min(int(offer["appraisal_age"]), MOST - 1),
        unappraised=MOST_NOTCH if is_table else int(notches(unappraised)[0]),
    )


def notches(amounts: Int64) -> Int32:
    """`notch` of many."""
    bits = np.maximum(amounts, 0).astype(np.float64).view(np.int64)
    found: Int64 = np.maximum((bits >> (52 - NOTCHES_PER_DOUBLING_LOG)) - BELOW_ONE, 0)
    return found.astype(np.int32)


def _least_principal(offer: Records, costs: Records) -> Int32:
    """By term and limit: below it the offer costs too much or saves nothing, or is not meant."""
    beyond = np.int64(2**62)
    # With an appraisal still to be made an offer never costs less.
    fixed, share = costs["fixed_0"], costs["saving_ppm"]
    # A little less than what saves the fixed fees: floats are not exact.
    saves = np.where(share > 0, fixed / np.maximum(share, 1) * (PPM * (1 - 1e-9)), 0)
    needed = np.maximum(costs["fails_to_0"] + 1, saves.astype(np.int64))
    needed = np.where((share < 0) | ((share == 0) & (fixed > 0)), beyond, needed)
    return np.ascontiguousarray(notches(np.maximum(needed, offer["minimum"])).T)


_WORTH = np.minimum(2.0 ** ((np.arange(MOST + 1) + 1 - EVEN) / PER_DOUBLING) * (1 + 1e-6), 1e30)
"""By byte of `Sketch.value`: the patents are worth less than so many times the least accepted."""
_WORTH[0] = 0
_WORTH[MOST] = 1e30


@inlined
def _folded(certificates: int) -> int:
    """Eight bits: whoever holds all certificates of one set has all bits of it."""
    folded = certificates | certificates >> 32
    folded |= folded >> 16
    return signed((folded | folded >> 8) & 255)


@inlined
def _notch(amount: int) -> int:
    """Rises with the amount, 0 for none."""
    bits = np.float64(amount).view(np.int64)
    return signed(max((bits >> (52 - NOTCHES_PER_DOUBLING_LOG)) - BELOW_ONE, 0))


@bare
def _draw(begin: int, end: int, requests: Records, patents: Records, sketch: Sketch) -> None:
    """The sketch of some packed requests."""
    for i in range(begin, end):
        request = requests[i]
        sketch.industry[i], sketch.region[i] = request.industry, request.region
        sketch.figures[i] = (
            _notch(request.principal) << PRINCIPAL
            | (MOST_NOTCH - _notch(request.least)) << BELOW
            | min(max(signed(request.operating), 0), MOST) << OPERATING
            | _folded(request.certificates) << CERTIFICATES
            | signed(request.limit) << LIMIT
        )
        start, end_of_patents = request.patents_start, request.patents_start + request.patents_count
        youngest, word = signed(MOST), signed(0)
        for kind in range(KINDS):
            number, life, value = signed(0), signed(0), signed(0)
            for at in range(start, end_of_patents):
                patent = patents[at]
                if patent.kind != kind:
                    continue
                number += 1
                life = max(life, signed(patent.life) + 1)
                if patent.appraisal_age >= 0:
                    value += patent.value
                    youngest = min(youngest, min(signed(patent.appraisal_age), MOST - 1))
            word |= min(number, MANY) << (NUMBER + kind * NUMBER_NEXT)
            word |= min(life, MOST - 1) << (LIFE + kind * LIFE_NEXT)
            if value > 0:
                doublings = np.log2(float(value) / float(request.least))
                byte = signed(min(max(doublings * PER_DOUBLING + EVEN, 1.0), float(MOST)))
                word |= byte << (VALUE + kind * VALUE_NEXT)
        sketch.patents[i], sketch.youngest[i] = word, youngest


@bare
def sift(
    start: int, stop: int, stretch: Stretch, sketch: Sketch, wanted: Wanted, lines: Int32
) -> int:
    """Of places `start` to `stop` of the stretches those that may fit: their packed lines are
    written to `lines`, rising; gives how many.

    In two steps for each block, without a branch: which lines are refused cannot be foreseen, and a
    branch taken wrongly costs more than the comparisons.
    """
    certificates, age, unappraised = wanted.certificates, wanted.age, wanted.unappraised
    at = np.searchsorted(stretch.edge, start, side="right") - 1
    left = 0
    x = start
    while x < stop:
        while stretch.edge[at + 1] <= x:
            at += 1
        until = min(stretch.edge[at + 1], min(stop, x + BLOCK))
        term, shift = stretch.term[at], stretch.begin[at] - stretch.edge[at]
        figures, life = wanted.figures[term], wanted.life[term]
        some = left
        for line in range(x + shift, until + shift):
            i = place(line)
            lines[place(some)] = line
            has = sketch.figures[i]
            some += (
                wanted.industry[sketch.industry[i]]
                & (((has | FIGURES_FREE) - figures) & FIGURES_FREE == FIGURES_FREE)
                & (has & certificates == certificates)
            )
        for y in range(left, some):
            line = lines[place(y)]
            i = place(line)
            has, held = sketch.figures[i], sketch.patents[i]
            lives = ((held | LIFE_FREE) - life) >> 8
            count, lends = signed(0), signed(0)
            for kind in range(KINDS):
                one = lives >> (kind * LIFE_NEXT) & 1
                count += one * (held >> (NUMBER + kind * NUMBER_NEXT) & MANY)
                value = place(held >> (VALUE + kind * VALUE_NEXT) & MOST)
                lends += one * wanted.lends[kind, value]
            least = MOST_NOTCH - (has >> BELOW & MOST_NOTCH)
            principal = wanted.principal[place(term), place(has >> LIMIT & MOST)]
            lines[place(left)] = line
            left += (
                wanted.region[sketch.region[i]]
                & ((has & MOST_NOTCH) >= principal)
                & (least <= wanted.least[place(count)])
                & ((lends >= PPM) & (sketch.youngest[i] <= age) | (least <= unappraised))
            )
        x = until
    return signed(left)
