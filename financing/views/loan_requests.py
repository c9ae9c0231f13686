"""An owner's loan requests: draft, check, submit, follow, withdraw."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from businesses.models import Business
from businesses.rules.reference_rates import lpr_percent
from financing import owner_selectors, permissions
from financing.forms.loan_requests import (
    BusinessChoiceForm,
    LoanForm,
    PatentsForm,
    PurposeForm,
)
from financing.match_runs import NoPolicy, current_policy
from financing.models.loan_requests import LoanRequest
from financing.request_texts import reason_line, reason_text
from financing.services import loan_requests
from financing.services.loan_requests import RequestRefused
from financing.views.request_parts import (
    PARTS,
    own_request,
    part_tasks,
    patent_rows,
    summary_of,
)
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor

FOLDER = "financing/loan_requests"
PART_TEMPLATES = {
    "loan": f"{FOLDER}/loan.html",
    "patents": f"{FOLDER}/patents.html",
    "purpose": f"{FOLDER}/purpose.html",
}


def _posted(request: SignedInRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _refused(request: SignedInRequest, refused: RequestRefused) -> None:
    for reason in refused.reasons:
        messages.error(request, reason_text(reason))


@roles_required(Role.OWNER)
@require_safe
def request_list(request: SignedInRequest) -> HttpResponse:
    rows = list(owner_selectors.requests_of(request.user))
    context = {
        "drafts": [row for row in rows if row.status == "draft"],
        "in_hand": [row for row in rows if row.status in permissions.IN_HAND_STATUSES],
        "over": [row for row in rows if row.status in permissions.OVER_STATUSES],
    }
    return render(request, f"{FOLDER}/list.html", context)


@roles_required(Role.OWNER)
def request_start(request: SignedInRequest) -> HttpResponseBase:
    """With one business that may ask, its draft; with several, the choice; else why not."""
    businesses = list(Business.objects.visible_to(request.user).select_related("region"))
    allowed = [each for each in businesses if not permissions.against_requesting(each)]
    form = BusinessChoiceForm(
        _posted(request) if len(allowed) > 1 else None,
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
                _refused(request, refused)
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
    return render(request, f"{FOLDER}/start.html", context)


def _change_page(
    request: SignedInRequest, loan_request: LoanRequest, part: str, form: Any, **context: Any
) -> HttpResponse:
    steps = part_tasks(loan_request, current=part)
    return render(
        request,
        PART_TEMPLATES[part],
        {"loan_request": loan_request, "form": form, "steps": steps, **context},
    )


def _after_saving(loan_request: LoanRequest, part: str) -> HttpResponseBase:
    """On to the next topic; a request that was complete before goes back to its check page."""
    names = [each.name for each in PARTS]
    following = names[names.index(part) + 1]
    if not permissions.against_submitting(loan_request):
        following = "check"
    return redirect(f"financing:request_{following}", loan_request.pk)


def _fixed(request: SignedInRequest, loan_request: LoanRequest) -> HttpResponseBase | None:
    """A request that can no longer be changed shows its page instead of a form."""
    reasons = permissions.against_changing(loan_request)
    if not reasons:
        return None
    messages.warning(request, reason_text(reasons[0]))
    return redirect("financing:request_detail", loan_request.pk)


@roles_required(Role.OWNER)
def request_loan(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    fixed = _fixed(request, loan_request)
    if fixed is not None:
        return fixed
    form = LoanForm(
        _posted(request),
        initial={name: getattr(loan_request, name) for name in LoanForm.base_fields},
        benchmark_percent=_usual_rate(),
        cancel_url=reverse("financing:request_detail", args=[pk]),
    )
    if form.is_valid():
        try:
            saved = loan_requests.save_loan(
                actor=Actor.of(request.user), request=loan_request, **form.cleaned_data
            )
        except RequestRefused as refused:
            _refused(request, refused)
            return redirect("financing:request_detail", pk)
        return _after_saving(saved, "loan")
    return _change_page(request, loan_request, "loan", form)


def _usual_rate() -> Any:
    today = timezone.localdate()
    try:
        return lpr_percent(today, 12) + current_policy(today).reference_spread_percent
    except NoPolicy:
        return None


@roles_required(Role.OWNER)
def request_patents(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    fixed = _fixed(request, loan_request)
    if fixed is not None:
        return fixed
    live = owner_selectors.live_patents(loan_request.business)
    form = PatentsForm(
        _posted(request),
        patents=live,
        initial={"patents": list(loan_request.patents.values_list("pk", flat=True))},
    )
    if form.is_valid():
        try:
            saved = loan_requests.save_patents(
                actor=Actor.of(request.user),
                request=loan_request,
                patent_ids=[patent.pk for patent in form.cleaned_data["patents"]],
            )
        except RequestRefused as refused:
            _refused(request, refused)
            return redirect("financing:request_patents", pk)
        return _after_saving(saved, "patents")
    choices = owner_selectors.patent_choices(live.with_facts(), on=timezone.localdate())
    return _change_page(
        request, loan_request, "patents", form, rows=patent_rows(choices, form["patents"].value())
    )


@roles_required(Role.OWNER)
def request_purpose(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    fixed = _fixed(request, loan_request)
    if fixed is not None:
        return fixed
    form = PurposeForm(
        _posted(request),
        initial={name: getattr(loan_request, name) for name in PurposeForm.base_fields},
        cancel_url=reverse("financing:request_detail", args=[pk]),
    )
    if form.is_valid():
        try:
            saved = loan_requests.save_purpose(
                actor=Actor.of(request.user), request=loan_request, **form.cleaned_data
            )
        except RequestRefused as refused:
            _refused(request, refused)
            return redirect("financing:request_detail", pk)
        return _after_saving(saved, "purpose")
    return _change_page(request, loan_request, "purpose", form)


@roles_required(Role.OWNER)
@require_safe
def request_check(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Check your answers; what is still missing is listed with links."""
    loan_request = own_request(request, pk)
    fixed = _fixed(request, loan_request)
    if fixed is not None:
        return fixed
    reasons = permissions.against_submitting(loan_request)
    context = {
        "loan_request": loan_request,
        "steps": part_tasks(loan_request, current="check"),
        "summary": summary_of(loan_request, with_links=True),
        "reasons": [reason_line(reason, loan_request) for reason in reasons],
    }
    return render(request, f"{FOLDER}/check.html", context)


@roles_required(Role.OWNER)
@require_POST
def request_submit(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    try:
        loan_requests.submit(actor=Actor.of(request.user), request=loan_request)
    except RequestRefused as refused:
        _refused(request, refused)
        return redirect("financing:request_check", pk)
    return redirect("financing:request_detail", pk)


@roles_required(Role.OWNER)
def request_delete(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    if request.method == "POST":
        try:
            loan_requests.delete_draft(actor=Actor.of(request.user), request=loan_request)
        except RequestRefused as refused:
            _refused(request, refused)
            return redirect("financing:request_detail", pk)
        messages.success(request, _("The draft was deleted."))
        return redirect("financing:request_list")
    if permissions.against_deleting(loan_request):
        return redirect("financing:request_detail", pk)
    context = {"loan_request": loan_request, "facts": summary_of(loan_request).loan}
    return render(request, f"{FOLDER}/delete.html", context)


@roles_required(Role.OWNER)
@require_POST
def request_copy(request: SignedInRequest, pk: int) -> HttpResponseBase:
    loan_request = own_request(request, pk)
    try:
        draft = loan_requests.copy_as_draft(actor=Actor.of(request.user), request=loan_request)
    except RequestRefused as refused:
        _refused(request, refused)
        return redirect("financing:request_detail", pk)
    return redirect("financing:request_detail", draft.pk)
