"""The clock of a match's stage: start, stop for a wait, resume; called by services (DOMAIN 3).

Days are working days of the official calendar and policy data. `clock_runs` reminds and expires.
"""

from datetime import date, timedelta
from enum import StrEnum

from django.utils import timezone

from financing.match_runs import current_policy
from financing.models.matches import Match, MatchStatus
from financing.models.policies import MatchingPolicy
from financing.models.terms import Terms, TermsStatus
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.working_days import add_working_days, working_days_between

CLOCK_FIELDS = (
    "clock_stage",
    "clock_days",
    "clock_days_granted",
    "stage_began_on",
    "deadline_on",
    "is_deadline_provisional",
    "days_left_when_stopped",
    "stage_when_stopped",
    "reminded_at_half",
    "reminded_at_end",
)


class Stage(StrEnum):
    """What is awaited; the side it is awaited from is told in `notifications`."""

    REVIEW = "review"
    # The business: its consent, or its answer to a coordinator or an institution.
    CONSENT = "consent"
    FIRST_ANSWER = "first_answer"
    STUDY = "study"
    TERMS = "terms"
    # From acceptance to the money; past it the match falls through.
    COMPLETION = "completion"


def start_clock(match: Match, stage: str, *, on: date) -> None:
    """Begin `stage` on the day `on`; what an earlier stage left is forgotten.

    `stage`: a value of `Stage`. `terms` runs until the `valid_until` of the standing terms, every
    other stage for the working days of the policy in force. The caller holds the lock of the match;
    raises ValueError for `terms` without terms, NoPolicy.
    """
    stage = Stage(stage)
    match.days_left_when_stopped = None
    match.stage_when_stopped = ""
    if stage == Stage.TERMS:
        deadline_on = _valid_until(match)
        _set(match, stage, on, days=max(0, working_days_between(on, deadline_on)))
        # Announced or not, the terms say this day.
        match.deadline_on, match.is_deadline_provisional = deadline_on, False
    else:
        _set(match, stage, on, days=_days(current_policy(on), stage))
    _save(match, Verb.DEADLINE_SET)


def stop_clock(match: Match, *, on: date) -> None:
    """The other side's turn: the stage stands still with the working days it has left.

    The business, which is awaited, gets its own clock meanwhile (stage `consent`), so that a wait
    does not last for ever. Stopping what is stopped does nothing.
    """
    if match.days_left_when_stopped is not None:
        return
    policy = current_policy(on)
    if match.deadline_on is None:
        # No clock ran: the stage begins when the answer comes.
        stage = Stage.REVIEW if match.status == MatchStatus.RETURNED else Stage.STUDY
        match.days_left_when_stopped = _days(policy, stage)
    else:
        stage = Stage(match.clock_stage or Stage.STUDY)
        match.days_left_when_stopped = working_days_between(on, match.deadline_on)
    match.stage_when_stopped = stage
    _set(match, Stage.CONSENT, on, days=_days(policy, Stage.CONSENT))
    _save(match, Verb.DEADLINE_STOPPED)


def resume_clock(match: Match, *, on: date) -> None:
    """The other side answered: the stage goes on with what it had left, at least one working day.

    A half that was over before the wait is not reminded of again. Resuming what is not stopped does
    nothing.
    """
    left = match.days_left_when_stopped
    if left is None:
        return
    stage = Stage(match.stage_when_stopped or Stage.STUDY)
    match.days_left_when_stopped = None
    match.stage_when_stopped = ""
    # Who was late already when it stopped gets a day to read the answer.
    _set(match, stage, on, days=_days(current_policy(on), stage), granted=max(1, left))
    if half_on(match) == on:
        match.reminded_at_half = timezone.now()
    _save(match, Verb.DEADLINE_SET)


def recompute_deadline(match: Match) -> bool:
    """Count a provisional deadline again, now that more of the calendar may be announced.

    Whether it moved or is no longer provisional; saved and audited only then.
    """
    if not match.is_deadline_provisional or match.stage_began_on is None:
        return False
    deadline_on, is_provisional = add_working_days(match.stage_began_on, match.clock_days_granted)
    if (deadline_on, is_provisional) == (match.deadline_on, True):
        return False
    match.deadline_on, match.is_deadline_provisional = deadline_on, is_provisional
    _save(match, Verb.DEADLINE_SET)
    return True


def end_clock(match: Match) -> None:
    """Nobody is awaited any more: the match is over."""
    match.clock_stage = match.stage_when_stopped = ""
    match.deadline_on = match.days_left_when_stopped = None
    match.is_deadline_provisional = False
    match.save(update_fields=list(CLOCK_FIELDS))


def half_on(match: Match) -> date | None:
    """The day of the first reminder: half of the stage's working days, rounded up, are over."""
    if match.deadline_on is None or match.stage_began_on is None:
        return None
    used_before = match.clock_days - match.clock_days_granted
    still = (match.clock_days + 1) // 2 - used_before
    if still <= 0:
        return match.stage_began_on
    return min(match.deadline_on, add_working_days(match.stage_began_on, still)[0])


def expires_on(match: Match) -> date | None:
    """The first day on which the clock ends the match: the same time again after the deadline."""
    if match.deadline_on is None:
        return None
    if match.clock_stage == Stage.COMPLETION:
        return match.deadline_on + timedelta(days=1)
    return add_working_days(match.deadline_on, max(1, match.clock_days))[0]


def _set(match: Match, stage: Stage, on: date, *, days: int, granted: int | None = None) -> None:
    match.clock_stage = stage
    match.clock_days = days
    match.clock_days_granted = days if granted is None else granted
    match.stage_began_on = on
    match.deadline_on, match.is_deadline_provisional = add_working_days(
        on, match.clock_days_granted
    )
    match.reminded_at_half = match.reminded_at_end = None


def _save(match: Match, verb: Verb) -> None:
    match.save(update_fields=[*CLOCK_FIELDS, "updated_at"])
    record(
        verb,
        actor=Actor.CLOCK,
        obj=match,
        data={
            "stage": match.clock_stage,
            "deadline_on": str(match.deadline_on),
            "is_provisional": match.is_deadline_provisional,
            "days_left_when_stopped": match.days_left_when_stopped,
        },
    )


def _days(policy: MatchingPolicy, stage: Stage) -> int:
    days: dict[Stage, int] = {
        Stage.REVIEW: policy.review_days,
        Stage.CONSENT: policy.consent_days,
        Stage.FIRST_ANSWER: policy.first_answer_days,
        Stage.STUDY: policy.study_days,
        Stage.COMPLETION: policy.completion_days,
    }
    return days[stage]


def _valid_until(match: Match) -> date:
    terms: Terms | None = Terms.objects.filter(match=match, status=TermsStatus.OFFERED).first()
    if terms is None:
        raise ValueError("terms are offered before their clock starts")
    return terms.valid_until
