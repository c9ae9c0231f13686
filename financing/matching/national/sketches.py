"""A few bytes of each request, and what one offer wants of them: most lines are refused by these.

Made with a book (`request_book.py`) and read by its scan (`incremental.py`). A request is 64 bytes
and 24 for each patent; of the sketch's 21 the rules read a few, line after line and without a
branch. What is refused here the rules of `pairs.py` refuse too; they decide on the rest. Amounts
are notches, 1,024 to a doubling: a smaller amount never has the higher notch.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.problem import MOST_STEPS, Float64, Records
from financing.matching.national.tables import Bool, Int32, Int64, UInt8, UInt16
from financing.matching.national.threads import over_parts
from financing.matching.tables import COLLATERAL_BASES, PATENT_KINDS

KINDS = len(PATENT_KINDS)
MOST = 255
"""A byte that says "so much or more"."""

MANY = MOST // KINDS
"""The same of a number of patents of one kind, so that the sum of all kinds is a byte too."""

PER_DOUBLING = 20
EVEN = 81
"""The byte of patents worth what is asked for at least; twice as much is PER_DOUBLING more."""

BLOCK = 4_096
"""Lines looked at in the first step before the second."""

NOTCHES_PER_DOUBLING_LOG = 10
BELOW_ONE = 1022 << NOTCHES_PER_DOUBLING_LOG
MOST_NOTCH = 65_535


class Sketch(NamedTuple):
    """By packed request. `principal`, `least`: notches; `certificates`: bit n is n, n + 8, ... of
    them; `youngest`: months to the latest appraisal, MOST: none; by kind of patent `number`,
    `life`: longest in months + 1, 0: none lives, `value`: of all over the least accepted.
    """

    principal: UInt16
    least: UInt16
    industry: UInt16
    region: UInt16
    operating: UInt8
    certificates: UInt8
    limit: UInt8
    youngest: UInt8
    number: UInt8
    life: UInt8
    value: UInt8


class Wanted(NamedTuple):
    """What one offer wants. `industry`, `region`: by code; `principal`: least notch by term and
    limit; `least`: greatest notch of what is least accepted, by number of patents it takes; `life`:
    by term and kind; `lends`: most over the least accepted, by kind and value; `unappraised`:
    greatest notch for which the value does not matter.
    """

    industry: Bool
    region: Bool
    principal: Int32
    least: Int32
    life: Int32
    lends: Float64
    operating: int
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
    words = np.empty((4, count), dtype=np.uint16)
    octets = np.empty((4, count), dtype=np.uint8)
    by_kind = np.empty((3, KINDS, count), dtype=np.uint8)
    sketch = Sketch(*words, *octets, *by_kind)
    over_parts(lambda a, b: _draw(a, b, requests, patents, sketch), count, threads)
    return sketch


def what_it_wants(
    offers: Records, steps: Int64, costs: Records, terms: tuple[int, ...], takes: tuple[Bool, Bool]
) -> Wanted:
    """Of the first offer. `costs`: by limit, term and offer; `takes`: industries, then regions."""
    offer = offers[0]
    is_table = bool(offer["basis"] == COLLATERAL_BASES.index("limit_table"))
    unappraised = -1 if is_table else int(offer["unappraised_limit"])
    counts = np.arange(MOST + 1)
    reach = np.full(MOST + 1, offer["maximum"])
    if is_table:
        reached = (steps[0, :MOST_STEPS] <= counts[:, None]) | (counts[:, None] >= MANY)
        reach = np.minimum(np.where(reached, steps[0, MOST_STEPS:], 0).max(axis=1), reach)
    least = notches(reach)
    least[(counts < offer["patents_least"]) & (counts < MANY)] = -1
    life = np.full((len(terms), KINDS), MOST + 1, dtype=np.int32)
    lends = np.zeros((KINDS, MOST + 1))
    for kind in range(KINDS):
        share = int(offer[f"loan_to_value_{kind}"])
        if share >= 0:
            needed = np.maximum(np.add(terms, offer["margin"]), offer[f"life_{kind}"])
            life[:, kind] = np.minimum(needed + 1, MOST)
            lends[kind] = share / PPM * _WORTH
    if offer["basis"] == COLLATERAL_BASES.index("share_of_principal"):
        lends *= PPM / int(offer["secured_ppm"])
    return Wanted(
        *takes,
        principal=_least_principal(offer, costs[:, :, 0]),
        least=least,
        life=life,
        lends=lends,
        operating=min(max(int(offer["operating"]), 0), MOST),
        certificates=_folded(int(offer["certificates"])),
        age=min(int(offer["appraisal_age"]), MOST - 1),
        unappraised=MOST_NOTCH if is_table else int(notches(np.array([unappraised]))[0]),
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
        sketch.principal[i], sketch.least[i] = _notch(request.principal), _notch(request.least)
        sketch.industry[i], sketch.region[i] = request.industry, request.region
        sketch.operating[i] = min(max(signed(request.operating), 0), MOST)
        sketch.certificates[i] = _folded(request.certificates)
        sketch.limit[i] = request.limit
        count = signed(request.patents_count)
        youngest = signed(MOST)
        start = request.patents_start
        for kind in range(KINDS):
            number, life, value = signed(0), signed(0), signed(0)
            for place in range(start, start + count):
                patent = patents[place]
                if patent.kind != kind:
                    continue
                number += 1
                life = max(life, signed(patent.life) + 1)
                if patent.appraisal_age >= 0:
                    value += patent.value
                    youngest = min(youngest, min(signed(patent.appraisal_age), MOST - 1))
            sketch.number[kind, i] = min(number, MANY)
            sketch.life[kind, i] = min(life, MOST)
            byte = signed(0)
            if value > 0:
                doublings = np.log2(float(value) / float(request.least))
                byte = signed(min(max(doublings * PER_DOUBLING + EVEN, 1.0), float(MOST)))
            sketch.value[kind, i] = byte
        sketch.youngest[i] = youngest


@bare
def sift(
    start: int, stop: int, stretch: Stretch, sketch: Sketch, wanted: Wanted, lines: Int32
) -> int:
    """Of places `start` to `stop` of the stretches those that may fit: their packed lines are
    written to `lines`, rising; gives how many.

    In two steps for each block, without a branch: which lines are refused cannot be foreseen, and a
    branch taken wrongly costs more than the comparisons.
    """
    most, operating, certificates = wanted.least[MOST], wanted.operating, wanted.certificates
    age, unappraised = wanted.age, wanted.unappraised
    at = np.searchsorted(stretch.edge, start, side="right") - 1
    left = 0
    x = start
    while x < stop:
        while stretch.edge[at + 1] <= x:
            at += 1
        until = min(stretch.edge[at + 1], min(stop, x + BLOCK))
        term, shift = stretch.term[at], stretch.begin[at] - stretch.edge[at]
        some = left
        for i in range(x + shift, until + shift):
            lines[some] = i
            some += (
                wanted.industry[sketch.industry[i]]
                & (sketch.principal[i] >= wanted.principal[term, sketch.limit[i]])
                & (sketch.least[i] <= most)
                & (sketch.operating[i] >= operating)
                & (sketch.certificates[i] & certificates == certificates)
            )
        for y in range(left, some):
            i = lines[y]
            count, lends = signed(0), 0.0
            for kind in range(KINDS):
                lives = sketch.life[kind, i] >= wanted.life[term, kind]
                count += lives * sketch.number[kind, i]
                lends += lives * wanted.lends[kind, sketch.value[kind, i]]
            least = sketch.least[i]
            enough = (sketch.youngest[i] <= age) & (lends >= 1.0)
            lines[left] = i
            left += (
                wanted.region[sketch.region[i]]
                & (least <= wanted.least[count])
                & (enough | (least <= unappraised))
            )
        x = until
    return signed(left)
