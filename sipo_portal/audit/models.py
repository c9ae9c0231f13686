"""What happened: events written with the act, and the seals that chain them afterwards."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, user: Any) -> "AuditEventQuerySet":
        """Everything for the audit administrator, nothing for anybody else."""
        return self.all() if getattr(user, "role", "") == "audit_admin" else self.none()


class AuditEvent(models.Model):
    """One act, written by `record`; the application's database role cannot change or delete it."""

    # Known before the row has an id, so the signature can cover it and a copied row shows.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    happened_at = models.DateTimeField(_("time"), default=timezone.now)
    verb = models.CharField(_("act"), max_length=100)
    actor_kind = models.CharField(_("role"), max_length=30)
    actor_pseudonym = models.CharField(_("pseudonym"), max_length=36, blank=True)
    object_type = models.CharField(_("kind of object"), max_length=100)
    object_id = models.CharField(_("object"), max_length=64, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)
    # HMAC of the above under the installation's audit key: a row added by hand has none that fits.
    signature = models.CharField(max_length=64, editable=False)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "id"], name="audit_event_object"),
            models.Index(fields=["happened_at"], name="audit_event_time"),
            models.Index(fields=["actor_pseudonym", "id"], name="audit_event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"


class AuditSeal(models.Model):
    """One event's place in the chain: the digest covers the event and the seal before."""

    sequence = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("audit seal")
        verbose_name_plural = _("audit seals")
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence} {self.digest[:12]}"
