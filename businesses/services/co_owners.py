"""Who owns a patent together with the business; called by the co-owner page and the demo data."""

from collections.abc import Sequence

from django.db import transaction

from businesses.announcements import announce
from businesses.entries import CoOwnerEntry
from businesses.models import CoOwner, Patent
from businesses.models.co_owners import CoOwnerConsent
from businesses.rules.names import fold_name
from businesses.services.patents import ask_for_check, lock_changeable
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def set_co_owners(*, actor: Actor, patent: Patent, entries: Sequence[CoOwnerEntry]) -> bool:
    """Make these the co-owners, told apart by name; True when that changed anything.

    Locks the patent. A day of consent is kept only with a consent given. Raises
    BusinessRefused(patent_ended).
    """
    locked = lock_changeable(patent)
    stored = {fold_name(each.name): each for each in locked.co_owners.all()}
    wanted = {fold_name(entry.name): entry for entry in entries}
    is_given = {key: entry.consent == CoOwnerConsent.GIVEN for key, entry in wanted.items()}
    gone = stored.keys() - wanted.keys()
    locked.co_owners.filter(pk__in=[stored[key].pk for key in gone]).delete()
    added = changed = 0
    for key, entry in wanted.items():
        row = stored.get(key) or CoOwner(patent=locked)
        values = (
            entry.name.strip(),
            entry.kind,
            entry.consent,
            entry.consented_on if is_given[key] else None,
        )
        if values == (row.name, row.kind, row.consent, row.consented_on):
            continue
        added, changed = (added + 1, changed) if row.pk is None else (added, changed + 1)
        row.name, row.kind, row.consent, row.consented_on = values
        row.save()
    if not (gone or added or changed):
        return False
    record(
        Verb.CO_OWNERS_CHANGED,
        actor=actor,
        obj=locked,
        data={
            "added": added,
            "changed": changed,
            "removed": len(gone),
            "consents": sorted(entry.consent for entry in wanted.values()),
        },
    )
    ask_for_check(actor, locked)
    announce([locked.business_id])
    return True
