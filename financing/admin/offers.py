"""What the admin of loan and insurance offers have in common: rows, capacity, steps."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from financing.admin.offer_steps import step_texts
from financing.admin.steps import Step, StepPages
from financing.lifecycles import OFFER
from financing.match_rows import HeldCapacity, held_capacity
from financing.models.institutions import Institution
from financing.models.offers import OfferStatus
from financing.offer_warnings import offer_warnings
from financing.pair_kinds import AnyOffer
from financing.services.offers import STEPS
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region
from sipo_portal.ui import charts, formats
from sipo_portal.ui.scoped_admin import ScopedModelAdmin
from sipo_portal.ui.templatetags.portal import status_tag

# Decimals of columns in yuan; percentages have three.
FEN_PLACES = 2


class OfferAdmin(StepPages, ScopedModelAdmin):
    """Staff of institutions of `institution_kind` post and change their own institution's offers.

    A class names `institution_kind`, `copy` (the service that copies) and the columns of its own.
    """

    institution_kind: ClassVar[str]
    copy: ClassVar[Callable[..., AnyOffer]]
    view_roles = add_roles = change_roles = (Role.INSTITUTION_STAFF,)
    change_form_template = "admin/financing/offer_change_form.html"
    list_filter = ["status"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    step_actions = (*STEPS, "copy")

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    # --- who --------------------------------------------------------------------------------
    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and self._is_kind(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self._is_kind(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._is_kind(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_closed = obj is not None and obj.status == OfferStatus.CLOSED
        may = super().has_change_permission(request, obj) and self._is_kind(request)
        return may and not is_closed

    # --- the list ---------------------------------------------------------------------------
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        held = held_capacity(changelist.result_list)
        for offer in changelist.result_list:
            offer.held = held.get(offer.pk, HeldCapacity())
        return changelist

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, offer: AnyOffer) -> SafeString:
        return status_tag(offer)

    @admin.display(description=gettext_lazy("capacity"), ordering="capacity_amount")
    def capacity(self, offer: AnyOffer) -> SafeString:
        booked_share = charts.share(offer.booked_amount, offer.capacity_amount)
        chart = _capacity_chart(offer, offer.held)  # type: ignore[union-attr]
        bar = charts.drawing(
            12,
            chart.title,
            chart.sentence,
            [
                charts.rectangle(0, 0, 100, 12, "chart-track"),
                charts.rectangle(0, 0, booked_share, 12, "chart-bar"),
            ],
        )
        return format_html(
            '<div class="capacity-cell">{}<span class="help">{}</span></div>', bar, chart.sentence
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where nothing can be changed, amounts are shown as amounts."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [self._shown(each) for each in options["fields"]]})
            for title, options in fieldsets
        ]

    def _shown(self, name: Any) -> Any:
        if isinstance(name, tuple | list):
            return tuple(self._shown(each) for each in name)
        columns = {field.name: field for field in self.model._meta.concrete_fields}
        is_money = getattr(columns.get(name), "decimal_places", None) == FEN_PLACES
        return _amount_of(columns[name]) if is_money else name

    # --- read-only pages of closed offers ask the admin for what is no column ------------------
    @admin.display(description=gettext_lazy("Provinces served"))
    def provinces(self, offer: AnyOffer) -> str:
        regions = offer.regions.filter(level=Region.Level.PROVINCE)
        return ", ".join(region.label for region in regions)

    @admin.display(description=gettext_lazy("Prefectures and counties served"))
    def division_codes(self, offer: AnyOffer) -> str:
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
            stored = self.model._default_manager.select_related("institution").get(pk=obj.pk)
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

    # --- steps ------------------------------------------------------------------------------
    def steps(self, request: HttpRequest, obj: AnyOffer) -> list[Step]:
        allowed = OFFER.allowed(obj.status, Role.INSTITUTION_STAFF)
        texts = step_texts(obj)
        # Confirming moves no state, so the lifecycle does not name it.
        confirm = ("refresh",) if "close" in allowed and obj.status != OfferStatus.DRAFT else ()
        return [texts[action] for action in (*allowed, *confirm, "copy")]

    def take_step(
        self, request: HttpRequest, obj: AnyOffer, action: str
    ) -> str | tuple[str, AnyOffer]:
        actor = Actor.of(request.user)
        if action == "copy":
            copy = type(self).copy(actor, offer=obj)
            return _("A copy was made as a draft. Check it and publish it."), copy
        STEPS[action](actor, offer=obj)
        return {
            "publish": _("The offer is published. Requests that fit are being looked for now."),
            "pause": _("The offer is paused. Nothing new is proposed for it."),
            "resume": _("The offer is published again."),
            "refresh": _("Noted: the offer is still valid."),
            "close": _("The offer is closed."),
        }[action]

    def _is_kind(self, request: HttpRequest) -> bool:
        institution = _post(request)
        return institution is not None and institution.kind == self.institution_kind


@cache
def _amount_of(column: Any) -> Callable[[AnyOffer], str]:
    """A read-only field of the admin for a column in yuan."""

    @admin.display(description=column.verbose_name)
    def amount(offer: AnyOffer) -> str:
        value = getattr(offer, column.name)
        return formats.NOTHING if value is None else formats.yuan(value)

    amount.__name__ = f"{column.name}_shown"
    return amount


def _post(request: HttpRequest) -> Institution | None:
    """The person's institution, looked up once per request."""
    if not hasattr(request, "_portal_institution"):
        request._portal_institution = (  # type: ignore[attr-defined]
            Institution.objects.visible_to(request.user).first()  # type: ignore[arg-type]
            if getattr(request.user, "role", "") == Role.INSTITUTION_STAFF
            else None
        )
    return request._portal_institution  # type: ignore[attr-defined, no-any-return]


def _capacity_chart(offer: AnyOffer, held: HeldCapacity) -> charts.Chart:
    # Referrals may be blind: how many there are is told, not what they sum up to.
    return charts.capacity_bar(
        capacity=offer.capacity_amount,
        booked=offer.booked_amount,
        held=None,
        held_count=held.count,
    )
