"""What fixes a loan's cost: terms and fees; built by services and match_runs, read by true_cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

RepaymentMethod = Literal["equal_instalments", "equal_principal", "interest_monthly", "all_at_end"]
DayCount = Literal["30/360", "act/360", "act/365"]
Payer = Literal["borrower", "lender", "public", "guarantor", "insurer"]
FeeTiming = Literal["upfront", "yearly", "at_end"]


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee of an offer: exactly one of `amount` (yuan) and `percent` (of the principal).

    A yearly fee is due at drawdown and on each anniversary before the loan ends, in full.
    """

    kind: str
    payer: Payer
    timing: FeeTiming
    amount: Decimal | None = None
    percent: Decimal | None = None

    def __post_init__(self) -> None:
        if self.payer not in get_args(Payer) or self.timing not in get_args(FeeTiming):
            raise ValueError(f"unknown payer or timing: {self.payer!r}, {self.timing!r}")
        if (self.amount is None) == (self.percent is None):
            raise ValueError("a fee has either an amount or a percentage")
        figure = self.amount if self.amount is not None else self.percent
        if figure is None or not figure.is_finite() or figure < 0:
            raise ValueError("a fee cannot be negative")


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """What fixes every cash flow of a loan; principal in yuan, rate nominal in per cent a year."""

    principal: Decimal
    term_months: int
    interest_rate_percent: Decimal
    repayment_method: RepaymentMethod
    drawdown_on: date
    day_count: DayCount = "30/360"
    fees: tuple[Fee, ...] = ()

    def __post_init__(self) -> None:
        if not self.principal.is_finite() or self.principal <= 0:
            raise ValueError("the principal must be positive")
        if self.term_months < 1:
            raise ValueError("the term must be at least one month")
        if not self.interest_rate_percent.is_finite() or self.interest_rate_percent < 0:
            raise ValueError("the interest rate cannot be negative")
        if self.repayment_method not in get_args(RepaymentMethod):
            raise ValueError(f"unknown repayment method: {self.repayment_method!r}")
        if self.day_count not in get_args(DayCount):
            raise ValueError(f"unknown day count: {self.day_count!r}")

    @property
    def borrower_fees(self) -> tuple[Fee, ...]:
        """The fees the borrower pays: only these are part of its cost."""
        return tuple(fee for fee in self.fees if fee.payer == "borrower")


def fee_months(fee: Fee, term_months: int) -> tuple[int, ...]:
    """Months after drawdown in which the fee falls due."""
    if fee.timing == "upfront":
        return (0,)
    if fee.timing == "at_end":
        return (term_months,)
    return tuple(range(0, term_months, 12))
