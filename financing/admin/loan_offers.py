"""Loan offers in the admin: institution staff post and change those of their own institution."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from financing.admin.offers import OfferAdmin
from financing.forms.loan_offers import (
    AcceptedPatentKindForm,
    CollateralLimitForm,
    LoanOfferFeeForm,
    LoanOfferForm,
    PartFormSet,
)
from financing.forms.offers import offer_values
from financing.models.institutions import InstitutionKind
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
    RateBasis,
)
from financing.services import loan_offers as services
from financing.services.offer_terms import FeeTerms, KindTerms, LimitTerms, OfferTerms
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedTabularInline


class AcceptedPatentKindInline(ScopedTabularInline):
    model = AcceptedPatentKind
    form = AcceptedPatentKindForm
    formset = PartFormSet
    extra = 2
    max_num = 3
    verbose_name_plural = gettext_lazy("Patents accepted, and what is lent against them")


class CollateralLimitInline(ScopedTabularInline):
    model = CollateralLimit
    form = CollateralLimitForm
    formset = PartFormSet
    extra = 3
    verbose_name_plural = gettext_lazy("Limit table (only for a limit by number of patents)")


class LoanOfferFeeInline(ScopedTabularInline):
    model = LoanOfferFee
    form = LoanOfferFeeForm
    formset = PartFormSet
    extra = 3
    verbose_name_plural = gettext_lazy("Fees")


@admin.register(LoanOffer, site=portal_admin)
class LoanOfferAdmin(OfferAdmin):
    institution_kind = InstitutionKind.BANK
    copy = staticmethod(services.copy_as_draft)
    form = LoanOfferForm
    inlines = [AcceptedPatentKindInline, CollateralLimitInline, LoanOfferFeeInline]
    list_display = ["name", "state", "rate", "principal", "term", "capacity"]
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
            gettext_lazy("The loan"),
            {
                "fields": [
                    ("min_principal", "max_principal"),
                    ("min_term_months", "max_term_months"),
                    "rate_basis",
                    ("interest_rate_percent", "spread_bp"),
                    "repayment_method",
                    "day_count",
                ]
            },
        ),
        (
            gettext_lazy("Whom it serves"),
            {
                "fields": [
                    "size_classes",
                    "provinces",
                    "division_codes",
                    "industries",
                    "min_operating_months",
                    "required_certificates",
                ]
            },
        ),
        (
            gettext_lazy("Patents as collateral"),
            {
                "fields": [
                    "collateral_basis",
                    "collateral_share_percent",
                    ("min_patents", "life_margin_months"),
                    ("unappraised_limit", "appraisal_fee"),
                    "max_appraisal_age_months",
                ],
                "description": gettext_lazy(
                    "Which kinds of patents you accept, the limit table and the fees follow below."
                ),
            },
        ),
        (
            gettext_lazy("Capacity"),
            {
                "fields": [("capacity_amount", "capacity_count")],
                "description": gettext_lazy(
                    "Terms you offered, accepted and completed loans are booked against it."
                ),
            },
        ),
    ]

    # --- the list ---------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("rate"))
    def rate(self, offer: LoanOffer) -> str:
        if offer.rate_basis == RateBasis.FIXED:
            return _("%(rate)s fixed") % {"rate": formats.percent(offer.interest_rate_percent)}
        sign = "+" if (offer.spread_bp or 0) >= 0 else "−"
        text = (
            _("one-year LPR %(sign)s %(points)d bp")
            if offer.rate_basis == RateBasis.LPR_1Y
            else _("five-year LPR %(sign)s %(points)d bp")
        )
        return text % {"sign": sign, "points": abs(offer.spread_bp or 0)}

    @admin.display(description=gettext_lazy("principal"), ordering="max_principal")
    def principal(self, offer: LoanOffer) -> str:
        return f"{formats.wan(offer.min_principal)} – {formats.wan(offer.max_principal)}"

    @admin.display(description=gettext_lazy("term"), ordering="max_term_months")
    def term(self, offer: LoanOffer) -> str:
        return _("%(least)d to %(most)d months") % {
            "least": offer.min_term_months,
            "most": offer.max_term_months,
        }

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> LoanOffer:
        actor = Actor.of(request.user)
        return services.save_loan_offer(
            actor,
            institution=services.institution_of(actor),
            terms=_terms(form.cleaned_data, *formsets),
            offer_id=obj.pk if change else None,
        )


def _terms(values: dict[str, Any], kinds: Any, limits: Any, fees: Any) -> OfferTerms:
    """The typed values as the service takes them."""
    return OfferTerms(
        **offer_values(values),
        accepted_kinds=tuple(
            KindTerms(
                kind=row["kind"],
                loan_to_value_percent=row["loan_to_value_percent"],
                min_remaining_months=row["min_remaining_months"],
                place=place,
            )
            for place, row in kinds.rows()
        ),
        limits=tuple(
            LimitTerms(
                min_patents=row["min_patents"], limit_amount=row["limit_amount"], place=place
            )
            for place, row in limits.rows()
        ),
        fees=tuple(
            FeeTerms(
                kind=row["kind"],
                payer=row["payer"],
                timing=row["timing"],
                amount=row["amount"],
                percent=row["percent"],
                place=place,
            )
            for place, row in fees.rows()
        ),
    )
