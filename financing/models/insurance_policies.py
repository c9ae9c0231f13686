"""A policy that an insurer issued on an accepted match."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from financing.models.matches import Match
from financing.models.terms import MatchPartQuerySet

# How long before the end of the cover its business is reminded of the next period (DOMAIN 3).
RENEWAL_DAYS = 60


class InsurancePolicy(models.Model):
    match = models.OneToOneField(Match, on_delete=models.PROTECT, related_name="insurance_policy")
    number = models.CharField(_("policy number"), max_length=60)
    starts_on = models.DateField(_("cover begins on"))
    ends_on = models.DateField(_("cover ends on"))
    premium = models.DecimalField(_("premium (yuan)"), max_digits=14, decimal_places=2)
    sum_insured = models.DecimalField(_("sum insured (yuan)"), max_digits=16, decimal_places=2)
    renewal_reminded_at = models.DateTimeField(null=True, blank=True)
    # The request by which the business asked for the next period.
    renewal_request = models.ForeignKey(
        "financing.InsuranceRequest",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="renews",
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = MatchPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("insurance policy")
        verbose_name_plural = _("insurance policies")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="policy_period"),
            models.CheckConstraint(
                condition=Q(premium__gt=0, sum_insured__gt=0), name="policy_amounts_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def renewable_on(self) -> date:
        """From this day on the next period may be asked for."""
        return self.ends_on - timedelta(days=RENEWAL_DAYS)
