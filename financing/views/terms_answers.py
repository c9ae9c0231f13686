"""The owner's answers from the terms on: accept, decline, end an agreement, confirm what came."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from financing.forms.terms_answers import DeclineTermsForm, DeliveryForm, FallThroughForm
from financing.models.matches import Match
from financing.models.pledges import Pledge, PledgeStatus
from financing.models.terms import Terms
from financing.money_sections import acceptance_facts, may_answer, newest_terms, progress_of
from financing.money_texts import REFUSALS, refusal_text
from financing.rule_texts import listed
from financing.services import acceptances, completions, deliveries
from financing.services.matches import Reason
from financing.services.money_refusals import MoneyRefused
from financing.views.owner_matches import match_page, own_match
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.workflow.lifecycle import TransitionRefused


@roles_required(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def terms_accept(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """Confirm with the consequences in figures, then accept exactly the terms that were shown."""
    match = own_match(request, pk)
    terms = newest_terms(match, request.user)
    if terms is None:
        return _not_standing(request, pk)
    if request.method == "POST":
        return _accept(request, match, terms)
    if not may_answer(match, terms) or terms.valid_until < timezone.localdate():
        return _not_standing(request, pk)
    context = {
        "match": match,
        "terms": terms,
        "facts": acceptance_facts(match, terms, request.user, today=timezone.localdate()),
        "hidden": {"terms": terms.pk},
    }
    return render(request, "financing/matches/terms_accept.html", context)


def _accept(request: SignedInRequest, match: Match, terms: Terms) -> HttpResponseBase:
    if request.POST.get("terms") != str(terms.pk):
        messages.warning(request, str(REFUSALS["terms_changed"]))
        return _to_match(match.pk, "terms")
    try:
        acceptances.accept_terms(actor=Actor.of(request.user), terms=terms)
    except MoneyRefused as refused:
        messages.error(request, refusal_text(refused))
    except TransitionRefused:
        messages.error(request, str(REFUSALS["not_offered"]))
    else:
        messages.success(request, _("You have accepted the terms. The institution goes on now."))
        return _to_match(match.pk, "progress")
    return _to_match(match.pk, "terms")


@roles_required(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def terms_decline(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """Decline with a structured reason."""
    match = own_match(request, pk)
    terms = newest_terms(match, request.user)
    if terms is None or not may_answer(match, terms):
        return _not_standing(request, pk)
    back = reverse("financing:owner_match", args=[pk])
    form = DeclineTermsForm(_posted(request), cancel_url=back)
    if request.method == "POST" and form.is_valid():
        try:
            acceptances.decline_terms(
                actor=Actor.of(request.user), terms=terms, reason=_reason(match, form)
            )
        except (MoneyRefused, TransitionRefused):
            return _not_standing(request, pk)
        messages.success(request, _("You have declined the terms. We look for other offers now."))
        return _to_match(pk, "terms")
    return _ending(
        request,
        match,
        form,
        title=_("Decline the terms?"),
        lead=_("This match ends. Your request stays open and is matched with other offers."),
        facts=[
            {"label": _("Amount"), "value": formats.yuan(terms.amount)},
            {"label": _("The terms stand until"), "value": formats.day(terms.valid_until)},
        ],
    )


@roles_required(Role.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def match_fall_through(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """What was accepted comes to nothing: end it with a reason; everything is given back."""
    match = own_match(request, pk)
    progress = progress_of(match, request.user, newest_terms(match, request.user))
    if progress is None or not progress["may_fall_through"]:
        messages.warning(request, _("This agreement can no longer be ended here."))
        return _to_match(pk, "progress")
    back = reverse("financing:owner_match", args=[pk])
    form = FallThroughForm(_posted(request), cancel_url=back)
    if request.method == "POST" and form.is_valid():
        try:
            completions.fall_through(
                actor=Actor.of(request.user), match=match, reason=_reason(match, form)
            )
        except MoneyRefused as refused:
            messages.error(request, refusal_text(refused))
        else:
            messages.success(request, _("The agreement is ended. Your request is open again."))
        return _to_match(pk, "progress")
    return _ending(
        request,
        match,
        form,
        title=_("End the agreement?"),
        lead=_(
            "Your request is open again and matched anew; earlier matches that still hold return "
            "to the review."
        ),
        facts=_given_back(match, progress),
    )


def _given_back(match: Match, progress: dict[str, Any]) -> list[dict[str, Any]]:
    planned = [each for each in progress["pledges"] if each.status == PledgeStatus.PLANNED]
    facts = [{"label": _("Amount given up"), "value": formats.yuan(progress["amount"])}]
    if progress["is_loan"]:
        facts.append({"label": _("Patents that are free again"), "value": _numbers(planned)})
    return facts


def _numbers(pledges: list[Pledge]) -> str:
    return listed(f"ZL{each.application_number}" for each in pledges)


@roles_required(Role.OWNER)
@require_POST
def delivery_confirm(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """As agreed, or what differed; posted twice, the first answer stands."""
    match = own_match(request, pk)
    form = DeliveryForm(request.POST, action=reverse("financing:delivery_confirm", args=[pk]))
    if not form.is_valid():
        return match_page(request, match, delivery_form=form)
    try:
        deliveries.confirm_delivery(
            actor=Actor.of(request.user),
            match=match,
            is_as_agreed=form.cleaned_data["is_as_agreed"] == "yes",
            text=form.cleaned_data["text"],
        )
    except MoneyRefused as refused:
        messages.error(request, refusal_text(refused))
    else:
        messages.success(request, _("Thank you. Your answer is noted."))
    return _to_match(pk, "delivery")


# A decision that names what would have to change lets the pair come back once it has (MATCHING 1).
LOAN_CRITERIA = {"too_dear": "above_borrowers_rate", "amount_too_low": "amount_out_of_range"}
COVER_CRITERIA = {"too_dear": "premium_above_limit", "amount_too_low": "sum_insured_out_of_range"}


def _reason(match: Match, form: Any) -> Reason:
    code = form.cleaned_data["reason"]
    criteria = COVER_CRITERIA if match.loan_request_id is None else LOAN_CRITERIA
    return Reason(code, criteria.get(code, ""), form.cleaned_data["text"])


def _posted(request: SignedInRequest) -> Any:
    """What was typed; an empty form that was posted is one with errors."""
    return request.POST if request.method == "POST" else None


def _ending(request: SignedInRequest, match: Match, form: Any, **context: Any) -> HttpResponse:
    context |= {"match": match, "form": form}
    return render(request, "financing/matches/ending.html", context)


def _not_standing(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    messages.warning(request, str(REFUSALS["not_offered"]))
    return _to_match(pk, "terms")


def _to_match(pk: UUID, part: str) -> HttpResponseBase:
    return redirect(f"{reverse('financing:owner_match', args=[pk])}#{part}")
