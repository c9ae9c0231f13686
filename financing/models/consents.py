"""Separate consent to share with one institution for one purpose (PIPL; DOMAIN 5)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from financing.models.institutions import Institution
from sipo_portal.accounts.models import User


class ConsentPurpose(models.TextChoices):
    LOAN = "loan", _("Study of a loan request")
    INSURANCE = "insurance", _("Study of an insurance request")


class ConsentQuerySet(models.QuerySet["Consent"]):
    def visible_to(self, user: User) -> ConsentQuerySet:
        """Owner and coordinator of the business."""
        return self.filter(business__in=Business.objects.visible_to(user))


class Consent(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="consents")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(_("purpose"), max_length=10, choices=ConsentPurpose)
    # Empty: the business itself; else the natural person who consents for own data.
    person_name = models.CharField(_("person"), max_length=80, blank=True)
    version = models.CharField(_("version of the text"), max_length=20)
    fields = ArrayField(models.CharField(max_length=60), verbose_name=_("fields shared"))
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    given_at = models.DateTimeField(_("given at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-given_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "institution", "purpose", "person_name"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_standing_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.business} → {self.institution}"
