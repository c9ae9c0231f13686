"""An owner's requests of either kind: list, patents, check, submit, delete, copy.

`loan_requests` and `insurance_requests` hold the topics that only one kind has.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from financing import owner_selectors, permissions
from financing.forms.loan_requests import PatentsForm
from financing.pair_kinds import LOAN, AnyRequest, PairKind, kind_of
from financing.request_texts import reason_line, reason_text
from financing.request_words import request_address
from financing.services import requests as services
from financing.services.requests import RequestRefused
from financing.views.request_parts import (
    own_request,
    part_tasks,
    parts_of,
    patent_rows,
    summary_of,
)
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor

FOLDER = "financing/requests"
PART_TEMPLATES = {
    "cover": "financing/requests/cover.html",
    "loan": "financing/requests/loan.html",
    "patents": "financing/requests/patents.html",
    "purpose": "financing/requests/purpose.html",
}


def posted(request: SignedInRequest) -> Any:
    return request.POST if request.method == "POST" else None


def show_refusal(request: SignedInRequest, refused: RequestRefused) -> None:
    for reason in refused.reasons:
        messages.error(request, reason_text(reason))


@roles_required(Role.OWNER)
@require_safe
def request_list(request: SignedInRequest) -> HttpResponse:
    rows = owner_selectors.requests_of(request.user)
    context = {
        "drafts": [row for row in rows if row.status == "draft"],
        "in_hand": [row for row in rows if row.status in permissions.IN_HAND_STATUSES],
        "over": [row for row in rows if row.status in permissions.OVER_STATUSES],
    }
    return render(request, f"{FOLDER}/list.html", context)


def change_page(
    request: SignedInRequest, subject: AnyRequest, part: str, form: Any, **context: Any
) -> HttpResponse:
    steps = part_tasks(subject, current=part)
    return render(
        request,
        PART_TEMPLATES[part],
        {"subject": subject, "form": form, "steps": steps, **context},
    )


def after_saving(subject: AnyRequest, part: str) -> HttpResponseBase:
    """On to the next topic; a request that was complete before goes back to its check page."""
    names = [each.name for each in parts_of(kind_of(subject))]
    following = names[names.index(part) + 1]
    if not permissions.against_submitting(subject):
        following = "check"
    return redirect(request_address(subject, following))


def fixed_page(request: SignedInRequest, subject: AnyRequest) -> HttpResponseBase | None:
    """A request that can no longer be changed shows its page instead of a form."""
    reasons = permissions.against_changing(subject)
    if not reasons:
        return None
    messages.warning(request, reason_text(reasons[0]))
    return redirect(request_address(subject, "detail"))


@roles_required(Role.OWNER)
def request_patents(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    fixed = fixed_page(request, subject)
    if fixed is not None:
        return fixed
    live = owner_selectors.live_patents(subject.business)
    form = PatentsForm(
        posted(request),
        patents=live,
        is_needed=permissions.needs_patents(subject),
        initial={"patents": list(subject.patents.values_list("pk", flat=True))},
    )
    if form.is_valid():
        try:
            saved = services.save_patents(
                actor=Actor.of(request.user),
                request=subject,
                patent_ids=[patent.pk for patent in form.cleaned_data["patents"]],
            )
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect(request_address(subject, "patents"))
        return after_saving(saved, "patents")
    choices = owner_selectors.patent_choices(live.with_facts(), kind, on=timezone.localdate())
    return change_page(
        request,
        subject,
        "patents",
        form,
        rows=patent_rows(choices, form["patents"].value()),
        shows_appraisals=kind is LOAN,
    )


@roles_required(Role.OWNER)
@require_safe
def request_check(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    """Check your answers; what is still missing is listed with links."""
    subject = own_request(request, pk, kind)
    fixed = fixed_page(request, subject)
    if fixed is not None:
        return fixed
    reasons = permissions.against_submitting(subject)
    context = {
        "subject": subject,
        "steps": part_tasks(subject, current="check"),
        "summary": summary_of(subject, with_links=True),
        "reasons": [reason_line(reason, subject) for reason in reasons],
    }
    return render(request, f"{FOLDER}/check.html", context)


@roles_required(Role.OWNER)
@require_POST
def request_submit(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    try:
        services.submit(actor=Actor.of(request.user), request=subject)
    except RequestRefused as refused:
        show_refusal(request, refused)
        return redirect(request_address(subject, "check"))
    return redirect(request_address(subject, "detail"))


@roles_required(Role.OWNER)
def request_delete(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    if request.method == "POST":
        try:
            services.delete_draft(actor=Actor.of(request.user), request=subject)
        except RequestRefused as refused:
            show_refusal(request, refused)
            return redirect(request_address(subject, "detail"))
        messages.success(request, _("The draft was deleted."))
        return redirect("financing:request_list")
    if permissions.against_deleting(subject):
        return redirect(request_address(subject, "detail"))
    context = {"subject": subject, "facts": summary_of(subject).topics[0].facts}
    return render(request, f"{FOLDER}/delete.html", context)


@roles_required(Role.OWNER)
@require_POST
def request_copy(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> HttpResponseBase:
    subject = own_request(request, pk, kind)
    try:
        draft = services.copy_as_draft(actor=Actor.of(request.user), request=subject)
    except RequestRefused as refused:
        show_refusal(request, refused)
        return redirect(request_address(subject, "detail"))
    return redirect(request_address(draft, "detail"))
