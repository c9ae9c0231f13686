"""Loan offers in the admin: institution staff post and change those of their own institution."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from financing.admin.loan_offer_steps import step_texts
from financing.admin.steps import Step, StepPages
from financing.forms.loan_offers import (
    AcceptedPatentKindForm,
    CollateralLimitForm,
    LoanOfferFeeForm,
    LoanOfferForm,
    PartFormSet,
)
from financing.lifecycles import OFFER
from financing.match_rows import HeldCapacity, held_capacity
from financing.models.institutions import Institution, InstitutionKind
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
    RateBasis,
)
from financing.models.offers import OfferStatus
from financing.offer_warnings import offer_warnings
from financing.services import loan_offers as services
from financing.services.offer_terms import FeeTerms, KindTerms, LimitTerms, OfferTerms
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region
from sipo_portal.ui import charts, formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin, ScopedTabularInline
from sipo_portal.ui.templatetags.portal import status_tag


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
class LoanOfferAdmin(StepPages, ScopedModelAdmin):
    form = LoanOfferForm
    view_roles = add_roles = change_roles = (Role.INSTITUTION_STAFF,)
    inlines = [AcceptedPatentKindInline, CollateralLimitInline, LoanOfferFeeInline]
    list_display = ["name", "state", "rate", "principal", "term", "capacity"]
    list_filter = ["status"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    step_actions = (*services.STEPS, "copy")
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

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    # --- who --------------------------------------------------------------------------------
    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and _is_bank(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _is_bank(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_closed = obj is not None and obj.status == OfferStatus.CLOSED
        return super().has_change_permission(request, obj) and not is_closed

    # --- the list ---------------------------------------------------------------------------
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        held = held_capacity(changelist.result_list)
        for offer in changelist.result_list:
            offer.held = held.get(offer.pk, HeldCapacity())
        return changelist

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, offer: LoanOffer) -> SafeString:
        return status_tag(offer)

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

    @admin.display(description=gettext_lazy("capacity"), ordering="capacity_amount")
    def capacity(self, offer: LoanOffer) -> SafeString:
        held = offer.held.amount  # type: ignore[attr-defined]
        booked_share = charts.share(offer.booked_amount, offer.capacity_amount)
        held_share = min(charts.share(held, offer.capacity_amount), 100 - booked_share)
        chart = _capacity_chart(offer, offer.held)  # type: ignore[attr-defined]
        bar = charts.drawing(
            12,
            chart.title,
            chart.sentence,
            [
                charts.rectangle(0, 0, 100, 12, "chart-track"),
                charts.rectangle(0, 0, booked_share, 12, "chart-bar"),
                charts.rectangle(booked_share, 0, held_share, 12, "chart-bar-quiet"),
            ],
        )
        return format_html(
            '<div class="capacity-cell">{}<span class="help">{}</span></div>', bar, chart.sentence
        )

    # --- read-only pages of closed offers ask the admin for what is no column ------------------
    @admin.display(description=gettext_lazy("Provinces served"))
    def provinces(self, offer: LoanOffer) -> str:
        regions = offer.regions.filter(level=Region.Level.PROVINCE)
        return ", ".join(region.label for region in regions)

    @admin.display(description=gettext_lazy("Prefectures and counties served"))
    def division_codes(self, offer: LoanOffer) -> str:
        regions = offer.regions.exclude(level=Region.Level.PROVINCE)
        return ", ".join(f"{region.code} {region.label}" for region in regions)

    # --- the page ---------------------------------------------------------------------------
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        page: HttpResponse = super().changeform_view(
            request,
            object_id,
            form_url,
            {
                "show_save_and_add_another": False,
                "show_save_and_continue": False,
                **(extra_context or {}),
            },
        )
        return page

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        institution = _post(request)
        context["subtitle"] = obj.name if obj is not None else None
        context["institution"] = institution
        if obj is not None:
            held = held_capacity([obj]).get(obj.pk, HeldCapacity())
            # From the stored row: what was just typed may be refused.
            stored = LoanOffer.objects.select_related("institution").get(pk=obj.pk)
            context["offer"] = stored
            context["steps"] = self.steps(request, stored)
            context["chart"] = _capacity_chart(stored, held)
            context["offer_warnings"] = offer_warnings(stored, on=timezone.localdate())
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        # The next thing to do is on the offer's own page: publish it.
        return self._to_row(obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._to_row(obj)

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

    # --- steps ------------------------------------------------------------------------------
    def steps(self, request: HttpRequest, obj: LoanOffer) -> list[Step]:
        allowed = OFFER.allowed(obj.status, Role.INSTITUTION_STAFF)
        texts = step_texts(obj)
        # Confirming moves no state, so the lifecycle does not name it.
        confirm = ("refresh",) if "close" in allowed and obj.status != OfferStatus.DRAFT else ()
        return [texts[action] for action in (*allowed, *confirm, "copy")]

    def take_step(
        self, request: HttpRequest, obj: LoanOffer, action: str
    ) -> str | tuple[str, LoanOffer]:
        actor = Actor.of(request.user)
        if action == "copy":
            copy = services.copy_as_draft(actor, offer=obj)
            return _("A copy was made as a draft. Check it and publish it."), copy
        services.STEPS[action](actor, offer=obj)
        return {
            "publish": _("The offer is published. Requests that fit are being looked for now."),
            "pause": _("The offer is paused. Nothing new is proposed for it."),
            "resume": _("The offer is published again."),
            "refresh": _("Noted: the offer is still valid."),
            "close": _("The offer is closed."),
        }[action]


def _post(request: HttpRequest) -> Institution | None:
    """The person's institution, looked up once per request."""
    if not hasattr(request, "_portal_institution"):
        request._portal_institution = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(request.user).first()  # type: ignore[arg-type]
            if getattr(request.user, "role", "") == Role.INSTITUTION_STAFF
            else None
        )
    return request._portal_institution  # type: ignore[attr-defined, no-any-return]


def _is_bank(request: HttpRequest) -> bool:
    institution = _post(request)
    return institution is not None and institution.kind == InstitutionKind.BANK


def _capacity_chart(offer: LoanOffer, held: HeldCapacity) -> charts.Chart:
    return charts.capacity_bar(
        capacity=offer.capacity_amount, booked=offer.booked_amount, held=held.amount
    )


def _terms(values: dict[str, Any], kinds: Any, limits: Any, fees: Any) -> OfferTerms:
    """The typed values as the service takes them."""
    columns: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name not in ("provinces", "division_codes")
    }
    return OfferTerms(
        **columns,
        regions=(*values["provinces"], *values["division_codes"]),
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
