"""Consent of the business, and what follows: the identity disclosure; called by views and services.

Lock order: the business, then its matches by id. The lock on the business puts giving, withdrawing
and the answers of persons one after the other.
"""

from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from businesses.models import Business, BusinessMember
from financing import notifications
from financing.consent_state import (
    CONSENT_STATUSES,
    ConsentState,
    consent_state,
    consents_for,
    purpose_of,
)
from financing.identity_fields import CONSENT_VERSION, IDENTITY_KEYS
from financing.models.consents import Consent, ConsentPurpose
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.matches import Match, MatchStatus
from financing.services.clocks import Stage, resume_clock, start_clock, stop_clock
from financing.services.disclosures import identity_fields
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


class ConsentRefusal(StrEnum):
    """Why consent could not be given or asked for; pages translate the code."""

    NOT_REFERRED = "not_referred"
    OVER = "over"
    NOT_A_MEMBER = "not_a_member"
    NOBODY_CONCERNED = "nobody_concerned"
    ANSWERED_ALREADY = "answered_already"


class ConsentRefused(Exception):
    """Nothing was changed; `code` says why."""

    def __init__(self, code: ConsentRefusal) -> None:
        super().__init__(code.value)
        self.code = code


@transaction.atomic
def give_consent(*, actor: Actor, match: Match) -> Consent:
    """The business agrees that the institution of `match` learns who it is (DOMAIN 5).

    One per business, institution and purpose: it covers every match of the three. Given twice, it
    is the same row. Opens the identity wherever nobody else's consent is missing. Locks business
    and matches. Raises ConsentRefused: not_referred, over, not_a_member.
    """
    lock_business(match.business_id)
    locked = Match.objects.select_for_update().get(pk=match.pk)
    refuse_unless_referred(locked)
    _refuse_stranger(actor, locked.business_id)
    consent: Consent | None = consents_for(locked).filter(withdrawn_at=None).first()
    if consent is not None and not set(IDENTITY_KEYS) <= set(consent.fields):
        _end(actor, consent)
        consent = None
    if consent is None:
        consent = Consent.objects.create(
            business_id=locked.business_id,
            institution_id=locked.institution_id,
            purpose=purpose_of(locked),
            version=CONSENT_VERSION,
            fields=list(IDENTITY_KEYS),
            given_by=actor.user,
            given_at=timezone.now(),
        )
        record(
            Verb.CONSENT_GIVEN,
            actor=actor,
            obj=consent,
            data={
                "match": str(locked.pk),
                "institution": consent.institution_id,
                "purpose": consent.purpose,
                "version": consent.version,
                "fields": consent.fields,
            },
        )
    for each in matches_under(consent):
        disclose_identity_if_ready(each, actor=actor)
    return consent


@transaction.atomic
def withdraw_consent(*, actor: Actor, consent: Consent) -> Consent:
    """Take it back: the identity can be read no more, for any match under it.

    What was read stays in the ledger. Withdrawing twice is the same as once. Locks the business and
    the matches. Raises ConsentRefused(not_a_member).
    """
    lock_business(consent.business_id)
    _refuse_stranger(actor, consent.business_id)
    locked = Consent.objects.select_for_update().get(pk=consent.pk)
    if locked.withdrawn_at is None:
        under = [match for match in matches_under(locked) if consent_state(match).is_open]
        withdrawn_at = _end(actor, locked)
        for match in under:
            pause_study(match, withdrawn_at=withdrawn_at)
    return locked


def has_standing_consent(match: Match) -> bool:
    """The business and every natural person concerned consent to sharing this match now."""
    return consent_state(match).is_complete


def disclose_identity_if_ready(match: Match, *, actor: Actor) -> Disclosure | None:
    """Open the identity once everybody has consented; the disclosure, or None where one is missing.

    Must be called in a transaction that holds the locks of business and match. The fields are
    frozen the first time; when consent comes back after a withdrawal, the same row is open again.
    Never before the referral.
    """
    state = consent_state(match)
    if not state.may_be_given or not state.is_complete:
        return None
    disclosure = state.identity
    if disclosure is None:
        disclosure = Disclosure.objects.create(
            match=match,
            institution_id=match.institution_id,
            stage=DisclosureStage.IDENTITY,
            fields=identity_fields(match),
        )
        record(
            Verb.DISCLOSED,
            actor=actor,
            obj=match,
            data={
                "stage": DisclosureStage.IDENTITY.value,
                "institution": match.institution_id,
                "fields": sorted(disclosure.fields),
            },
        )
    _go_on(match)
    notifications.consent_given(match, key=_since(state))
    return disclosure


def matches_under(consent: Consent) -> list[Match]:
    """The referred matches in hand that the consent covers, locked in the order of their ids."""
    is_loan = consent.purpose == ConsentPurpose.LOAN
    return list(
        Match.objects.select_for_update(of=("self",))
        .filter(
            business_id=consent.business_id,
            institution_id=consent.institution_id,
            loan_request__isnull=not is_loan,
            referred_at__isnull=False,
            status__in=CONSENT_STATUSES,
        )
        .order_by("pk")
    )


def lock_business(pk: int) -> Business:
    """NO KEY: rows that only refer to the business may still be written meanwhile."""
    return Business.objects.select_for_update(no_key=True).get(pk=pk)


def refuse_unless_referred(match: Match) -> None:
    """Raises ConsentRefused before approval and after the end of the match."""
    if match.referred_at is None or match.status in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED):
        raise ConsentRefused(ConsentRefusal.NOT_REFERRED)
    if match.status not in CONSENT_STATUSES:
        raise ConsentRefused(ConsentRefusal.OVER)


def pause_study(match: Match, *, withdrawn_at: datetime) -> None:
    """Consent is gone: an institution that studies is told and waits, its clock stands still.

    Its first answer can be given blind; terms on the table and what was accepted keep their days.
    """
    is_studied = match.status == MatchStatus.IN_STUDY or match.interested_at is not None
    if is_studied and match.status in (MatchStatus.REFERRED, MatchStatus.IN_STUDY):
        stop_clock(match, on=timezone.localdate())
    notifications.consent_withdrawn(match, key=withdrawn_at.isoformat())


def _since(state: ConsentState) -> str:
    """The moment the last consent that was missing came: one notice for one opening."""
    answered = [person.asked.answered_at for person in state.persons if person.asked]
    given_at = [state.business.given_at] if state.business else []
    return max(moment for moment in (*given_at, *answered) if moment).isoformat()


def _go_on(match: Match) -> None:
    """The institution's turn, if the wait for consent was what its clock stood still for."""
    today = timezone.localdate()
    if match.status not in (MatchStatus.REFERRED, MatchStatus.IN_STUDY):
        return
    if match.days_left_when_stopped is not None:
        resume_clock(match, on=today)
    elif match.clock_stage == Stage.CONSENT:
        is_studied = match.status == MatchStatus.IN_STUDY or match.interested_at is not None
        start_clock(match, Stage.STUDY if is_studied else Stage.FIRST_ANSWER, on=today)


def _end(actor: Actor, consent: Consent) -> datetime:
    consent.withdrawn_at = now = timezone.now()
    consent.save(update_fields=["withdrawn_at"])
    record(
        Verb.CONSENT_WITHDRAWN,
        actor=actor,
        obj=consent,
        data={"institution": consent.institution_id, "purpose": consent.purpose},
    )
    return now


def _refuse_stranger(actor: Actor, business_id: int) -> None:
    """Only who acts for the business consents for it."""
    members = BusinessMember.objects.filter(
        business_id=business_id, user=actor.user, is_active=True
    )
    if actor.user is None or not members.exists():
        raise ConsentRefused(ConsentRefusal.NOT_A_MEMBER)


__all__ = [
    "ConsentRefusal",
    "ConsentRefused",
    "ConsentState",
    "consent_state",
    "disclose_identity_if_ready",
    "give_consent",
    "has_standing_consent",
    "withdraw_consent",
]
