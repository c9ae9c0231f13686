"""What a coordinator's queue shows, grouped by request; review pages call it, nothing is changed.

Every function starts from `visible_to` and needs a number of queries that does not grow with rows.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from businesses.models import Business
from businesses.models.businesses import BusinessStatus
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun, RunKind
from financing.models.matches import Match, MatchStatus
from financing.models.proposals import Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from sipo_portal.accounts.models import User

REVIEW_STATUSES = (MatchStatus.IN_REVIEW.value, MatchStatus.RETURNED.value)
# Loan requests with annotations, which the type cannot tell.
Requests = QuerySet[Any]
# `todo`: what is mine or nobody's. The rest is one pile each.
SHOWN = ("todo", "to_claim", "mine", "in_review", "decided")


@dataclass(frozen=True)
class QueueFilter:
    """What the page's filter form says; empty strings mean all."""

    shown: str = "todo"
    region: str = ""
    size_class: str = ""
    search: str = ""


def queue(user: User, wanted: QueueFilter) -> Requests:
    """The requests of one pile: nearest deadline first, then longest waiting; decided ones last
    moved first. With proposals, matches, patents and what an entry says of them."""
    rows = _in_pile(_requests(user), wanted.shown, user)
    if wanted.region:
        rows = rows.filter(business__region__code__startswith=wanted.region)
    if wanted.size_class:
        rows = rows.filter(business__size_class=wanted.size_class)
    if wanted.search:
        rows = rows.filter(business__name__icontains=wanted.search)
    deadlines = Match.objects.filter(loan_request=OuterRef("pk"), status=MatchStatus.IN_REVIEW)
    if wanted.shown in ("todo", "mine"):
        deadlines = deadlines.filter(_mine(user))
    moved = Match.objects.filter(loan_request=OuterRef("pk")).order_by("-updated_at")
    rows = rows.annotate(
        next_deadline_on=Subquery(
            deadlines.order_by(F("deadline_on").asc(nulls_last=True)).values("deadline_on")[:1]
        ),
        moved_at=Subquery(moved.values("updated_at")[:1]),
    )
    entries = _with_entries(rows)
    if wanted.shown == "decided":
        return entries.order_by("-moved_at", "pk")
    return entries.order_by(F("next_deadline_on").asc(nulls_last=True), "submitted_at", "pk")


def _requests(user: User) -> Requests:
    own = Match.objects.filter(loan_request=OuterRef("pk"))
    rows: Requests = LoanRequest.objects.visible_to(user)
    marked: Requests = rows.annotate(
        has_proposal=Exists(Proposal.objects.filter(loan_request=OuterRef("pk"))),
        has_review=Exists(own.filter(status__in=REVIEW_STATUSES)),
        has_mine=Exists(own.filter(_mine(user), status=MatchStatus.IN_REVIEW)),
        has_decided=Exists(own.exclude(status__in=REVIEW_STATUSES)),
    )
    return marked
    return rows


def _mine(user: User) -> Q:
    """Claimed by the user, or handed up to the user's office after silence below (DOMAIN 3)."""
    claimed = Q(claimed_by=user)
    return claimed | Q(escalated_to=user.office_id) if user.office_id else claimed


def _to_claim() -> Q:
    return Q(has_proposal=True, status__in=REQUEST_MATCHING_STATUSES)


def _in_pile(rows: Requests, shown: str, user: User) -> Requests:
    match shown:
        case "to_claim":
            return rows.filter(_to_claim())
        case "mine":
            return rows.filter(has_mine=True)
        case "in_review":
            return rows.filter(has_review=True)
        case "decided":
            return rows.filter(has_decided=True)
    return rows.filter(_to_claim() | Q(has_mine=True))


def _with_entries(rows: Requests) -> Requests:
    entries: Requests = (
        rows.select_related("business__region")
        .annotate(patent_count=Count("patents", distinct=True))
        .prefetch_related(
            Prefetch(
                "proposals",
                Proposal.objects.select_related("loan_offer__institution").order_by("rank", "pk"),
            ),
            Prefetch(
                "matches",
                Match.objects.select_related("institution", "loan_offer", "claimed_by").order_by(
                    "created_at", "pk"
                ),
            ),
        )
    )
    return entries
    return entries


@dataclass(frozen=True)
class QueueCounts:
    """Requests in each pile; `overdue` counts matches in review whose deadline has passed."""

    todo: int
    to_claim: int
    mine: int
    in_review: int
    decided: int
    overdue: int
    my_matches: int
    my_overdue: int
    to_verify: int


def counts(user: User, *, today: date) -> QueueCounts:
    """Three queries, whatever the number of rows."""
    piles = _requests(user).aggregate(
        todo=Count("pk", filter=_to_claim() | Q(has_mine=True)),
        to_claim=Count("pk", filter=_to_claim()),
        mine=Count("pk", filter=Q(has_mine=True)),
        in_review=Count("pk", filter=Q(has_review=True)),
        decided=Count("pk", filter=Q(has_decided=True)),
    )
    late, own = Q(deadline_on__lt=today), _mine(user)
    reviews = (
        Match.objects.visible_to(user)
        .filter(status=MatchStatus.IN_REVIEW)
        .aggregate(
            overdue=Count("pk", filter=late),
            my_matches=Count("pk", filter=own),
            my_overdue=Count("pk", filter=own & late),
        )
    )
    to_verify = Business.objects.visible_to(user).filter(status=BusinessStatus.REGISTERED).count()
    return QueueCounts(**piles, **reviews, to_verify=to_verify)


def first_mine(user: User) -> Match | None:
    """The own match to decide next."""
    return (
        Match.objects.visible_to(user)
        .filter(_mine(user), status=MatchStatus.IN_REVIEW)
        .select_related("business", "institution")
        .order_by(F("deadline_on").asc(nulls_last=True), "created_at", "pk")
        .first()
    )


def last_run(user: User) -> MatchRun | None:
    """The latest run over all requests of the user's region or of the country."""
    return MatchRun.objects.visible_to(user).filter(kind=RunKind.FULL).order_by("-pk").first()


def waiting_days(loan_request: LoanRequest, *, today: date) -> int:
    """Days since the request was submitted."""
    if loan_request.submitted_at is None:
        return 0
    return max(0, (today - timezone.localdate(loan_request.submitted_at)).days)
