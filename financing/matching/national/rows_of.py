"""The rows of bits that a request looks at, and how good one offer can be for it; for the walks."""

from typing import Any, NamedTuple

import numpy as np

from financing.matching.national.compiled import inlined, signed
from financing.matching.national.problem import Records, Words
from financing.matching.national.sieve import (
    CERTIFICATES,
    ENDLESS,
    INDUSTRY,
    LEAST,
    LENDS,
    LENDS_STEPS,
    LIFE,
    LIMIT,
    MAXIMUM,
    MINIMUM,
    MOST_MONTHS,
    MOST_PATENTS,
    OPERATING,
    REGION,
    ROWS,
    STEPS,
    Sieve,
)
from financing.matching.national.tables import Int64

RULES = 9
PATENTS = 24
"""So many patents of a request are looked at by rows; who has more looks at every offer."""


class Look(NamedTuple):
    """Scratch of one request. `rows`: of RULES rules, then of each patent. `facts`: number of
    patent rows (-1: any offer), patent kind for `Sieve.lends`, value of all patents.
    """

    rows: Int64
    facts: Int64


def make_look() -> Look:
    return Look(np.zeros(RULES + PATENTS, dtype=np.int64), np.zeros(3, dtype=np.int64))


@inlined
def look_up(
    i: int, term: int, requests: Records, patents: Records, sieve: Sieve, look: Look
) -> None:
    """Fill `look` for request i."""
    request = requests[i]
    rows, facts = look.rows, look.facts
    rows[0] = INDUSTRY + sieve.industry_row[request.industry]
    rows[1] = REGION + sieve.region_row[request.region]
    rows[2] = LIMIT + sieve.limit_row[request.limit]
    months = min(signed(request.operating), MOST_MONTHS) + 1
    rows[3] = OPERATING + sieve.operating_row[months]
    held = signed(0)
    for n in range(4):
        held |= ((request.certificates >> sieve.needed[n]) & 1) << n
    rows[4] = CERTIFICATES + held
    place = signed(0)
    for n in range(STEPS):
        place += sieve.minimum_cuts[n] <= request.principal
    rows[5] = MINIMUM + place
    place = signed(0)
    for n in range(STEPS):
        place += sieve.maximum_cuts[n] <= -request.least
    rows[6] = MAXIMUM + place
    count = signed(request.patents_count)
    rows[7] = LEAST + min(count, MOST_PATENTS)
    start = request.patents_start
    value = signed(0)
    kind = signed(3)
    for n in range(count):
        patent = patents[start + n]
        value += patent.value
        if n == 0:
            kind = signed(patent.kind)
        elif kind != patent.kind:
            kind = signed(3)
        if n < PATENTS:
            months = min(signed(patent.life), MOST_MONTHS) + 1
            rows[RULES + n] = LIFE + sieve.life_row[term, patent.kind, months]
    need = signed(1) << 40
    if value > 0:
        exact = float(request.least) * 1e6 / float(value) * (1.0 - 1e-9) - 1.0
        if exact < 1e12:
            need = signed(exact)
    place = signed(0)
    for n in range(LENDS_STEPS):
        place += sieve.lends_cuts[kind, n] <= -need
    rows[8] = LENDS + 8 * kind + place
    facts[0] = count if 0 < count <= PATENTS else -1
    facts[1], facts[2] = kind, value


@inlined
def left_of(block: int, rows: Words, look: Look) -> Any:
    """Bits of the block's offers that no rule of the sieve refuses to the request."""
    base = block * ROWS
    mine = look.rows
    left = rows[base + mine[0]] & rows[base + mine[1]] & rows[base + mine[2]]
    left &= rows[base + mine[3]] & rows[base + mine[4]] & rows[base + mine[5]]
    left &= rows[base + mine[6]] & rows[base + mine[7]] & rows[base + mine[8]]
    count = look.facts[0]
    if count == 1:
        left &= rows[base + mine[RULES]]
    elif count > 0:
        taken = rows[base + mine[RULES]]
        for n in range(1, count):
            taken |= rows[base + mine[RULES + n]]
        left &= taken
    return left


@inlined
def most_amount(principal: int, most: int, share: int, appraised: int) -> int:
    """No amount between them is greater: `share` fen per million of the value appraised."""
    amount = min(principal, most)
    if share < ENDLESS:
        lends = float(appraised) * float(share) * 1e-6 * (1.0 + 1e-12) + 1.0
        if lends < float(amount):
            amount = signed(lends)
    return signed(amount)
