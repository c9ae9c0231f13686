"""Adding, changing, checking and ending a patent; called by views, imports and match reviews."""

from dataclasses import fields
from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from businesses.announcements import announce
from businesses.entries import PatentEntry
from businesses.lifecycles import PATENT
from businesses.models import Business, Patent
from businesses.models.patents import PatentStatus
from businesses.permissions import has_own_interest
from businesses.rules.identifiers import parse_patent_number
from businesses.services.changed_fields import changed_names, stored_values
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance


@transaction.atomic
def add_patent(
    *, actor: Actor, business: Business, entry: PatentEntry, is_draft: bool = False
) -> Patent:
    """A patent of the business, registered unless it is to stay a draft.

    The same sent twice is the patent of the first time. Raises BusinessRefused(patent_there) for
    other facts of a number that is there, IdentifierError for the number, and
    BusinessRefused(number_disagrees) when it names another filing year.
    """
    patent = Patent(business=business)
    _fill(patent, entry)
    try:
        with transaction.atomic():
            patent.save(force_insert=True)
    except IntegrityError:
        same = _same_patent(patent, is_draft=is_draft)
        if same is None:
            raise BusinessRefused(Refusal.PATENT_THERE)
        return same
    record(
        Verb.PATENT_ADDED,
        actor=actor,
        obj=patent,
        data={"business": business.pk, "kind": patent.kind},
    )
    if not is_draft:
        advance(PATENT, patent, "register", actor=actor)
        announce([business.pk])
    return patent


@transaction.atomic
def change_patent(*, actor: Actor, patent: Patent, entry: PatentEntry) -> Patent:
    """Replace what the business says; a checked patent has to be checked again. Locks the patent.

    Raises as `add_patent`, and BusinessRefused(patent_ended).
    """
    locked = lock_changeable(patent)
    before = stored_values(locked)
    _fill(locked, entry)
    changed = changed_names(locked, before)
    if not changed:
        return locked
    locked.assumed_fields = [name for name in locked.assumed_fields if name not in changed]
    try:
        with transaction.atomic():
            locked.save(update_fields=[*changed, "assumed_fields", "updated_at"])
    except IntegrityError:
        raise BusinessRefused(Refusal.PATENT_THERE)
    record(Verb.PATENT_CHANGED, actor=actor, obj=locked, data={"fields": changed})
    ask_for_check(actor, locked)
    announce([locked.business_id])
    return locked


@transaction.atomic
def register_patent(*, actor: Actor, patent: Patent) -> Patent:
    """Turn a draft into a registered patent. Raises TransitionRefused."""
    advance(PATENT, patent, "register", actor=actor)
    announce([patent.business_id])
    return patent


@transaction.atomic
def remove_patent(*, actor: Actor, patent: Patent) -> None:
    """Delete a draft; what was registered stays on record. Raises BusinessRefused(not_a_draft)."""
    locked = Patent.objects.select_for_update().get(pk=patent.pk)
    if locked.status != PatentStatus.DRAFT:
        raise BusinessRefused(Refusal.NOT_A_DRAFT)
    record(Verb.PATENT_REMOVED, actor=actor, obj=locked, data={"business": locked.business_id})
    locked.delete()


@transaction.atomic
def verify_patent(*, actor: Actor, patent: Patent, register_extract_on: date) -> Patent:
    """The coordinator compared the patent with a register extract of that day. Locks the patent.

    A verified patent keeps its state and gets the newer day. Raises BusinessRefused
    (own_interest, extract_in_future) and TransitionRefused.
    """
    locked = Patent.objects.select_for_update(of=("self",)).get(pk=patent.pk)
    if has_own_interest(actor, locked.business):
        raise BusinessRefused(Refusal.OWN_INTEREST)
    if register_extract_on > timezone.localdate():
        raise BusinessRefused(Refusal.EXTRACT_IN_FUTURE)
    locked.register_extract_on = register_extract_on
    locked.save(update_fields=["register_extract_on", "updated_at"])
    data = {"register_extract_on": register_extract_on}
    if locked.status == PatentStatus.VERIFIED:
        data_of_change = {"fields": ["register_extract_on"], **data}
        record(Verb.PATENT_CHANGED, actor=actor, obj=locked, data=data_of_change)
    else:
        advance(PATENT, locked, "verify", actor=actor, data=data)
    announce([locked.business_id])
    return locked


@transaction.atomic
def end_patent(*, actor: Actor, patent: Patent, end_reason: str, ended_on: date) -> Patent:
    """Record that the patent has ended. `end_reason`: an EndReason. Raises TransitionRefused."""
    locked = Patent.objects.select_for_update(of=("self",)).get(pk=patent.pk)
    advance(PATENT, locked, "end", actor=actor, data={"end_reason": end_reason})
    locked.end_reason, locked.ended_on = end_reason, ended_on
    locked.save(update_fields=["end_reason", "ended_on", "updated_at"])
    announce([locked.business_id])
    return locked


def lock_changeable(patent: Patent) -> Patent:
    """The locked row of a patent that has not ended; raises BusinessRefused(patent_ended)."""
    locked = Patent.objects.select_for_update(of=("self",)).get(pk=patent.pk)
    if locked.status == PatentStatus.ENDED:
        raise BusinessRefused(Refusal.PATENT_ENDED)
    return locked


def ask_for_check(actor: Actor, locked: Patent) -> None:
    """Facts of the register changed: a verified patent becomes one to be verified."""
    if locked.status == PatentStatus.VERIFIED:
        advance(PATENT, locked, "correct", actor=actor)


def _same_patent(patent: Patent, *, is_draft: bool) -> Patent | None:
    """The stored patent of the same number that says the same in every field of the form."""
    there: Patent | None = Patent.objects.filter(
        business=patent.business, application_number=patent.application_number
    ).first()
    if there is None or there.status == PatentStatus.ENDED:
        return None
    names = [field.name for field in fields(PatentEntry) if field.name != "is_divisional"]
    is_same = all(getattr(there, name) == getattr(patent, name) for name in names)
    return there if is_same and (there.status == PatentStatus.DRAFT) == is_draft else None


def _fill(patent: Patent, entry: PatentEntry) -> None:
    number = parse_patent_number(entry.application_number, today=timezone.localdate())
    years_apart = number.filing_year - entry.filed_on.year
    if years_apart < 0 or (years_apart > 0 and not entry.is_divisional):
        raise BusinessRefused(Refusal.NUMBER_DISAGREES)
    for field in fields(entry):
        if field.name != "is_divisional":
            setattr(patent, field.name, getattr(entry, field.name))
    patent.application_number = number.normal
    patent.kind = number.kind
