"""The audit record in the admin: read by the audit administrator, changed by nobody."""

from django.contrib import admin

from sipo_portal.audit.models import AuditEvent
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


@admin.register(AuditEvent, site=portal_admin)
class AuditEventAdmin(ScopedModelAdmin):
    view_roles = ("audit_admin",)
    list_display = (
        "happened_at",
        "verb",
        "actor_kind",
        "actor_pseudonym",
        "object_type",
        "object_id",
    )
    list_filter = ("actor_kind",)
    date_hierarchy = "happened_at"
    search_fields = ("verb", "actor_pseudonym", "object_type", "object_id")
    fields = (*list_display, "data")
    readonly_fields = fields
