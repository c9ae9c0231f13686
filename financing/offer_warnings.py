"""What is unusual about a posted offer: warnings beside it in the admin, never refusals.

Usual values are those of DOMAIN 4.6; the ceiling is the policy's, decided as the matcher does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from businesses.models.patents import PatentKind
from businesses.rules.reference_rates import RateUnknown
from financing.costs import offer_cost
from financing.match_runs import NoPolicy, current_policy
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import CollateralBasis, LoanOffer, RateBasis
from financing.models.offers import OfferStatus
from financing.pair_kinds import AnyOffer
from financing.premiums import premium_examples

# Highest usual loan-to-value in per cent; designs are usually refused.
USUAL_LOAN_TO_VALUE = {
    PatentKind.INVENTION: Decimal(50),
    PatentKind.UTILITY_MODEL: Decimal(30),
}
USUAL_SPREAD_BP = range(-20, 81)
USUAL_MOST_PRINCIPAL = Decimal(10_000_000)
USUAL_MOST_TERM_MONTHS = 36
# Where a least principal is not stated, the ceiling is tried at this amount.
SMALL_LOAN = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class OfferWarning:
    """`is_serious`: the offer, or part of it, will not be proposed as it stands."""

    code: str
    text: str
    is_serious: bool = False


def offer_warnings(offer: AnyOffer, *, on: date) -> list[OfferWarning]:
    """Everything worth a second look, serious things first."""
    found = list(_of_state(offer, on))
    if isinstance(offer, LoanOffer):
        found += [*_of_ceiling(offer, on), *_of_usual_values(offer)]
    else:
        found += _of_standard_premium(offer, on)
    return sorted(found, key=lambda warning: not warning.is_serious)


def _of_state(offer: AnyOffer, on: date) -> Iterable[OfferWarning]:
    if offer.institution.is_suspended:
        text = _("Your institution is suspended: none of its offers is proposed.")
        yield OfferWarning("institution_suspended", text, is_serious=True)
    if offer.status == OfferStatus.PUBLISHED and offer.closes_on and offer.closes_on < on:
        text = _("The last day is over: the offer is not proposed any more.")
        yield OfferWarning("window_over", text, is_serious=True)


def _of_ceiling(offer: LoanOffer, on: date) -> Iterable[OfferWarning]:
    """Tried at the corners of the range: small and large, short and long loans."""
    try:
        policy = current_policy(on)
        small = min(offer.max_principal, max(offer.min_principal, SMALL_LOAN))
        costs = [
            offer_cost(offer, principal, term_months, on, policy)
            for principal in dict.fromkeys((small, offer.max_principal))
            for term_months in dict.fromkeys((offer.min_term_months, offer.max_term_months))
        ]
    except (NoPolicy, RateUnknown):
        return
    above = [cost for cost in costs if cost.is_above_ceiling or cost.saving < 0]
    if not above:
        return
    if len(above) == len(costs):
        yield OfferWarning(
            "above_ceiling",
            _(
                "With its fees this offer costs more than the policy's ceiling for low-interest "
                "loans (LPR + %(spread)s percentage points): as it stands it will not be proposed."
            )
            % {"spread": policy.ceiling_spread_percent.normalize()},
            is_serious=True,
        )
    else:
        yield OfferWarning(
            "partly_above_ceiling",
            _(
                "For some amounts and terms this offer costs more than the policy's ceiling, "
                "mostly because fixed fees weigh more on small or short loans. Those loans will "
                "not be proposed."
            ),
            is_serious=True,
        )


def _of_standard_premium(offer: InsuranceOffer, on: date) -> Iterable[OfferWarning]:
    """Tried at the examples that the offer's page shows."""
    try:
        examples = premium_examples(offer, current_policy(on))
    except NoPolicy:
        return
    if all(example.standard is None for example in examples):
        text = _(
            "The policy has no standard premium for this cover: no reduction can be shown, so "
            "businesses see that the offer saves nothing."
        )
        yield OfferWarning("no_standard_premium", text)
    dearer = [example for example in examples if example.is_dearer]
    if dearer and len(dearer) == len(examples):
        text = _(
            "The premium is above the policy's standard premium: as it stands the offer will not "
            "be proposed."
        )
        yield OfferWarning("above_standard_premium", text, is_serious=True)
    elif dearer:
        text = _(
            "For some sums insured the premium is above the policy's standard premium. Such "
            "requests will not be proposed."
        )
        yield OfferWarning("partly_above_standard_premium", text, is_serious=True)


def _of_usual_values(offer: LoanOffer) -> Iterable[OfferWarning]:
    for part in offer.accepted_kinds.all():
        usual = USUAL_LOAN_TO_VALUE.get(PatentKind(part.kind))
        if usual is None:
            yield OfferWarning("designs_accepted", _("Designs are usually not accepted."))
        elif offer.collateral_basis != CollateralBasis.LIMIT_TABLE and (
            part.loan_to_value_percent > usual
        ):
            text = _("Loan-to-value of %(kind)s is above the usual %(usual)s %%.") % {
                "kind": part.get_kind_display(),
                "usual": usual,
            }
            yield OfferWarning("loan_to_value_unusual", text)
    if offer.rate_basis != RateBasis.FIXED and offer.spread_bp not in USUAL_SPREAD_BP:
        yield OfferWarning(
            "spread_unusual", _("The spread is outside the usual -20 to +80 basis points.")
        )
    if offer.max_principal > USUAL_MOST_PRINCIPAL:
        yield OfferWarning(
            "principal_unusual", _("The most principal is above the usual 10 million yuan.")
        )
    if offer.max_term_months > USUAL_MOST_TERM_MONTHS:
        yield OfferWarning("term_unusual", _("The longest term is above the usual 36 months."))
