"""Claiming a registered business, and the coordinator's decision about it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.forms.claims import ClaimDecisionForm, ClaimForm
from businesses.models import BusinessClaim
from businesses.models.claims import ClaimStatus
from businesses.services.claims import claim_business, decide_claim
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.views.refusal_texts import add_refusal, refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER)
def claim(request: SignedInRequest) -> HttpResponse:
    """Ask to act for a business somebody else registered."""
    back_url = reverse("businesses:list")
    form = ClaimForm(request.POST or None, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            claim_business(
                actor=Actor.of(request.user),
                credit_code=form.cleaned_data["credit_code"],
                explanation=form.cleaned_data["explanation"],
            )
        except BusinessRefused as refused:
            if refused.code == Refusal.CLAIM_PENDING:
                messages.info(request, refusal_text(refused))
                return redirect(back_url)
            add_refusal(form, refused)
        else:
            messages.success(request, _("The branch office has your claim and will decide."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Claim a business"),
        "lead": _(
            "Somebody has registered this business before you. The branch office compares your "
            "explanation with the licence and decides whether you act for it too."
        ),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.COORDINATOR)
def claim_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """One claim with what is needed to decide it."""
    claim = get_object_or_404(
        BusinessClaim.objects.visible_to(request.user).select_related("business", "claimant"), pk=pk
    )
    back_url = reverse("businesses:verification_list")
    form = ClaimDecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            decide_claim(
                actor=Actor.of(request.user),
                claim=claim,
                is_accepted=form.cleaned_data["decision"] == "accept",
                reason=form.cleaned_data["reason"],
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The decision is saved."))
            return redirect(back_url)
    context = {
        "form": form,
        "claim": claim,
        "is_pending": claim.status == ClaimStatus.PENDING,
        "members": claim.business.members.filter(is_active=True).select_related("user"),
        "back_url": back_url,
    }
    return render(request, "businesses/claims/decide.html", context)
