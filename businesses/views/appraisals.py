"""Adding and removing appraisals of a patent."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.forms.appraisals import AppraisalForm
from businesses.models import Appraisal
from businesses.services import appraisals as services
from businesses.services.refusals import BusinessRefused
from businesses.views.patents import visible_patent
from businesses.views.refusal_texts import add_refusal, refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats


@roles_required(Role.OWNER)
def appraisal_add(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record an appraisal report."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    form = AppraisalForm(request.POST or None, patent=patent, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_appraisal(actor=Actor.of(request.user), patent=patent, **form.cleaned_data)
        except BusinessRefused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The appraisal is saved."))
            return redirect(back_url)
    context = {
        "form": form,
        "title": _("Add an appraisal"),
        "above": patent.title,
        "lead": _("Many lenders lend a share of the appraised value. The newest appraisal counts."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)


@roles_required(Role.OWNER)
def appraisal_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then take an appraisal back."""
    appraisal = get_object_or_404(
        Appraisal.objects.visible_to(request.user).select_related("patent"), pk=pk
    )
    back_url = reverse("businesses:patent_detail", args=[appraisal.patent_id])
    if request.method == "POST":
        try:
            services.remove_appraisal(actor=Actor.of(request.user), appraisal=appraisal)
        except BusinessRefused as refused:
            messages.error(request, refusal_text(refused))
        else:
            messages.success(request, _("The appraisal is removed."))
        return redirect(back_url)
    context = {
        "title": _("Remove an appraisal"),
        "above": appraisal.patent.title,
        "text": _("The appraisal of %(day)s over %(value)s no longer counts.")
        % {
            "day": formats.day(appraisal.appraised_on),
            "value": formats.yuan(appraisal.appraised_value),
        },
        "label": _("Remove the appraisal"),
        "back_url": back_url,
    }
    return render(request, "businesses/confirm_page.html", context)
