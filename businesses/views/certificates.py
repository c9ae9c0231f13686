"""The certificates of a business."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from businesses.forms.certificates import CertificatesForm
from businesses.models import Business
from businesses.services.certificates import set_certificates
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER)
def certificates(request: SignedInRequest, pk: int) -> HttpResponse:
    """Tick the certificates held, with number and last day."""
    business = get_object_or_404(Business.objects.visible_to(request.user), pk=pk)
    back_url = reverse("businesses:detail", args=[business.pk])
    form = CertificatesForm(request.POST or None, business=business, cancel_url=back_url)
    if request.method == "POST" and form.is_valid():
        set_certificates(
            actor=Actor.of(request.user), business=business, certificates=form.certificates()
        )
        messages.success(request, _("The certificates are saved."))
        return redirect(back_url)
    context = {
        "form": form,
        "title": _("Certificates"),
        "above": business.name,
        "lead": _("Some offers ask for a certificate, some give better terms with one."),
        "back_url": back_url,
    }
    return render(request, "businesses/form_page.html", context)
