"""Insurance requests and offers as the matcher's rows; `kind_rows` reads them here.

The border is that of `match_rows`: yuan and per cent in records, fen and ppm in rows.
"""

from collections.abc import Sequence
from datetime import date
from typing import cast

from django.db.models import Prefetch, QuerySet

from businesses.models import Patent
from businesses.rules.insurability import InsuranceConditions
from businesses.rules.patent_term import PatentKind
from businesses.selectors import expires_on, insurability_of
from financing.delivery_shares import delivery_shares_ppm
from financing.match_rows import (
    DELIVERY_PRIOR_COUNT,
    HeldCapacity,
    co_owner_id,
    earlier_borrowers,
    fen,
    held_capacity,
    optional_fen,
    ppm,
    waiting_days,
)
from financing.matching import tables
from financing.matching.columns import PPM
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest

# A patent that only a licensee's cover could take: refused by offers that insure owners alone.
LICENSEE_NOT_ACCEPTED = "licensee_not_accepted"
# Every insurer insists on these (DOMAIN 4.5); kind and remaining life are columns of the offer.
ALWAYS_INSISTED = frozenset({"policyholder_not_entitled", "not_in_force", "annuity_unpaid"})
DISPUTES = frozenset({"ownership_dispute_pending", "infringement_dispute_pending"})
_STRICTEST = InsuranceConditions(min_remaining_months=0)
_OWNERS_ONLY = InsuranceConditions(min_remaining_months=0, accepts_licensees=False)


def with_insured_facts(requests: QuerySet[InsuranceRequest]) -> QuerySet[InsuranceRequest]:
    """The requests with everything `insurance_request_rows` reads, in a fixed number of queries."""
    return requests.select_related("business").prefetch_related(
        Prefetch("patents", queryset=Patent.objects.with_facts())
    )


def with_conditions(offers: QuerySet[InsuranceOffer]) -> QuerySet[InsuranceOffer]:
    """The offers with everything `insurance_offer_rows` reads."""
    return offers.select_related("institution").prefetch_related("regions")


def conditions_of(offer: InsuranceOffer) -> frozenset[str]:
    """Codes of the insurability conditions that the offer's columns insist on."""
    codes = set(ALWAYS_INSISTED)
    if offer.needs_co_owner_consent:
        codes.add("co_owner_consent_missing")
    if offer.refuses_disputes:
        codes |= DISPUTES
    if not offer.accepts_licensee:
        codes.add(LICENSEE_NOT_ACCEPTED)
    return frozenset(codes)


def insurance_conditions(offer: InsuranceOffer) -> InsuranceConditions:
    """The same as the plain rule takes them, with remaining life and kinds."""
    return InsuranceConditions(
        accepts_licensees=offer.accepts_licensee,
        needs_co_owner_consent=offer.needs_co_owner_consent,
        min_remaining_months=offer.min_remaining_months,
        refuses_ownership_dispute=offer.refuses_disputes,
        refuses_infringement_dispute=offer.refuses_disputes,
        accepted_kinds=tuple(cast(PatentKind, kind) for kind in offer.accepted_kinds),
    )


def insurability_failures(patent: Patent, on: date) -> frozenset[str]:
    """Codes of every condition this patent fails, whichever of them an offer insists on."""
    codes = {each.code for each in insurability_of(patent, on=on, conditions=_STRICTEST)}
    owners_only = {each.code for each in insurability_of(patent, on=on, conditions=_OWNERS_ONLY)}
    if "policyholder_not_entitled" in owners_only - codes:
        codes.add(LICENSEE_NOT_ACCEPTED)
    return frozenset(codes - {"remaining_life_too_short", "kind_not_insured"})


def insurance_offer_criteria(
    offers: Sequence[InsuranceOffer], on: date
) -> list[tables.InsuranceOfferRow]:
    """Offers read `with_conditions`, as if nothing were held and everything delivered."""
    return [_offer_row(offer, HeldCapacity(), PPM) for offer in offers]


def insurance_offer_rows(
    offers: Sequence[InsuranceOffer], on: date
) -> list[tables.InsuranceOfferRow]:
    """Offers read `with_conditions`, with capacity and delivery share as of now."""
    held = held_capacity(offers)
    delivery = delivery_shares_ppm(
        [offer.pk for offer in offers],
        on,
        prior_count=DELIVERY_PRIOR_COUNT,
        offer_field="insurance_offer",
    )
    return [
        _offer_row(offer, held.get(offer.pk, HeldCapacity()), delivery.get(offer.pk, PPM))
        for offer in offers
    ]


def _offer_row(
    offer: InsuranceOffer, held: HeldCapacity, delivery_ppm: int
) -> tables.InsuranceOfferRow:
    return tables.InsuranceOfferRow(
        id=str(offer.pk),
        institution_id=str(offer.institution_id),
        status=offer.status,
        is_institution_suspended=offer.institution.is_suspended,
        opens_on=offer.opens_on,
        closes_on=offer.closes_on,
        regions=frozenset(region.code for region in offer.regions.all()),
        industries=frozenset(offer.industries),
        size_classes=frozenset(offer.size_classes),
        cover_kind=offer.cover_kind,
        sum_insured_min_fen=fen(offer.min_sum_insured),
        sum_insured_max_fen=fen(offer.max_sum_insured),
        accepted_kinds=frozenset(offer.accepted_kinds),
        min_patents_count=offer.min_patents,
        min_remaining_months=offer.min_remaining_months,
        conditions=conditions_of(offer),
        premium_min_fen=fen(offer.min_premium),
        premium_base_fen=fen(offer.base_premium),
        premium_per_patent_fen=fen(offer.premium_per_patent),
        premium_rate_ppm=ppm(offer.premium_rate_percent),
        capacity_fen=fen(offer.capacity_amount),
        booked_fen=fen(offer.booked_amount),
        held_fen=fen(held.amount),
        capacity_count=offer.capacity_count,
        booked_count=offer.booked_count,
        held_count=held.count,
        delivery_ppm=delivery_ppm,
    )


def insurance_request_rows(
    requests: Sequence[InsuranceRequest], on: date
) -> list[tables.InsuranceRequestRow]:
    """Requests read `with_insured_facts`; drafts must have their sum insured."""
    borrowers = earlier_borrowers({request.business_id for request in requests})
    patents = {patent.pk: patent for request in requests for patent in request.patents.all()}
    rows = {pk: _patent_row(patent, on) for pk, patent in patents.items()}
    return [
        _request_row(
            request,
            on,
            patents=tuple(rows[patent.pk] for patent in request.patents.all()),
            is_first_time=request.business_id not in borrowers,
        )
        for request in requests
    ]


def _request_row(
    request: InsuranceRequest,
    on: date,
    *,
    patents: tuple[tables.PatentRow, ...],
    is_first_time: bool,
) -> tables.InsuranceRequestRow:
    business = request.business
    assert request.sum_insured is not None
    return tables.InsuranceRequestRow(
        id=str(request.pk),
        business_id=str(business.pk),
        region_code=business.region_id,
        industry_code=business.industry,
        size_class=business.size_class,
        cover_kind=request.cover_kind,
        sum_insured_fen=fen(request.sum_insured),
        max_premium_fen=optional_fen(request.premium_limit),
        is_first_time_borrower=is_first_time,
        waiting_days=waiting_days(request, on),
        patents=patents,
    )


def _patent_row(patent: Patent, on: date) -> tables.PatentRow:
    # Neither appraisal nor pledge matters to an insurer: insuring encumbers nothing.
    return tables.PatentRow(
        id=str(patent.pk),
        kind=patent.kind,
        expires_on=expires_on(patent),
        appraised_value_fen=None,
        appraised_on=None,
        co_owner_ids=frozenset(co_owner_id(owner) for owner in patent.co_owners.all()),
        insurability_failures=insurability_failures(patent, on),
    )
