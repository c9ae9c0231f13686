"""Posting loan offers: save and copy; called by the admin and imports.

Their steps are those of every offer (`services.offers`) and are offered here too.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.models.institutions import Institution, InstitutionKind
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
)
from financing.models.offers import OfferStatus
from financing.services.offer_terms import (
    FeeTerms,
    KindTerms,
    LimitTerms,
    OfferTerms,
    columns_of,
    normalised,
    validate_terms,
)
from financing.services.offers import (
    STEPS,
    apply_columns,
    changes_between,
    check_post,
    close,
    copied_name,
    copied_window,
    institution_of,
    match_again,
    pause,
    publish,
    refuse_closed,
    regions_of,
    resume,
    same_draft,
)
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region

__all__ = [
    "STEPS",
    "close",
    "copy_as_draft",
    "create_loan_offers",
    "institution_of",
    "pause",
    "publish",
    "resume",
    "save_loan_offer",
    "terms_of",
]


@transaction.atomic
def save_loan_offer(
    actor: Actor, *, institution: Institution, terms: OfferTerms, offer_id: int | None = None
) -> LoanOffer:
    """Post a new draft, or change an offer of `institution` in any state but closed.

    Locks the offer. Raises ValidationError by field (`offer_terms.validate_terms`), LoanOffer.
    DoesNotExist for another institution's offer, PermissionDenied for staff of another
    institution. A published offer is matched again; a save that changes nothing does nothing.
    """
    check_post(actor, institution)
    terms = normalised(terms)
    regions = regions_of(terms.regions)
    if offer_id is None:
        _check_lends(institution)
        validate_terms(terms)
        if (same := same_draft(LoanOffer, institution, terms, terms_of)) is not None:
            return same
        offer: LoanOffer = LoanOffer(institution=institution, refreshed_at=timezone.now())
        changed = changes_between(None, terms)
        apply_columns(offer, columns_of(terms))
        offer.save(force_insert=True)
    else:
        offer = LoanOffer.objects.select_for_update(of=("self",)).get(
            pk=offer_id, institution=institution
        )
        refuse_closed(offer)
        validate_terms(terms, booked_amount=offer.booked_amount, booked_count=offer.booked_count)
        changed = changes_between(terms_of(offer), terms)
        if not changed:
            return offer
        apply_columns(offer, columns_of(terms))
        offer.refreshed_at = timezone.now()
        offer.assumed_fields = [name for name in offer.assumed_fields if name not in changed]
        offer.save()
    _write_parts([(offer, terms)], regions, is_new=offer_id is None)
    record(Verb.OFFER_SAVED, actor=actor, obj=offer, data={"changed": changed})
    if offer.status == OfferStatus.PUBLISHED:
        match_again(offer)
    return offer


@transaction.atomic
def create_loan_offers(
    *, institution_terms: Iterable[tuple[Institution, OfferTerms, tuple[str, ...]]]
) -> list[LoanOffer]:
    """Many drafts at once, for imports: (institution, terms, names of assumed fields) each.

    The terms are `normalised` and valid: the caller checked them row by row and audits the whole.
    """
    rows = []
    for institution, terms, assumed in institution_terms:
        offer = LoanOffer(
            institution=institution, refreshed_at=timezone.now(), assumed_fields=list(assumed)
        )
        apply_columns(offer, columns_of(terms))
        rows.append((offer, terms))
    LoanOffer.objects.bulk_create(offer for offer, _terms in rows)
    codes = {code for _offer, terms in rows for code in terms.regions}
    regions = list(Region.objects.filter(code__in=codes))
    _write_parts(rows, {region.code: region for region in regions}, is_new=True)
    return [offer for offer, _terms in rows]


def copy_as_draft(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """A new draft of the same institution with the same terms and nothing booked."""
    terms = terms_of(offer)
    opens_on, closes_on = copied_window(terms.opens_on, terms.closes_on)
    name = copied_name(LoanOffer, terms.name)
    terms = replace(terms, name=name, opens_on=opens_on, closes_on=closes_on)
    return save_loan_offer(actor, institution=offer.institution, terms=terms)


def terms_of(offer: LoanOffer) -> OfferTerms:
    """The terms an offer has now."""
    return OfferTerms(
        **{name: _stored(offer, name) for name in _COLUMNS},
        regions=tuple(sorted(region.code for region in offer.regions.all())),
        accepted_kinds=tuple(
            KindTerms(
                kind=part.kind,
                loan_to_value_percent=part.loan_to_value_percent,
                min_remaining_months=part.min_remaining_months,
            )
            for part in offer.accepted_kinds.all()
        ),
        limits=tuple(
            LimitTerms(min_patents=part.min_patents, limit_amount=part.limit_amount)
            for part in offer.collateral_limits.all()
        ),
        fees=tuple(
            FeeTerms(
                kind=part.kind,
                payer=part.payer,
                timing=part.timing,
                amount=part.amount,
                percent=part.percent,
            )
            for part in offer.fees.all()
        ),
    )


def _check_lends(institution: Institution) -> None:
    if institution.kind != InstitutionKind.BANK:
        raise ValidationError(_("Only banks post loan offers."))


def _write_parts(
    rows: list[tuple[LoanOffer, OfferTerms]], regions: dict[str, Region], *, is_new: bool
) -> None:
    """Regions and tables of the offers as the terms say; of old offers they are replaced."""
    through = LoanOffer.regions.through
    if not is_new:
        ids = [offer.pk for offer, _terms in rows]
        AcceptedPatentKind.objects.filter(offer__in=ids).delete()
        CollateralLimit.objects.filter(offer__in=ids).delete()
        LoanOfferFee.objects.filter(offer__in=ids).delete()
        through.objects.filter(loanoffer__in=ids).delete()
    through.objects.bulk_create(
        through(loanoffer=offer, region=regions[code])
        for offer, terms in rows
        for code in terms.regions
    )
    AcceptedPatentKind.objects.bulk_create(
        AcceptedPatentKind(
            offer=offer,
            kind=part.kind,
            loan_to_value_percent=part.loan_to_value_percent,
            min_remaining_months=part.min_remaining_months,
        )
        for offer, terms in rows
        for part in terms.accepted_kinds
    )
    CollateralLimit.objects.bulk_create(
        CollateralLimit(offer=offer, min_patents=part.min_patents, limit_amount=part.limit_amount)
        for offer, terms in rows
        for part in terms.limits
    )
    LoanOfferFee.objects.bulk_create(
        LoanOfferFee(
            offer=offer,
            kind=part.kind,
            payer=part.payer,
            timing=part.timing,
            amount=part.amount,
            percent=part.percent,
        )
        for offer, terms in rows
        for part in terms.fees
    )


_COLUMNS = tuple(
    name
    for name in OfferTerms.__dataclass_fields__
    if name not in ("regions", "accepted_kinds", "limits", "fees")
)


def _stored(offer: LoanOffer, name: str) -> Any:
    value = getattr(offer, name)
    return tuple(value) if isinstance(value, list) else value
