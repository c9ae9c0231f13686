"""Money that went out, in parts, and what the business says of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.models.matches import Match
from financing.models.terms import MatchPartQuerySet


class Drawdown(models.Model):
    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="drawdowns")
    amount = models.DecimalField(_("amount (yuan)"), max_digits=16, decimal_places=2)
    drawn_on = models.DateField(_("drawn down on"))
    # The lender's own reference: the same drawdown posted twice is one.
    reference = models.CharField(_("reference"), max_length=60)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = MatchPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("drawdown")
        verbose_name_plural = _("drawdowns")
        ordering = ["drawn_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="drawdown_positive"),
            models.UniqueConstraint(
                fields=["match", "reference"], name="drawdown_once_per_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.match} {self.amount}"


class Delivery(models.Model):
    """The business confirms whether what it got is what was agreed; fed back to matching."""

    match = models.OneToOneField(Match, on_delete=models.PROTECT, related_name="delivery")
    is_as_agreed = models.BooleanField(_("as agreed"))
    text = models.TextField(_("what differed"), blank=True, max_length=2000)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(auto_now_add=True)

    objects = MatchPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-confirmed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_as_agreed=True) | ~Q(text=""), name="delivery_difference_told"
            )
        ]

    def __str__(self) -> str:
        return f"{self.match} {self.is_as_agreed}"
