"""What lies on a patent outside this portal; called by its pages and the demo data."""

from datetime import date

from django.db import transaction

from businesses.announcements import announce
from businesses.models import Encumbrance, Patent
from businesses.services.patents import ask_for_check, lock_changeable
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def add_encumbrance(
    *,
    actor: Actor,
    patent: Patent,
    kind: str,
    holder: str,
    registered_on: date,
    releases_on: date | None = None,
) -> Encumbrance:
    """Record a pledge, licence or order; the same sent twice is one. Locks the patent.

    Raises BusinessRefused(patent_ended).
    """
    locked = lock_changeable(patent)
    encumbrance, is_new = Encumbrance.objects.get_or_create(
        patent=locked,
        kind=kind,
        holder=holder,
        registered_on=registered_on,
        releases_on=releases_on,
        released_on=None,
    )
    if is_new:
        record(
            Verb.ENCUMBRANCE_ADDED,
            actor=actor,
            obj=locked,
            data={"encumbrance": encumbrance.pk, "kind": kind, "registered_on": registered_on},
        )
        ask_for_check(actor, locked)
        announce([locked.business_id])
    return encumbrance


@transaction.atomic
def release_encumbrance(
    *, actor: Actor, encumbrance: Encumbrance, released_on: date
) -> Encumbrance:
    """Record that it no longer lies on the patent. Locks patent and encumbrance.

    Raises BusinessRefused: patent_ended, released_already, released_too_early.
    """
    patent = lock_changeable(encumbrance.patent)
    locked = Encumbrance.objects.select_for_update(of=("self",)).get(pk=encumbrance.pk)
    if locked.released_on is not None:
        raise BusinessRefused(Refusal.RELEASED_ALREADY)
    if released_on < locked.registered_on:
        raise BusinessRefused(Refusal.RELEASED_TOO_EARLY)
    locked.released_on = released_on
    locked.save(update_fields=["released_on"])
    record(
        Verb.ENCUMBRANCE_RELEASED,
        actor=actor,
        obj=patent,
        data={"encumbrance": locked.pk, "kind": locked.kind, "released_on": released_on},
    )
    ask_for_check(actor, patent)
    announce([patent.business_id])
    return locked
