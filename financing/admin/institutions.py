"""Institutions in the admin: the system administrator sets them up and suspends them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from financing.admin.steps import Step, StepPages
from financing.forms.institutions import InstitutionForm, StaffPostForm, StaffPostFormSet
from financing.models.institutions import Institution, InstitutionStaff
from financing.models.offers import OfferStatus
from financing.pair_kinds import KINDS
from financing.services import institutions as services
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin, ScopedTabularInline
from sipo_portal.ui.templatetags.portal import status_tag


class StaffPostInline(ScopedTabularInline):
    model = InstitutionStaff
    form = StaffPostForm
    formset = StaffPostFormSet
    fields = ["email", "is_active"]
    extra = 2
    can_delete = False
    verbose_name_plural = gettext_lazy("Staff who post offers and answer referrals")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")


@admin.register(Institution, site=portal_admin)
class InstitutionAdmin(StepPages, ScopedModelAdmin):
    form = InstitutionForm
    view_roles = add_roles = change_roles = (Role.SYSTEM_ADMIN,)
    fields = ["name", "name_en", "kind", "region"]
    inlines = [StaffPostInline]
    list_display = ["label", "kind", "region", "state", "staff_count"]
    list_filter = ["kind", "is_suspended"]
    list_select_related = ["region"]
    search_fields = ["name", "name_en"]
    ordering = ["name", "pk"]
    step_actions = ("suspend", "reinstate")

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        active = Count("staff", filter=Q(staff__is_active=True))
        return rows.annotate(active_staff=active)  # type: ignore[no-any-return]

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def label(self, institution: Institution) -> str:
        return institution.label

    @admin.display(description=gettext_lazy("status"), ordering="is_suspended")
    def state(self, institution: Institution) -> SafeString:
        if institution.is_suspended:
            return status_tag("suspended", label=_("Suspended"))
        return status_tag("verified", label=_("Working"))

    @admin.display(description=gettext_lazy("active staff"), ordering="active_staff")
    def staff_count(self, institution: Any) -> int:
        return int(institution.active_staff)

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
            stored = Institution.objects.get(pk=obj.pk)
            context |= {
                "subtitle": stored.label,
                "institution": stored,
                "steps": self.steps(request, stored),
                "state": self.state(stored),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Institution:
        (staff,) = formsets
        return services.save_institution(
            Actor.of(request.user),
            **form.cleaned_data,
            posts=[
                services.Post(email=row["email"], is_active=row["is_active"], place=place)
                for place, row in staff.rows()
            ],
            institution_id=obj.pk if change else None,
        )

    def steps(self, request: HttpRequest, obj: Institution) -> list[Step]:
        published = sum(
            kind.offers._default_manager.filter(
                institution=obj, status=OfferStatus.PUBLISHED
            ).count()
            for kind in KINDS
        )
        offers = ngettext("%(count)d published offer", "%(count)d published offers", published) % {
            "count": published
        }
        facts = [{"label": _("Offers concerned"), "value": offers}]
        if obj.is_suspended:
            return [
                Step(
                    action="reinstate",
                    label=_("Reinstate"),
                    consequence=_("Its published offers are matched again at once."),
                    facts=facts,
                    is_main=True,
                )
            ]
        return [
            Step(
                action="suspend",
                label=_("Suspend"),
                consequence=_(
                    "Nothing new is proposed for its offers from now on. Its staff can still sign "
                    "in and work on the referrals they have received."
                ),
                facts=facts,
                is_dangerous=True,
            )
        ]

    def take_step(self, request: HttpRequest, obj: Institution, action: str) -> str:
        actor = Actor.of(request.user)
        if action == "suspend":
            services.suspend(actor, institution=obj)
            return _("The institution is suspended: its offers have stopped.")
        services.reinstate(actor, institution=obj)
        return _("The institution is reinstated.")
