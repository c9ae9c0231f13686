"""Pages of patents: portfolio of a business, adding, facts and findings, changes, end."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.db.models.functions import Left
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from businesses import annuity_texts, findings, identifier_texts, selectors
from businesses.forms.patents import EndForm, PatentForm
from businesses.forms.verification import PatentVerificationForm
from businesses.lifecycles import PATENT
from businesses.models import Business, Patent
from businesses.models.patents import PatentKind
from businesses.rules.findings import has_hard
from businesses.rules.identifiers import IdentifierError, parse_patent_number
from businesses.services import patents as services
from businesses.services.refusals import BusinessRefused
from businesses.views.refusal_texts import add_refusal, refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.lifecycle import TransitionRefused

PER_PAGE = 50
_ORDERS = {
    "number": ("application_number", "pk"),
    "title": ("title", "pk"),
    "kind": ("kind", "-filed_on", "pk"),
    "filed": ("filed_on", "pk"),
    "status": ("status", "-filed_on", "pk"),
}


def visible_patent(user: User, pk: int) -> Patent:
    """The patent with its facts, or 404."""
    patent: Patent = get_object_or_404(Patent.objects.visible_to(user).with_facts(), pk=pk)
    return patent


def _changed_meanwhile() -> str:
    return _("Somebody has changed this meanwhile. Look at the present state and try again.")


@roles_required(Role.OWNER, Role.COORDINATOR)
@require_GET
def patent_list(request: SignedInRequest, pk: int) -> HttpResponse:
    """The portfolio of a business."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    patents = Patent.objects.visible_to(request.user).filter(business=business)
    today = timezone.localdate()
    page = Paginator(_sorted(patents.with_facts(), request), PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = []
    for patent in page:
        found = selectors.registrability_of(patent, on=today)
        rows.append(
            {
                "patent": patent,
                "expires_on": selectors.expires_on(patent),
                "annuity": annuity_texts.describe(selectors.annuity_status(patent, on=today)),
                "is_pledgeable": not has_hard(found),
                "finding_count": len(found),
            }
        )
    context = {
        "business": business,
        "page": page,
        "rows": rows,
        "kinds": _counts_by_kind(patents),
        "ipc_sections": _counts_by_ipc_section(patents),
        "is_owner": request.user.role == Role.OWNER,
    }
    return render(request, "businesses/patents/list.html", context)


def _sorted(patents: QuerySet[Patent], request: SignedInRequest) -> QuerySet[Patent]:
    wanted = request.GET.get("sort", "-filed")
    order = _ORDERS.get(wanted.lstrip("-"), _ORDERS["filed"])
    patents = patents.order_by(*order)
    return patents.reverse() if wanted.startswith("-") else patents


def _counts_by_kind(patents: QuerySet[Patent]) -> list[dict[str, object]]:
    counted = dict(patents.order_by().values_list("kind").annotate(count=Count("pk")))
    return [{"label": kind.label, "count": counted.get(kind.value, 0)} for kind in PatentKind]


def _counts_by_ipc_section(patents: QuerySet[Patent]) -> list[dict[str, object]]:
    counted = (
        patents.exclude(ipc_main="")
        .order_by()
        .annotate(section=Left("ipc_main", 1))
        .values_list("section")
        .annotate(count=Count("pk"))
        .order_by("section")
    )
    names = ipc_section_names()
    return [
        {"section": section, "label": names.get(section.upper(), ""), "count": count}
        for section, count in counted
    ]


def ipc_section_names() -> dict[str, str]:
    """The eight sections of the International Patent Classification."""
    return {
        "A": _("Human necessities"),
        "B": _("Operations, transport"),
        "C": _("Chemistry, metallurgy"),
        "D": _("Textiles, paper"),
        "E": _("Building, mining"),
        "F": _("Mechanical engineering, heating, weapons"),
        "G": _("Physics"),
        "H": _("Electricity"),
    }


@roles_required(Role.OWNER)
def patent_add(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a patent by its number."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    back_url = reverse("businesses:patent_list", args=[business.pk])
    form = PatentForm(request.POST or None, can_be_draft=True, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            patent = services.add_patent(
                actor=Actor.of(request.user),
                business=business,
                entry=form.entry(),
                is_draft="second" in request.POST,
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The patent is saved."))
            return redirect("businesses:patent_detail", pk=patent.pk)
    context = {
        "form": form,
        "title": _("Add a patent"),
        "above": business.name,
        "lead": _("Have the patent certificate and the last fee receipt at hand."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.OWNER, Role.COORDINATOR)
@require_GET
def patent_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One patent: may it be pledged and what would change that, fees, facts."""
    patent = visible_patent(request.user, pk)
    today = timezone.localdate()
    found = selectors.registrability_of(patent, on=today)
    live = {each.pk for each in selectors.live_encumbrances(patent, on=today)}
    context = {
        "patent": patent,
        "business": patent.business,
        "is_owner": request.user.role == Role.OWNER,
        "actions": PATENT.allowed(patent.status, request.user.role),
        "expires_on": selectors.expires_on(patent),
        "findings": findings.describe_all(found),
        "is_pledgeable": not has_hard(found),
        "annuity": annuity_texts.describe(selectors.annuity_status(patent, on=today)),
        "timeline": annuity_texts.timeline(patent, on=today),
        "co_owners": patent.co_owners.all(),
        "appraisals": patent.appraisals.all(),
        "latest_appraisal": selectors.latest_appraisal(patent),
        "encumbrances": [
            {"row": each, "is_live": each.pk in live} for each in patent.encumbrances.all()
        ],
    }
    return render(request, "businesses/patents/detail.html", context)


@roles_required(Role.OWNER)
def patent_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change the facts; what was verified has to be verified again."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    form = PatentForm(request.POST or None, patent=patent, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_patent(actor=Actor.of(request.user), patent=patent, entry=form.entry())
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The changes are saved."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Change a patent"),
        "above": patent.title,
        "lead": _("After a change the branch office compares the patent with the register again."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.OWNER)
@require_POST
def number_check(request: SignedInRequest) -> HttpResponse:
    """The number as typed: normal form, kind and year, or what is wrong. Stores nothing."""
    context: dict[str, object] = {"number": None, "kind": "", "fault": ""}
    try:
        number = parse_patent_number(
            request.POST.get("application_number", "")[:100], today=timezone.localdate()
        )
    except IdentifierError as error:
        context["fault"] = identifier_texts.patent_number_fault(error)
    else:
        context |= {"number": number, "kind": PatentKind(number.kind).label}
    return render(request, "businesses/patents/number_check.html", context)


@roles_required(Role.OWNER)
@require_POST
def patent_register(request: SignedInRequest, pk: int) -> HttpResponse:
    """Turn a draft into a registered patent."""
    patent = visible_patent(request.user, pk)
    try:
        services.register_patent(actor=Actor.of(request.user), patent=patent)
    except TransitionRefused:
        messages.error(request, _changed_meanwhile())
    else:
        messages.success(request, _("The patent is registered with the portal."))
    return redirect("businesses:patent_detail", pk=patent.pk)


@roles_required(Role.OWNER)
def patent_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then delete a draft."""
    patent = visible_patent(request.user, pk)
    if request.method == "POST":
        try:
            services.remove_patent(actor=Actor.of(request.user), patent=patent)
        except BusinessRefused as refused:
            messages.error(request, refusal_text(refused))
            return redirect("businesses:patent_detail", pk=patent.pk)
        messages.success(request, _("The draft is deleted."))
        return redirect("businesses:patent_list", pk=patent.business_id)
    context = {
        "title": _("Delete a draft"),
        "above": patent.title,
        "text": _("The draft with its co-owners and appraisals is deleted for good."),
        "label": _("Delete the draft"),
        "back_url": reverse("businesses:patent_detail", args=[patent.pk]),
    }
    return render(request, "businesses/confirm_page.html", context)


@roles_required(Role.OWNER, Role.COORDINATOR)
def patent_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that a patent has ended."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    form = EndForm(request.POST or None, patent=patent, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.end_patent(actor=Actor.of(request.user), patent=patent, **form.cleaned_data)
        except TransitionRefused:
            form.add_error(None, _changed_meanwhile())
        else:
            messages.success(request, _("The end of the patent is recorded."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Record the end of a patent"),
        "above": patent.title,
        "lead": _("An ended patent cannot be pledged, and its record can no longer be changed."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.COORDINATOR)
def patent_verify(request: SignedInRequest, pk: int) -> HttpResponse:
    """The coordinator compared the patent with a register extract."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    form = PatentVerificationForm(request.POST or None, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.verify_patent(
                actor=Actor.of(request.user),
                patent=patent,
                register_extract_on=form.cleaned_data["register_extract_on"],
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        except TransitionRefused:
            form.add_error(None, _changed_meanwhile())
        else:
            messages.success(request, _("The patent is verified."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Verify a patent"),
        "above": f"{patent.application_number} · {patent.title}",
        "lead": _("Compare owner, status, yearly fees and pledges with the register."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)
