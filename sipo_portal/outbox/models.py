"""What must happen: one row per task to run, written in the transaction that wants it."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutboxMessageQuerySet(models.QuerySet["OutboxMessage"]):
    def visible_to(self, user: Any) -> "OutboxMessageQuerySet":
        """Everything for the system administrator, nothing for anybody else."""
        return self.all() if getattr(user, "role", "") == "system_admin" else self.none()

    def waiting(self) -> "OutboxMessageQuerySet":
        """Neither done nor parked."""
        return self.filter(done_at=None, parked_at=None)


class OutboxMessage(models.Model):
    """A task by name with its arguments, and how far it got."""

    task = models.CharField(_("task"), max_length=100)
    payload = models.JSONField(_("arguments"), default=dict, blank=True)
    # Task to run, with the same arguments and the reason, should this one be set aside.
    if_parked = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(_("written at"), default=timezone.now)
    available_at = models.DateTimeField(_("not before"), default=timezone.now)
    published_at = models.DateTimeField(_("last sent at"), null=True, blank=True)
    publish_count = models.PositiveIntegerField(_("times sent"), default=0)
    started_at = models.DateTimeField(_("last started at"), null=True, blank=True)
    attempt_count = models.PositiveSmallIntegerField(_("tries"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    parked_at = models.DateTimeField(_("parked at"), null=True, blank=True)
    # The kind of error and the place in the code; never its text, which may quote people's data.
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    objects = OutboxMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["available_at", "id"],
                name="outbox_waiting",
                condition=Q(done_at=None, parked_at=None),
            ),
            models.Index(
                fields=["parked_at"], name="outbox_parked", condition=Q(parked_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(parked_at=None), name="outbox_done_or_parked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"
