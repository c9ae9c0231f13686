"""The valuation of a patent by a named appraiser on a date."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import Patent
from sipo_portal.accounts.models import User


class AppraisalMethod(models.TextChoices):
    INCOME = "income", _("Income approach")
    MARKET = "market", _("Market approach")
    COST = "cost", _("Cost approach")


class AppraisalQuerySet(models.QuerySet["Appraisal"]):
    def visible_to(self, user: User) -> AppraisalQuerySet:
        """The appraisals of every patent the user may see."""
        return self.filter(patent__in=Patent.objects.visible_to(user))


class Appraisal(models.Model):
    patent = models.ForeignKey(Patent, on_delete=models.CASCADE, related_name="appraisals")
    appraiser = models.CharField(_("appraiser"), max_length=200)
    appraised_on = models.DateField(_("appraised on"))
    method = models.CharField(_("method"), max_length=8, choices=AppraisalMethod)
    appraised_value = models.DecimalField(
        _("appraised value (yuan)"),
        max_digits=16,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    report_number = models.CharField(_("report number"), max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppraisalQuerySet.as_manager()

    class Meta:
        verbose_name = _("appraisal")
        verbose_name_plural = _("appraisals")
        ordering = ["-appraised_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(appraised_value__gt=0), name="appraisal_value_positive"
            )
        ]

    def __str__(self) -> str:
        return f"{self.appraiser} {self.appraised_on}"
