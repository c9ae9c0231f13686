"""What loan and insurance offers have in common: whose they are, their steps, what an audit keeps.

Called by `loan_offers`, `insurance_offers` and the admin. Every change locks the offer's row, is
audited, and where businesses may notice it the offer is matched again (outbox).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.lifecycles import OFFER
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.offers import OfferStatus
from financing.pair_kinds import AnyOffer, kind_of
from financing.verbs import Verb
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region
from sipo_portal.outbox.services import enqueue
from sipo_portal.workflow.advance import advance
from sipo_portal.workflow.lifecycle import Refusal, TransitionRefused

OfferT = TypeVar("OfferT", LoanOffer, InsuranceOffer)
DraftT = TypeVar("DraftT", LoanOffer, InsuranceOffer, GuaranteeOffer)
TermsT = TypeVar("TermsT", bound="NamedTerms")


class NamedTerms(Protocol):
    """What the terms of every kind of offer have, as far as it is looked at here."""

    @property
    def name(self) -> str: ...


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


def publish(actor: Actor, *, offer: OfferT) -> OfferT:
    """Draft → published, and matched at once. See `_step` for what it raises."""
    return _step(actor, offer, "publish")


def pause(actor: Actor, *, offer: OfferT) -> OfferT:
    """Published → paused: nothing new is proposed; matches under way go on."""
    return _step(actor, offer, "pause")


def resume(actor: Actor, *, offer: OfferT) -> OfferT:
    """Paused → published again, and matched at once."""
    return _step(actor, offer, "resume")


def close(actor: Actor, *, offer: OfferT) -> OfferT:
    """To closed, for good; matches under way go on."""
    return _step(actor, offer, "close")


@transaction.atomic
def refresh(actor: Actor, *, offer: OfferT) -> OfferT:
    """Say that a posted offer still holds, which starts its 90 days anew (DOMAIN 3).

    Raises TransitionRefused for a draft or a closed offer, PermissionDenied for other staff.
    """
    locked: OfferT = type(offer).objects.select_for_update(of=("self",)).get(pk=offer.pk)
    check_post(actor, locked.institution)
    if locked.status not in (OfferStatus.PUBLISHED, OfferStatus.PAUSED):
        raise TransitionRefused(
            Refusal.WRONG_STATE, lifecycle=OFFER.name, action="refresh", state=locked.status
        )
    locked.refreshed_at = timezone.now()
    locked.save(update_fields=["refreshed_at"])
    record(Verb.OFFER_REFRESHED, actor=actor, obj=locked)
    return locked


STEPS: dict[str, Callable[..., AnyOffer]] = {
    "publish": publish,
    "pause": pause,
    "resume": resume,
    "refresh": refresh,
    "close": close,
}


@transaction.atomic
def _step(actor: Actor, offer: OfferT, action: str) -> OfferT:
    """One step of the lifecycle: locked, audited, matched again.

    Raises TransitionRefused (`lifecycles.OFFER`), ValidationError where the offer could not be
    proposed anyway (suspended institution, last day over), PermissionDenied for other staff.
    """
    locked: OfferT = (
        type(offer)
        .objects.select_for_update(of=("self",))
        .select_related("institution")
        .get(pk=offer.pk)
    )
    check_post(actor, locked.institution)
    now = timezone.now()
    if action in ("publish", "resume"):
        _check_can_open(locked, timezone.localdate(now))
    advance(OFFER, locked, action, actor=actor)
    if action in ("publish", "resume"):
        locked.published_at = locked.published_at or now
        locked.refreshed_at = now
        locked.save(update_fields=["published_at", "refreshed_at", "updated_at"])
    match_again(locked)
    return locked


def check_post(actor: Actor, institution: Institution) -> None:
    if actor.kind == Role.INSTITUTION_STAFF and institution_of(actor) != institution:
        raise PermissionDenied("the offer is another institution's")


def _check_can_open(offer: AnyOffer, today: date) -> None:
    if offer.institution.is_suspended:
        raise ValidationError(_("Your institution is suspended: its offers cannot be published."))
    if offer.closes_on is not None and offer.closes_on < today:
        raise ValidationError(_("The last day of the offer is over. Set a later one first."))


def same_draft(
    model: type[DraftT],
    institution: Institution,
    terms: TermsT,
    terms_of: Callable[[DraftT], TermsT],
) -> DraftT | None:
    """The institution's draft that says exactly `terms`, if there is one: a form posted again.

    Locks the institution, so that equal posts at once are looked at one after the other. `terms_of`
    gives the terms of a stored offer.
    """
    Institution.objects.select_for_update(no_key=True).get(pk=institution.pk)
    drafts: Any = model._default_manager.filter(
        institution=institution, status=OfferStatus.DRAFT, name=terms.name
    )
    return next((draft for draft in drafts if terms_of(draft) == terms), None)


def regions_of(codes: Iterable[str]) -> dict[str, Region]:
    regions = Region.objects.in_bulk(list(codes))
    unknown = [code for code in codes if code not in regions]
    if unknown:
        message = _("There is no division with this code: %(codes)s.")
        raise ValidationError(
            {"division_codes": ValidationError(message, params={"codes": ", ".join(unknown)})}
        )
    return dict(regions)


def match_again(offer: AnyOffer) -> None:
    """Have the matcher look at the offer, within the caller's transaction."""
    enqueue(kind_of(offer).match_offer_task, {"offer_id": offer.pk})


def refuse_closed(offer: AnyOffer) -> None:
    """A closed offer is fixed for good; raises ValidationError."""
    if offer.status == OfferStatus.CLOSED:
        raise ValidationError(_("A closed offer cannot be changed. Copy it as a new draft."))


def apply_columns(offer: AnyOffer, columns: Mapping[str, Any]) -> None:
    """Set the columns of the offer's own row."""
    for name, value in columns.items():
        setattr(offer, name, value)


def changes_between(before: Any, after: Any) -> dict[str, Any]:
    """Fields that differ between two rows of terms, as the audit records them.

    `{field: [before, after]}`; `before` is None for a new offer.
    """
    changed: dict[str, Any] = {}
    for name in after.__dataclass_fields__:
        new = getattr(after, name)
        old = None if before is None else getattr(before, name)
        if before is not None and old == new:
            continue
        changed[name] = [] if name in UNRECORDED_VALUES else [_plain(old), _plain(new)]
    return changed


def copied_window(opens_on: date, closes_on: date | None) -> tuple[date, date | None]:
    """First and last day of a copy: not in the past."""
    today = timezone.localdate()
    is_over = closes_on is not None and closes_on < today
    return max(opens_on, today), None if is_over else closes_on


def copied_name(model: type[AnyOffer], name: str) -> str:
    """The name of a copy, within the length a name may have."""
    longest = model._meta.get_field("name").max_length or 0
    suffix = _(" (copy)")
    return name[: longest - len(suffix)] + suffix


def _plain(value: Any) -> Any:
    """As JSON the audit can sign: decimals as text, rows of tables as lists."""
    match value:
        case Decimal():
            return str(value)
        case date():
            return value.isoformat()
        case tuple():
            return [_plain(each) for each in value]
        case _ if hasattr(value, "__dataclass_fields__"):
            # `place` is where the row stands on a page.
            names = (name for name in value.__dataclass_fields__ if name != "place")
            return [_plain(getattr(value, name)) for name in names]
        case _:
            return value
