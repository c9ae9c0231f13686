"""What offered terms cost beside the posted ones of the same offer; services and pages ask here.

Compared for the amount and length that are offered, from the same drawdown, before public subsidy
(DOMAIN 4.7). `terms` is a `Terms` row or the `OfferedTerms` somebody is about to offer.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, cast

from businesses.rules.loan_terms import (
    DayCount,
    Fee,
    FeeTiming,
    LoanTerms,
    Payer,
    RepaymentMethod,
)
from businesses.rules.premiums import premium
from businesses.rules.true_cost import NoRate, TrueCost, true_cost
from financing.costs import loan_terms
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match
from financing.premiums import tariff_of

# Yearly rates that differ by less are one rate: day counts and rounding to the fen.
SAME_RATE_PERCENT = Decimal("0.001")


class TermsLike(Protocol):
    """What both forms of terms have; `fee_rows` as `Terms.fees` stores them."""

    @property
    def amount(self) -> Decimal: ...
    @property
    def term_months(self) -> int: ...
    @property
    def interest_rate_percent(self) -> Decimal | None: ...
    @property
    def repayment_method(self) -> str: ...
    @property
    def day_count(self) -> str: ...
    @property
    def premium(self) -> Decimal | None: ...
    @property
    def excess_percent(self) -> Decimal | None: ...
    @property
    def fee_rows(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class LoanComparison:
    """`posted`, `offered`: the true cost; None where fees eat the principal (no rate exists)."""

    posted_terms: LoanTerms
    offered_terms: LoanTerms
    posted: TrueCost | None
    offered: TrueCost | None

    @property
    def is_dearer(self) -> bool:
        """The nominal rate or the yearly cost is above the posted one."""
        if self.offered_terms.interest_rate_percent > self.posted_terms.interest_rate_percent:
            return True
        if self.offered is None or self.posted is None:
            return self.posted is not None
        return self.offered.apr_percent - self.posted.apr_percent > SAME_RATE_PERCENT


@dataclass(frozen=True, slots=True)
class PremiumComparison:
    """Yuan a period; excess in per cent."""

    posted_premium: Decimal
    offered_premium: Decimal
    posted_excess_percent: Decimal
    offered_excess_percent: Decimal

    @property
    def is_dearer(self) -> bool:
        """The premium is above that of the posted tariff, or the policyholder bears more."""
        return (
            self.offered_premium > self.posted_premium
            or self.offered_excess_percent > self.posted_excess_percent
        )


def compare_with_posted(
    match: Match, terms: TermsLike, *, on: date
) -> LoanComparison | PremiumComparison:
    """Offered beside posted, as if drawn down on the day `on`; raises RateUnknown."""
    offer = match.offer
    if isinstance(offer, LoanOffer):
        posted = loan_terms(offer, terms.amount, terms.term_months, on)
        offered = offered_loan_terms(terms, on)
        return LoanComparison(posted, offered, _cost(posted), _cost(offered))
    assert terms.premium is not None
    return PremiumComparison(
        posted_premium(offer, match.patents.count(), terms.amount),
        terms.premium,
        offer.excess_percent,
        terms.excess_percent or Decimal(0),
    )


def offered_loan_terms(terms: TermsLike, drawdown_on: date) -> LoanTerms:
    """The cash flows' terms of what is offered on a loan."""
    assert terms.interest_rate_percent is not None
    return LoanTerms(
        principal=terms.amount,
        term_months=terms.term_months,
        interest_rate_percent=terms.interest_rate_percent,
        repayment_method=cast(RepaymentMethod, terms.repayment_method),
        drawdown_on=drawdown_on,
        day_count=cast(DayCount, terms.day_count),
        fees=tuple(
            Fee(
                kind=str(row["kind"]),
                payer=cast(Payer, row["payer"]),
                timing=cast(FeeTiming, row["timing"]),
                amount=_decimal(row.get("amount")),
                percent=_decimal(row.get("percent")),
            )
            for row in terms.fee_rows
        ),
    )


def posted_premium(offer: InsuranceOffer, patent_count: int, sum_insured: Decimal) -> Decimal:
    """The premium of the offer's own tariff, in yuan."""
    return premium(tariff_of(offer), patent_count, sum_insured)


def _cost(terms: LoanTerms) -> TrueCost | None:
    try:
        return true_cost(terms)
    except NoRate:
        return None


def _decimal(text: Any) -> Decimal | None:
    return None if text in (None, "") else Decimal(str(text))
