"""The certificates a business holds; called by its certificate page, imports and the demo data."""

from collections.abc import Mapping

from django.db import transaction

from businesses.announcements import announce
from businesses.entries import CertificateFacts
from businesses.models import Business, Certificate
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def set_certificates(
    *, actor: Actor, business: Business, certificates: Mapping[str, CertificateFacts]
) -> bool:
    """Make the business hold exactly these, by kind; True when that changed anything.

    Locks the business, so that two saves at once do not mix.
    """
    Business.objects.select_for_update().get(pk=business.pk)
    stored = {each.kind: each for each in business.certificates.all()}
    gone = sorted(stored.keys() - certificates.keys())
    added, changed = [], []
    for kind, facts in certificates.items():
        row = stored.get(kind)
        if row is None:
            added.append(kind)
            Certificate.objects.create(
                business=business, kind=kind, number=facts.number, valid_until=facts.valid_until
            )
        elif (row.number, row.valid_until) != (facts.number, facts.valid_until):
            changed.append(kind)
            row.number, row.valid_until = facts.number, facts.valid_until
            row.save(update_fields=["number", "valid_until"])
    business.certificates.filter(kind__in=gone).delete()
    if not (gone or added or changed):
        return False
    record(
        Verb.CERTIFICATES_CHANGED,
        actor=actor,
        obj=business,
        data={"added": sorted(added), "changed": sorted(changed), "removed": gone},
    )
    announce([business.pk])
    return True
