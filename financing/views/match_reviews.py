"""One match of a coordinator: the page it is decided on, claiming it, and the decisions."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from financing import review_selectors, review_texts
from financing.consent_state import consent_state
from financing.contention import contention_of, next_full_run_on
from financing.disclosure_texts import blind_facts
from financing.forms.reviews import ApproveForm, RejectForm, ReturnForm
from financing.match_runs import NoPolicy
from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.matches import Match, MatchDecision, MatchStatus
from financing.models.policies import MatchingPolicy
from financing.models.proposals import Proposal
from financing.pair_kinds import LOAN, AnyOffer, AnyRequest, PairKind, kind_of
from financing.request_words import review_address
from financing.services import matches
from financing.services.matches import MatchRefused, Reason
from financing.services.referrals import blind_fields
from financing.views.review_cases import Case, case_of
from financing.views.reviews import coordinator_of, request_or_404
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.workflow.lifecycle import TransitionRefused

FOLDER = "financing/reviews"


# --- one pair, before and after it is claimed -----------------------------------------------------


@roles_required(Role.COORDINATOR)
@require_safe
def review_proposal(
    request: HttpRequest, pk: int, offer_pk: int, kind: PairKind = LOAN
) -> HttpResponseBase:
    """One offer for one request. The address lasts while runs replace the proposal behind it."""
    subject = request_or_404(request, pk, kind)
    offer = _offer_or_404(request, offer_pk, kind)
    standing = _live_match(request, subject, offer)
    if standing is not None:
        return redirect("financing:match_detail", standing.pk)
    return _proposal_page(request, subject, offer)


def _proposal_page(
    request: HttpRequest,
    subject: AnyRequest,
    offer: AnyOffer,
    refusal: review_texts.RefusalText | None = None,
) -> HttpResponse:
    today = timezone.localdate()
    try:
        case = case_of(subject, offer, on=today)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {})
    proposal = case.card.explanation.proposal
    context = {
        "case": case,
        "proposal": proposal,
        "refusal": refusal,
        "waiting": _waiting(proposal, today) if proposal else None,
    }
    return render(request, f"{FOLDER}/proposal.html", context | _case_context(case))


def _waiting(proposal: Proposal, today: date) -> review_texts.Waiting | None:
    why = contention_of(proposal, on=today)
    if why is None:
        return None
    return review_texts.waiting_for_run(why, run_on=next_full_run_on(timezone.now()))


@roles_required(Role.COORDINATOR)
def match_claim(
    request: HttpRequest, pk: int, offer_pk: int, kind: PairKind = LOAN
) -> HttpResponseBase:
    """Claim the proposal of this offer for this request; asked again, it is the same match."""
    subject = request_or_404(request, pk, kind)
    offer = _offer_or_404(request, offer_pk, kind)
    if request.method != "POST":
        return redirect(review_address(subject, "proposal", offer_pk))
    standing = _live_match(request, subject, offer)
    if standing is None:
        proposal = (
            Proposal.objects.visible_to(coordinator_of(request))
            .filter(**_pair(subject, offer))
            .first()
        )
        try:
            if proposal is None:
                raise MatchRefused(matches.MatchRefusal.PROPOSAL_GONE)
            standing = matches.claim(actor=_actor(request), proposal=proposal)
        except MatchRefused as refused:
            standing = _live_match(request, subject, offer)
            if standing is None:
                text = review_texts.refusal_text(refused, business_id=subject.business_id)
                return _proposal_page(request, subject, offer, text)
    if standing.status == MatchStatus.IN_REVIEW and standing.claimed_by_id != request.user.pk:
        messages.warning(request, _("A colleague claimed this match before you."))
    return redirect("financing:match_detail", standing.pk)


def _live_match(request: HttpRequest, subject: AnyRequest, offer: AnyOffer) -> Match | None:
    rows = Match.objects.visible_to(coordinator_of(request)).live()
    return rows.filter(**_pair(subject, offer)).first()


def _pair(subject: AnyRequest, offer: AnyOffer) -> dict[str, Any]:
    """The lookup of what belongs to this request and this offer."""
    kind = kind_of(subject)
    return {kind.request_field: subject, kind.offer_field: offer}


def _offer_or_404(request: HttpRequest, pk: int, kind: PairKind) -> AnyOffer:
    rows = kind.offers._default_manager.visible_to(coordinator_of(request))
    offer: AnyOffer = get_object_or_404(rows, pk=pk)
    return offer


def _actor(request: HttpRequest) -> Actor:
    return Actor.of(coordinator_of(request))


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
        Match.objects.visible_to(coordinator_of(request))
        .select_related(
            "loan_request__business__region",
            "loan_offer",
            "insurance_request__business__region",
            "insurance_offer",
            "institution",
            "claimed_by",
        )
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
    user, today = coordinator_of(request), timezone.localdate()
    try:
        case = case_of(match.request, match.offer, on=today, match=match)
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


def _at_decision(name: str, match: Match) -> str:
    """Posted there, a page that comes back with an error opens at the form."""
    return f"{reverse(name, args=[match.pk])}#decision"


def _approve_form(match: Match, data: Any = None) -> ApproveForm:
    unchecked = matches.unchecked_patents(match, timezone.localdate())
    numbers = [patent.application_number for patent in unchecked]
    action = _at_decision("financing:match_approve", match)
    return ApproveForm(data, numbers=numbers, action=action)


def _reject_form(match: Match, data: Any = None) -> RejectForm:
    action = _at_decision("financing:match_reject", match)
    return RejectForm(data, kind=kind_of(match).name, action=action)


def _return_form(match: Match, data: Any = None) -> ReturnForm:
    return ReturnForm(data, action=_at_decision("financing:match_return", match))


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
        own = MatchDecision.objects.filter(match=match, action=action, by=coordinator_of(request))
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
