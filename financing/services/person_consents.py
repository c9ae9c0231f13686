"""Natural persons are asked for consent and answer through a link of their own; called by views.

The link is the whole authority of a person without an account. It goes out by mail through the
outbox, which carries the row's id only: neither name, address nor token is in a payload or a log.
"""

from datetime import timedelta
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from financing.consent_state import PersonConcerned, consent_state
from financing.identity_fields import CONSENT_VERSION, personal_labels
from financing.models.matches import Match
from financing.models.person_consents import PersonAnswer, PersonConsent, new_token
from financing.services.consents import (
    ConsentRefusal,
    ConsentRefused,
    disclose_identity_if_ready,
    lock_business,
    pause_study,
    refuse_unless_referred,
)
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.outbox.services import enqueue

MAIL_TASK = "financing.mail_person_consent"
# The same address is not written to more often than this.
ASK_AGAIN_AFTER = timedelta(minutes=10)
# A person without an account.
PERSON = Actor("person")


@transaction.atomic
def ask_person(*, actor: Actor, match: Match, role: str, name: str, email: str) -> PersonConsent:
    """Send a person concerned the link; asking anew ends the link sent before.

    The same address asked twice within ten minutes gets one mail. Locks business and match. Raises
    ConsentRefused: not_referred, over, nobody_concerned (no such person in this match),
    answered_already.
    """
    lock_business(match.business_id)
    locked = Match.objects.select_for_update().get(pk=match.pk)
    refuse_unless_referred(locked)
    person = _person(locked, role, name)
    email, now = email.strip().lower(), timezone.now()
    row = person.asked
    if row is not None and row.answer in (PersonAnswer.GIVEN, PersonAnswer.REFUSED):
        raise ConsentRefused(ConsentRefusal.ANSWERED_ALREADY)
    if row is not None and row.answer == PersonAnswer.OPEN:
        if row.email == email and now - row.asked_at < ASK_AGAIN_AFTER:
            return row
        row.email, row.token, row.asked_at = email, new_token(), now
        row.version = CONSENT_VERSION
        row.save(update_fields=["email", "token", "asked_at", "version"])
    else:
        row = PersonConsent.objects.create(
            match=locked,
            role=person.role,
            name=person.name,
            email=email,
            version=CONSENT_VERSION,
        )
    record(
        Verb.PERSON_ASKED,
        actor=actor,
        obj=row,
        data={"match": str(locked.pk), "roles": list(person.roles), "version": row.version},
    )
    enqueue(MAIL_TASK, {"person_consent_id": row.pk, "asked_at": row.asked_at.isoformat()})
    return row


@transaction.atomic
def answer_person(token: str, *, answer: str) -> PersonConsent:
    """What the person behind the link decides; `answer`: given, refused or withdrawn.

    A refusal may be turned into a consent and a consent into a withdrawal, by the same link; a
    withdrawal ends the link, and the business may ask anew. The same answer twice is the same as
    once. The last consent that was missing opens the identity; a withdrawal closes it at once.
    Locks business, match and row. Raises PersonConsent.DoesNotExist for a link that is not known
    (any more), ConsentRefused(over) for consenting when nothing is shared any more, and
    ConsentRefused(answered_already) for a step the present answer does not allow.
    """
    found = PersonConsent.objects.select_related("match").get(token=token)
    lock_business(found.match.business_id)
    match = Match.objects.select_for_update().get(pk=found.match_id)
    row: PersonConsent = PersonConsent.objects.select_for_update(of=("self",)).get(token=token)
    row.match = match
    answer = PersonAnswer(answer)
    if row.answer == answer:
        return row
    if answer not in NEXT_ANSWERS[PersonAnswer(row.answer)]:
        raise ConsentRefused(ConsentRefusal.ANSWERED_ALREADY)
    if answer == PersonAnswer.GIVEN:
        refuse_unless_referred(match)
    was_open = consent_state(match).is_open
    before, row.answer, row.answered_at = row.answer, answer, timezone.now()
    row.save(update_fields=["answer", "answered_at"])
    record(
        Verb.PERSON_ANSWERED,
        actor=PERSON,
        obj=row,
        data={"from": before, "to": answer.value, "match": str(match.pk), "version": row.version},
    )
    if answer == PersonAnswer.GIVEN:
        disclose_identity_if_ready(match, actor=PERSON)
    elif was_open:
        pause_study(match, withdrawn_at=row.answered_at)
    return row


NEXT_ANSWERS = {
    PersonAnswer.OPEN: (PersonAnswer.GIVEN, PersonAnswer.REFUSED),
    PersonAnswer.REFUSED: (PersonAnswer.GIVEN,),
    PersonAnswer.GIVEN: (PersonAnswer.WITHDRAWN,),
    PersonAnswer.WITHDRAWN: (),
}


def mail_person_consent(person_consent_id: int, asked_at: str) -> None:
    """Send the link, in both languages; nothing for a row that is gone, asked anew or answered."""
    row = (
        PersonConsent.objects.select_related("match__business", "match__institution")
        .filter(pk=person_consent_id, answer=PersonAnswer.OPEN)
        .first()
    )
    if row is None or row.asked_at.isoformat() != asked_at:
        return
    parts = [_mail_part(row, language) for language, _name in settings.LANGUAGES]
    EmailMessage(
        subject=" / ".join(subject for subject, _body in parts),
        body="\n\n----------\n\n".join(body for _subject, body in parts),
        to=[formataddr((row.name, row.email))],
    ).send()


def roles_of(row: PersonConsent) -> tuple[str, ...]:
    """Every role of the person in the match: whose data the text has to name."""
    return next(
        (
            person.roles
            for person in consent_state(row.match).persons
            if (person.role, person.name) == (row.role, row.name)
        ),
        (row.role,),
    )


def _mail_part(row: PersonConsent, language: str) -> tuple[str, str]:
    with translation.override(language):
        context = {
            "row": row,
            "business": row.match.business.name,
            "institution": row.match.institution.label,
            "fields": personal_labels(roles_of(row)),
            "is_loan": row.match.loan_request_id is not None,
            "link": settings.PUBLIC_ADDRESS.rstrip("/")
            + reverse("financing:person_link", args=[row.token]),
        }
        subject = render_to_string("emails/person_consent_subject.txt", context)
        body = render_to_string("emails/person_consent.txt", context)
    return " ".join(subject.split()), body.strip()


def _person(match: Match, role: str, name: str) -> PersonConcerned:
    for person in consent_state(match).persons:
        if (person.role, person.name) == (role, name):
            return person
    raise ConsentRefused(ConsentRefusal.NOBODY_CONCERNED)
