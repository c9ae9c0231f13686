"""Adding and releasing what lies on a patent."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.forms.encumbrances import EncumbranceForm, ReleaseForm
from businesses.models import Encumbrance
from businesses.services import encumbrances as services
from businesses.services.refusals import BusinessRefused
from businesses.views.patents import visible_patent
from businesses.views.refusal_texts import add_refusal
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER)
def encumbrance_add(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record a pledge, licence, transfer or court order."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    form = EncumbranceForm(request.POST or None, patent=patent, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_encumbrance(
                actor=Actor.of(request.user), patent=patent, **form.cleaned_data
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The entry is saved."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Add what lies on the patent"),
        "above": patent.title,
        "lead": _("Pledges, licences and orders of courts, as the register shows them."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.OWNER)
def encumbrance_release(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that it no longer lies on the patent."""
    encumbrance = get_object_or_404(
        Encumbrance.objects.visible_to(request.user).select_related("patent"), pk=pk
    )
    back_url = reverse("businesses:patent_detail", args=[encumbrance.patent_id])
    form = ReleaseForm(request.POST or None, encumbrance=encumbrance, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.release_encumbrance(
                actor=Actor.of(request.user), encumbrance=encumbrance, **form.cleaned_data
            )
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The release is recorded."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Record a release"),
        "above": f"{encumbrance.get_kind_display()} · {encumbrance.holder}",
        "lead": _("The branch office compares it with the register."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)
