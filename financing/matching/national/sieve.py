"""What each offer refuses, as bits of words; made by `packing.py`, read by walks and listings.

A request belongs to one class of each rule (its industry, its principal between two minima that
occur, ...). A class is a row of bits, one per offer of a group: who may take it. The rows of a
request's classes together leave few offers to look at. A row may keep whom the rule refuses (where
classes would be too many), never leave out whom it takes: `pairs.py` has the last word.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.cost_sheet import NEVER
from financing.matching.national.problem import Records, Words
from financing.matching.national.tables import Bool, Int32, Int64, UInt8
from financing.matching.tables import PATENT_KINDS

ROWS = 5 * 64
"""Rows of a block of 64 offers: five words of each offer's bits, in this order."""
INDUSTRY, REGION, LIFE, LIMIT, OPERATING, CERTIFICATES, MINIMUM, MAXIMUM, LENDS, LEAST = (
    *(0, 64, 128, 176, 192, 208, 224, 240, 256, 288),
)
STEPS = 15
LENDS_STEPS = 7
MOST_MONTHS = 1023
MOST_PATENTS = 8
ENDLESS = 2**31 - 1
"""Lends whatever the patents are appraised at."""
BEYOND = 2**62


class Sieve(NamedTuple):
    """By offer its bits and lending shares; by value of a column its row.

    `fixed`: by offer industry, amounts, collateral; `region` by province and offer; `term` by term
    and offer. `lends`: most fen per million appraised, by offer and patent kind, last whatever the
    kind. `*_row`: by industry, region, limit, month + 1 of operation, and term, kind, month + 1 of
    life. `*_cuts`: a value's class is how many of them it reaches. `needed`: bits of the four
    certificates that are asked for most (63: none).
    """

    fixed: Words
    region: Words
    term: Words
    lends: Int32
    industry_row: UInt8
    region_row: UInt8
    limit_row: UInt8
    operating_row: UInt8
    life_row: UInt8
    minimum_cuts: Int64
    maximum_cuts: Int64
    lends_cuts: Int64
    needed: Int64


def make_sieve(
    offers: Records,
    costs: Records,
    terms: tuple[int, ...],
    industries: Bool,
    regions: Bool,
    industry_codes: Sequence[str],
    region_codes: Sequence[str],
) -> Sieve:
    """`industries`, `regions`: by offer and code, whether it takes that code."""
    industry_row, industry = _classes(industries, industry_codes, (3, 1))
    region_row, region = _regions(regions, region_codes)
    life_row, life = _lives(offers, terms)
    limit_row, limit = _limits(costs)
    minimum, maximum = offers["minimum"], -offers["maximum"]
    minimum_cuts, maximum_cuts = _cuts(minimum, STEPS), _cuts(maximum, STEPS)
    operating = np.where(offers["operating"] > 0, offers["operating"], -1).astype(np.int64)
    operating_cuts = _cuts(operating[operating <= MOST_MONTHS], STEPS)
    months = np.arange(-1, MOST_MONTHS + 1)
    needed, certificates = _certificates(offers)
    amounts = (
        _bits(_reached(operating, operating_cuts))
        | (certificates << np.uint64(CERTIFICATES - OPERATING))
        | (_bits(_reached(minimum, minimum_cuts)) << np.uint64(MINIMUM - OPERATING))
        | (_bits(_reached(maximum, maximum_cuts)) << np.uint64(MAXIMUM - OPERATING))
    )
    lends, lends_cuts, collateral = _lending(offers)
    return Sieve(
        fixed=np.ascontiguousarray(np.stack((industry, amounts, collateral), axis=1)),
        region=region,
        term=life | (limit << np.uint64(LIMIT - LIFE)),
        lends=lends,
        industry_row=industry_row,
        region_row=region_row,
        limit_row=limit_row,
        operating_row=np.searchsorted(operating_cuts, months, side="right").astype(np.uint8),
        life_row=life_row,
        minimum_cuts=_padded(minimum_cuts, STEPS),
        maximum_cuts=_padded(maximum_cuts, STEPS),
        lends_cuts=lends_cuts,
        needed=needed,
    )


def _bits(truth: Bool) -> Words:
    """Truth by [line, up to 64 columns] as one word a line."""
    padded = np.zeros((truth.shape[0], 64), dtype=np.bool_)
    padded[:, : truth.shape[1]] = truth
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)[:, 0]


def _cuts(needs: Int64, most: int) -> Int64:
    """Values that divide requests into classes: all that occur, or some of them."""
    distinct = np.unique(needs[np.abs(needs) < BEYOND]).astype(np.int64)
    if len(distinct) > most:
        distinct = distinct[np.arange(1, most + 1) * len(distinct) // (most + 1)]
    return distinct


def _padded(cuts: Int64, length: int) -> Int64:
    return np.append(cuts, np.full(length - len(cuts), BEYOND, dtype=np.int64))


def _reached(needs: Int64, cuts: Int64) -> Bool:
    """By [offer, class]: some value of the class is at least what the offer needs."""
    truth = np.ones((len(needs), len(cuts) + 1), dtype=np.bool_)
    truth[:, :-1] = needs[:, None] < cuts
    return truth


def _classes(truth: Bool, codes: Sequence[str], lengths: tuple[int, ...]) -> tuple[UInt8, Words]:
    """Codes that the same offers take are one class; where more than 64, codes that begin alike."""
    keys: list[object] = [column.tobytes() for column in np.packbits(truth.T, axis=1)]
    for length in lengths:
        if len(set(keys)) > 64:
            keys = [code[:length] for code in codes]
    numbers: dict[object, int] = {}
    row = np.array([min(numbers.setdefault(key, len(numbers)), 63) for key in keys], dtype=np.uint8)
    member = np.zeros((truth.shape[0], 64), dtype=np.bool_)
    for place, number in enumerate(row):
        member[:, number] |= truth[:, place]
    return row, _bits(member)


def _regions(truth: Bool, codes: Sequence[str]) -> tuple[UInt8, Words]:
    """Rows within each province, provinces in order of their codes as in `groups.py`."""
    row = np.zeros(len(codes), dtype=np.uint8)
    words = []
    for province in sorted({code[:2] for code in codes}):
        mine = np.array([n for n, code in enumerate(codes) if code[:2] == province])
        row[mine], word = _classes(truth[:, mine], [codes[n] for n in mine], (4,))
        words.append(word)
    return row, np.array(words, dtype=np.uint64).reshape(len(words), truth.shape[0])


def _lives(offers: Records, terms: tuple[int, ...]) -> tuple[UInt8, Words]:
    """Rows by term, kind and life left; bits by term and offer."""
    rows = np.zeros((len(terms), len(PATENT_KINDS), MOST_MONTHS + 2), dtype=np.uint8)
    words = np.zeros((len(terms), len(offers)), dtype=np.uint64)
    months = np.arange(-1, MOST_MONTHS + 1)
    for place, term in enumerate(terms):
        for kind in range(len(PATENT_KINDS)):
            needs = np.maximum(term + offers["margin"], offers[f"life_{kind}"]).astype(np.int64)
            takes = offers[f"loan_to_value_{kind}"] >= 0
            cuts = _cuts(needs[takes & (needs <= MOST_MONTHS)], STEPS)
            # Who wants no patent at all does not look at them.
            truth = (_reached(needs, cuts) & takes[:, None]) | (offers["patents_least"] <= 0)[
                :, None
            ]
            words[place] |= _bits(truth) << np.uint64(16 * kind)
            rows[place, kind] = 16 * kind + np.searchsorted(cuts, months, side="right")
    return rows, words


def _limits(costs: Records) -> tuple[UInt8, Words]:
    """Rows by place of the limit of the yearly cost; bits by term and offer."""
    count = costs.shape[0]
    row = np.zeros(256, dtype=np.uint8)
    row[:count] = np.arange(count)
    if count > 16:
        row[1:count] = 1 + np.arange(count - 1) * 15 // (count - 1)
    words = np.zeros(costs.shape[1:], dtype=np.uint64)
    for limit in range(count):
        never = (costs[limit]["fails_to_0"] >= NEVER) & (costs[limit]["fails_to_1"] >= NEVER)
        words |= (~never).astype(np.uint64) << np.uint64(row[limit])
    return row, words


def _certificates(offers: Records) -> tuple[Int64, Words]:
    """The four certificates asked for most; bits by offer of what must be held of them."""
    asked = offers["certificates"]
    counts = np.array([int((asked >> bit & 1).sum()) for bit in range(62)])
    some = [int(bit) for bit in np.argsort(-counts, kind="stable")[:4] if counts[bit]]
    truth = np.ones((len(offers), 16), dtype=np.bool_)
    for held in range(16):
        for place, bit in enumerate(some):
            if not held >> place & 1:
                truth[:, held] &= (asked >> bit & 1) == 0
    return np.array(some + [63] * (4 - len(some)), dtype=np.int64), _bits(truth)


def _lending(offers: Records) -> tuple[Int32, Int64, Words]:
    """Most fen per million of appraised value, cuts of it, and bits with the least patents."""
    kinds = len(PATENT_KINDS)
    lends = np.full((len(offers), kinds + 1), -1, dtype=np.int64)
    for kind in range(kinds):
        share = offers[f"loan_to_value_{kind}"]
        most = np.where(offers["basis"] == 2, -(-share * PPM // offers["secured_ppm"]), share)
        lends[:, kind] = np.where(share < 0, -1, np.minimum(most, ENDLESS))
    lends[(offers["basis"] == 1) | (offers["unappraised_limit"] >= 0)] = ENDLESS
    lends[:, kinds] = lends.max(axis=1)
    cuts = np.empty((kinds + 1, LENDS_STEPS), dtype=np.int64)
    word = np.zeros(len(offers), dtype=np.uint64)
    for kind in range(kinds + 1):
        needs = np.where(lends[:, kind] == ENDLESS, -BEYOND, -lends[:, kind])
        cut = _cuts(needs[lends[:, kind] >= 0], LENDS_STEPS)
        truth = _reached(needs, cut) & (lends[:, kind] >= 0)[:, None]
        word |= _bits(truth) << np.uint64(8 * kind)
        cuts[kind] = _padded(cut, LENDS_STEPS)
    counts = np.arange(MOST_PATENTS + 1)
    enough = (offers["patents_least"][:, None] <= counts) | (counts == MOST_PATENTS)
    word |= _bits(enough) << np.uint64(LEAST - LENDS)
    return lends.astype(np.int32), cuts, word
