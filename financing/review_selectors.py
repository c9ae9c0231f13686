"""What a coordinator's queue shows, grouped by request; review pages call it, nothing is changed.

Every function starts from `visible_to` and needs a number of queries that does not grow with rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.utils import timezone

from businesses.models import Business
from businesses.models.businesses import BusinessStatus
from financing.models.match_runs import MatchRun, RunKind
from financing.models.matches import Match, MatchStatus
from financing.models.proposals import Proposal
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KINDS, AnyRequest, PairKind
from sipo_portal.accounts.models import User

REVIEW_STATUSES = (MatchStatus.IN_REVIEW.value, MatchStatus.RETURNED.value)
# Requests of either kind with annotations, which the type cannot tell.
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
    """Keys of the requests of one pile, of both kinds, as rows with `kind` and `pk`: nearest
    deadline first, then longest waiting; decided ones last moved first. `entries` reads them."""
    first, *others = [_keys(kind, user, wanted) for kind in KINDS]
    keys: Requests = first.union(*others, all=True)
    if wanted.shown == "decided":
        return keys.order_by("-moved_at", "kind", "pk")
    # PostgreSQL puts those without a deadline last.
    return keys.order_by("next_deadline_on", "submitted_at", "kind", "pk")


def _keys(kind: PairKind, user: User, wanted: QueueFilter) -> Requests:
    rows = _in_pile(_requests(kind, user), wanted.shown, user)
    if wanted.region:
        rows = rows.filter(business__region__code__startswith=wanted.region)
    if wanted.size_class:
        rows = rows.filter(business__size_class=wanted.size_class)
    if wanted.search:
        rows = rows.filter(business__name__icontains=wanted.search)
    of_request = Match.objects.filter(**{kind.request_field: OuterRef("pk")})
    deadlines = of_request.filter(status=MatchStatus.IN_REVIEW)
    if wanted.shown in ("todo", "mine"):
        deadlines = deadlines.filter(_mine(user))
    moved = of_request.order_by("-updated_at")
    keys: Requests = (
        rows.order_by()
        .annotate(
            kind=Value(kind.name, output_field=CharField()),
            next_deadline_on=Subquery(
                deadlines.order_by(F("deadline_on").asc(nulls_last=True)).values("deadline_on")[:1]
            ),
            moved_at=Subquery(moved.values("updated_at")[:1]),
        )
        .values("kind", "pk", "next_deadline_on", "submitted_at", "moved_at")
    )
    return keys


def entries(user: User, keys: Iterable[Mapping[str, Any]]) -> list[AnyRequest]:
    """The requests of one page of the queue, in its order, with proposals, matches, patents and
    what an entry says of them."""
    wanted = [(key["kind"], key["pk"]) for key in keys]
    found: dict[tuple[str, int], AnyRequest] = {}
    for kind in KINDS:
        ids = [pk for name, pk in wanted if name == kind.name]
        if not ids:
            continue
        rows = kind.requests._default_manager.visible_to(user).filter(pk__in=ids)
        found.update({(kind.name, each.pk): each for each in _with_entries(rows)})
    return [found[key] for key in wanted if key in found]


def _requests(kind: PairKind, user: User) -> Requests:
    own = Match.objects.filter(**{kind.request_field: OuterRef("pk")})
    proposed = Proposal.objects.filter(**{kind.request_field: OuterRef("pk")})
    rows: Requests = kind.requests._default_manager.visible_to(user)
    marked: Requests = rows.annotate(
        has_proposal=Exists(proposed),
        has_review=Exists(own.filter(status__in=REVIEW_STATUSES)),
        has_mine=Exists(own.filter(_mine(user), status=MatchStatus.IN_REVIEW)),
        has_decided=Exists(own.exclude(status__in=REVIEW_STATUSES)),
    )
    return marked


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
    found: Requests = (
        rows.select_related("business__region")
        .annotate(patent_count=Count("patents", distinct=True))
        .prefetch_related(
            Prefetch(
                "proposals",
                Proposal.objects.select_related(
                    "loan_offer__institution", "insurance_offer__institution"
                ).order_by("rank", "pk"),
            ),
            Prefetch(
                "matches",
                Match.objects.select_related(
                    "institution", "loan_offer", "insurance_offer", "claimed_by"
                ).order_by("created_at", "pk"),
            ),
        )
    )
    return found


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
    """Four queries, whatever the number of rows."""
    piles: Counter[str] = Counter()
    for kind in KINDS:
        piles.update(
            _requests(kind, user).aggregate(
                todo=Count("pk", filter=_to_claim() | Q(has_mine=True)),
                to_claim=Count("pk", filter=_to_claim()),
                mine=Count("pk", filter=Q(has_mine=True)),
                in_review=Count("pk", filter=Q(has_review=True)),
                decided=Count("pk", filter=Q(has_decided=True)),
            )
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
    runs = MatchRun.objects.visible_to(user).written()
    return runs.filter(kind=RunKind.FULL).order_by("-pk").first()


def waiting_days(subject: AnyRequest, *, today: date) -> int:
    """Days since the request was submitted."""
    if subject.submitted_at is None:
        return 0
    return max(0, (today - timezone.localdate(subject.submitted_at)).days)
