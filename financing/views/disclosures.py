"""The ledger: what was disclosed of an owner's businesses to whom, and who opened it."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from financing.match_sections import disclosures_of, ledger_entry
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role

PER_PAGE = 20


@roles_required(Role.OWNER)
@require_safe
def disclosure_list(request: SignedInRequest) -> HttpResponse:
    """Latest first, every match of every business of the user."""
    page = Paginator(disclosures_of(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "entries": [ledger_entry(row) for row in page.object_list]}
    return render(request, "financing/disclosures/list.html", context)
