"""What the compiled code reads: records of requests, patents and offers; `packing.py` makes them.

Records, not columns, because a walk touches most fields of one line at once. Amounts in fen,
shares in ppm, days and months whole.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from financing.matching.national.tables import Int32, Int64

Words = NDArray[np.uint64]
Float64 = NDArray[np.float64]
Records = NDArray[Any]

MOST_STEPS = 16
"""Most lines of a limit table."""

REQUEST = np.dtype(
    [
        ("id", np.int64),
        ("principal", np.int64),
        ("least", np.int64),
        ("certificates", np.int64),
        # Worth of reaching the business, weighted, before the offer's delivery.
        ("coverage", np.int64),
        ("patents_start", np.int64),
        # Line of `Closed`, or -1: nothing is closed to the request.
        ("closed", np.int32),
        ("region", np.uint16),
        ("industry", np.uint16),
        # Whole months since the business was established; -1: not yet.
        ("operating", np.int16),
        # Patents that some offer could take.
        ("patents_count", np.uint16),
        # Place of the highest yearly cost accepted, 0: none.
        ("limit", np.uint8),
        # Proposals it may still get, and whether a live match reaches it already.
        ("slots", np.uint8),
        ("is_reached", np.uint8),
    ],
    align=True,
)

PATENT = np.dtype(
    [
        # 0 where there is no appraisal.
        ("value", np.int64),
        # Who holds a pledge that is not released at drawdown; -1: nobody.
        ("pledgee", np.int32),
        # Whole months left at drawdown, -1: ended.
        ("life", np.int16),
        # Months an offer's limit must reach for the appraisal to be usable; -1: never usable.
        ("appraisal_age", np.int16),
        ("kind", np.uint8),
    ],
    align=True,
)

OFFER = np.dtype(
    [
        ("minimum", np.int64),
        ("maximum", np.int64),
        ("certificates", np.int64),
        ("loan_to_value_0", np.int64),
        ("loan_to_value_1", np.int64),
        ("loan_to_value_2", np.int64),
        ("secured_ppm", np.int64),
        ("unappraised_limit", np.int64),
        ("delivery", np.int64),
        ("life_0", np.int32),
        ("life_1", np.int32),
        ("life_2", np.int32),
        ("operating", np.int32),
        ("patents_least", np.int32),
        ("margin", np.int32),
        ("institution", np.int32),
        ("appraisal_age", np.int16),
        # Index in COLLATERAL_BASES.
        ("basis", np.uint8),
        # Whether the bits of regions and industries must be looked at.
        ("serves_parts", np.uint8),
        ("accepts_some", np.uint8),
    ],
    align=True,
)

COST = np.dtype(
    [
        # -1: offer and term do not go together, or nothing is saved.
        ("saving_ppm", np.int64),
        # Without and with an appraisal still to be made.
        ("fixed_0", np.int64),
        ("fixed_1", np.int64),
        ("fails_to_0", np.int64),
        ("fails_to_1", np.int64),
        ("passes_from_0", np.int64),
        ("passes_from_1", np.int64),
    ],
    align=True,
)


class Data(NamedTuple):
    """All that the rules of a pair read.

    `bits`: by offer, industries first, then regions from word `regions_from` on. `steps`: by
    offer, numbers of patents of the limit table, then the limits. `costs`: by limit, term, offer.
    `answers`: sorted, question x 2 + answer, of what the readable rules were asked.
    """

    requests: Records
    patents: Records
    offers: Records
    bits: Words
    steps: Int64
    costs: Records
    answers: Int64
    regions_from: int
    closed_start: Int64
    closed_institution: Int32
    closed_offer: Int32


class Groups(NamedTuple):
    """Requests of one province, size class and term, and who may serve them.

    `start`: one longer, lines of the group; `province`: place of its code among those of the run;
    `offers_start`: one longer, its part of `offer`, which rises.
    """

    start: Int64
    term: Int32
    province: Int32
    offers_start: Int64
    offer: Int32
