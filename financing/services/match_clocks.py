"""What the clock does with a match: reminds, hands a silent review up, expires (DOMAIN 3).

`clock_runs` calls it. Lock order: the match, its offer after it (see `capacity`).
"""

from collections import Counter
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from financing import notifications
from financing.lifecycles import CLOCK, MATCH
from financing.models.matches import MATCH_LIVE_STATUSES, Match, MatchStatus
from financing.recipients import office_above, responsible_office
from financing.services import capacity
from financing.services.clock_rows import each_row, locked_row
from financing.services.clocks import (
    Stage,
    end_clock,
    expires_on,
    half_on,
    recompute_deadline,
    start_clock,
)
from financing.services.completions import fall_through
from financing.services.money_refusals import MoneyRefused
from financing.services.rematching import rematch
from financing.services.terms import end_terms
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

HALF, END = "half", "end"


def tick_matches(now: datetime) -> Counter[str]:
    """Everything due at `now` on live matches whose clock runs; counts by what was done."""
    return each_row(_running(), lambda pk: _tick(pk, now)) + each_row(
        _running().filter(status=MatchStatus.ACCEPTED, deadline_on__lt=timezone.localdate(now)),
        lambda pk: _fall_through(pk, now),
    )


def _running() -> QuerySet[Match]:
    return Match.objects.filter(status__in=MATCH_LIVE_STATUSES, deadline_on__isnull=False)


def _tick(pk: UUID, now: datetime) -> str:
    match: Match | None = locked_row(_running(), pk)
    if match is None:
        return ""
    recompute_deadline(match)
    if timezone.localdate(now) > _deadline(match):
        return _past_deadline(match, now)
    return _remind(match, now)


def _past_deadline(match: Match, now: datetime) -> str:
    today = timezone.localdate(now)
    if match.clock_stage == Stage.REVIEW:
        return _escalate(match, now)
    lapsed = ""
    if match.clock_stage == Stage.TERMS and end_terms(actor=Actor.CLOCK, match=match):
        # What is booked for terms is booked until `valid_until`, not a day longer.
        lapsed = "terms_lapsed"
    ends_on = expires_on(match)
    may_expire = match.status in MATCH_EXPIRING_STATUSES
    if may_expire and ends_on is not None and today >= ends_on:
        return _expire(match)
    if match.clock_stage == Stage.TERMS:
        # Nobody is asked any more to answer terms that are over.
        return lapsed
    return _remind(match, now)


def _expire(match: Match) -> str:
    advance(MATCH, match, "expire", actor=Actor.CLOCK, data={"stage": match.clock_stage})
    end_clock(match)
    capacity.release(actor=Actor.CLOCK, match=match)
    rematch(match.request)
    notifications.match_expired(match)
    return "expired"


def _escalate(match: Match, now: datetime) -> str:
    """Silence of an office never kills a match: the parent office gets the same time."""
    before = responsible_office(match)
    above = office_above(match)
    if above is None:
        return _remind(match, now)
    match.escalated_to = above
    match.save(update_fields=["escalated_to"])
    record(
        Verb.ESCALATED,
        actor=Actor.CLOCK,
        obj=match,
        data={"from": before.pk if before is not None else None, "to": above.pk},
    )
    start_clock(match, Stage.REVIEW, on=timezone.localdate(now))
    notifications.escalated(match, from_office=before)
    return "escalated"


def _remind(match: Match, now: datetime) -> str:
    today = timezone.localdate(now)
    half = half_on(match)
    if today >= _deadline(match):
        which, is_told = END, match.reminded_at_end is not None
    else:
        which, is_told = HALF, match.reminded_at_half is not None
        if half is None or today < half:
            return ""
    if is_told:
        return ""
    setattr(match, f"reminded_at_{which}", now)
    match.save(update_fields=[f"reminded_at_{which}"])
    data = {"which": which, "stage": match.clock_stage, "deadline_on": str(match.deadline_on)}
    record(Verb.REMINDED, actor=Actor.CLOCK, obj=match, data=data)
    notifications.reminder(match, which)
    return f"reminded_{which}"


def _fall_through(pk: UUID, now: datetime) -> str:
    """Past the time from acceptance to the money; `fall_through` takes its locks in its order."""
    match = _running().filter(pk=pk, status=MatchStatus.ACCEPTED).first()
    if match is None or match.clock_stage != Stage.COMPLETION:
        return ""
    if timezone.localdate(now) <= _deadline(match):
        return ""
    try:
        fall_through(actor=Actor.CLOCK, match=match)
    except MoneyRefused:
        # Pledges are registered or money is out: only people can undo that.
        return ""
    return "fallen_through"


def _deadline(match: Match) -> date:
    assert match.deadline_on is not None  # `_running` says so
    return match.deadline_on


def _expiring_statuses() -> frozenset[str]:
    row = next(row for row in MATCH.transitions if row.action == "expire" and CLOCK in row.who)
    return frozenset(str(status) for status in row.sources)


MATCH_EXPIRING_STATUSES = _expiring_statuses()
