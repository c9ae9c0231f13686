"""A submitted loan request as its owner follows it: what to do now, offers, withdrawing."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from financing import owner_selectors, permissions
from financing.forms.loan_requests import AnswerForm
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.requests import RequestStatus
from financing.request_texts import next_action, reason_text, steps_of
from financing.services import loan_requests, matches
from financing.services.loan_requests import RequestRefused
from financing.views.request_parts import is_partial, own_request, part_tasks, summary_of
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.workflow.lifecycle import TransitionRefused

FOLDER = "financing/loan_requests"


@roles_required(Role.OWNER)
@require_safe
def request_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """A draft shows its topics; anything later where it stands."""
    loan_request = own_request(request, pk)
    if loan_request.status == RequestStatus.DRAFT:
        context = {"loan_request": loan_request, "tasks": part_tasks(loan_request)}
        return render(request, f"{FOLDER}/draft.html", context)
    if is_partial(request) and loan_request.status == RequestStatus.SUBMITTED:
        return render(request, f"{FOLDER}/matching.html", {"loan_request": loan_request})
    response = render(request, f"{FOLDER}/detail.html", _detail(request, loan_request))
    if is_partial(request):
        # The panel that asked is part of a page that looks different by now.
        response = HttpResponse()
        response["HX-Refresh"] = "true"
    return response


def _detail(
    request: SignedInRequest, loan_request: LoanRequest, form: AnswerForm | None = None
) -> dict[str, Any]:
    today = timezone.localdate()
    every = owner_selectors.matches_of(loan_request, request.user)
    # What reached the money stays in hand: pledges and confirmation are found there.
    live = [match for match in every if match.is_live or match.status == MatchStatus.COMPLETED]
    taken = {match.loan_offer_id for match in live}
    proposals = [
        proposal
        for proposal in owner_selectors.proposals_of(loan_request, request.user)
        if proposal.loan_offer_id not in taken
    ]
    returned = next((match for match in live if match.status == MatchStatus.RETURNED), None)
    is_matching = loan_request.status in (RequestStatus.SUBMITTED, RequestStatus.OPEN)
    return {
        "loan_request": loan_request,
        "steps": steps_of(loan_request, live),
        "now": None
        if loan_request.status == RequestStatus.SUBMITTED
        else next_action(loan_request, live, proposal_count=len(proposals), today=today),
        "summary": summary_of(loan_request),
        "live": live,
        "over": [match for match in every if match not in live],
        "proposals": proposals,
        "returned": returned,
        "form": form or (returned and _answer_form(loan_request, returned)),
        "is_matching": is_matching,
        "may_withdraw": not permissions.against_withdrawing(loan_request),
        "may_refresh": not permissions.against_refreshing(loan_request),
        "may_copy": loan_request.status in permissions.OVER_STATUSES
        and not permissions.against_requesting(loan_request.business),
    }


def _answer_form(loan_request: LoanRequest, match: Match, data: Any = None) -> AnswerForm:
    action = reverse("financing:request_answer", args=[loan_request.pk, match.pk])
    return AnswerForm(data, action=action)


@roles_required(Role.OWNER)
def request_withdraw(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Confirm with the consequences in figures, then withdraw."""
    return _withdrawing(request, pk, with_copy=False)


@roles_required(Role.OWNER)
def request_change(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """What is submitted is fixed: withdraw it and go on with a copy that can be changed."""
    return _withdrawing(request, pk, with_copy=True)


def _withdrawing(request: SignedInRequest, pk: int, *, with_copy: bool) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    if with_copy and not permissions.against_changing(loan_request):
        return redirect("financing:request_check", pk)
    if request.method == "POST":
        actor = Actor.of(request.user)
        try:
            if with_copy:
                draft = loan_requests.withdraw_and_copy(actor=actor, request=loan_request)
                return redirect("financing:request_detail", draft.pk)
            loan_requests.withdraw(actor=actor, request=loan_request)
        except RequestRefused as refused:
            messages.error(request, reason_text(refused.reasons[0]))
            return redirect("financing:request_detail", pk)
        messages.success(request, _("The request was withdrawn."))
        return redirect("financing:request_detail", pk)
    reasons = permissions.against_withdrawing(loan_request)
    if reasons:
        messages.warning(request, reason_text(reasons[0]))
        return redirect("financing:request_detail", pk)
    context = {
        "loan_request": loan_request,
        "with_copy": with_copy,
        "facts": _consequences(request, loan_request),
    }
    return render(request, f"{FOLDER}/withdraw.html", context)


def _consequences(request: SignedInRequest, loan_request: LoanRequest) -> list[dict[str, str]]:
    live = [m for m in owner_selectors.matches_of(loan_request, request.user) if m.is_live]
    proposed = owner_selectors.proposals_of(loan_request, request.user).count()
    with_lender = [match for match in live if match.referred_at is not None]
    saving = max((match.saving for match in live), default=None)
    facts = [
        {"label": _("Amount asked for"), "value": formats.wan(loan_request.principal)},
        {
            "label": _("Offers proposed that are given up"),
            "value": ngettext("%(count)d offer", "%(count)d offers", proposed)
            % {"count": proposed},
        },
        {
            "label": _("Matches that end"),
            "value": ngettext("%(count)d match", "%(count)d matches", len(live))
            % {"count": len(live)},
        },
        {
            "label": _("Of these with an institution already"),
            "value": formats.count(len(with_lender)),
        },
    ]
    if saving:
        facts.append({"label": _("Most you would have saved"), "value": formats.wan(saving)})
    return facts


@roles_required(Role.OWNER)
@require_POST
def request_refresh(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    try:
        loan_requests.refresh(actor=Actor.of(request.user), request=loan_request)
    except RequestRefused as refused:
        messages.error(request, reason_text(refused.reasons[0]))
    else:
        messages.success(request, _("Noted: you still want this loan."))
    return redirect("financing:request_detail", pk)


@roles_required(Role.OWNER)
@require_POST
def request_answer(request: SignedInRequest, pk: int, match_pk: UUID) -> HttpResponseBase:
    """Answer what a coordinator asked about one match; it goes back into review."""
    loan_request = own_request(request, pk)
    match = get_object_or_404(
        Match.objects.visible_to(request.user), pk=match_pk, loan_request=loan_request
    )
    form = _answer_form(loan_request, match, request.POST)
    if not form.is_valid():
        context = _detail(request, loan_request, form)
        return render(request, f"{FOLDER}/detail.html", context)
    try:
        matches.resubmit(actor=Actor.of(request.user), match=match, text=form.cleaned_data["text"])
    except TransitionRefused:
        messages.warning(request, _("This was answered already."))
    else:
        messages.success(request, _("Your answer was sent. The review goes on."))
    return redirect("financing:request_detail", pk)
