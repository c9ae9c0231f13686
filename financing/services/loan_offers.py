"""Posting loan offers: save, publish, pause, resume, close, copy; called by the admin and imports.

Every change locks the offer's row, is audited, and where businesses may notice it the offer is
matched again (outbox, `financing.match_offer`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.lifecycles import OFFER
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
from financing.verbs import Verb
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region
from sipo_portal.outbox.services import enqueue
from sipo_portal.workflow.advance import advance

MATCH_OFFER = "financing.match_offer"
# Free text: the audit says that it changed, not what it says.
UNRECORDED_VALUES = ("description",)


def institution_of(actor: Actor) -> Institution:
    """The institution a member of staff acts for; PermissionDenied without a post."""
    institution = (
        Institution.objects.visible_to(actor.user).first()
        if actor.kind == Role.INSTITUTION_STAFF
        else None
    )
    if institution is None:
        raise PermissionDenied("no post at an institution")
    return institution


@transaction.atomic
def save_loan_offer(
    actor: Actor, *, institution: Institution, terms: OfferTerms, offer_id: int | None = None
) -> LoanOffer:
    """Post a new draft, or change an offer of `institution` in any state but closed.

    Locks the offer. Raises ValidationError by field (`offer_terms.validate_terms`), LoanOffer.
    DoesNotExist for another institution's offer, PermissionDenied for staff of another
    institution. A published offer is matched again; a save that changes nothing does nothing.
    """
    _check_post(actor, institution)
    terms = normalised(terms)
    regions = _regions_of(terms)
    if offer_id is None:
        _check_lends(institution)
        validate_terms(terms)
        offer: LoanOffer = LoanOffer(institution=institution, refreshed_at=timezone.now())
        changed = _apply(offer, terms, before=None)
        offer.save(force_insert=True)
    else:
        offer = LoanOffer.objects.select_for_update(of=("self",)).get(
            pk=offer_id, institution=institution
        )
        if offer.status == OfferStatus.CLOSED:
            raise ValidationError(_("A closed offer cannot be changed. Copy it as a new draft."))
        validate_terms(terms, booked_amount=offer.booked_amount, booked_count=offer.booked_count)
        changed = _apply(offer, terms, before=terms_of(offer))
        if not changed:
            return offer
        offer.refreshed_at = timezone.now()
        offer.assumed_fields = [name for name in offer.assumed_fields if name not in changed]
        offer.save()
    _write_parts([(offer, terms)], regions, is_new=offer_id is None)
    record(Verb.OFFER_SAVED, actor=actor, obj=offer, data={"changed": changed})
    if offer.status == OfferStatus.PUBLISHED:
        enqueue(MATCH_OFFER, {"offer_id": offer.pk})
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
        _apply(offer, terms, before=None)
        rows.append((offer, terms))
    LoanOffer.objects.bulk_create(offer for offer, _terms in rows)
    codes = {code for _offer, terms in rows for code in terms.regions}
    regions = list(Region.objects.filter(code__in=codes))
    _write_parts(rows, {region.code: region for region in regions}, is_new=True)
    return [offer for offer, _terms in rows]


def publish(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """Draft → published, and matched at once. See `_step` for what it raises."""
    return _step(actor, offer, "publish")


def pause(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """Published → paused: nothing new is proposed; matches under way go on."""
    return _step(actor, offer, "pause")


def resume(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """Paused → published again, and matched at once."""
    return _step(actor, offer, "resume")


def close(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """To closed, for good; matches under way go on."""
    return _step(actor, offer, "close")


STEPS = {"publish": publish, "pause": pause, "resume": resume, "close": close}


def copy_as_draft(actor: Actor, *, offer: LoanOffer) -> LoanOffer:
    """A new draft of the same institution with the same terms and nothing booked."""
    terms = terms_of(offer)
    longest = LoanOffer._meta.get_field("name").max_length or 0
    suffix = _(" (copy)")
    today = timezone.localdate()
    is_over = terms.closes_on is not None and terms.closes_on < today
    terms = replace(
        terms,
        name=terms.name[: longest - len(suffix)] + suffix,
        opens_on=max(terms.opens_on, today),
        closes_on=None if is_over else terms.closes_on,
    )
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


@transaction.atomic
def _step(actor: Actor, offer: LoanOffer, action: str) -> LoanOffer:
    """One step of the lifecycle: locked, audited, matched again.

    Raises TransitionRefused (`lifecycles.OFFER`), ValidationError where the offer could not be
    proposed anyway (suspended institution, last day over), PermissionDenied for other staff.
    """
    locked: LoanOffer = (
        LoanOffer.objects.select_for_update(of=("self",))
        .select_related("institution")
        .get(pk=offer.pk)
    )
    _check_post(actor, locked.institution)
    now = timezone.now()
    if action in ("publish", "resume"):
        _check_can_open(locked, timezone.localdate(now))
    advance(OFFER, locked, action, actor=actor)
    if action in ("publish", "resume"):
        locked.published_at = locked.published_at or now
        locked.refreshed_at = now
        locked.save(update_fields=["published_at", "refreshed_at", "updated_at"])
    enqueue(MATCH_OFFER, {"offer_id": locked.pk})
    return locked


def _check_post(actor: Actor, institution: Institution) -> None:
    if actor.kind == Role.INSTITUTION_STAFF and institution_of(actor) != institution:
        raise PermissionDenied("the offer is another institution's")


def _check_lends(institution: Institution) -> None:
    if institution.kind != InstitutionKind.BANK:
        raise ValidationError(_("Only banks post loan offers."))


def _check_can_open(offer: LoanOffer, today: date) -> None:
    if offer.institution.is_suspended:
        raise ValidationError(_("Your institution is suspended: its offers cannot be published."))
    if offer.closes_on is not None and offer.closes_on < today:
        raise ValidationError(_("The last day of the offer is over. Set a later one first."))


def _regions_of(terms: OfferTerms) -> dict[str, Region]:
    regions = Region.objects.in_bulk(terms.regions)
    unknown = [code for code in terms.regions if code not in regions]
    if unknown:
        message = _("There is no division with this code: %(codes)s.")
        raise ValidationError(
            {"division_codes": ValidationError(message, params={"codes": ", ".join(unknown)})}
        )
    return dict(regions)


def _apply(offer: LoanOffer, terms: OfferTerms, *, before: OfferTerms | None) -> dict[str, Any]:
    """Set the columns; what changed, as the audit records it: {field: [before, after]}."""
    for name, value in columns_of(terms).items():
        setattr(offer, name, value)
    changed: dict[str, Any] = {}
    for name in OfferTerms.__dataclass_fields__:
        new = getattr(terms, name)
        old = None if before is None else getattr(before, name)
        if before is not None and old == new:
            continue
        changed[name] = [] if name in UNRECORDED_VALUES else [_plain(old), _plain(new)]
    return changed


def _plain(value: Any) -> Any:
    """As JSON the audit can sign: decimals as text, rows of tables as lists."""
    match value:
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case tuple():
            return [_plain(each) for each in value]
        case KindTerms():
            return [value.kind, str(value.loan_to_value_percent), value.min_remaining_months]
        case LimitTerms():
            return [value.min_patents, str(value.limit_amount)]
        case FeeTerms():
            parts = (value.kind, value.payer, value.timing, value.amount, value.percent)
            return [_plain(part) for part in parts]
        case _:
            return value


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
