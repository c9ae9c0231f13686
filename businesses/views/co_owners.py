"""The co-owners of a patent and their consent."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.forms.co_owners import CoOwnerFormSet, initial_of
from businesses.services.co_owners import set_co_owners
from businesses.services.refusals import BusinessRefused
from businesses.views.patents import visible_patent
from businesses.views.refusal_texts import refusal_text
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER)
def co_owners(request: SignedInRequest, pk: int) -> HttpResponse:
    """All co-owners on one page; empty rows add more."""
    patent = visible_patent(request.user, pk)
    back_url = reverse("businesses:patent_detail", args=[patent.pk])
    stored = initial_of(patent.co_owners.all())
    # Posted rows stand for themselves: compared with stored ones, unchanged rows would look empty.
    formset = (
        CoOwnerFormSet(request.POST, prefix="owners")
        if request.method == "POST"
        else CoOwnerFormSet(initial=stored, prefix="owners")
    )
    if request.method == "POST" and formset.is_valid():
        try:
            set_co_owners(actor=Actor.of(request.user), patent=patent, entries=formset.entries())
        except BusinessRefused as refused:
            messages.error(request, refusal_text(refused))
        else:
            messages.success(request, _("The co-owners are saved."))
        return redirect(back_url)
    context = {"formset": formset, "patent": patent, "back_url": back_url}
    return render(request, "businesses/co_owners/edit.html", context)
