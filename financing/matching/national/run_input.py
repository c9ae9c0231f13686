"""What a run takes: both kinds in columns, and the policy; built by services, rows and files."""

from dataclasses import dataclass, field

import numpy as np

from financing.matching.national.packing import Closed
from financing.matching.national.tables import (
    InsuranceRequestColumns,
    Int32,
    Int64,
    LoanRequestColumns,
)
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import InsuranceOfferRow, LoanOfferRow


def _no_previous() -> tuple[Int64, Int32]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KindInput:
    """One kind of one run.

    `closed`: what people have settled, by place of the request in the columns. `previous`: the
    proposals of the run before as (place of the request, place of the offer in `offers`).
    """

    requests: LoanRequestColumns | InsuranceRequestColumns
    offers: tuple[LoanOfferRow, ...] | tuple[InsuranceOfferRow, ...]
    closed: Closed = field(default_factory=Closed)
    previous: tuple[Int64, Int32] = field(default_factory=_no_previous)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunInput:
    """Everything a run depends on."""

    loans: KindInput
    insurances: KindInput
    policy: MatchingPolicy
