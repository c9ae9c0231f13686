"""What already lies on a patent outside this portal: pledges, licences, preservation orders."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import Patent
from sipo_portal.accounts.models import User


class EncumbranceKind(models.TextChoices):
    PLEDGE = "pledge", _("Pledge")
    EXCLUSIVE_LICENCE = "exclusive_licence", _("Exclusive licence")
    LICENCE = "licence", _("Licence")
    PRESERVATION = "preservation", _("Property preservation")
    TRANSFER = "transfer", _("Transfer under way")


class EncumbranceQuerySet(models.QuerySet["Encumbrance"]):
    def visible_to(self, user: User) -> EncumbranceQuerySet:
        """The encumbrances of every patent the user may see."""
        return self.filter(patent__in=Patent.objects.visible_to(user))


class Encumbrance(models.Model):
    patent = models.ForeignKey(Patent, on_delete=models.CASCADE, related_name="encumbrances")
    kind = models.CharField(_("kind"), max_length=20, choices=EncumbranceKind)
    holder = models.CharField(_("in whose favour"), max_length=200)
    registered_on = models.DateField(_("registered on"))
    releases_on = models.DateField(_("to be released on"), null=True, blank=True)
    released_on = models.DateField(_("released on"), null=True, blank=True)

    objects = EncumbranceQuerySet.as_manager()

    class Meta:
        verbose_name = _("encumbrance")
        verbose_name_plural = _("encumbrances")
        ordering = ["-registered_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(released_on__isnull=True)
                | Q(released_on__gte=models.F("registered_on")),
                name="encumbrance_released_after_registered",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.holder}"
