"""Outbox messages in the admin: the system administrator sees them and sends parked ones again."""

from typing import Any

from celery import current_app
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.labels import LABELS
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.services import send_again
from sipo_portal.ui.admin_site import portal_admin
from sipo_portal.ui.scoped_admin import ScopedModelAdmin


class ParkedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("parked", _("parked")), ("waiting", _("waiting")), ("done", _("done"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage]
    ) -> QuerySet[OutboxMessage]:
        match self.value():
            case "parked":
                return queryset.filter(parked_at__isnull=False)
            case "waiting":
                return queryset.filter(parked_at=None, done_at=None)
            case "done":
                return queryset.filter(done_at__isnull=False)
            case _:
                return queryset


@admin.register(OutboxMessage, site=portal_admin)
class OutboxMessageAdmin(ScopedModelAdmin):
    view_roles = ("system_admin",)
    list_display = (
        "id",
        "work",
        "created_at",
        "attempt_count",
        "done_at",
        "parked_at",
        "last_error",
    )
    list_filter = (ParkedFilter,)
    search_fields = ("task",)
    actions = ("send_parked_again",)
    readonly_fields = (
        *("task", "payload", "created_at", "available_at", "published_at", "publish_count"),
        *("started_at", "attempt_count", "done_at", "parked_at", "last_error"),
    )
    fields = readonly_fields

    @admin.display(description=_("task"), ordering="task")
    def work(self, message: OutboxMessage) -> str:
        # A web process does not run tasks: the modules that declare them may not be loaded yet.
        current_app.loader.import_default_modules()
        return str(LABELS.get(message.task, message.task))

    @admin.action(description=_("Send parked messages again"), permissions=["view"])
    def send_parked_again(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        parked = list(queryset.filter(parked_at__isnull=False))
        for message in parked:
            send_again(Actor.of(request.user), message=message)
        text = ngettext(
            "%(count)d message sent again.", "%(count)d messages sent again.", len(parked)
        )
        self.message_user(request, text % {"count": len(parked)})
