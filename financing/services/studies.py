"""The lender's study of a referral: interest, study, questions, declining; called by the admin.

DOMAIN 2: before the identity is open the lender declines or says that it is interested. Study,
questions and terms need the open identity and consents that stand. Lock order: the business, whose
consent must not be withdrawn meanwhile, then the match.
"""

from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from financing import notifications
from financing.consent_state import consent_state
from financing.lifecycles import MATCH
from financing.models.institutions import InstitutionStaff
from financing.models.matches import Match, MatchStatus
from financing.models.questions import Question
from financing.services.clocks import Stage, end_clock, start_clock, stop_clock
from financing.services.consents import lock_business
from financing.services.matches import Reason, decide, refuse_missing_text
from financing.services.rematching import rematch
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance
from sipo_portal.workflow.lifecycle import Refusal, TransitionRefused


class StudyRefusal(StrEnum):
    """Why the lender's step could not be taken; `referral_texts` has the words."""

    IDENTITY_CLOSED = "identity_closed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    INSTITUTION_SUSPENDED = "institution_suspended"
    QUESTION_EMPTY = "question_empty"


class StudyRefused(Exception):
    """Nothing was changed; `code` says why."""

    def __init__(self, code: StudyRefusal) -> None:
        super().__init__(code.value)
        self.code = code


@transaction.atomic
def declare_interest(*, actor: Actor, match: Match) -> Match:
    """Say that the institution would study the referral, which is still blind.

    The business is asked for its consent and has the days of that stage. Where the identity is
    open already the study begins at once. Saying it twice changes nothing. Raises TransitionRefused
    in any other state, PermissionDenied for staff of another institution.
    """
    locked = locked_for_lender(actor, match)
    if locked.status != MatchStatus.REFERRED:
        raise TransitionRefused(
            Refusal.WRONG_STATE, lifecycle=MATCH.name, action="interest", state=locked.status
        )
    if is_identity_open(locked):
        return _begin_study(actor, locked)
    if locked.interested_at is not None:
        return locked
    _note_interest(actor, locked)
    start_clock(locked, Stage.CONSENT, on=timezone.localdate())
    notifications.interest_declared(locked)
    return locked


@transaction.atomic
def study(*, actor: Actor, match: Match) -> Match:
    """Take the referral into study, whose clock starts. Raises StudyRefused, TransitionRefused."""
    lock_business(match.business_id)
    locked = locked_for_lender(actor, match)
    refuse_wrong_state(actor, locked, "study")
    refuse_closed_identity(locked)
    return _begin_study(actor, locked)


@transaction.atomic
def ask(*, actor: Actor, match: Match, text: str) -> Question:
    """Ask the business; the match waits for it and the lender's clock stands still.

    Raises StudyRefused (no text, no open identity) and TransitionRefused.
    """
    lock_business(match.business_id)
    locked = locked_for_lender(actor, match)
    refuse_wrong_state(actor, locked, "ask")
    if not text.strip():
        raise StudyRefused(StudyRefusal.QUESTION_EMPTY)
    refuse_closed_identity(locked)
    advance(MATCH, locked, "ask", actor=actor)
    question: Question = Question.objects.create(
        match=locked, text=text.strip(), asked_by=actor.user
    )
    record(Verb.QUESTION_ASKED, actor=actor, obj=question, data={"match": str(locked.pk)})
    stop_clock(locked, on=timezone.localdate())
    notifications.question_asked(question)
    return question


@transaction.atomic
def decline(*, actor: Actor, match: Match, reason: Reason) -> Match:
    """End the match with a structured reason, blind or later; other offers are looked for.

    Raises MatchRefused (a reason without its text) and TransitionRefused.
    """
    refuse_missing_text(reason)
    locked = locked_for_lender(actor, match)
    data = {"reason": reason.code, "criterion": reason.criterion}
    advance(MATCH, locked, "decline", actor=actor, data=data)
    decision = decide(actor, locked, "decline", reason)
    end_clock(locked)
    rematch(locked.request)
    notifications.match_declined(locked, decision)
    return locked


def is_identity_open(match: Match) -> bool:
    """Whether the business is disclosed to the institution and every consent to it stands."""
    return consent_state(match).is_open


def refuse_closed_identity(match: Match) -> None:
    """Raises StudyRefused unless the identity was opened and the consents to it stand."""
    state = consent_state(match)
    if state.was_closed:
        raise StudyRefused(StudyRefusal.CONSENT_WITHDRAWN)
    if not state.is_open:
        raise StudyRefused(StudyRefusal.IDENTITY_CLOSED)


def locked_for_lender(actor: Actor, match: Match) -> Match:
    """The match as it is now, locked, for staff of its own institution only."""
    locked = Match.objects.select_for_update(of=("self",)).get(pk=match.pk)
    is_own = InstitutionStaff.objects.filter(
        user=actor.user, institution_id=locked.institution_id, is_active=True
    ).exists()
    if not is_own:
        raise PermissionDenied("The referral is another institution's.")
    return locked


def refuse_wrong_state(actor: Actor, locked: Match, action: str) -> None:
    """The state is the first thing said: an old page says so, whatever else is wrong with it."""
    MATCH.find(locked.status, action, actor.kind)


def _begin_study(actor: Actor, locked: Match) -> Match:
    advance(MATCH, locked, "study", actor=actor)
    if locked.interested_at is None:
        _note_interest(actor, locked)
    start_clock(locked, Stage.STUDY, on=timezone.localdate())
    return locked


def _note_interest(actor: Actor, locked: Match) -> None:
    locked.interested_at = timezone.now()
    locked.save(update_fields=["interested_at", "updated_at"])
    record(Verb.INTEREST_DECLARED, actor=actor, obj=locked)
