"""What an offer costs and saves: the integer formula of the engine, exact once per offer and term.

Called by the rules; the cash flows themselves are `businesses.rules.true_cost` (DOMAIN 4.7).
"""

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
from businesses.rules.true_cost import (
    NoRate,
    SavingRate,
    benchmark_terms,
    is_above_ceiling,
    saving_ppm,
    true_cost,
)
from financing.matching.columns import PPM
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import InsuranceOfferRow, LoanOfferRow

# Offers without fixed fees cost the same share whatever the amount: priced once for this one.
REFERENCE_FEN = 100_000_000
LONGEST_ONE_YEAR_LPR_TERM_MONTHS = 60


def percent(ppm: int) -> Decimal:
    """Parts per million as per cent: 52_500 -> 5.25."""
    return Decimal(ppm) / 10_000


def ppm(percent_value: Decimal) -> int:
    """Per cent as parts per million, to the nearest."""
    return int((percent_value * 10_000).to_integral_value())


def yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100


def lpr_ppm(policy: MatchingPolicy, term_months: int) -> int:
    """One-year LPR up to five years, five-year LPR above (DOMAIN 4.6)."""
    if term_months <= LONGEST_ONE_YEAR_LPR_TERM_MONTHS:
        return policy.lpr_one_year_ppm
    return policy.lpr_five_year_ppm


def loan_terms(
    offer: LoanOfferRow, term_months: int, amount_fen: int, drawdown_on: date, *, conditional: bool
) -> LoanTerms:
    """The offer as cash-flow terms; `conditional` adds the fee of an appraisal still to make."""
    fees = []
    for number, fee in enumerate(offer.fees, start=1):
        payer, timing = cast(Payer, fee.payer), cast(FeeTiming, fee.timing)
        if fee.fixed_fen:
            fees.append(Fee(f"fixed_{number}", payer, timing, amount=yuan(fee.fixed_fen)))
        if fee.share_ppm:
            fees.append(Fee(f"share_{number}", payer, timing, percent=percent(fee.share_ppm)))
    if conditional and offer.appraisal_fee_fen:
        fees.append(Fee("appraisal", "borrower", "upfront", amount=yuan(offer.appraisal_fee_fen)))
    return LoanTerms(
        principal=yuan(amount_fen),
        term_months=term_months,
        interest_rate_percent=percent(offer.interest_rate_ppm),
        repayment_method=cast(RepaymentMethod, offer.repayment_method),
        drawdown_on=drawdown_on,
        day_count=cast(DayCount, offer.day_count),
        fees=tuple(fees),
    )


class CostBook:
    """Costs under one policy, each worked out once; not shared between policies."""

    def __init__(self, policy: MatchingPolicy) -> None:
        self.policy = policy
        self._rates: dict[LoanTerms, SavingRate] = {}
        self._above: dict[tuple[LoanTerms, int], bool] = {}
        self._aprs: dict[LoanTerms, Decimal | None] = {}

    def terms(
        self, offer: LoanOfferRow, term_months: int, amount_fen: int, *, conditional: bool
    ) -> LoanTerms:
        has_fixed = any(fee.fixed_fen and fee.payer == "borrower" for fee in offer.fees)
        if not has_fixed and not (conditional and offer.appraisal_fee_fen):
            amount_fen = REFERENCE_FEN
        return loan_terms(
            offer, term_months, amount_fen, self.policy.as_of, conditional=conditional
        )

    def saving_fen(
        self, offer: LoanOfferRow, term_months: int, amount_fen: int, *, conditional: bool
    ) -> int:
        """floor(amount x saving_ppm / 10^6) - fixed fees; may be negative (MATCHING §1)."""
        terms = loan_terms(
            offer, term_months, REFERENCE_FEN, self.policy.as_of, conditional=conditional
        )
        if terms not in self._rates:
            self._rates[terms] = saving_ppm(
                terms,
                percent(lpr_ppm(self.policy, term_months)),
                percent(self.policy.reference_spread_ppm),
            )
        rate = self._rates[terms]
        return amount_fen * rate.ppm // PPM - rate.fixed_fees_fen

    def is_above_ceiling(self, terms: LoanTerms) -> bool:
        """Dearer than the same flows at LPR + ceiling spread, by the sign of the present value."""
        ceiling = self.ceiling_ppm(terms.term_months)
        if (terms, ceiling) not in self._above:
            self._above[terms, ceiling] = is_above_ceiling(terms, percent(ceiling))
        return self._above[terms, ceiling]

    def ceiling_ppm(self, term_months: int) -> int:
        return max(0, lpr_ppm(self.policy, term_months) + self.policy.ceiling_spread_ppm)

    def apr(self, terms: LoanTerms) -> Decimal | None:
        """Effective yearly cost in per cent before any public subsidy.

        None where no rate exists: the fees eat the principal.
        """
        if terms not in self._aprs:
            try:
                self._aprs[terms] = true_cost(terms).apr_percent
            except NoRate:
                self._aprs[terms] = None
        return self._aprs[terms]

    def ceiling_apr(self, terms: LoanTerms) -> Decimal | None:
        """Effective yearly cost of the same flows at the ceiling."""
        lpr = lpr_ppm(self.policy, terms.term_months)
        return self.apr(
            benchmark_terms(terms, percent(lpr), percent(self.policy.ceiling_spread_ppm))
        )


def premium_fen(offer: InsuranceOfferRow, sum_insured_fen: int, patents_count: int) -> int:
    """max(minimum, base + per patent x n + rate x sum insured), half a fen rounded up (4.5)."""
    return max(
        offer.premium_min_fen,
        offer.premium_base_fen
        + offer.premium_per_patent_fen * patents_count
        + _share(sum_insured_fen, offer.premium_rate_ppm),
    )


def standard_premium_fen(
    policy: MatchingPolicy, cover_kind: str, sum_insured_fen: int, patents_count: int
) -> int | None:
    """Premium of the policy's own table for the same cover; None where it lists none."""
    for row in policy.standard_premiums:
        if row.cover_kind == cover_kind:
            return max(
                row.min_fen,
                row.base_fen
                + row.per_patent_fen * patents_count
                + _share(sum_insured_fen, row.rate_ppm),
            )
    return None


def _share(amount_fen: int, rate_ppm: int) -> int:
    return (amount_fen * rate_ppm + PPM // 2) // PPM
