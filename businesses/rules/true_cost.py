"""Cash flows, true cost and saving of a loan (DOMAIN 4.7); called by services, pages and match_runs.

Shapes fixed; the bodies follow.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

RepaymentMethod = Literal["equal_instalments", "equal_principal", "interest_monthly", "all_at_end"]
DayCount = Literal["30/360", "act/360", "act/365"]
Payer = Literal["borrower", "lender", "public", "guarantor"]
FeeTiming = Literal["upfront", "yearly", "at_end"]


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee of an offer: exactly one of `amount` (yuan) and `percent` (of the principal)."""

    kind: str
    payer: Payer
    timing: FeeTiming
    amount: Decimal | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """What fixes every cash flow of a loan; principal in yuan, rate in per cent a year."""

    principal: Decimal
    term_months: int
    interest_rate_percent: Decimal
    repayment_method: RepaymentMethod
    drawdown_on: date
    day_count: DayCount = "30/360"
    fees: tuple[Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class CashFlow:
    """What moves on one day, in yuan, all parts >= 0; `net` is the borrower's side (+ received)."""

    on: date
    drawdown: Decimal = Decimal(0)
    principal: Decimal = Decimal(0)
    interest: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.drawdown - self.principal - self.interest - self.fees


@dataclass(frozen=True, slots=True)
class TrueCost:
    """Yuan to the fen; `apr_percent` effective yearly, Act/365; before any public subsidy."""

    interest: Decimal
    fees: Decimal
    total_cost: Decimal
    apr_percent: Decimal
    flows: tuple[CashFlow, ...]


@dataclass(frozen=True, slots=True)
class SavingRate:
    """The matcher's integers: saving in fen = amount_fen * ppm // 10**6 - fixed_fees_fen."""

    ppm: int
    fixed_fees_fen: int


def cash_flows(terms: LoanTerms) -> tuple[CashFlow, ...]:
    raise NotImplementedError


def true_cost(terms: LoanTerms) -> TrueCost:
    raise NotImplementedError


def benchmark_terms(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> LoanTerms:
    raise NotImplementedError


def is_above_ceiling(terms: LoanTerms, ceiling_percent: Decimal) -> bool:
    """`ceiling_percent`: nominal, LPR + the policy's ceiling spread."""
    raise NotImplementedError


def saving(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> Decimal:
    raise NotImplementedError


def saving_ppm(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> SavingRate:
    raise NotImplementedError
