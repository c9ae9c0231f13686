"""What nobody touches any more: requests expire, offers close, patents end (DOMAIN 3).

`clock_runs` calls it. Each is reminded first, except where a stated day is over.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from businesses.models.patents import EndReason, Patent, PatentStatus
from businesses.rules.patent_term import add_months
from businesses.selectors import expires_on
from businesses.services.patents import end_patent
from financing import notifications
from financing.lifecycles import OFFER, REQUEST
from financing.match_runs import current_policy
from financing.models import LoanOffer, LoanRequest, Match, MatchingPolicy
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.matches import MATCH_LIVE_STATUSES
from financing.models.offers import OfferStatus
from financing.models.proposals import Proposal
from financing.models.requests import RequestStatus
from financing.services.clock_rows import each_row, locked_row
from financing.services.offers import match_again
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.workflow.advance import advance

LAPSING_REQUEST_STATUSES = (
    RequestStatus.SUBMITTED,
    RequestStatus.OPEN,
    RequestStatus.RETURNED,
)
POSTED_STATUSES = (OfferStatus.PUBLISHED, OfferStatus.PAUSED)
# How matches name the rows they belong to.
MATCH_FIELDS: dict[type[Any], str] = {
    LoanRequest: "loan_request",
    InsuranceRequest: "insurance_request",
    LoanOffer: "loan_offer",
    InsuranceOffer: "insurance_offer",
    # A guarantee lives on the loans it secures.
    GuaranteeOffer: "loan_offer__guarantee_offers",
}
SHORTEST_TERM_MONTHS = 120


def tick_requests(now: datetime) -> Counter[str]:
    """Requests not refreshed for the policy's days without a live match: reminded, then expired."""
    policy = current_policy(timezone.localdate(now))
    done: Counter[str] = Counter()
    for model in (LoanRequest, InsuranceRequest):
        rows = _forgotten(model, now, policy).filter(status__in=LAPSING_REQUEST_STATUSES)
        done += each_row(rows, partial(_tick_request, model, now=now, policy=policy))
    return done


def tick_offers(now: datetime) -> Counter[str]:
    """Offers past their last day closed; forgotten ones reminded, then closed."""
    today = timezone.localdate(now)
    policy = current_policy(today)
    done: Counter[str] = Counter()
    for model in (LoanOffer, InsuranceOffer, GuaranteeOffer):
        posted = model._default_manager.filter(status__in=POSTED_STATUSES)
        done += each_row(posted.filter(closes_on__lt=today), partial(_close, model, today=today))
        rows = _forgotten(model, now, policy).filter(status__in=POSTED_STATUSES)
        done += each_row(rows, partial(_tick_offer, model, now=now, policy=policy))
    return done


def tick_patents(now: datetime) -> Counter[str]:
    """Patents whose term is over on the day of `now` have ended."""
    today = timezone.localdate(now)
    # No term is shorter; whose is longer is seen row by row. A day more, for 29 February.
    shortest = add_months(today, -SHORTEST_TERM_MONTHS) + timedelta(days=1)
    of_inventions = add_months(today, -2 * SHORTEST_TERM_MONTHS) + timedelta(days=1)
    rows = Patent.objects.exclude(status=PatentStatus.ENDED).filter(filed_on__lte=shortest)
    young = Q(kind="invention", filed_on__gt=of_inventions)
    return each_row(rows.exclude(young), lambda pk: _end_patent(pk, today))


# --- requests and offers -----------------------------------------------------------------------


def _forgotten(model: type[Any], now: datetime, policy: MatchingPolicy) -> QuerySet[Any]:
    """Rows without a live match that neither a refresh nor a match touched for the policy's days.

    `touched_at`: the later of the last refresh and the last move of one of its matches.
    """
    field = MATCH_FIELDS[model]
    matches = Match.objects.filter(**{field: OuterRef("pk")}).order_by()
    moved_at = matches.values(field).annotate(last=Max("status_changed_at")).values("last")
    began_at = "submitted_at" if model in (LoanRequest, InsuranceRequest) else "published_at"
    touched_at = Greatest(Coalesce("refreshed_at", began_at, "created_at"), moved_at)
    rows: QuerySet[Any] = (
        model._default_manager.annotate(touched_at=touched_at)
        .filter(touched_at__lte=now - timedelta(days=policy.refresh_days))
        .exclude(Exists(matches.filter(status__in=MATCH_LIVE_STATUSES)))
    )
    return rows


def _tick_request(model: type[Any], pk: int, *, now: datetime, policy: MatchingPolicy) -> str:
    rows = _forgotten(model, now, policy).filter(status__in=LAPSING_REQUEST_STATUSES)
    request = locked_row(rows, pk)
    if request is None:
        return ""
    lapses_on = _lapses_on(request, policy)
    if lapses_on is None:
        lapses_on = _note_reminder(request, now, policy)
        notifications.request_reminder(request, lapses_on=lapses_on)
        return "request_reminded"
    if timezone.localdate(now) < lapses_on:
        return ""
    Proposal.objects.filter(**{MATCH_FIELDS[model]: request}).delete()
    advance(REQUEST, request, "expire", actor=Actor.CLOCK)
    notifications.request_expired(request)
    return "request_expired"


def _tick_offer(model: type[Any], pk: int, *, now: datetime, policy: MatchingPolicy) -> str:
    offer = locked_row(_forgotten(model, now, policy).filter(status__in=POSTED_STATUSES), pk)
    if offer is None:
        return ""
    lapses_on = _lapses_on(offer, policy)
    if lapses_on is None:
        lapses_on = _note_reminder(offer, now, policy)
        notifications.offer_reminder(offer, lapses_on=lapses_on)
        return "offer_reminded"
    if timezone.localdate(now) < lapses_on:
        return ""
    return _closed(offer)


def _close(model: type[Any], pk: int, *, today: date) -> str:
    due = model._default_manager.filter(status__in=POSTED_STATUSES, closes_on__lt=today)
    offer = locked_row(due, pk)
    return "" if offer is None else _closed(offer)


def _closed(offer: Any) -> str:
    advance(OFFER, offer, "close", actor=Actor.CLOCK)
    if isinstance(offer, LoanOffer | InsuranceOffer):
        match_again(offer)
    notifications.offer_closed(offer)
    return "offer_closed"


def _lapses_on(row: Any, policy: MatchingPolicy) -> date | None:
    """The day it lapses, once reminded; a reminder from before the last touch does not count."""
    if row.reminded_at is None or row.reminded_at < row.touched_at:
        return None
    reminded_on = timezone.localdate(row.reminded_at)
    return add_working_days(reminded_on, policy.refresh_grace_days)[0]


def _note_reminder(row: Any, now: datetime, policy: MatchingPolicy) -> date:
    row.reminded_at = now
    row.save(update_fields=["reminded_at"])
    lapses_on = add_working_days(timezone.localdate(now), policy.refresh_grace_days)[0]
    record(Verb.REMINDED, actor=Actor.CLOCK, obj=row, data={"lapses_on": str(lapses_on)})
    return lapses_on


# --- patents -----------------------------------------------------------------------------------


def _end_patent(pk: int, today: date) -> str:
    patent = locked_row(Patent.objects.exclude(status=PatentStatus.ENDED), pk)
    if patent is None or expires_on(patent) > today:
        return ""
    ended = end_patent(
        actor=Actor.CLOCK,
        patent=patent,
        end_reason=EndReason.EXPIRED,
        ended_on=expires_on(patent),
    )
    notifications.patent_ended(ended)
    return "patent_ended"
