"""Guarantee offers in the admin: guarantee companies' staff post those of their own institution."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from financing.admin.steps import Step, StepPages
from financing.forms.guarantee_offers import GuaranteeOfferForm
from financing.forms.offers import offer_values
from financing.lifecycles import OFFER
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution, InstitutionKind
from financing.models.offers import OfferStatus
from financing.services import guarantee_offers as services
from financing.services.offers import institution_of
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin
from sipo_portal.ui.templatetags.portal import status_tag


@admin.register(GuaranteeOffer, site=portal_admin)
class GuaranteeOfferAdmin(StepPages, ScopedModelAdmin):
    form = GuaranteeOfferForm
    view_roles = add_roles = change_roles = (Role.INSTITUTION_STAFF,)
    change_form_template = "admin/financing/offer_change_form.html"
    list_display = ["name", "state", "share", "fee", "is_pledgee"]
    list_filter = ["status"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    step_actions = tuple(services.STEPS)
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
            gettext_lazy("The guarantee"),
            {"fields": [("share_percent", "fee_percent"), "is_pledgee", "loan_offers"]},
        ),
        (
            gettext_lazy("Who bears a loss"),
            {
                "fields": [f"loss_{bearer}" for bearer in services.LOSS_BEARERS],
                "description": gettext_lazy(
                    "In per cent, together 100. Leave all empty where it is not agreed yet."
                ),
            },
        ),
        (
            gettext_lazy("Whom it serves"),
            {"fields": ["size_classes", "provinces", "division_codes", "industries"]},
        ),
    ]

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    # --- who --------------------------------------------------------------------------------
    # The page names published loan offers of all banks: for guarantee companies only.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and _company(request) is not None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and _company(request) is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _company(request) is not None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_closed = obj is not None and obj.status == OfferStatus.CLOSED
        may = super().has_change_permission(request, obj) and _company(request) is not None
        return may and not is_closed

    # --- the list, and what a closed offer's page asks for ------------------------------------
    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, offer: GuaranteeOffer) -> SafeString:
        return status_tag(offer)

    @admin.display(description=gettext_lazy("guaranteed"), ordering="share_percent")
    def share(self, offer: GuaranteeOffer) -> str:
        return formats.percent(offer.share_percent)

    @admin.display(description=gettext_lazy("yearly fee"), ordering="fee_percent")
    def fee(self, offer: GuaranteeOffer) -> str:
        return formats.percent(offer.fee_percent)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            columns = ["share_percent", "fee_percent", "is_pledgee"]
            return [(None, {"fields": ["name", "description", "opens_on", "closes_on", *columns]})]
        return super().get_fieldsets(request, obj)

    # --- the page ---------------------------------------------------------------------------
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        hidden = {"show_save_and_add_another": False, "show_save_and_continue": False}
        context = {**hidden, **(extra_context or {})}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
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
        context["subtitle"] = obj.name if obj is not None else None
        context["institution"] = _company(request)
        if obj is not None:
            # From the stored row: what was just typed may be refused.
            stored = GuaranteeOffer.objects.select_related("institution").get(pk=obj.pk)
            context |= {"offer": stored, "steps": self.steps(request, stored), "chart": None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        # The next thing to do is on the offer's own page: publish it.
        return self._to_row(obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._to_row(obj)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> GuaranteeOffer:
        actor = Actor.of(request.user)
        values = offer_values(form.cleaned_data)
        losses = services.loss_terms(values)
        chosen = tuple(sorted(each.pk for each in values.pop("loan_offers")))
        columns = {name: value for name, value in values.items() if not name.startswith("loss_")}
        return services.save_guarantee_offer(
            actor,
            institution=institution_of(actor),
            terms=services.GuaranteeTerms(**columns, loss_sharing=losses, loan_offers=chosen),
            offer_id=obj.pk if change else None,
        )

    # --- steps ------------------------------------------------------------------------------
    def steps(self, request: HttpRequest, obj: GuaranteeOffer) -> list[Step]:
        texts = {
            "publish": (
                _("Publish"),
                _("Businesses see the guarantee beside the loan offers it attaches to."),
            ),
            "resume": (_("Publish again"), _("Businesses see the guarantee again.")),
            "pause": (
                _("Pause"),
                _("The guarantee is no longer shown. What you have guaranteed stays."),
            ),
            "close": (
                _("Close for good"),
                _("A closed offer cannot be opened again. What you have guaranteed stays."),
            ),
        }
        return [
            Step(
                action=action,
                label=texts[action][0],
                consequence=texts[action][1],
                is_main=action in ("publish", "resume"),
                is_dangerous=action == "close",
            )
            for action in OFFER.allowed(obj.status, Role.INSTITUTION_STAFF)
        ]

    def take_step(self, request: HttpRequest, obj: GuaranteeOffer, action: str) -> str:
        services.STEPS[action](Actor.of(request.user), offer=obj)
        return {
            "publish": _("The offer is published."),
            "pause": _("The offer is paused."),
            "resume": _("The offer is published again."),
            "close": _("The offer is closed."),
        }[action]


def _company(request: HttpRequest) -> Institution | None:
    """The person's guarantee company; None for staff of banks and insurers."""
    if not hasattr(request, "_portal_guarantor"):
        rows = Institution.objects.visible_to(request.user)  # type: ignore[arg-type]
        found = (
            rows.filter(kind=InstitutionKind.GUARANTOR).first()
            if getattr(request.user, "role", "") == Role.INSTITUTION_STAFF
            else None
        )
        request._portal_guarantor = found  # type: ignore[attr-defined]
    return request._portal_guarantor  # type: ignore[attr-defined, no-any-return]
