"""An owner's loan requests: beginning one, its amounts and its purpose."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from businesses.models import Business
from businesses.rules.reference_rates import lpr_percent
from financing import permissions
from financing.forms.loan_requests import BusinessChoiceForm, LoanForm, PurposeForm
from financing.match_runs import NoPolicy, current_policy
from financing.request_texts import reason_text
from financing.services import loan_requests
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


@roles_required(Role.OWNER)
def request_start(request: SignedInRequest) -> HttpResponseBase:
    """With one business that may ask, its draft; with several, the choice; else why not."""
    businesses = list(Business.objects.visible_to(request.user).select_related("region"))
    allowed = [each for each in businesses if not permissions.against_requesting(each)]
    form = BusinessChoiceForm(
        posted(request) if len(allowed) > 1 else None,
        businesses=Business.objects.filter(pk__in=[each.pk for each in allowed]),
        cancel_url=reverse("financing:request_list"),
    )
    if request.method == "POST" and allowed:
        chosen = allowed[0] if len(allowed) == 1 else None
        if chosen is None and form.is_valid():
            chosen = form.cleaned_data["business"]
        if chosen is not None:
            try:
                draft = loan_requests.start_draft(actor=Actor.of(request.user), business=chosen)
            except RequestRefused as refused:
                show_refusal(request, refused)
                return redirect("financing:request_list")
            return redirect("financing:request_detail", draft.pk)
    context = {
        "form": form,
        "businesses": businesses,
        "allowed": allowed,
        "refusals": [
            {"business": each, "text": " ".join(map(reason_text, reasons))}
            for each in businesses
            if (reasons := permissions.against_requesting(each))
        ],
    }
    return render(request, "financing/requests/start.html", context)


@roles_required(Role.OWNER)
def request_loan(request: SignedInRequest, pk: int) -> HttpResponseBase:
    subject = own_request(request, pk)
    fixed = fixed_page(request, subject)
    if fixed is not None:
        return fixed
    form = LoanForm(
        posted(request),
        initial={name: getattr(subject, name) for name in LoanForm.base_fields},
        benchmark_percent=_usual_rate(),
        cancel_url=reverse("financing:request_detail", args=[pk]),
    )
    if form.is_valid():
        try:
            saved = loan_requests.save_loan(
                actor=Actor.of(request.user), request=subject, **form.cleaned_data
            )
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect("financing:request_detail", pk)
        return after_saving(saved, "loan")
    return change_page(request, subject, "loan", form)


def _usual_rate() -> Any:
    today = timezone.localdate()
    try:
        return lpr_percent(today, 12) + current_policy(today).reference_spread_percent
    except NoPolicy:
        return None


@roles_required(Role.OWNER)
def request_purpose(request: SignedInRequest, pk: int) -> HttpResponseBase:
    subject = own_request(request, pk)
    fixed = fixed_page(request, subject)
    if fixed is not None:
        return fixed
    form = PurposeForm(
        posted(request),
        initial={name: getattr(subject, name) for name in PurposeForm.base_fields},
        cancel_url=reverse("financing:request_detail", args=[pk]),
    )
    if form.is_valid():
        try:
            saved = loan_requests.save_purpose(
                actor=Actor.of(request.user), request=subject, **form.cleaned_data
            )
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect("financing:request_detail", pk)
        return after_saving(saved, "purpose")
    return change_page(request, subject, "purpose", form)
