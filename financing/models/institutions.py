"""Banks, insurers and guarantee companies, and the people who work for them here."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import Region


class InstitutionKind(models.TextChoices):
    BANK = "bank", _("Bank")
    INSURER = "insurer", _("Insurer")
    GUARANTOR = "guarantor", _("Guarantee company")


class InstitutionQuerySet(models.QuerySet["Institution"]):
    def visible_to(self, user: User) -> InstitutionQuerySet:
        """Staff see their own institution, system administrators all, nobody else any."""
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.INSTITUTION_STAFF:
            return self.filter(staff__user=user, staff__is_active=True)
        if user.role == Role.SYSTEM_ADMIN:
            return self.all()
        return self.none()


class Institution(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=InstitutionKind)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="institutions", verbose_name=_("seat")
    )
    # The offers of a suspended institution stop at once.
    is_suspended = models.BooleanField(_("suspended"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        if self.name_en and (get_language() or "").startswith("en"):
            return self.name_en
        return self.name


class InstitutionStaffQuerySet(models.QuerySet["InstitutionStaff"]):
    def visible_to(self, user: User) -> InstitutionStaffQuerySet:
        """Follows the institution."""
        return self.filter(institution__in=Institution.objects.visible_to(user))


class InstitutionStaff(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="institution_post"
    )
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="staff")
    is_active = models.BooleanField(_("active"), default=True)

    objects = InstitutionStaffQuerySet.as_manager()

    class Meta:
        verbose_name = _("institution staff")
        verbose_name_plural = _("institution staff")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.user} · {self.institution}"
