"""The coordinator's review: the queue by request, and one request with every offer."""

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from businesses import selectors
from financing import review_selectors, review_texts
from financing.contention import contentions
from financing.forms.reviews import QueueFilterForm
from financing.match_runs import NoPolicy, explain_request
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.proposals import Proposal
from financing.pair_kinds import LOAN, AnyRequest, PairKind
from financing.review_selectors import SHOWN, QueueFilter
from financing.rule_texts import months
from financing.views.review_cases import candidates
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import Region
from sipo_portal.ui import formats

FOLDER = "financing/reviews"
PER_PAGE = 20


# --- the queue ----------------------------------------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def review_queue(request: HttpRequest) -> HttpResponse:
    """What must I do now, and by when; then every request with its proposals and matches."""
    user, today = coordinator_of(request), timezone.localdate()
    form = QueueFilterForm(request.GET or None, regions=_regions_below(user))
    values = form.cleaned_data if form.is_bound and form.is_valid() else {}
    shown = values.get("show") if values.get("show") in SHOWN else SHOWN[0]
    wanted = QueueFilter(
        shown=str(shown),
        region=values.get("region", ""),
        size_class=values.get("size_class", ""),
        search=values.get("search", "").strip(),
    )
    counts = review_selectors.counts(user, today=today)
    rows = review_selectors.queue(user, wanted)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "wanted": wanted,
        "is_filtered": bool(wanted.region or wanted.size_class or wanted.search),
        "counts": counts,
        "tabs": _tabs(counts),
        "now": review_texts.queue_now(
            review_selectors.first_mine(user),
            mine_count=counts.my_matches,
            overdue_count=counts.my_overdue,
            claim_count=counts.to_claim,
            today=today,
        ),
        "last_run": review_selectors.last_run(user),
        "page": page,
        "entries": _entries(review_selectors.entries(user, page.object_list), user, today=today),
    }
    return render(request, f"{FOLDER}/queue.html", context)


def coordinator_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate let no visitor through
    return request.user


def _regions_below(user: User) -> list[Region]:
    """The regions one level below the office's, and its own districts where it has no more."""
    office = user.office
    if office is None:
        return []
    below = Region.objects.filter(parent=office.region_id)
    return list(below.order_by("code"))


def _tabs(counts: review_selectors.QueueCounts) -> list[dict[str, object]]:
    return [
        {"code": "todo", "label": _("To do"), "count": counts.todo},
        {"code": "to_claim", "label": _("To claim"), "count": counts.to_claim},
        {"code": "mine", "label": _("Claimed by me"), "count": counts.mine},
        {"code": "in_review", "label": _("All in review"), "count": counts.in_review},
        {"code": "decided", "label": _("Referred and decided"), "count": counts.decided},
    ]


def _entries(subjects: list[AnyRequest], user: User, *, today: date) -> list[dict[str, Any]]:
    rows = _proposal_rows([row for each in subjects for row in each.proposals.all()], today=today)
    return [_entry(each, rows, user, today=today) for each in subjects]


def _proposal_rows(proposals: list[Proposal], *, today: date) -> dict[int, dict[str, Any]]:
    """By id: the proposal, and whether it waits for the next full run."""
    try:
        waiting = contentions(proposals, on=today)
    except NoPolicy:
        waiting = {}
    return {each.pk: {"proposal": each, "is_waiting": each.pk in waiting} for each in proposals}


def _entry(
    subject: AnyRequest, proposals: dict[int, dict[str, Any]], user: User, *, today: date
) -> dict[str, Any]:
    days = review_selectors.waiting_days(subject, today=today)
    return {
        "subject": subject,
        "figures": _figures(subject),
        "business": subject.business,
        "patent_count": subject.patent_count,  # type: ignore[union-attr]
        "waiting": review_texts.waiting_text(days),
        "matches": [_match_row(each, user, today=today) for each in subject.matches.all()],
        "proposals": [proposals[each.pk] for each in subject.proposals.all()],
    }


def _match_row(match: Match, user: User, *, today: date) -> dict[str, Any]:
    has_clock = match.status in (MatchStatus.IN_REVIEW, MatchStatus.RETURNED, MatchStatus.REFERRED)
    return {
        "match": match,
        "is_mine": match.claimed_by_id == user.pk,
        "deadline": review_texts.deadline_of(match.deadline_on, today=today) if has_clock else None,
    }


# --- one request --------------------------------------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def review_request(request: HttpRequest, pk: int, kind: PairKind = LOAN) -> HttpResponse:
    """A request with its proposals, its matches past and present, and every other offer."""
    user, today = coordinator_of(request), timezone.localdate()
    subject = request_or_404(request, pk, kind)
    try:
        explanation = explain_request(subject, on=today)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {})
    patents = list(explanation.request.patents.all())
    titles = {str(patent.pk): patent.title for patent in patents}
    every = candidates(explanation, titles=titles)
    proposals = (
        Proposal.objects.visible_to(user)
        .filter(**{kind.request_field: subject})
        .select_related(f"{kind.offer_field}__institution")
        .order_by("rank", "pk")
    )
    matched = (
        Match.objects.visible_to(user)
        .filter(**{kind.request_field: subject})
        .select_related("institution", kind.offer_field, "claimed_by")
        .order_by("created_at", "pk")
    )
    taken = {proposal.offer.pk for proposal in proposals}
    rest = [each for each in every if each.match is None and each.offer.pk not in taken]
    days = review_selectors.waiting_days(subject, today=today)
    context = {
        "subject": subject,
        "business": subject.business,
        "facts": _request_facts(subject, review_texts.waiting_text(days)),
        "patents": [
            {"patent": patent, "expires_on": selectors.expires_on(patent)} for patent in patents
        ],
        "proposals": list(_proposal_rows(list(proposals), today=today).values()),
        "matches": [_match_row(each, user, today=today) for each in matched],
        "candidates": rest,
        "last_run_url": _last_run_url(user, kind, subject),
    }
    return render(request, f"{FOLDER}/request.html", context)


def _last_run_url(user: User, kind: PairKind, subject: AnyRequest) -> str:
    """What the last full run made of the request; empty before the first."""
    run = review_selectors.last_run(user)
    if run is None:
        return ""
    return reverse("financing:run_request", args=[run.pk, kind.name, subject.pk])


def request_or_404(request: HttpRequest, pk: int, kind: PairKind = LOAN) -> AnyRequest:
    """A request of this kind in the coordinator's region; others are absent."""
    rows = kind.requests._default_manager.visible_to(coordinator_of(request))
    subject: AnyRequest = get_object_or_404(rows.select_related("business__region"), pk=pk)
    return subject


def _figures(subject: AnyRequest) -> list[dict[str, str]]:
    """What is asked for, as the queue's entries show it."""
    if isinstance(subject, LoanRequest):
        return [
            {"label": _("Asked for"), "value": formats.wan(subject.principal)},
            {"label": _("Term"), "value": months(subject.term_months or 0)},
        ]
    return [
        {"label": _("Cover"), "value": str(subject.get_cover_kind_display())},
        {"label": _("Sum insured"), "value": formats.wan(subject.sum_insured)},
    ]


def _request_facts(subject: AnyRequest, waiting: str) -> list[dict[str, str]]:
    if isinstance(subject, LoanRequest):
        facts = _loan_facts(subject)
    else:
        facts = [*_figures(subject)]
        if subject.premium_limit is not None:
            limit = formats.yuan(subject.premium_limit)
            facts.append({"label": _("Highest premium accepted"), "value": limit})
    return [
        *facts,
        {
            "label": pgettext("moment", "Submitted"),
            "value": formats.moment(subject.submitted_at),
            "note": _("waiting %(time)s") % {"time": waiting},
        },
    ]


def _loan_facts(subject: LoanRequest) -> list[dict[str, str]]:
    least, limit = formats.wan(subject.least_accepted), subject.max_apr_percent
    facts = [
        {
            "label": _("Amount asked for"),
            "value": formats.wan(subject.principal),
            "note": _("%(least)s would be enough") % {"least": least},
        },
        {
            "label": _("Term"),
            "value": _("%(count)s months") % {"count": subject.term_months or formats.NOTHING},
        },
    ]
    if limit is not None:
        facts.append({"label": _("Dearest yearly cost accepted"), "value": formats.percent(limit)})
    facts.append(
        {
            "label": _("Purpose"),
            "value": str(subject.get_purpose_display()),
            "note": subject.purpose_text,
        }
    )
    return facts
