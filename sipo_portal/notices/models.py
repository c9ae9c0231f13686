"""What people are told: one row per person and event, its payload frozen when it happened."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: Any) -> NoticeQuerySet:
        """Everybody sees their own notices only."""
        return self.filter(recipient=user) if user.is_authenticated else self.none()

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at=None)


class Notice(models.Model):
    """`kind` names the templates that put the payload into words, in the reader's language."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(_("kind"), max_length=60)
    # Codes, dates, figures and names the recipient may see; texts are made when it is read.
    payload = models.JSONField(default=dict)
    # Where it leads, as a path of the portal.
    path = models.CharField(max_length=300, blank=True)
    # What makes the event one event: sent twice, there is still one notice.
    event_key = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["recipient", "event_key"], name="notice_once_per_event")
        ]
        indexes = [
            models.Index(fields=["recipient"], name="notice_unread", condition=Q(read_at=None))
        ]

    def __str__(self) -> str:
        return self.kind
