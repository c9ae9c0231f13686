"""True cost, ceiling and saving of a loan (DOMAIN 4.7); called by services, pages, match_runs.

All figures are before public subsidy: see subsidies. Benchmark and ceiling are the same flows at
another rate and without fees, so that like is compared with like.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache

from businesses.rules.cash_flows import (
    PRECISION,
    CashFlow,
    NoRate,
    cash_flows,
    effective_rate,
    level_instalment,
    net_present_value,
    payment_dates,
    period_rates,
    to_fen,
    year_fraction,
)
from businesses.rules.loan_terms import Fee, LoanTerms, fee_months

__all__ = [
    "CashFlow",
    "Fee",
    "LoanTerms",
    "NoRate",
    "SavingRate",
    "TrueCost",
    "apr_percent",
    "benchmark_terms",
    "cash_flows",
    "is_above_ceiling",
    "net_present_value",
    "saving",
    "saving_ppm",
    "true_cost",
]

_ZERO = Decimal(0)
_MILLION = 10**6
# Below this the value at the ceiling is the remainder of the root, not money: any real difference
# is at least a fen in some flow.
_NOTHING_YUAN = Decimal("1e-9")


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


def apr_percent(flows: tuple[CashFlow, ...]) -> Decimal:
    """Effective yearly rate in per cent, Act/365, 12 decimals; NoRate where none exists."""
    percent = effective_rate(flows) * 100
    return percent.quantize(Decimal("1e-12"), ROUND_HALF_EVEN)


def true_cost(terms: LoanTerms) -> TrueCost:
    """What the borrower pays beyond the principal, and the yearly rate of it."""
    flows = cash_flows(terms)
    interest = sum((flow.interest for flow in flows), _ZERO)
    fees = sum((flow.fees for flow in flows), _ZERO)
    return TrueCost(interest, fees, interest + fees, apr_percent(flows), flows)


def benchmark_terms(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> LoanTerms:
    """The same flows at LPR plus the policy's reference spread, without fees."""
    return replace(terms, interest_rate_percent=lpr_percent + spread_percent, fees=())


def is_above_ceiling(terms: LoanTerms, ceiling_percent: Decimal) -> bool:
    """True when the loan costs more than the same flows at `ceiling_percent` without fees.

    `ceiling_percent` is nominal: LPR plus the ceiling's spread. Decided by the sign of the net
    present value of the loan's flows at the ceiling's effective rate, never by comparing roots;
    so a loan that has no rate at all (fees eat the principal) is decided too.
    """
    rate = _own_rate(replace(terms, interest_rate_percent=ceiling_percent, fees=()))
    return net_present_value(cash_flows(terms), rate) < -_NOTHING_YUAN


@lru_cache(maxsize=4096)
def _own_rate(terms: LoanTerms) -> Decimal:
    """Effective rate of these flows; remembered, as many offers share one ceiling."""
    return effective_rate(cash_flows(terms))


def saving(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> Decimal:
    """Yuan to the fen that the borrower pays less than the benchmark; negative where more."""
    benchmark = benchmark_terms(terms, lpr_percent, spread_percent)
    return _total_cost(cash_flows(benchmark)) - _total_cost(cash_flows(terms))


def saving_ppm(terms: LoanTerms, lpr_percent: Decimal, spread_percent: Decimal) -> SavingRate:
    """The saving as a share of the principal in millionths, rounded down, and the fixed fees.

    The principal of `terms` plays no part. ⌊fen x ppm / 10⁶⌋ - fixed fees differs from `saving` by
    the rounding of ppm (at most principal / 10⁶) and of the flows (at most a fen for each).
    """
    with localcontext() as context:
        context.prec = PRECISION
        benchmark = benchmark_terms(terms, lpr_percent, spread_percent)
        share = _interest_per_yuan(benchmark) - _interest_per_yuan(terms)
        fixed = _ZERO
        for fee in terms.borrower_fees:
            times = len(fee_months(fee, terms.term_months))
            if fee.amount is not None:
                fixed += to_fen(fee.amount) * times
            else:
                share -= (fee.percent or _ZERO) / 100 * times
        # 30 digits: what is left of an exact figure after 40-digit arithmetic is not a loss.
        ppm = (share * _MILLION).quantize(Decimal("1e-24")).to_integral_value(ROUND_FLOOR)
        return SavingRate(int(ppm), int(fixed * 100))


def _total_cost(flows: tuple[CashFlow, ...]) -> Decimal:
    return sum((flow.interest + flow.fees for flow in flows), _ZERO)


def _interest_per_yuan(terms: LoanTerms) -> Decimal:
    """All interest for one yuan of principal, not rounded."""
    months = terms.term_months
    if terms.repayment_method == "all_at_end":
        days = payment_dates(terms)
        share = year_fraction(days[0], days[-1], months, terms.day_count)
        return terms.interest_rate_percent / 100 * share
    rates = period_rates(terms)
    if terms.repayment_method == "interest_monthly":
        return sum(rates, _ZERO)
    if terms.repayment_method == "equal_principal":
        return sum((rate * (months - k) / months for k, rate in enumerate(rates)), _ZERO)
    return level_instalment(rates) * months - 1
