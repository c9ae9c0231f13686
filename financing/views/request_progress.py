"""A submitted request as its owner follows it: what to do now, offers, withdrawing."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from financing import owner_selectors, permissions
from financing.forms.loan_requests import AnswerForm
from financing.models.matches import Match, MatchStatus
from financing.models.requests import RequestStatus
from financing.pair_kinds import LOAN, AnyRequest, PairKind, kind_of
from financing.request_texts import next_action, reason_text, steps_of
from financing.request_words import request_address, words_of
from financing.services import matches
from financing.services import requests as services
from financing.services.requests import RequestRefused
from financing.views.request_parts import is_partial, own_request, part_tasks, summary_of
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.workflow.lifecycle import TransitionRefused

FOLDER = "financing/requests"


@roles_required(Role.OWNER)
@require_safe
def request_detail(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponse:
    """A draft shows its topics; anything later where it stands."""
    subject = own_request(request, pk, kind)
    if subject.status == RequestStatus.DRAFT:
        context = {"subject": subject, "tasks": part_tasks(subject)}
        return render(request, f"{FOLDER}/draft.html", context)
    if is_partial(request) and subject.status == RequestStatus.SUBMITTED:
        return render(request, f"{FOLDER}/matching.html", {"subject": subject})
    response = render(request, f"{FOLDER}/detail.html", _detail(request, subject))
    if is_partial(request):
        # The panel that asked is part of a page that looks different by now.
        response = HttpResponse()
        response["HX-Refresh"] = "true"
    return response


def _detail(
    request: SignedInRequest, subject: AnyRequest, form: AnswerForm | None = None
) -> dict[str, Any]:
    today = timezone.localdate()
    every = owner_selectors.matches_of(subject, request.user)
    # What reached the money stays in hand: pledges and confirmation are found there.
    live = [match for match in every if match.is_live or match.status == MatchStatus.COMPLETED]
    taken = {match.offer.pk for match in live}
    proposals = [
        proposal
        for proposal in owner_selectors.proposals_of(subject, request.user)
        if proposal.offer.pk not in taken
    ]
    returned = next((match for match in live if match.status == MatchStatus.RETURNED), None)
    is_matching = subject.status in (RequestStatus.SUBMITTED, RequestStatus.OPEN)
    return {
        "subject": subject,
        "steps": steps_of(subject, live),
        "now": None
        if subject.status == RequestStatus.SUBMITTED
        else next_action(subject, live, proposal_count=len(proposals), today=today),
        "summary": summary_of(subject),
        "live": live,
        "over": [match for match in every if match not in live],
        "proposals": proposals,
        "returned": returned,
        "form": form or (returned and _answer_form(subject, returned)),
        "is_matching": is_matching,
        "may_withdraw": not permissions.against_withdrawing(subject),
        "may_refresh": not permissions.against_refreshing(subject),
        "may_copy": subject.status in permissions.OVER_STATUSES
        and not permissions.against_requesting(subject.business),
    }


def _answer_form(subject: AnyRequest, match: Match, data: Any = None) -> AnswerForm:
    action = request_address(subject, "answer", match.pk)
    return AnswerForm(data, action=action)


@roles_required(Role.OWNER)
def request_withdraw(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    """Confirm with the consequences in figures, then withdraw."""
    return _withdrawing(request, pk, kind, with_copy=False)


@roles_required(Role.OWNER)
def request_change(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    """What is submitted is fixed: withdraw it and go on with a copy that can be changed."""
    return _withdrawing(request, pk, kind, with_copy=True)


def _withdrawing(
    request: SignedInRequest, pk: int, kind: PairKind, *, with_copy: bool
) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    if with_copy and not permissions.against_changing(subject):
        return redirect(request_address(subject, "check"))
    if request.method == "POST":
        actor = Actor.of(request.user)
        try:
            if with_copy:
                draft = services.withdraw_and_copy(actor=actor, request=subject)
                return redirect(request_address(draft, "detail"))
            services.withdraw(actor=actor, request=subject)
        except RequestRefused as refused:
            messages.error(request, reason_text(refused.reasons[0]))
            return redirect(request_address(subject, "detail"))
        messages.success(request, _("The request was withdrawn."))
        return redirect(request_address(subject, "detail"))
    reasons = permissions.against_withdrawing(subject)
    if reasons:
        messages.warning(request, reason_text(reasons[0]))
        return redirect(request_address(subject, "detail"))
    context = {
        "subject": subject,
        "with_copy": with_copy,
        "facts": _consequences(request, subject),
    }
    return render(request, f"{FOLDER}/withdraw.html", context)


def _consequences(request: SignedInRequest, subject: AnyRequest) -> list[dict[str, Any]]:
    live = [m for m in owner_selectors.matches_of(subject, request.user) if m.is_live]
    proposed = owner_selectors.proposals_of(subject, request.user).count()
    with_lender = [match for match in live if match.referred_at is not None]
    saving = max((match.saving for match in live), default=None)
    facts: list[dict[str, Any]] = [
        {
            "label": words_of(subject).asked_amount,
            "value": formats.wan(getattr(subject, kind_of(subject).amount_field)),
        },
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
def request_refresh(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    try:
        services.refresh(actor=Actor.of(request.user), request=subject)
    except RequestRefused as refused:
        messages.error(request, reason_text(refused.reasons[0]))
    else:
        messages.success(request, str(words_of(subject).still_wanted_noted))
    return redirect(request_address(subject, "detail"))


@roles_required(Role.OWNER)
@require_POST
def request_answer(
    request: SignedInRequest, pk: int, match_pk: UUID, kind: PairKind = LOAN
) -> HttpResponseBase:
    """Answer what a coordinator asked about one match; it goes back into review."""
    subject = own_request(request, pk, kind)
    match = get_object_or_404(
        Match.objects.visible_to(request.user), pk=match_pk, **{kind.request_field: subject}
    )
    form = _answer_form(subject, match, request.POST)
    if not form.is_valid():
        context = _detail(request, subject, form)
        return render(request, f"{FOLDER}/detail.html", context)
    try:
        matches.resubmit(actor=Actor.of(request.user), match=match, text=form.cleaned_data["text"])
    except TransitionRefused:
        messages.warning(request, _("This was answered already."))
    else:
        messages.success(request, _("Your answer was sent. The review goes on."))
    return redirect(request_address(subject, "detail"))
