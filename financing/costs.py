"""What a loan offer really costs a request, in exact cash flows; pages and services ask here.

The matcher's integer saving is bounded against these figures by a test (MATCHING 1); what people
read is always the exact one (DOMAIN 4.7), before public subsidy.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from businesses.rules.loan_terms import (
    DayCount,
    Fee,
    FeeTiming,
    LoanTerms,
    Payer,
    RepaymentMethod,
)
from businesses.rules.reference_rates import lpr_percent
from businesses.rules.true_cost import TrueCost, benchmark_terms, is_above_ceiling, true_cost
from financing.match_rows import nominal_rate_percent
from financing.models.loan_offers import FeeKind, LoanOffer
from financing.models.policies import MatchingPolicy


@dataclass(frozen=True)
class OfferCost:
    """Cost of one offer beside the policy's benchmark for the same flows.

    `saving` in yuan: benchmark cost minus own cost; negative where the offer is dearer.
    """

    terms: LoanTerms
    cost: TrueCost
    benchmark: TrueCost
    benchmark_rate_percent: Decimal
    is_above_ceiling: bool

    @property
    def apr_percent(self) -> Decimal:
        return self.cost.apr_percent

    @property
    def benchmark_apr_percent(self) -> Decimal:
        return self.benchmark.apr_percent

    @property
    def saving(self) -> Decimal:
        return self.benchmark.total_cost - self.cost.total_cost

    @property
    def interest_rate_percent(self) -> Decimal:
        return self.terms.interest_rate_percent


def loan_terms(
    offer: LoanOffer,
    principal: Decimal,
    term_months: int,
    drawdown_on: date,
    *,
    is_conditional: bool = False,
) -> LoanTerms:
    """The posted terms for an amount; `is_conditional` adds the appraisal still to be made.

    `offer.fees` should be prefetched. Raises ValueError for an amount or term that is not positive.
    """
    fees = [
        Fee(
            kind=fee.kind,
            payer=cast(Payer, fee.payer),
            timing=cast(FeeTiming, fee.timing),
            amount=fee.amount,
            percent=fee.percent,
        )
        for fee in offer.fees.all()
    ]
    if is_conditional and offer.appraisal_fee:
        fees.append(
            Fee(
                kind=FeeKind.APPRAISAL.value,
                payer="borrower",
                timing="upfront",
                amount=offer.appraisal_fee,
            )
        )
    return LoanTerms(
        principal=principal,
        term_months=term_months,
        interest_rate_percent=nominal_rate_percent(offer, drawdown_on),
        repayment_method=cast(RepaymentMethod, offer.repayment_method),
        drawdown_on=drawdown_on,
        day_count=cast(DayCount, offer.day_count),
        fees=tuple(fees),
    )


def offer_cost(
    offer: LoanOffer,
    principal: Decimal,
    term_months: int,
    on: date,
    policy: MatchingPolicy,
    *,
    is_conditional: bool = False,
) -> OfferCost:
    """True cost and benchmark of `principal` yuan over `term_months` drawn down on `on`."""
    terms = loan_terms(offer, principal, term_months, on, is_conditional=is_conditional)
    lpr = lpr_percent(on, term_months)
    benchmark = benchmark_terms(terms, lpr, policy.reference_spread_percent)
    return OfferCost(
        terms=terms,
        cost=true_cost(terms),
        benchmark=true_cost(benchmark),
        benchmark_rate_percent=benchmark.interest_rate_percent,
        is_above_ceiling=is_above_ceiling(terms, lpr + policy.ceiling_spread_percent),
    )
