"""A small admin of its own for the tests of the scoped base, beside the portal's other pages."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import include, path

from financing.models.loan_offers import LoanOffer, LoanOfferFee
from sipo_portal.ui.admin_site import PortalAdminSite
from sipo_portal.ui.scoped_admin import ScopedModelAdmin, ScopedTabularInline

site = PortalAdminSite()
calls: list[dict[str, Any]] = []


class FeeInline(ScopedTabularInline):
    model = LoanOfferFee
    fields = ("kind", "payer", "amount")


class LoanOfferAdmin(ScopedModelAdmin):
    view_roles = add_roles = change_roles = ("institution_staff",)
    list_display = ("name", "institution", "status")
    list_filter = ("institution", "status")
    search_fields = ("name",)
    fields = ("institution", "name", "opens_on", "capacity_amount")
    inlines = [FeeInline]

    def save_through_service(
        self, request: Any, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Any:
        fees = [row.cleaned_data for row in formsets[0].forms if row.has_changed()]
        calls.append({"data": form.cleaned_data, "fees": fees, "change": change})
        LoanOffer.objects.filter(pk=obj.pk).update(name=form.cleaned_data["name"])
        if form.cleaned_data["name"] == "refused":
            raise ValidationError(
                {
                    "name": "the service refuses this name",
                    "capacity_amount": "the service wants more",
                    "fees-0-amount": "the service refuses this fee",
                    "not_on_the_page": "the service has a general word",
                }
            )
        return obj


site.register(LoanOffer, LoanOfferAdmin)
urlpatterns = [
    path("", include("sipo_portal.accounts.urls")),
    path("notices/", include("sipo_portal.notices.urls")),
    path("admin/", site.urls),
]
