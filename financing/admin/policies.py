"""Versions of the matching policy and subsidy rules in the admin, for the system administrator."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from businesses.models.businesses import SizeClass
from financing.forms.policies import (
    CopiedRowForm,
    PolicyForm,
    PolicyRowFormSet,
    SubsidyRuleForm,
)
from financing.models.policies import MatchingPolicy, PolicyWeight, StandardPremium, SubsidyRule
from financing.services import policies as services
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin, ScopedTabularInline
from sipo_portal.ui.templatetags.portal import status_tag


class PolicyRowInline(ScopedTabularInline):
    form = CopiedRowForm
    formset = PolicyRowFormSet

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 2 if obj is not None else 2 + len(self.copied_rows())

    def copied_rows(self) -> list[dict[str, Any]]:
        """The rows of the newest version, with which a new one starts."""
        newest = MatchingPolicy.objects.order_by("-version").first()
        rows = self.model._default_manager.filter(policy=newest) if newest else []
        names = [str(name) for name in self.fields or ()]
        return [{name: getattr(row, name) for name in names} for row in rows]


class PolicyWeightInline(PolicyRowInline):
    model = PolicyWeight
    fields = ["dimension", "key", "lift_percent"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A version that a run has used is read: its values in words."""
        shown = self.get_readonly_fields(request, obj)
        return ["dimension", *shown] if shown else ["dimension", "key", "lift_percent"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        is_read = obj is not None and not self.has_change_permission(request, obj)
        return ["about", "lift"] if is_read else []

    @admin.display(description=gettext_lazy("value"))
    def about(self, weight: PolicyWeight) -> str:
        sizes = {str(value): str(label) for value, label in SizeClass.choices}
        if weight.key in sizes:
            return sizes[weight.key]
        policy: Any = weight.policy
        if not hasattr(policy, "region_labels"):
            codes = policy.weights.values("key")
            policy.region_labels = {
                region.code: f"{region.code} {region.label}"
                for region in Region.objects.filter(code__in=codes)
            }
        return str(policy.region_labels.get(weight.key, weight.key))

    @admin.display(description=gettext_lazy("lift (%)"))
    def lift(self, weight: PolicyWeight) -> str:
        return formats.percent(weight.lift_percent)


class StandardPremiumInline(PolicyRowInline):
    model = StandardPremium
    fields = [
        "cover_kind",
        "base_premium",
        "premium_per_patent",
        "premium_rate_percent",
        "min_premium",
    ]


POLICY_FIELDSETS = [
    (None, {"fields": ["effective_on"]}),
    (
        gettext_lazy("What a run maximises"),
        {
            "fields": [
                "loan_coverage_value",
                "insurance_coverage_value",
                "proposals_per_request",
                "alternative_share",
                "oversubscription",
                "churn_margin_percent",
                "seed",
            ]
        },
    ),
    (
        gettext_lazy("What counts as low-interest"),
        {"fields": ["reference_spread_percent", "ceiling_spread_percent"]},
    ),
    (
        gettext_lazy("Deadlines"),
        {
            "fields": [
                "review_days",
                "consent_days",
                "first_answer_days",
                "study_days",
                "completion_days",
                "refresh_days",
                "refresh_grace_days",
            ]
        },
    ),
]


@admin.register(MatchingPolicy, site=portal_admin)
class MatchingPolicyAdmin(ScopedModelAdmin):
    form = PolicyForm
    view_roles = (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN)
    add_roles = change_roles = (Role.SYSTEM_ADMIN,)
    inlines = [PolicyWeightInline, StandardPremiumInline]
    list_display = ["version_label", "effective_on", "state", "proposals_per_request"]
    ordering = ["-version"]

    class Media:
        css = {"all": ["portal/financing_admin.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        named = {name for _title, options in POLICY_FIELDSETS for name in options["fields"]}
        others = [
            field.name
            for field in MatchingPolicy._meta.concrete_fields
            if field.editable and field.name not in named | {"id", "version", "created_at"}
        ]
        lifts = (gettext_lazy("Lifts"), {"fields": others})
        return [*POLICY_FIELDSETS[:2], *([lifts] if others else []), *POLICY_FIELDSETS[2:]]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_fixed = obj is not None and services.is_used(obj)
        return super().has_change_permission(request, obj) and not is_fixed

    @admin.display(description=gettext_lazy("version"), ordering="version")
    def version_label(self, policy: MatchingPolicy) -> str:
        return str(policy)

    @admin.display(description=gettext_lazy("status"))
    def state(self, policy: MatchingPolicy) -> SafeString:
        if policy.effective_on > timezone.localdate():
            return status_tag("planned", label=_("Not in force yet"))
        if policy.is_in_force:  # type: ignore[attr-defined]
            return status_tag("published", label=_("In force"))
        return status_tag("closed", label=_("Replaced"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        begun = MatchingPolicy.objects.filter(effective_on__lte=timezone.localdate())
        current = begun.order_by("-effective_on", "-version").values("pk")[:1]
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(  # type: ignore[no-any-return]
            is_in_force=Q(pk=Subquery(current))
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts as a copy of the newest."""
        newest = MatchingPolicy.objects.order_by("-version").first()
        if newest is None:
            return {"effective_on": timezone.localdate()}
        values = {
            field.name: getattr(newest, field.name)
            for field in MatchingPolicy._meta.concrete_fields
            if field.editable
        }
        return {**values, "effective_on": timezone.localdate()}

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Any, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj.pk is None and request.method == "GET":
            kwargs["initial"] = inline.copied_rows()
        return kwargs

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["subtitle"] = str(obj) if obj is not None else None
        context["is_used"] = obj is not None and services.is_used(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> MatchingPolicy:
        weights, premiums = formsets
        return services.save_policy(
            Actor.of(request.user),
            values=form.cleaned_data,
            weights=list(weights.rows()),
            standard_premiums=list(premiums.rows()),
            policy_id=obj.pk if change else None,
        )


@admin.register(SubsidyRule, site=portal_admin)
class SubsidyRuleAdmin(ScopedModelAdmin):
    form = SubsidyRuleForm
    view_roles = (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN)
    add_roles = change_roles = (Role.SYSTEM_ADMIN,)
    list_display = ["name", "kind", "region", "percent_of_base", "valid_from", "valid_until"]
    list_filter = ["kind"]
    list_select_related = ["region"]
    search_fields = ["name"]
    ordering = ["name", "pk"]

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> SubsidyRule:
        return services.save_subsidy_rule(
            Actor.of(request.user),
            values=form.cleaned_data,
            rule_id=obj.pk if change else None,
        )
