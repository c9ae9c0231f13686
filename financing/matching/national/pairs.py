"""One request beside one offer in whole numbers: the rules of `eligibility.py`, compiled.

Called by the walks of `choices.py` for pairs that province, size class and term left together;
`tests/matching/test_national_rules.py` holds it against the readable rules pair by pair.
"""

import numpy as np

from financing.matching.national.compiled import inlined, signed
from financing.matching.national.problem import MOST_STEPS, Records, Words
from financing.matching.national.tables import Int32, Int64

REFUSED = 0
ASK = -1
"""The amount is so near to the ceiling that rounding decides: the readable rule must say."""


HALF_LOT = 1 << 30
QUESTIONS = 1 << 28
"""More than limits x terms x offers x 2; amounts are whole yuan up to 10^10."""


@inlined
def ask_key(costs: Records, limit: int, term: int, offer: int, conditional: int, fen: int) -> int:
    """One number for a question to the readable rules."""
    line = (limit * costs.shape[1] + term) * costs.shape[2] + offer
    return signed(line * 2 + conditional + fen // 100 * QUESTIONS)


@inlined
def pair_amount(
    i: int,
    j: int,
    term: int,
    months: int,
    requests: Records,
    patents: Records,
    offers: Records,
    bits: Words,
    steps: Int64,
    costs: Records,
    answers: Int64,
    regions_from: int,
) -> tuple[int, int]:
    """(financeable amount in fen or REFUSED or ASK, what is saved with it in fen)."""
    request, offer = requests[i], offers[j]
    principal = request.principal
    least = max(offer.minimum, request.least)
    most = min(principal, offer.maximum) // 100 * 100
    if (
        principal < offer.minimum
        or most < least
        or (offer.operating > 0 and request.operating < offer.operating)
        or offer.certificates & ~request.certificates != 0
    ):
        return REFUSED, 0
    if offer.accepts_some:
        column = signed(request.industry)
        if (bits[j, column >> 6] >> np.uint64(column & 63)) & np.uint64(1) == np.uint64(0):
            return REFUSED, 0
    if offer.serves_parts:
        column = signed(request.region)
        word = bits[j, regions_from + (column >> 6)]
        if (word >> np.uint64(column & 63)) & np.uint64(1) == np.uint64(0):
            return REFUSED, 0
    kept, usable = 0, 0
    whole, rest = signed(0), signed(0)
    until = months + offer.margin
    start = request.patents_start
    for place in range(start, start + request.patents_count):
        patent = patents[place]
        if patent.kind == 0:
            loan_to_value, life = offer.loan_to_value_0, offer.life_0
        elif patent.kind == 1:
            loan_to_value, life = offer.loan_to_value_1, offer.life_1
        else:
            loan_to_value, life = offer.loan_to_value_2, offer.life_2
        if loan_to_value < 0 or patent.life < max(until, life):
            continue
        if patent.pledgee >= 0 and patent.pledgee != offer.institution:
            continue
        kept += 1
        age = patent.appraisal_age
        if age >= 0 and age <= offer.appraisal_age:
            usable += 1
            whole += patent.value // 1_000_000 * loan_to_value
            rest += patent.value % 1_000_000 * loan_to_value
    if kept < offer.patents_least:
        return REFUSED, 0
    conditional = 0
    lends = signed(0)
    if offer.basis == 1:
        for step in range(MOST_STEPS):
            if steps[j, step] <= kept:
                lends = steps[j, MOST_STEPS + step]
    else:
        limit_fen = offer.unappraised_limit
        if usable == 0 and limit_fen < 0:
            return REFUSED, 0
        # Above 4 x 10^12 fen it no longer matters how much.
        lends = whole + rest // 1_000_000
        if offer.basis == 2:
            lends = min(lends, 4_000_000_000_000) * 1_000_000 // offer.secured_ppm
        if limit_fen > lends and usable < kept:
            lends = limit_fen
            conditional = 1
    amount = min(most, lends) // 100 * 100
    if amount < least:
        return REFUSED, 0
    cost = costs[request.limit, term, j]
    fixed, passes_from, fails_to = cost.fixed_0, cost.passes_from_0, cost.fails_to_0
    if conditional == 1:
        fixed, passes_from, fails_to = cost.fixed_1, cost.passes_from_1, cost.fails_to_1
    saving = amount * cost.saving_ppm // 1_000_000 - fixed
    if saving < 0:
        return REFUSED, 0
    if amount < passes_from:
        if amount <= fails_to:
            return REFUSED, 0
        key = ask_key(costs, signed(request.limit), term, signed(j), conditional, amount)
        place = signed(np.searchsorted(answers, key * 2))
        if place == len(answers) or answers[place] >> 1 != key:
            # The question itself, so that whoever asks need not work the pair out again.
            return ASK, key
        if answers[place] & 1 == 0:
            return REFUSED, 0
    return amount, saving


@inlined
def is_closed(
    closed: int,
    j: int,
    offers: Records,
    closed_start: Int64,
    closed_institution: Int32,
    closed_offer: Int32,
) -> bool:
    """A live match or a decision keeps this offer or its institution from the request."""
    for place in range(closed_start[closed], closed_start[closed + 1]):
        if closed_institution[place] == offers[j].institution or closed_offer[place] == j:
            return True
    return False


@inlined
def scaled(amount: int, share_ppm: int) -> int:
    """floor(amount x share / 10^6) without leaving 64 bits."""
    return amount // 1_000_000 * share_ppm + amount % 1_000_000 * share_ppm // 1_000_000


@inlined
def twice_scaled(amount: int, share_ppm: int, delivery_ppm: int) -> int:
    """floor(amount x share x delivery / 10^12) without leaving 64 bits."""
    first = scaled(amount, share_ppm)
    rest = amount % 1_000_000 * share_ppm % 1_000_000
    high, low = first // 1_000_000, first % 1_000_000
    return high * delivery_ppm + (low * delivery_ppm + rest * delivery_ppm // 1_000_000) // (
        1_000_000
    )


@inlined
def lot(seed: int, id_: int, offer: int) -> int:
    """The lottery of a pair: anybody can draw it again from the published seed (splitmix64)."""
    x = np.uint64(seed) ^ (np.uint64(id_) * np.uint64(0x9E3779B97F4A7C15))
    x ^= np.uint64(offer + 1) * np.uint64(0xD1B54A32D192ED03)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return signed((x ^ (x >> np.uint64(31))) >> np.uint64(1))


@inlined
def blurred(width: int, part: int, drawn: int) -> int:
    """Price in ppm that a pair whose lot was `drawn` has beyond its offer's: from -4 to 4 times
    `width`, most near 0. `part` of 2^29 is what the offer's price has beyond whole ppm: so many
    more of its pairs are a ppm dearer."""
    # Two even numbers of 31 bits from one lot of 63: their sum peaks in the middle.
    both = (drawn & (2 * HALF_LOT - 1)) + (drawn >> 32)
    return signed((both - 2 * HALF_LOT) * width + part >> 29)
