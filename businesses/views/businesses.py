"""Pages of a business: list, registration, facts, changes, and the checks while typing."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from businesses import identifier_texts, selectors, size_texts
from businesses.credit_codes import ACCEPTABLE_FAULTS, read_credit_code
from businesses.forms.businesses import BusinessForm
from businesses.models import Business, BusinessClaim, MemberInvitation
from businesses.models.claims import ClaimStatus
from businesses.rules import industries
from businesses.rules.identifiers import IdentifierError
from businesses.services.businesses import (
    change_business,
    credit_code_fault,
    register_business,
)
from businesses.services.refusals import BusinessRefused, Refusal
from businesses.views.refusal_texts import add_refusal
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region
from sipo_portal.ui.formats import in_chinese


@roles_required(Role.OWNER)
@require_GET
def business_list(request: SignedInRequest) -> HttpResponse:
    """The own businesses, invitations to answer and claims that wait."""
    businesses = (
        Business.objects.visible_to(request.user)
        .select_related("region")
        .annotate(patent_count=Count("patents"))
        .order_by("name", "pk")
    )
    claims = BusinessClaim.objects.visible_to(request.user).exclude(status=ClaimStatus.ACCEPTED)
    invitations = MemberInvitation.objects.addressed_to(request.user)
    return render(
        request,
        "businesses/businesses/list.html",
        {
            "businesses": businesses,
            "claims": claims.select_related("business"),
            "invitations": invitations.select_related("business", "invited_by"),
        },
    )


@roles_required(Role.OWNER)
def register(request: SignedInRequest) -> HttpResponse:
    """Register a business; its owner becomes the manager of its members."""
    cancel_url = reverse("businesses:list")
    if request.method == "POST" and "show_places" in request.POST:
        form = BusinessForm(initial=request.POST.dict(), cancel_url=cancel_url)
        return _register_page(request, form)
    form = BusinessForm(request.POST or None, cancel_url=cancel_url)
    if request.method == "POST" and form.is_valid():
        try:
            business = register_business(
                actor=Actor.of(request.user),
                facts=form.facts(),
                is_code_exact=form.is_code_exact_ticked,
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
            is_taken = refused.code == Refusal.CODE_TAKEN
            return _register_page(request, form, is_taken=is_taken)
        messages.success(request, _("%(name)s is registered.") % {"name": business.name})
        return redirect("businesses:detail", pk=business.pk)
    return _register_page(request, form)


def _register_page(
    request: SignedInRequest, form: BusinessForm, *, is_taken: bool = False
) -> HttpResponse:
    context = {"form": form, "is_taken": is_taken}
    return render(request, "businesses/businesses/register.html", context)


@roles_required(Role.OWNER)
@require_GET
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One business: what to do next, size class with its reason, facts."""
    business = get_object_or_404(
        Business.objects.visible_to(request.user).select_related("region__parent__parent"), pk=pk
    )
    return render(
        request,
        "businesses/businesses/detail.html",
        {
            "business": business,
            "size": size_texts.explain(selectors.size_verdict(business)),
            "industry": industry_label(business),
            "region": region_label(business),
            "is_code_faulty": credit_code_fault(business) is not None,
            "certificates": business.certificates.all(),
            "member_count": business.members.filter(is_active=True).count(),
            "patent_count": business.patents.count(),
        },
    )


@roles_required(Role.OWNER)
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the facts; those a coordinator verified stay."""
    business = get_object_or_404(
        Business.objects.visible_to(request.user).select_related("region"), pk=pk
    )
    cancel_url = reverse("businesses:detail", args=[business.pk])
    if request.method == "POST" and "show_places" in request.POST:
        form = BusinessForm(business=business, initial=request.POST.dict(), cancel_url=cancel_url)
        return render(
            request, "businesses/businesses/edit.html", {"form": form, "business": business}
        )
    form = BusinessForm(request.POST or None, business=business, cancel_url=cancel_url)
    if request.method == "POST" and form.is_valid():
        try:
            change_business(
                actor=Actor.of(request.user),
                business=business,
                facts=form.facts(),
                is_code_exact=form.is_code_exact_ticked,
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The changes are saved."))
            return redirect("businesses:detail", pk=business.pk)
    return render(request, "businesses/businesses/edit.html", {"form": form, "business": business})


@roles_required(Role.OWNER)
@require_POST
def code_check(request: SignedInRequest) -> HttpResponse:
    """The code as typed: its normal form, or what is wrong. Stores nothing, looks nobody up."""
    context: dict[str, object] = {"code": None, "fault": "", "is_acceptable": False, "warning": ""}
    try:
        code = read_credit_code(request.POST.get("credit_code", "")[:100])
    except IdentifierError as error:
        context["fault"] = identifier_texts.credit_code_fault(error)
        context["is_acceptable"] = error.code in ACCEPTABLE_FAULTS
    else:
        context["code"] = code
        if "unknown_county" in code.warnings:
            context["warning"] = identifier_texts.UNKNOWN_COUNTY
    return render(request, "businesses/businesses/code_check.html", context)


@roles_required(Role.OWNER)
@require_GET
def places(request: SignedInRequest) -> HttpResponse:
    """The field with the cities and counties of a province, for the registration form."""
    form = BusinessForm(initial={"province": request.GET.get("province", "")})
    return render(request, "businesses/businesses/places.html", {"form": form})


def industry_label(business: Business) -> str:
    """Code and name; the English table names divisions, so a class shows that of its division."""
    name = industries.name(business.industry, "zh" if in_chinese() else "en")
    return f"{business.industry} {name}"


def region_label(business: Business) -> str:
    """Province, city, county, from `region__parent__parent`."""
    names: list[str] = []
    region: Region | None = business.region
    while region is not None:
        names.append(region.label)
        region = region.parent
    return "".join(reversed(names)) if in_chinese() else ", ".join(names)
