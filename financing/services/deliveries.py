"""The business says whether what it got is what was agreed; called by the owner's pages."""

from django.db import transaction

from financing import notifications
from financing.models.drawdowns import Delivery
from financing.models.matches import Match, MatchStatus
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def confirm_delivery(*, actor: Actor, match: Match, is_as_agreed: bool, text: str = "") -> Delivery:
    """Once per completed match; the first answer stands. Counts in the offer's delivery share.

    Locks the match. Raises MoneyRefused before completion, and where a difference is not told.
    """
    locked = Match.objects.select_for_update(of=("self",)).get(pk=match.pk)
    before: Delivery | None = Delivery.objects.filter(match=locked).first()
    if before is not None:
        return before
    if locked.status != MatchStatus.COMPLETED:
        raise MoneyRefused(MoneyRefusal.NOT_COMPLETED)
    text = text.strip()
    if not is_as_agreed and not text:
        raise MoneyRefused(MoneyRefusal.DIFFERENCE_MISSING)
    delivery = Delivery.objects.create(
        match=locked, is_as_agreed=is_as_agreed, text=text, confirmed_by=actor.user
    )
    data = {"match": str(locked.pk), "is_as_agreed": is_as_agreed}
    record(Verb.DELIVERY_CONFIRMED, actor=actor, obj=delivery, data=data)
    notifications.delivery_confirmed(locked, is_as_agreed=is_as_agreed)
    return delivery
