"""Offers seen from a loan request: what is proposed and why, what nearly fits, what does not."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from financing.forms.loan_requests import OfferFilterForm
from financing.match_runs import (
    NoPolicy,
    OfferExplanation,
    RequestExplanation,
    current_policy,
    explain_pair,
    explain_request,
)
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.policies import MatchingPolicy
from financing.models.proposals import Proposal
from financing.views.offer_cards import OfferCard, card_of, fee_amount, flow_years
from financing.views.request_parts import is_partial, own_request
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role

FOLDER = "financing/proposals"
PER_PAGE = 20
NEAR_MISSES_SHOWN = 3


def _is_complete(loan_request: LoanRequest) -> bool:
    return None not in (
        loan_request.principal,
        loan_request.least_accepted,
        loan_request.term_months,
    )


@roles_required(Role.OWNER)
@require_safe
def request_offers(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Every live offer with what became of it. An htmx request gets the best ones alone."""
    loan_request = own_request(request, pk)
    if not _is_complete(loan_request):
        return redirect("financing:request_detail", pk)
    try:
        explanation = explain_request(loan_request, on=timezone.localdate())
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {"loan_request": loan_request})
    form = OfferFilterForm(request.GET or None)
    chosen = form.cleaned_data if form.is_bound and form.is_valid() else {}
    every = _sorted(_filtered(explanation, chosen.get("outcome", "")), chosen.get("sort", ""))
    context: dict[str, Any] = {
        "loan_request": loan_request,
        "counts": {
            "fits": len(explanation.fits),
            "near": len(explanation.near_misses),
            "refused": len(explanation.refused),
        },
    }
    if is_partial(request):
        # Matches in hand are on the page already.
        standing = [each for each in explanation.fits if each.proposal and not each.match]
        context["cards"] = _cards(loan_request, standing, explanation.policy)
        near = explanation.near_misses[:NEAR_MISSES_SHOWN]
        context["has_matches"] = any(each.match for each in explanation.fits)
        context["near"] = _cards(loan_request, near, explanation.policy)
        return render(request, f"{FOLDER}/best.html", context)
    page = Paginator(every, PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "form": form,
        "page": page,
        "cards": _cards(loan_request, page.object_list, explanation.policy),
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


def _cards(loan_request: LoanRequest, explanations: Any, policy: MatchingPolicy) -> list[OfferCard]:
    titles = {str(patent.pk): patent.title for patent in loan_request.patents.all()}
    on = timezone.localdate()
    return [
        card_of(each, loan_request, on=on, policy=policy, titles=titles) for each in explanations
    ]


@roles_required(Role.OWNER)
@require_safe
def request_offer(request: SignedInRequest, pk: int, offer_pk: int) -> HttpResponseBase:
    """One offer: every rule with its figures, what it really costs, what would change it."""
    loan_request = own_request(request, pk)
    offer = get_object_or_404(LoanOffer.objects.visible_to(request.user), pk=offer_pk)
    if not _is_complete(loan_request):
        return redirect("financing:request_detail", pk)
    today = timezone.localdate()
    try:
        policy = current_policy(today)
        explanation = explain_pair(loan_request, offer, on=today)
    except NoPolicy:
        return render(request, f"{FOLDER}/no_policy.html", {"loan_request": loan_request})
    patents = {patent.pk: patent for patent in loan_request.patents.all()}
    (card,) = _cards(loan_request, [explanation], policy)
    context = {
        "loan_request": loan_request,
        "card": card,
        "offer": card.offer,
        "patents": [patents[each] for each in explanation.patent_ids if each in patents],
        "years": flow_years(card.cost.cost.flows, today) if card.cost else [],
        "fees": [{"fee": fee, "amount": fee_amount(fee)} for fee in card.fees],
    }
    return render(request, f"{FOLDER}/offer.html", context)


@roles_required(Role.OWNER)
@require_safe
def proposal_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Runs replace proposals, so the lasting address is that of the request and the offer."""
    proposal = get_object_or_404(
        Proposal.objects.visible_to(request.user), pk=pk, loan_request__isnull=False
    )
    return redirect("financing:request_offer", proposal.loan_request_id, proposal.loan_offer_id)
