"""What offered terms are measured against: benchmark or standard premium; `services.terms` freezes.

Loans against the policy's benchmark of the same cash flows (DOMAIN 4.7), insurances against the
standard premium of the policy's table (DOMAIN 4.5); goals and reports read the frozen figures.
"""

from datetime import date
from decimal import Decimal

from businesses.rules.premiums import Tariff, premium
from businesses.rules.reference_rates import RateUnknown, lpr_percent
from businesses.rules.true_cost import NoRate, benchmark_terms, true_cost
from financing.match_runs import current_policy
from financing.models.insurance_offers import InsuranceOffer
from financing.models.matches import Match
from financing.models.policies import StandardPremium
from financing.terms_costs import TermsLike, offered_loan_terms

APR_STEP = Decimal("0.0001")
# What the columns hold; above it the fees eat the loan and no yearly cost says anything.
MOST_APR_PERCENT = Decimal(10) ** 7


def benchmark_columns(match: Match, terms: TermsLike, *, on: date) -> dict[str, Decimal | None]:
    """Columns of `Terms` in per cent and yuan; None where no rate or no standard premium exists."""
    offer = match.offer
    if isinstance(offer, InsuranceOffer):
        count = match.patents.count()
        return {"standard_premium": standard_premium(offer.cover_kind, count, terms.amount, on=on)}
    flows = offered_loan_terms(terms, on)
    try:
        lpr = lpr_percent(on, terms.term_months)
        spread = current_policy(on).reference_spread_percent
        own = true_cost(flows).apr_percent
        benchmark = true_cost(benchmark_terms(flows, lpr, spread)).apr_percent
    except (NoRate, RateUnknown):
        return {}
    if own >= MOST_APR_PERCENT:
        return {}
    return {
        "apr_percent": own.quantize(APR_STEP),
        "benchmark_apr_percent": benchmark.quantize(APR_STEP),
    }


def standard_premium(
    cover_kind: str, patent_count: int, sum_insured: Decimal, *, on: date
) -> Decimal | None:
    """Yuan by the table of the policy in force on the day `on`; None for a cover it does not name.

    Raises NoPolicy.
    """
    row: StandardPremium | None = StandardPremium.objects.filter(
        policy=current_policy(on), cover_kind=cover_kind
    ).first()
    if row is None:
        return None
    tariff = Tariff(
        minimum=row.min_premium,
        base=row.base_premium,
        per_patent=row.premium_per_patent,
        rate_percent=row.premium_rate_percent,
    )
    return premium(tariff, patent_count, sum_insured)
