"""Insurance offers in the admin: insurers' staff post and change those of their own institution."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from financing.admin.offers import OfferAdmin
from financing.forms.insurance_offers import InsuranceOfferForm
from financing.forms.offers import offer_values
from financing.match_runs import NoPolicy, current_policy
from financing.models.institutions import InstitutionKind
from financing.models.insurance_offers import InsuranceOffer
from financing.offer_facts import premium_text
from financing.premiums import premium_examples
from financing.services import insurance_offers as services
from financing.services.insurance_terms import InsuranceTerms
from financing.services.offers import institution_of
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin


@admin.register(InsuranceOffer, site=portal_admin)
class InsuranceOfferAdmin(OfferAdmin):
    institution_kind = InstitutionKind.INSURER
    copy = staticmethod(services.copy_as_draft)
    form = InsuranceOfferForm
    list_display = ["name", "state", "cover_kind", "premium", "sums", "capacity"]
    list_filter = ["status", "cover_kind"]
    fieldsets = [
        (
            gettext_lazy("The offer"),
            {
                "fields": ["name", "description", "opens_on", "closes_on"],
                "description": gettext_lazy(
                    "Businesses and branch offices see the name and the description."
                ),
            },
        ),
        (
            gettext_lazy("The cover"),
            {
                "fields": [
                    "cover_kind",
                    ("min_sum_insured", "max_sum_insured"),
                    "period_months",
                    "excess_percent",
                ]
            },
        ),
        (
            gettext_lazy("The premium"),
            {
                "fields": [
                    "min_premium",
                    ("base_premium", "premium_per_patent"),
                    "premium_rate_percent",
                ],
                "description": gettext_lazy(
                    "Your offer is proposed only where its premium is not above the standard "
                    "premium of the policy. Once saved, this page shows examples of both."
                ),
            },
        ),
        (
            gettext_lazy("Whom it serves"),
            {"fields": ["size_classes", "provinces", "division_codes", "industries"]},
        ),
        (
            gettext_lazy("What can be insured"),
            {
                "fields": [
                    "accepted_kinds",
                    ("min_patents", "min_remaining_months"),
                    "accepts_licensee",
                    "needs_co_owner_consent",
                    "refuses_disputes",
                ],
                "description": gettext_lazy(
                    "A patent must be in force with its annuities paid, and the business its owner "
                    "or licensee, whatever you choose here."
                ),
            },
        ),
        (
            gettext_lazy("Capacity"),
            {
                "fields": [("capacity_amount", "capacity_count")],
                "description": gettext_lazy(
                    "Terms you offered, accepted terms and policies are booked against it."
                ),
            },
        ),
    ]

    @admin.display(description=gettext_lazy("premium"))
    def premium(self, offer: InsuranceOffer) -> str:
        return premium_text(offer)

    @admin.display(description=gettext_lazy("sum insured"), ordering="max_sum_insured")
    def sums(self, offer: InsuranceOffer) -> str:
        return f"{formats.wan(offer.min_sum_insured)} – {formats.wan(offer.max_sum_insured)}"

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            # From the stored row: what was just typed may be refused.
            stored = InsuranceOffer.objects.get(pk=obj.pk)
            try:
                policy = current_policy(timezone.localdate())
                context["premium_examples"] = premium_examples(stored, policy)
            except NoPolicy:
                pass
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> InsuranceOffer:
        actor = Actor.of(request.user)
        return services.save_insurance_offer(
            actor,
            institution=institution_of(actor),
            terms=InsuranceTerms(**offer_values(form.cleaned_data)),
            offer_id=obj.pk if change else None,
        )
