"""Appraisals of a patent; called by its pages and the demo data."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from businesses.announcements import announce
from businesses.models import Appraisal, Patent
from businesses.services.patents import lock_changeable
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@transaction.atomic
def add_appraisal(
    *,
    actor: Actor,
    patent: Patent,
    appraiser: str,
    appraised_on: date,
    method: str,
    appraised_value: Decimal,
    report_number: str = "",
) -> Appraisal:
    """Record what an appraiser found; `appraised_value` in yuan, above 0. Locks the patent.

    The same appraisal sent twice is one. Raises BusinessRefused(patent_ended).
    """
    locked = lock_changeable(patent)
    appraisal, is_new = Appraisal.objects.get_or_create(
        patent=locked,
        appraiser=appraiser,
        appraised_on=appraised_on,
        method=method,
        appraised_value=appraised_value,
        report_number=report_number,
    )
    if is_new:
        record(
            Verb.APPRAISAL_ADDED,
            actor=actor,
            obj=locked,
            data={
                "appraisal": appraisal.pk,
                "appraised_on": appraised_on,
                "method": method,
                "appraised_value": appraised_value,
            },
        )
        announce([locked.business_id])
    return appraisal


@transaction.atomic
def remove_appraisal(*, actor: Actor, appraisal: Appraisal) -> None:
    """Take an appraisal back; the audit keeps that it was there."""
    patent = lock_changeable(appraisal.patent)
    data = {"appraisal": appraisal.pk, "appraised_value": appraisal.appraised_value}
    record(Verb.APPRAISAL_REMOVED, actor=actor, obj=patent, data=data)
    appraisal.delete()
    announce([patent.business_id])
