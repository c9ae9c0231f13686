"""Offers seen from a request: what is proposed and why, what nearly fits, what does not."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from financing.forms.loan_requests import OfferFilterForm
from financing.guarantees import guarantees_beside
from financing.match_runs import (
    NoPolicy,
    OfferExplanation,
    RequestExplanation,
    current_policy,
    explain_pair,
    explain_request,
)
from financing.models.loan_requests import LoanRequest
from financing.models.policies import MatchingPolicy
from financing.models.proposals import Proposal
from financing.offer_facts import criteria_facts
from financing.pair_kinds import LOAN, AnyRequest, PairKind
from financing.request_words import request_address
from financing.views.offer_cards import OfferCard, card_of, fee_amount, flow_years
from financing.views.request_parts import is_partial, own_request
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role

FOLDER = "financing/proposals"
PER_PAGE = 20
NEAR_MISSES_SHOWN = 3


def _is_complete(subject: AnyRequest) -> bool:
    if isinstance(subject, LoanRequest):
        return None not in (subject.principal, subject.least_accepted, subject.term_months)
    return subject.sum_insured is not None


@roles_required(Role.OWNER)
@require_safe
def request_offers(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    """Every live offer with what became of it. An htmx request gets the best ones alone."""
    subject = own_request(request, pk, kind)
    if not _is_complete(subject):
        return redirect(request_address(subject, "detail"))
    try:
        explanation = explain_request(subject, on=timezone.localdate())
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {"subject": subject})
    form = OfferFilterForm(request.GET or None)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    every = _sorted(_filtered(explanation, chosen.get("outcome", "")), chosen.get("sort", ""))
    context: dict[str, Any] = {
        "subject": subject,
        "counts": {
            "fits": len(explanation.fits),
            "near": len(explanation.near_misses),
            "refused": len(explanation.refused),
        },
    }
    if is_partial(request):
        # Matches in hand are on the page already.
        standing = [each for each in explanation.fits if each.proposal and not each.match]
        context["cards"] = _cards(subject, standing, explanation.policy)
        helpful = [each for each in explanation.near_misses if each.has_room]
        near = helpful[:NEAR_MISSES_SHOWN]
        context["has_matches"] = any(each.match for each in explanation.fits)
        context["near"] = _cards(subject, near, explanation.policy)
        return render(request, f"{FOLDER}/best.html", context)
    page = Paginator(every, PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "form": form,
        "page": page,
        "cards": _cards(subject, page.object_list, explanation.policy),
    }
    return render(request, f"{FOLDER}/offers.html", context)


def _filtered(explanation: RequestExplanation, outcome: str) -> list[OfferExplanation]:
    groups = {
        "fits": explanation.fits,
        "near": explanation.near_misses,
        "refused": explanation.refused,
    }
    return groups.get(outcome, explanation.all)


def _sorted(every: list[OfferExplanation], order: str) -> list[OfferExplanation]:
    if order == "institution":
        return sorted(every, key=lambda each: (each.offer.institution.label, each.offer.pk))
    if order == "saving":
        return sorted(every, key=_saved, reverse=True)
    return every


def _saved(each: OfferExplanation) -> float:
    if each.has_passed and each.saving is not None:
        return float(each.saving)
    return each.near_miss.saving_fen / 100 if each.near_miss else float("-inf")


def _cards(subject: AnyRequest, explanations: Any, policy: MatchingPolicy) -> list[OfferCard]:
    titles = {str(patent.pk): patent.title for patent in subject.patents.all()}
    on = timezone.localdate()
    return [card_of(each, subject, on=on, policy=policy, titles=titles) for each in explanations]


@roles_required(Role.OWNER)
@require_safe
def request_offer(
    request: SignedInRequest, pk: int, offer_pk: int, kind: PairKind = LOAN
) -> HttpResponseBase:
    """One offer: every rule with its figures, what it really costs, what would change it."""
    subject = own_request(request, pk, kind)
    offer = get_object_or_404(kind.offers._default_manager.visible_to(request.user), pk=offer_pk)
    if not _is_complete(subject):
        return redirect(request_address(subject, "detail"))
    today = timezone.localdate()
    try:
        policy = current_policy(today)
        explanation = explain_pair(subject, offer, on=today)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {"subject": subject})
    patents = {patent.pk: patent for patent in subject.patents.all()}
    (card,) = _cards(subject, [explanation], policy)
    context = {
        "subject": subject,
        "card": card,
        "offer": card.offer,
        "patents": [patents[each] for each in explanation.patent_ids if each in patents],
        "years": flow_years(card.cost.cost.flows, today) if card.cost else [],
        "fees": [{"fee": fee, "amount": fee_amount(fee)} for fee in card.fees],
        "facts": criteria_facts(card.offer) if card.premium else [],
        "guarantees": guarantees_beside(card.offer, subject.business, card.cost, on=today),
    }
    return render(request, f"{FOLDER}/offer.html", context)


@roles_required(Role.OWNER)
@require_safe
def proposal_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Runs replace proposals, so the lasting address is that of the request and the offer."""
    proposal = get_object_or_404(Proposal.objects.visible_to(request.user), pk=pk)
    return redirect(request_address(proposal.request, "offer", proposal.offer.pk))
