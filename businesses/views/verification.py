"""The coordinator's side of businesses: what waits, one business, decisions about it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from businesses import identifier_texts, selectors, size_texts
from businesses.credit_codes import read_credit_code
from businesses.forms.verification import ReasonForm
from businesses.lifecycles import BUSINESS
from businesses.models import Business, BusinessClaim
from businesses.models.businesses import BusinessStatus
from businesses.models.claims import ClaimStatus
from businesses.services import businesses as services
from businesses.services.refusals import BusinessRefused
from businesses.views.businesses import industry_label, region_label
from businesses.views.refusal_texts import add_refusal, refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.lifecycle import TransitionRefused

PER_PAGE = 50
_SHOWN = {
    "waiting": BusinessStatus.REGISTERED,
    "verified": BusinessStatus.VERIFIED,
    "suspended": BusinessStatus.SUSPENDED,
}


def _changed_meanwhile() -> str:
    return _("Somebody has changed this meanwhile. Look at the present state and try again.")


@roles_required(Role.COORDINATOR)
@require_GET
def verification_list(request: SignedInRequest) -> HttpResponse:
    """Businesses by state (first those to verify) and claims that wait, oldest first."""
    shown = request.GET.get("show", "waiting")
    shown = shown if shown in _SHOWN else "waiting"
    businesses = (
        Business.objects.visible_to(request.user)
        .filter(status=_SHOWN[shown])
        .select_related("region")
        .order_by("created_at", "pk")
    )
    claims = (
        BusinessClaim.objects.visible_to(request.user)
        .filter(status=ClaimStatus.PENDING)
        .select_related("business", "claimant")
    )
    context = {
        "page": Paginator(businesses, PER_PAGE).get_page(request.GET.get("page")),
        "claims": claims,
        "shown": shown,
        "tabs": [
            ("waiting", _("To verify")),
            ("verified", _("Verified")),
            ("suspended", _("Suspended")),
        ],
    }
    return render(request, "businesses/verification/list.html", context)


@roles_required(Role.COORDINATOR)
@require_GET
def verification_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One business with all that the coordinator compares with the licence."""
    business = get_object_or_404(
        Business.objects.visible_to(request.user).select_related("region__parent__parent"), pk=pk
    )
    fault = services.credit_code_fault(business)
    context = {
        "business": business,
        "size": size_texts.explain(selectors.size_verdict(business)),
        "industry": industry_label(business),
        "region": region_label(business),
        "fault": identifier_texts.credit_code_fault(fault) if fault else "",
        "warning": "" if fault else _code_warning(business),
        "actions": BUSINESS.allowed(business.status, Role.COORDINATOR),
        "members": business.members.filter(is_active=True).select_related("user"),
        "certificates": business.certificates.all(),
        "patents": business.patents.all()[:PER_PAGE],
        "claims": business.claims.filter(status=ClaimStatus.PENDING),
    }
    return render(request, "businesses/verification/detail.html", context)


def _code_warning(business: Business) -> str:
    warnings = read_credit_code(business.credit_code).warnings
    return str(identifier_texts.UNKNOWN_COUNTY) if "unknown_county" in warnings else ""


@roles_required(Role.COORDINATOR)
@require_POST
def business_verify(request: SignedInRequest, pk: int) -> HttpResponse:
    """The licence and the authority of the person are checked."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    try:
        services.verify_business(actor=Actor.of(request.user), business=business)
    except BusinessRefused as refused:
        messages.error(request, refusal_text(refused))
    except TransitionRefused:
        messages.error(request, _changed_meanwhile())
    else:
        messages.success(request, _("%(name)s is verified.") % {"name": business.name})
    return redirect("businesses:verification_detail", pk=business.pk)


@roles_required(Role.COORDINATOR)
@require_POST
def business_reinstate(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a suspension; the business waits for verification again."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    try:
        services.reinstate_business(actor=Actor.of(request.user), business=business)
    except BusinessRefused as refused:
        messages.error(request, refusal_text(refused))
    except TransitionRefused:
        messages.error(request, _changed_meanwhile())
    else:
        messages.success(request, _("The suspension has ended; verify the business again."))
    return redirect("businesses:verification_detail", pk=business.pk)


@roles_required(Role.COORDINATOR)
def business_suspend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a business, with a reason its owner reads."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    back_url = reverse("businesses:verification_detail", args=[business.pk])
    form = ReasonForm(
        request.POST or None,
        submit=_("Suspend the business"),
        hint=_("The owner reads it."),
        danger=True,
        cancel_url=back_url,
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.suspend_business(
                actor=Actor.of(request.user),
                business=business,
                reason=form.cleaned_data["reason"],
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        except TransitionRefused:
            form.add_error(None, _changed_meanwhile())
        else:
            messages.success(request, _("The business is suspended."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Suspend a business"),
        "above": business.name,
        "lead": _("It cannot ask for loans or insurance until you end the suspension."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.COORDINATOR)
def code_accept(request: SignedInRequest, pk: int) -> HttpResponse:
    """Accept a credit code that fails its check, with a reason."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    back_url = reverse("businesses:verification_detail", args=[business.pk])
    form = ReasonForm(
        request.POST or None,
        submit=_("Accept this code"),
        hint=_("For example: licence seen on paper, code confirmed by the registration office."),
        cancel_url=back_url,
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.accept_code_exception(
                actor=Actor.of(request.user),
                business=business,
                reason=form.cleaned_data["reason"],
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The code is accepted."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Accept a code that fails its check"),
        "above": f"{business.name} · {business.credit_code}",
        "lead": _("A few real codes fail the check. Your reason is kept and audited."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)
