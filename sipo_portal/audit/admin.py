"""The audit record in the admin: read by the audit administrator, changed by nobody."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sipo_portal.audit.models import AuditEvent
from sipo_portal.audit.words import ACTORS, act_word, actor_word, object_word
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


class ActorFilter(admin.SimpleListFilter):
    title = _("role")
    parameter_name = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ACTORS.items())

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent]
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


@admin.register(AuditEvent, site=portal_admin)
class AuditEventAdmin(ScopedModelAdmin):
    view_roles = ("audit_admin",)
    list_display = ("happened_at", "act", "actor", "actor_pseudonym", "kind", "object_id")
    list_filter = (ActorFilter,)
    date_hierarchy = "happened_at"
    search_fields = ("verb", "actor_pseudonym", "object_type", "object_id")
    # The codes beside their words: searches go by the codes.
    fields = (*list_display, "verb", "object_type", "data")
    readonly_fields = fields

    @admin.display(description=_("act"), ordering="verb")
    def act(self, event: AuditEvent) -> str:
        return act_word(event.verb)

    @admin.display(description=_("role"), ordering="actor_kind")
    def actor(self, event: AuditEvent) -> str:
        return actor_word(event.actor_kind)

    @admin.display(description=_("kind of object"), ordering="object_type")
    def kind(self, event: AuditEvent) -> str:
        return object_word(event.object_type)
