"""Certificates that offers ask for: high-tech enterprise, specialised-and-new and the like."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from sipo_portal.accounts.models import User


class CertificateKind(models.TextChoices):
    HIGH_TECH = "high_tech", _("High-tech enterprise")
    TECH_SME = "tech_sme", _("Technology-based small business")
    SPECIALISED_NEW = "specialised_new", _("Specialised-and-new business")
    LITTLE_GIANT = "little_giant", _("Specialised-and-new “little giant”")
    IP_ADVANTAGE = "ip_advantage", _("Intellectual-property advantage enterprise")
    IP_MANAGEMENT = "ip_management", _("IP management system (GB/T 29490)")


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def visible_to(self, user: User) -> CertificateQuerySet:
        """The certificates of every business the user may see."""
        return self.filter(business__in=Business.objects.visible_to(user))


class Certificate(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="certificates")
    kind = models.CharField(_("certificate"), max_length=20, choices=CertificateKind)
    number = models.CharField(_("number"), max_length=60, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["kind"]
        constraints = [
            models.UniqueConstraint(fields=["business", "kind"], name="certificate_once")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
