"""Posting guarantee offers: save, publish, pause, resume, close; called by the admin.

A guarantee attaches to loan offers of banks (DOMAIN 4.5). It is an option beside the loan and no
part of matching, so nothing is matched again. Every change locks the offer's row and is audited.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from financing.lifecycles import OFFER
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution, InstitutionKind
from financing.models.loan_offers import LoanOffer
from financing.models.offers import OfferStatus
from financing.services.offer_terms import Fault, fault, industry_codes, raise_faults
from financing.services.offers import changes_between, check_post, regions_of, same_draft
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

# Decimals of a percentage.
_STEP = Decimal("0.001")
# Who may bear a part of a loss (DOMAIN 4.6); per cent, together 100.
LOSS_BEARERS = ("guarantor", "bank", "insurer", "fund", "valuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeTerms:
    """Everything a guarantee company says of an offer.

    `share_percent` of the principal is guaranteed, `fee_percent` a year is paid on that part.
    `loss_sharing`: pairs of a bearer and its per cent; none where it was not said.
    `loan_offers`: ids of the loan offers it attaches to.
    """

    name: str
    description: str = ""
    opens_on: date
    closes_on: date | None = None
    regions: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    size_classes: tuple[str, ...]
    share_percent: Decimal
    fee_percent: Decimal
    loss_sharing: tuple[tuple[str, Decimal], ...] = ()
    is_pledgee: bool = False
    loan_offers: tuple[int, ...] = ()


@transaction.atomic
def save_guarantee_offer(
    actor: Actor, *, institution: Institution, terms: GuaranteeTerms, offer_id: int | None = None
) -> GuaranteeOffer:
    """Post a new draft, or change an offer of `institution` in any state but closed.

    Raises ValidationError by field, GuaranteeOffer.DoesNotExist for another institution's offer,
    PermissionDenied for staff of another institution. A save that changes nothing does nothing.
    """
    check_post(actor, institution)
    if institution.kind != InstitutionKind.GUARANTOR:
        raise ValidationError(_("Only guarantee companies post guarantee offers."))
    terms = _normalised(terms)
    regions = regions_of(terms.regions)
    if offer_id is None:
        if (same := same_draft(GuaranteeOffer, institution, terms, terms_of)) is not None:
            return same
        offer: GuaranteeOffer = GuaranteeOffer(institution=institution, refreshed_at=timezone.now())
        before: GuaranteeTerms | None = None
    else:
        offer = GuaranteeOffer.objects.select_for_update(of=("self",)).get(
            pk=offer_id, institution=institution
        )
        if offer.status == OfferStatus.CLOSED:
            raise ValidationError(_("A closed offer cannot be changed."))
        before = terms_of(offer)
    raise_faults([*_of_shares(terms), *_of_window(terms), *_of_loan_offers(terms, before)])
    offer.name, offer.description = terms.name, terms.description
    offer.opens_on, offer.closes_on = terms.opens_on, terms.closes_on
    offer.industries, offer.size_classes = list(terms.industries), list(terms.size_classes)
    offer.share_percent, offer.fee_percent = terms.share_percent, terms.fee_percent
    offer.loss_sharing = {
        bearer: f"{percent.normalize():f}" for bearer, percent in terms.loss_sharing
    }
    offer.is_pledgee = terms.is_pledgee
    if offer.pk is None:
        offer.save(force_insert=True)
    offer.regions.set(regions.values())
    offer.loan_offers.set(terms.loan_offers)
    changed = changes_between(before, terms_of(offer))
    if changed:
        offer.refreshed_at = timezone.now()
        offer.save()
        record(Verb.OFFER_SAVED, actor=actor, obj=offer, data={"changed": changed})
    return offer


def _normalised(terms: GuaranteeTerms) -> GuaranteeTerms:
    """One form for equal terms; ValidationError at `industries`."""
    losses = dict(terms.loss_sharing)
    return replace(
        terms,
        name=terms.name.strip(),
        regions=tuple(sorted(set(terms.regions))),
        industries=industry_codes(terms.industries),
        size_classes=tuple(sorted(set(terms.size_classes))),
        loss_sharing=tuple((each, losses[each]) for each in LOSS_BEARERS if each in losses),
        loan_offers=tuple(sorted(set(terms.loan_offers))),
    )


def terms_of(offer: GuaranteeOffer) -> GuaranteeTerms:
    """The terms an offer has now, in one normal form."""
    return GuaranteeTerms(
        name=offer.name,
        description=offer.description,
        opens_on=offer.opens_on,
        closes_on=offer.closes_on,
        regions=tuple(sorted(offer.regions.values_list("code", flat=True))),
        industries=tuple(offer.industries),
        size_classes=tuple(offer.size_classes),
        share_percent=offer.share_percent.quantize(_STEP),
        fee_percent=offer.fee_percent.quantize(_STEP),
        loss_sharing=tuple(
            (bearer, Decimal(str(offer.loss_sharing[bearer])).quantize(_STEP))
            for bearer in LOSS_BEARERS
            if bearer in offer.loss_sharing
        ),
        is_pledgee=offer.is_pledgee,
        loan_offers=tuple(sorted(offer.loan_offers.values_list("pk", flat=True))),
    )


def publish(actor: Actor, *, offer: GuaranteeOffer) -> GuaranteeOffer:
    """Draft → published: shown beside its loan offers. See `_step` for what it raises."""
    return _step(actor, offer, "publish")


def pause(actor: Actor, *, offer: GuaranteeOffer) -> GuaranteeOffer:
    """Published → paused: no longer shown; pledges planned meanwhile go to the lender."""
    return _step(actor, offer, "pause")


def resume(actor: Actor, *, offer: GuaranteeOffer) -> GuaranteeOffer:
    """Paused → published again."""
    return _step(actor, offer, "resume")


def close(actor: Actor, *, offer: GuaranteeOffer) -> GuaranteeOffer:
    """To closed, for good; pledges it took stay."""
    return _step(actor, offer, "close")


STEPS: dict[str, Callable[..., GuaranteeOffer]] = {
    "publish": publish,
    "pause": pause,
    "resume": resume,
    "close": close,
}


@transaction.atomic
def _step(actor: Actor, offer: GuaranteeOffer, action: str) -> GuaranteeOffer:
    """Raises TransitionRefused, PermissionDenied for other staff, ValidationError where nobody
    would see the offer: institution suspended, last day over, no loan offer chosen."""
    locked: GuaranteeOffer = (
        GuaranteeOffer.objects.select_for_update(of=("self",))
        .select_related("institution")
        .get(pk=offer.pk)
    )
    check_post(actor, locked.institution)
    now = timezone.now()
    opens = action in ("publish", "resume")
    if opens:
        _refuse_unseen(locked, timezone.localdate(now))
    advance(OFFER, locked, action, actor=actor)
    if opens:
        locked.published_at = locked.published_at or now
        locked.refreshed_at = now
        locked.save(update_fields=["published_at", "refreshed_at", "updated_at"])
    return locked


def _refuse_unseen(offer: GuaranteeOffer, today: date) -> None:
    if offer.institution.is_suspended:
        raise ValidationError(_("Your institution is suspended: its offers cannot be published."))
    if offer.closes_on is not None and offer.closes_on < today:
        raise ValidationError(_("The last day of the offer is over. Set a later one first."))
    if not offer.loan_offers.exists():
        raise ValidationError(_("Choose the loan offers it attaches to first."))


def _of_shares(terms: GuaranteeTerms) -> Iterable[Fault]:
    if not 0 < terms.share_percent <= 100:
        yield fault("share_percent", _("Enter more than 0, up to 100 per cent."))
    if not 0 <= terms.fee_percent <= 100:
        yield fault("fee_percent", _("Enter 0 to 100 per cent."))
    whole = sum((percent for _bearer, percent in terms.loss_sharing), Decimal(0))
    if terms.loss_sharing and whole != 100:
        yield fault(
            "loss_guarantor",
            _("The parts of a loss make %(sum)s per cent together; they must make 100."),
            {"sum": f"{whole.normalize():f}"},
        )


def _of_window(terms: GuaranteeTerms) -> Iterable[Fault]:
    if not terms.name.strip():
        yield fault("name", _("Enter a name that businesses will recognise."))
    if terms.closes_on is not None and terms.closes_on < terms.opens_on:
        yield fault("closes_on", _("The last day cannot be before the first day."))
    if not terms.size_classes:
        yield fault("size_classes", _("Choose at least one size class."))


def _of_loan_offers(terms: GuaranteeTerms, before: GuaranteeTerms | None) -> Iterable[Fault]:
    """Published ones only; what it was attached to before may stay."""
    kept = set(before.loan_offers) if before is not None else set()
    new = set(terms.loan_offers) - kept
    if LoanOffer.objects.live().filter(pk__in=new).count() != len(new):
        yield fault("loan_offers", _("Choose published loan offers only."))


def loss_terms(values: dict[str, Any]) -> tuple[tuple[str, Decimal], ...]:
    """The parts of a loss from fields named ``loss_<bearer>``; empty ones are left out."""
    return tuple(
        (bearer, values[f"loss_{bearer}"]) for bearer in LOSS_BEARERS if values[f"loss_{bearer}"]
    )
