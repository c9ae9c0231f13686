"""Guarantees a business may take beside a loan: what is covered, who pays, what it then costs.

Shown on the owner's offer and match pages as options with a cost line of their own; matching,
saving and ceiling never count them (DOMAIN 4.5, 4.7).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from businesses.models import Business
from businesses.rules.loan_terms import Fee, LoanTerms, fee_months
from businesses.rules.reference_rates import RateUnknown
from businesses.rules.true_cost import NoRate, true_cost
from financing.costs import OfferCost, loan_terms
from financing.matching.areas import lies_in_divisions, lies_in_industries
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.matches import Match
from financing.models.terms import Terms, TermsStatus
from financing.terms_costs import offered_loan_terms
from sipo_portal.ui import formats

FEN = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class GuaranteeOption:
    """One guarantee for one loan; yuan. `apr_percent` is that of loan and guarantee together."""

    offer: GuaranteeOffer
    lender: Institution
    covered_amount: Decimal
    yearly_fee: Decimal
    total_fee: Decimal
    apr_percent: Decimal | None

    @property
    def pledgee(self) -> Institution:
        """Who is registered; the creditor is the lender in either case."""
        return self.offer.institution if self.offer.is_pledgee else self.lender

    @property
    def losses(self) -> list[str]:
        """Who bears which part of a loss."""
        names = {
            "guarantor": _("guarantee company"),
            "bank": _("bank"),
            "insurer": _("insurer"),
            "fund": _("public fund"),
            "valuer": _("valuer"),
        }
        return [
            _("%(who)s %(percent)s")
            % {
                "who": name,
                "percent": formats.percent(Decimal(str(self.offer.loss_sharing[bearer]))),
            }
            for bearer, name in names.items()
            if bearer in self.offer.loss_sharing
        ]


def guarantee_options(
    loan_offer: LoanOffer, business: Business, terms: LoanTerms, *, on: date
) -> list[GuaranteeOption]:
    """Open guarantees attached to the offer that serve the business, cheapest first.

    `terms`: the loan they are for, principal in yuan.
    """
    options = [
        _option(offer, loan_offer.institution, terms)
        for offer in _open_offers(loan_offer.pk, on)
        if _serves(offer, business)
    ]
    return sorted(options, key=lambda option: (option.total_fee, option.offer.pk))


def guarantees_beside(
    offer: LoanOffer | InsuranceOffer, business: Business, cost: OfferCost | None, *, on: date
) -> list[GuaranteeOption]:
    """The same for an offer's page; none beside an insurance or where there is no amount."""
    if cost is None or not isinstance(offer, LoanOffer):
        return []
    return guarantee_options(offer, business, cost.terms, on=on)


def guarantees_of(match: Match, *, on: date) -> list[GuaranteeOption]:
    """The same for a match's page: beside its newest terms, before that beside the posted ones.

    None after the match is over and where the rate of the day is not known.
    """
    offer, request = match.loan_offer, match.loan_request
    if offer is None or request is None or not match.is_live or not request.term_months:
        return []
    terms: Terms | None = match.terms.exclude(status=TermsStatus.ENDED).first()
    try:
        loan = (
            offered_loan_terms(terms, on)
            if terms is not None
            else loan_terms(offer, match.amount, request.term_months, on)
        )
    except RateUnknown:
        return []
    return guarantee_options(offer, match.business, loan, on=on)


def guarantees_taking_pledges(match: Match, *, on: date) -> list[GuaranteeOffer]:
    """Open guarantees beside the match's loan that serve the business and are pledgee, by age."""
    offers = _open_offers(match.loan_offer_id, on) if match.loan_offer_id is not None else []
    taking = [each for each in offers if each.is_pledgee and _serves(each, match.business)]
    return sorted(taking, key=lambda offer: offer.pk)


def _open_offers(loan_offer_id: int, on: date) -> Iterable[GuaranteeOffer]:
    return (
        GuaranteeOffer.objects.live()
        .filter(loan_offers=loan_offer_id, opens_on__lte=on)
        .filter(Q(closes_on__isnull=True) | Q(closes_on__gte=on))
        .select_related("institution")
        .prefetch_related("regions")
    )


def _serves(offer: GuaranteeOffer, business: Business) -> bool:
    regions = [region.code for region in offer.regions.all()]
    return (
        (not offer.size_classes or business.size_class in offer.size_classes)
        and (not regions or lies_in_divisions(business.region_id, regions))
        and (not offer.industries or lies_in_industries(business.industry, offer.industries))
    )


def _option(offer: GuaranteeOffer, lender: Institution, terms: LoanTerms) -> GuaranteeOption:
    covered = (terms.principal * offer.share_percent / 100).quantize(FEN, ROUND_HALF_UP)
    yearly = (covered * offer.fee_percent / 100).quantize(FEN, ROUND_HALF_UP)
    fee = Fee(kind="guarantee", payer="borrower", timing="yearly", amount=yearly)
    try:
        apr = true_cost(replace(terms, fees=(*terms.fees, fee))).apr_percent
    except NoRate:
        apr = None
    return GuaranteeOption(
        offer=offer,
        lender=lender,
        covered_amount=covered,
        yearly_fee=yearly,
        total_fee=yearly * len(fee_months(fee, terms.term_months)),
        apr_percent=apr,
    )
