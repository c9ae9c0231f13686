"""An owner's insurance requests: beginning one, its cover, and renewing a policy."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from businesses.models import Business
from financing import permissions
from financing.forms.insurance_requests import COVER_HINTS, CoverForm, StartForm
from financing.match_runs import NoPolicy, current_policy
from financing.models.insurance_offers import CoverKind
from financing.models.insurance_policies import InsurancePolicy
from financing.models.insurance_requests import InsuranceRequest
from financing.money_texts import refusal_text
from financing.pair_kinds import INSURANCE
from financing.premiums import EXAMPLE_SUM, standard_premium
from financing.request_texts import reason_text
from financing.request_words import request_address
from financing.services import insurance_requests
from financing.services.insurance_policies import renew
from financing.services.money_refusals import MoneyRefused
from financing.services.requests import RequestRefused
from financing.views.request_parts import own_request
from financing.views.request_topics import (
    after_saving,
    change_page,
    fixed_page,
    posted,
    show_refusal,
)
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats


@roles_required(Role.OWNER)
def insurance_start(request: SignedInRequest) -> HttpResponseBase:
    """The covers in plain words, and which business asks where several may."""
    businesses = list(Business.objects.visible_to(request.user).select_related("region"))
    reasons = {each.pk: permissions.against_requesting(each) for each in businesses}
    allowed = [each for each in businesses if not reasons[each.pk]]
    form = StartForm(
        posted(request),
        businesses=Business.objects.filter(pk__in=[each.pk for each in allowed]).order_by("name"),
        cancel_url=reverse("financing:request_list"),
    )
    if allowed and form.is_valid():
        try:
            draft = insurance_requests.start_draft(
                actor=Actor.of(request.user), **form.cleaned_data
            )
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect("financing:request_list")
        return redirect(request_address(draft, "detail"))
    context = {
        "form": form,
        "businesses": businesses,
        "allowed": allowed,
        "covers": [
            {"label": kind.label, "hint": COVER_HINTS[kind], "example": _example(kind)}
            for kind in CoverKind
        ],
        "refusals": [
            {"business": each, "text": " ".join(map(reason_text, reasons[each.pk]))}
            for each in businesses
            if reasons[each.pk]
        ],
    }
    return render(request, "financing/requests/insurance_start.html", context)


def _example(kind: CoverKind) -> dict[str, str] | None:
    """The standard premium of an example; None where the policy lists none."""
    try:
        policy = current_policy(timezone.localdate())
    except NoPolicy:
        return None
    count = 0 if kind in permissions.COVERS_WITHOUT_PATENTS else 1
    standard = standard_premium(policy, kind, count, EXAMPLE_SUM)
    if standard is None:
        return None
    return {"amount": formats.wan(EXAMPLE_SUM), "premium": formats.yuan(standard)}


@roles_required(Role.OWNER)
def insurance_cover(request: SignedInRequest, pk: int) -> HttpResponseBase:
    subject: InsuranceRequest = own_request(request, pk, INSURANCE)
    fixed = fixed_page(request, subject)
    if fixed is not None:
        return fixed
    form = CoverForm(
        posted(request),
        initial={name: getattr(subject, name) for name in CoverForm.base_fields},
        cancel_url=request_address(subject, "detail"),
    )
    if form.is_valid():
        try:
            saved = insurance_requests.save_cover(
                actor=Actor.of(request.user), request=subject, **form.cleaned_data
            )
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect(request_address(subject, "detail"))
        return after_saving(saved, "cover")
    hint = COVER_HINTS[CoverKind(subject.cover_kind)]
    return change_page(request, subject, "cover", form, hint=hint)


@roles_required(Role.OWNER)
@require_POST
def policy_renew(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Ask for the next period: a draft like the request the policy came from."""
    rows = InsurancePolicy.objects.visible_to(request.user)
    policy = get_object_or_404(rows.select_related("match__insurance_request"), pk=pk)
    try:
        draft = renew(actor=Actor.of(request.user), policy=policy)
    except MoneyRefused as refused:
        messages.warning(request, refusal_text(refused))
        return redirect("financing:owner_match", policy.match_id)
    except RequestRefused as refused:
        show_refusal(request, refused)
        return redirect("financing:owner_match", policy.match_id)
    return redirect(request_address(draft, "detail"))
