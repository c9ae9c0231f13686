"""The coordinator's review: the queue by request, a request, one match and its decision."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from businesses import selectors
from financing import review_selectors, review_texts
from financing.consent_state import consent_state
from financing.disclosure_texts import blind_facts
from financing.forms.reviews import ApproveForm, QueueFilterForm, RejectForm, ReturnForm
from financing.match_runs import NoPolicy, explain_request
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchDecision, MatchStatus
from financing.models.policies import MatchingPolicy
from financing.models.proposals import Proposal
from financing.review_selectors import SHOWN, QueueFilter
from financing.services import matches
from financing.services.matches import MatchRefused, Reason
from financing.services.referrals import blind_fields
from financing.views.review_cases import Case, candidates, case_of
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.ui import formats
from sipo_portal.workflow.lifecycle import TransitionRefused

FOLDER = "financing/reviews"
PER_PAGE = 20


# --- the queue ----------------------------------------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def review_queue(request: HttpRequest) -> HttpResponse:
    """What must I do now, and by when; then every request with its proposals and matches."""
    user, today = _coordinator(request), timezone.localdate()
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
        "entries": [_entry(each, user, today=today) for each in page.object_list],
    }
    return render(request, f"{FOLDER}/queue.html", context)


def _coordinator(request: HttpRequest) -> User:
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


def _entry(loan_request: LoanRequest, user: User, *, today: date) -> dict[str, Any]:
    days = review_selectors.waiting_days(loan_request, today=today)
    return {
        "loan_request": loan_request,
        "business": loan_request.business,
        "patent_count": loan_request.patent_count,  # type: ignore[attr-defined]
        "waiting": review_texts.waiting_text(days),
        "matches": [_match_row(each, user, today=today) for each in loan_request.matches.all()],
        "proposals": list(loan_request.proposals.all()),
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
def review_request(request: HttpRequest, pk: int) -> HttpResponse:
    """A request with its proposals, its matches past and present, and every other offer."""
    user, today = _coordinator(request), timezone.localdate()
    loan_request = _request_or_404(request, pk)
    try:
        explanation = explain_request(loan_request, on=today)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {})
    patents = list(explanation.request.patents.all())
    titles = {str(patent.pk): patent.title for patent in patents}
    every = candidates(explanation, titles=titles)
    proposals = (
        Proposal.objects.visible_to(user)
        .filter(loan_request=loan_request)
        .select_related("loan_offer__institution")
        .order_by("rank", "pk")
    )
    matched = (
        Match.objects.visible_to(user)
        .filter(loan_request=loan_request)
        .select_related("institution", "loan_offer", "claimed_by")
        .order_by("created_at", "pk")
    )
    taken = {proposal.loan_offer_id for proposal in proposals}
    rest = [each for each in every if each.match is None and each.offer.pk not in taken]
    days = review_selectors.waiting_days(loan_request, today=today)
    context = {
        "loan_request": loan_request,
        "business": loan_request.business,
        "facts": _request_facts(loan_request, review_texts.waiting_text(days)),
        "patents": [
            {"patent": patent, "expires_on": selectors.expires_on(patent)} for patent in patents
        ],
        "proposals": proposals,
        "matches": [_match_row(each, user, today=today) for each in matched],
        "candidates": rest,
    }
    return render(request, f"{FOLDER}/request.html", context)


def _request_or_404(request: HttpRequest, pk: int) -> LoanRequest:
    rows = LoanRequest.objects.visible_to(_coordinator(request)).select_related("business__region")
    loan_request: LoanRequest = get_object_or_404(rows, pk=pk)
    return loan_request


def _request_facts(loan_request: LoanRequest, waiting: str) -> list[dict[str, str]]:
    least = formats.wan(loan_request.least_accepted)
    facts = [
        {
            "label": _("Amount asked for"),
            "value": formats.wan(loan_request.principal),
            "note": _("%(least)s would be enough") % {"least": least},
        },
        {
            "label": _("Term"),
            "value": _("%(count)s months") % {"count": loan_request.term_months or formats.NOTHING},
        },
        {
            "label": _("Purpose"),
            "value": str(loan_request.get_purpose_display()),
            "note": loan_request.purpose_text,
        },
        {
            "label": pgettext("moment", "Submitted"),
            "value": formats.moment(loan_request.submitted_at),
            "note": _("waiting %(time)s") % {"time": waiting},
        },
    ]
    if loan_request.max_apr_percent is not None:
        facts.insert(
            2,
            {
                "label": _("Dearest yearly cost accepted"),
                "value": formats.percent(loan_request.max_apr_percent),
            },
        )
    return facts


# --- one pair, before and after it is claimed -----------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def review_proposal(request: HttpRequest, pk: int, offer_pk: int) -> HttpResponseBase:
    """One offer for one request. The address lasts while runs replace the proposal behind it."""
    loan_request = _request_or_404(request, pk)
    offer = get_object_or_404(LoanOffer.objects.visible_to(_coordinator(request)), pk=offer_pk)
    standing = _live_match(request, loan_request, offer)
    if standing is not None:
        return redirect("financing:match_detail", standing.pk)
    return _proposal_page(request, loan_request, offer)


def _proposal_page(
    request: HttpRequest,
    loan_request: LoanRequest,
    offer: LoanOffer,
    refusal: review_texts.RefusalText | None = None,
) -> HttpResponse:
    try:
        case = case_of(loan_request, offer, on=timezone.localdate())
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {})
    context = {"case": case, "proposal": case.card.explanation.proposal, "refusal": refusal}
    return render(request, f"{FOLDER}/proposal.html", context | _case_context(case))


@roles_required(Role.COORDINATOR)
def match_claim(request: HttpRequest, pk: int, offer_pk: int) -> HttpResponseBase:
    """Claim the proposal of this offer for this request; asked again, it is the same match."""
    loan_request = _request_or_404(request, pk)
    offer = get_object_or_404(LoanOffer.objects.visible_to(_coordinator(request)), pk=offer_pk)
    if request.method != "POST":
        return redirect("financing:review_proposal", pk, offer_pk)
    standing = _live_match(request, loan_request, offer)
    if standing is None:
        proposal = (
            Proposal.objects.visible_to(_coordinator(request))
            .filter(loan_request=loan_request, loan_offer=offer)
            .first()
        )
        try:
            if proposal is None:
                raise MatchRefused(matches.MatchRefusal.PROPOSAL_GONE)
            standing = matches.claim(actor=_actor(request), proposal=proposal)
        except MatchRefused as refused:
            standing = _live_match(request, loan_request, offer)
            if standing is None:
                text = review_texts.refusal_text(refused, business_id=loan_request.business_id)
                return _proposal_page(request, loan_request, offer, text)
    if standing.status == MatchStatus.IN_REVIEW and standing.claimed_by_id != request.user.pk:
        messages.warning(request, _("A colleague claimed this match before you."))
    return redirect("financing:match_detail", standing.pk)


def _live_match(request: HttpRequest, loan_request: LoanRequest, offer: LoanOffer) -> Match | None:
    rows = Match.objects.visible_to(_coordinator(request)).live()
    return rows.filter(loan_request=loan_request, loan_offer=offer).first()


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(_coordinator(request))


def _case_context(case: Case) -> dict[str, Any]:
    return {
        "size_heads": [
            {"label": _("Indicator"), "numeric": False},
            {"label": _("Figure"), "numeric": True},
            {"label": _("Reaches"), "numeric": False},
            {"label": _("Small from"), "numeric": True},
            {"label": _("Medium from"), "numeric": True},
            {"label": _("Large from"), "numeric": True},
        ],
        "better": [each for each in case.others if each.group == "fits"],
        "near": [each for each in case.others if each.group == "near"],
        "refused": [each for each in case.others if each.group == "refused"],
    }


# --- one match ----------------------------------------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def match_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Everything a match is decided on, and the decision."""
    return _match_page(request, _match_or_404(request, pk))


def _match_or_404(request: HttpRequest, pk: UUID) -> Match:
    rows = (
        Match.objects.visible_to(_coordinator(request))
        .filter(loan_request__isnull=False)
        .select_related("loan_request__business__region", "loan_offer", "institution", "claimed_by")
        .prefetch_related("patents")
    )
    return get_object_or_404(rows, pk=pk)


def _match_page(
    request: HttpRequest,
    match: Match,
    *,
    bound: ApproveForm | RejectForm | ReturnForm | None = None,
    refusal: review_texts.RefusalText | None = None,
) -> HttpResponse:
    """`bound`: the form that was wrong or refused, shown open with what was typed."""
    user, today = _coordinator(request), timezone.localdate()
    assert match.loan_request is not None
    assert match.loan_offer is not None
    try:
        case = case_of(match.loan_request, match.loan_offer, on=today, match=match)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {})
    is_mine = match.claimed_by_id == user.pk
    may_decide = match.status == MatchStatus.IN_REVIEW and is_mine
    may_take_over = not is_mine and match.status in review_selectors.REVIEW_STATUSES
    decisions = MatchDecision.objects.visible_to(user).filter(match=match).select_related("by")
    context: dict[str, Any] = {
        "case": case,
        "match": match,
        "now": review_texts.match_now(match, is_mine=is_mine, today=today),
        "refusal": refusal,
        "form": bound,
        "may_decide": may_decide,
        "may_take_over": may_take_over,
        "decisions": [
            {"row": each, "label": review_texts.action_label(each.action)} for each in decisions
        ],
        "disclosed": _disclosed(match, user),
        "consent": consent_state(match) if match.referred_at is not None else None,
    }
    if may_decide:
        context |= _decision_context(match, bound, case.policy, today=today)
    return render(request, f"{FOLDER}/match.html", context | _case_context(case))


def _decision_context(
    match: Match, bound: Any, policy: MatchingPolicy, *, today: date
) -> dict[str, Any]:
    """The three forms, and what an approval would do, in figures."""
    answer_on, is_provisional = add_working_days(today, policy.first_answer_days)
    return {
        "approve_form": bound if isinstance(bound, ApproveForm) else _approve_form(match),
        "reject_form": bound if isinstance(bound, RejectForm) else _reject_form(match),
        "return_form": bound if isinstance(bound, ReturnForm) else _return_form(match),
        "opened": type(bound).__name__,
        "blind": blind_facts(blind_fields(match, on=today)),
        "answer_on": answer_on,
        "is_answer_provisional": is_provisional,
    }


def _disclosed(match: Match, user: User) -> list[dict[str, str]]:
    if match.referred_at is None:
        return []
    row = (
        Disclosure.objects.visible_to(user).filter(match=match, stage=DisclosureStage.BLIND).first()
    )
    return blind_facts(row.fields) if row else []


def _approve_form(match: Match, data: Any = None) -> ApproveForm:
    unchecked = matches.unchecked_patents(match, timezone.localdate())
    numbers = [patent.application_number for patent in unchecked]
    action = reverse("financing:match_approve", args=[match.pk])
    return ApproveForm(data, numbers=numbers, action=action)


def _reject_form(match: Match, data: Any = None) -> RejectForm:
    return RejectForm(data, action=reverse("financing:match_reject", args=[match.pk]))


def _return_form(match: Match, data: Any = None) -> ReturnForm:
    return ReturnForm(data, action=reverse("financing:match_return", args=[match.pk]))


@roles_required(Role.COORDINATOR)
def match_approve(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    match = _match_or_404(request, pk)
    if request.method != "POST":
        return redirect("financing:match_detail", pk)
    form = _approve_form(match, request.POST)
    if match.status == MatchStatus.IN_REVIEW and not form.is_valid():
        return _match_page(request, match, bound=form)
    today = timezone.localdate()
    values = form.cleaned_data if form.is_valid() else {}

    def act() -> None:
        matches.approve(
            actor=_actor(request),
            match=match,
            text=values.get("text", ""),
            extract_checked_on=today if values.get("has_compared") else None,
        )

    return _decided(request, match, form, "approve", act, _("Approved: %(match)s is referred."))


@roles_required(Role.COORDINATOR)
def match_reject(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    match = _match_or_404(request, pk)
    if request.method != "POST":
        return redirect("financing:match_detail", pk)
    form = _reject_form(match, request.POST)
    if not form.is_valid():
        return _match_page(request, match, bound=form)
    values = form.cleaned_data
    reason = Reason(
        values["reason"], values["criterion"], values["text"], values["is_shown_to_business"]
    )

    def act() -> None:
        matches.reject(actor=_actor(request), match=match, reason=reason)

    return _decided(request, match, form, "reject", act, _("Rejected: %(match)s has ended."))


@roles_required(Role.COORDINATOR)
def match_return(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    match = _match_or_404(request, pk)
    if request.method != "POST":
        return redirect("financing:match_detail", pk)
    form = _return_form(match, request.POST)
    if not form.is_valid():
        return _match_page(request, match, bound=form)
    reason = Reason(form.cleaned_data["reason"], text=form.cleaned_data["text"])

    def act() -> None:
        matches.return_to_business(actor=_actor(request), match=match, reason=reason)

    success = _("Returned: the business was asked about %(match)s.")
    return _decided(request, match, form, "return", act, success)


def _decided(
    request: HttpRequest,
    match: Match,
    form: Any,
    action: str,
    act: Callable[[], None],
    success: str,
) -> HttpResponseBase:
    """Do it and go on with the queue; a refusal keeps the page and what was typed.

    The same decision posted again by the same person goes on too, without a second notice.
    """
    try:
        act()
    except MatchRefused as refused:
        text = review_texts.refusal_text(refused, business_id=match.business_id)
        return _match_page(request, _match_or_404(request, match.pk), bound=form, refusal=text)
    except TransitionRefused:
        own = MatchDecision.objects.filter(match=match, action=action, by=_coordinator(request))
        if own.exists():
            return redirect("financing:review_queue")
        messages.warning(request, review_texts.changed_meanwhile())
        return redirect("financing:match_detail", match.pk)
    messages.success(request, success % {"match": match.reference})
    return redirect("financing:review_queue")


@roles_required(Role.COORDINATOR)
def match_take_over(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Review what a colleague claimed."""
    match = _match_or_404(request, pk)
    if request.method != "POST":
        return redirect("financing:match_detail", pk)
    try:
        matches.take_over(actor=_actor(request), match=match)
    except MatchRefused as refused:
        text = review_texts.refusal_text(refused, business_id=match.business_id)
        messages.error(request, text.sentence)
    else:
        messages.success(request, _("The match is yours to decide now."))
    return redirect("financing:match_detail", pk)
