"""One insurance request beside one offer in whole numbers: the rules of eligibility.py, compiled.

`tests/matching/test_national_insurance.py` holds it against the readable rules pair by pair. Kind
of cover, window, size class and province are settled by the lists of `insurance_packing.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import inlined, signed
from financing.matching.national.problem import Records, Words
from financing.matching.national.tables import Int32, Int64

INSURANCE_REQUEST = np.dtype(
    [
        ("sum_insured", np.int64),
        # 2^62: the business names no limit.
        ("most_premium", np.int64),
        ("patents_start", np.int64),
        ("region", np.uint16),
        ("industry", np.uint16),
        ("patents_count", np.int32),
    ],
    align=True,
)

INSURED_PATENT = np.dtype(
    [
        # Bits of the conditions it does not meet.
        ("failures", np.int64),
        # Whole months left on the policy's day, -1: ended.
        ("life", np.int16),
        ("kind", np.uint8),
    ],
    align=True,
)

INSURANCE_OFFER = np.dtype(
    [
        ("sum_min", np.int64),
        ("sum_max", np.int64),
        ("conditions", np.int64),
        ("premium_min", np.int64),
        ("premium_base", np.int64),
        ("premium_patent", np.int64),
        ("premium_rate", np.int64),
        # The policy's own premium for this kind of cover; `has_standard` 0: it lists none.
        ("standard_min", np.int64),
        ("standard_base", np.int64),
        ("standard_patent", np.int64),
        ("standard_rate", np.int64),
        ("patents_least", np.int32),
        ("life", np.int32),
        # Bit n: patents of kind n are insured.
        ("kinds", np.uint8),
        ("has_standard", np.uint8),
        ("serves_parts", np.uint8),
        ("accepts_some", np.uint8),
    ],
    align=True,
)


class InsuranceData(NamedTuple):
    """All that the rules of a pair read, and by packed request the list of offers to look at.

    `bits`, `regions_from`: as in `problem.Data`. Offers of list l: offers_start[l] up to the next.
    """

    requests: Records
    patents: Records
    offers: Records
    bits: Words
    regions_from: int
    list_of: Int32
    offers_start: Int64
    offer: Int32


@inlined
def is_insurable(place: int, j: int, patents: Records, offers: Records) -> bool:
    """The patent is of a kind insured, lives long enough and meets the insurer's conditions."""
    patent, offer = patents[place], offers[j]
    if (signed(offer.kinds) >> signed(patent.kind)) & 1 == 0:
        return False
    meets_all = patent.failures & offer.conditions == 0
    return bool(meets_all and patent.life >= max(signed(offer.life), 0))


@inlined
def premium_of(least: int, base: int, per_patent: int, rate: int, fen: int, patents: int) -> int:
    """DOMAIN 4.5, half a fen rounded up; as `savings.premium_fen`."""
    share = fen // 1_000_000 * rate + (fen % 1_000_000 * rate + 500_000) // 1_000_000
    return max(least, base + per_patent * patents + share)


@inlined
def insurance_pair(
    i: int,
    j: int,
    requests: Records,
    patents: Records,
    offers: Records,
    bits: Words,
    regions_from: int,
) -> tuple[int, int, int]:
    """(sum insured in fen or 0 = refused, saving, premium)."""
    request, offer = requests[i], offers[j]
    fen = request.sum_insured
    if fen < offer.sum_min or fen > offer.sum_max:
        return 0, 0, 0
    if offer.accepts_some:
        column = signed(request.industry)
        if (bits[j, column >> 6] >> np.uint64(column & 63)) & np.uint64(1) == np.uint64(0):
            return 0, 0, 0
    if offer.serves_parts:
        column = signed(request.region)
        word = bits[j, regions_from + (column >> 6)]
        if (word >> np.uint64(column & 63)) & np.uint64(1) == np.uint64(0):
            return 0, 0, 0
    kept = signed(0)
    start = request.patents_start
    for place in range(start, start + request.patents_count):
        if is_insurable(place, j, patents, offers):
            kept += 1
    if kept < offer.patents_least:
        return 0, 0, 0
    premium = premium_of(
        offer.premium_min,
        offer.premium_base,
        offer.premium_patent,
        offer.premium_rate,
        fen,
        kept,
    )
    if premium > request.most_premium:
        return 0, 0, 0
    saving = signed(0)
    if offer.has_standard:
        standard = premium_of(
            offer.standard_min,
            offer.standard_base,
            offer.standard_patent,
            offer.standard_rate,
            fen,
            kept,
        )
        saving = standard - premium
    if saving < 0:
        return 0, 0, 0
    return fen, saving, premium
