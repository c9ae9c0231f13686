"""Goals of branch offices in the admin, set by the system administrator."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from financing.forms.goals import GoalForm
from financing.models.goals import Goal
from financing.services.goals import save_goal
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


@admin.register(Goal, site=portal_admin)
class GoalAdmin(ScopedModelAdmin):
    form = GoalForm
    view_roles = add_roles = change_roles = (Role.SYSTEM_ADMIN,)
    list_display = ["branch_office", "product", "starts_on", "ends_on", "business_count", "money"]
    list_filter = ["product"]
    list_select_related = ["office"]
    search_fields = ["office__name", "office__name_en"]
    ordering = ["-starts_on", "office__region__code", "product", "pk"]

    @admin.display(description=gettext_lazy("branch office"), ordering="office__region__code")
    def branch_office(self, goal: Goal) -> str:
        return goal.office.label

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def money(self, goal: Goal) -> str:
        return formats.NOTHING if goal.amount is None else formats.wan(goal.amount)

    def save_through_service(
        self, request: HttpRequest, obj: Any, form: Any, formsets: Sequence[Any], change: bool
    ) -> Goal:
        return save_goal(
            Actor.of(request.user),
            values=form.cleaned_data,
            goal_id=obj.pk if change else None,
        )
