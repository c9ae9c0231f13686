"""What a lender was shown of a business, frozen when it was shown: all a lender ever reads."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from financing.models.institutions import Institution
from financing.models.matches import Match
from sipo_portal.accounts.models import Role, User


class DisclosureStage(models.TextChoices):
    BLIND = "blind", _("Blind referral")
    IDENTITY = "identity", _("Identity opened with consent")


class DisclosureQuerySet(models.QuerySet["Disclosure"]):
    def visible_to(self, user: User) -> DisclosureQuerySet:
        """The institution it was made to; owner and coordinator through the match."""
        if user.is_authenticated and user.role == Role.INSTITUTION_STAFF:
            return self.filter(institution__in=Institution.objects.visible_to(user))
        return self.filter(match__in=Match.objects.visible_to(user))


class Disclosure(models.Model):
    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="disclosures")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(_("stage"), max_length=10, choices=DisclosureStage)
    fields = models.JSONField(_("disclosed fields"))
    disclosed_at = models.DateTimeField(auto_now_add=True)

    objects = DisclosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        ordering = ["disclosed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["match", "stage"], name="disclosure_once_per_stage")
        ]

    def __str__(self) -> str:
        return f"{self.match} · {self.get_stage_display()}"


class DisclosureReadingQuerySet(models.QuerySet["DisclosureReading"]):
    def visible_to(self, user: User) -> DisclosureReadingQuerySet:
        """Owner and coordinator read who opened what; institutions do not read the ledger."""
        if user.is_authenticated and user.role == Role.INSTITUTION_STAFF:
            return self.none()
        return self.filter(disclosure__match__in=Match.objects.visible_to(user))


class DisclosureReading(models.Model):
    """The ledger: who opened what was disclosed, and when (PIPL; DOMAIN 5)."""

    disclosure = models.ForeignKey(Disclosure, on_delete=models.PROTECT, related_name="readings")
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    read_at = models.DateTimeField(auto_now_add=True)

    objects = DisclosureReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        ordering = ["-read_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.disclosure} {self.read_at:%Y-%m-%d %H:%M}"
