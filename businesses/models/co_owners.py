"""Those who own a patent together with the business, and whether they consent to a pledge."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import Patent
from sipo_portal.accounts.models import User


class CoOwnerKind(models.TextChoices):
    ORGANISATION = "organisation", _("Organisation")
    PERSON = "person", _("Natural person")


class CoOwnerConsent(models.TextChoices):
    MISSING = "missing", _("Not given yet")
    GIVEN = "given", _("Given")
    REFUSED = "refused", _("Refused")


class CoOwnerQuerySet(models.QuerySet["CoOwner"]):
    def visible_to(self, user: User) -> CoOwnerQuerySet:
        """The co-owners of every patent the user may see."""
        return self.filter(patent__in=Patent.objects.visible_to(user))


class CoOwner(models.Model):
    patent = models.ForeignKey(Patent, on_delete=models.CASCADE, related_name="co_owners")
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=14, choices=CoOwnerKind)
    consent = models.CharField(
        _("consent to a pledge"),
        max_length=8,
        choices=CoOwnerConsent,
        default=CoOwnerConsent.MISSING,
    )
    consented_on = models.DateField(_("consented on"), null=True, blank=True)

    objects = CoOwnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("co-owner")
        verbose_name_plural = _("co-owners")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["patent", "name"], name="co_owner_once_per_patent")
        ]

    def __str__(self) -> str:
        return self.name
