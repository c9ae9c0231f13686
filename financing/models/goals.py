"""What a branch office answers for in a period."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import BranchOffice


class GoalProduct(models.TextChoices):
    LOAN = "loan", _("Loans")
    INSURANCE = "insurance", _("Insurance")


class GoalQuerySet(models.QuerySet["Goal"]):
    def visible_to(self, user: User) -> GoalQuerySet:
        """Coordinators see their office and those below it; system administrators set all."""
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.SYSTEM_ADMIN:
            return self.all()
        if user.role == Role.COORDINATOR and user.office is not None:
            if user.office.region_id is None:
                return self.all()
            return self.filter(office__region__code__startswith=user.office.scope_prefix)
        return self.none()


class Goal(models.Model):
    office = models.ForeignKey(BranchOffice, on_delete=models.CASCADE, related_name="goals")
    product = models.CharField(_("product"), max_length=10, choices=GoalProduct)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    business_count = models.PositiveIntegerField(_("businesses reached"))
    amount = models.DecimalField(
        _("amount (yuan)"), max_digits=18, decimal_places=2, null=True, blank=True
    )

    objects = GoalQuerySet.as_manager()

    class Meta:
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        ordering = ["-starts_on", "office"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "product", "starts_on"], name="goal_once_per_period"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__gt=models.F("starts_on")), name="goal_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} {self.starts_on}"
