"""Posting insurance offers: save and copy; called by the admin.

Their steps are those of every offer (`services.offers`).
"""

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.models.institutions import Institution, InstitutionKind
from financing.models.insurance_offers import InsuranceOffer
from financing.models.offers import OfferStatus
from financing.services.insurance_terms import (
    InsuranceTerms,
    columns_of,
    normalised,
    validate_terms,
)
from financing.services.offers import (
    apply_columns,
    changes_between,
    check_post,
    copied_name,
    copied_window,
    match_again,
    refuse_closed,
    regions_of,
    same_draft,
)
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def save_insurance_offer(
    actor: Actor, *, institution: Institution, terms: InsuranceTerms, offer_id: int | None = None
) -> InsuranceOffer:
    """Post a new draft, or change an offer of `institution` in any state but closed.

    Locks the offer. Raises ValidationError by field, InsuranceOffer.DoesNotExist for another
    institution's offer, PermissionDenied for staff of another institution. A published offer is
    matched again; a save that changes nothing does nothing.
    """
    check_post(actor, institution)
    terms = normalised(terms)
    regions = regions_of(terms.regions)
    if offer_id is None:
        if institution.kind != InstitutionKind.INSURER:
            raise ValidationError(_("Only insurers post insurance offers."))
        validate_terms(terms)
        if (same := same_draft(InsuranceOffer, institution, terms, terms_of)) is not None:
            return same
        offer: InsuranceOffer = InsuranceOffer(institution=institution, refreshed_at=timezone.now())
        changed = changes_between(None, terms)
    else:
        offer = InsuranceOffer.objects.select_for_update(of=("self",)).get(
            pk=offer_id, institution=institution
        )
        refuse_closed(offer)
        validate_terms(terms, booked_amount=offer.booked_amount, booked_count=offer.booked_count)
        changed = changes_between(terms_of(offer), terms)
        if not changed:
            return offer
        offer.refreshed_at = timezone.now()
    apply_columns(offer, columns_of(terms))
    offer.save()
    offer.regions.set(regions.values())
    record(Verb.OFFER_SAVED, actor=actor, obj=offer, data={"changed": changed})
    if offer.status == OfferStatus.PUBLISHED:
        match_again(offer)
    return offer


def copy_as_draft(actor: Actor, *, offer: InsuranceOffer) -> InsuranceOffer:
    """A new draft of the same institution with the same terms and nothing booked."""
    terms = terms_of(offer)
    opens_on, closes_on = copied_window(terms.opens_on, terms.closes_on)
    name = copied_name(InsuranceOffer, terms.name)
    terms = replace(terms, name=name, opens_on=opens_on, closes_on=closes_on)
    return save_insurance_offer(actor, institution=offer.institution, terms=terms)


def terms_of(offer: InsuranceOffer) -> InsuranceTerms:
    """The terms an offer has now."""
    columns = {
        name: _stored(offer, name)
        for name in InsuranceTerms.__dataclass_fields__
        if name != "regions"
    }
    return InsuranceTerms(
        **columns, regions=tuple(sorted(region.code for region in offer.regions.all()))
    )


def _stored(offer: InsuranceOffer, name: str) -> Any:
    value = getattr(offer, name)
    return tuple(value) if isinstance(value, list) else value
