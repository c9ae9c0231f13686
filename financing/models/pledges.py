"""A patent as collateral of one loan: in at most one live pledge, whoever registered it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import Patent
from financing.models.institutions import Institution
from financing.models.matches import Match
from sipo_portal.accounts.models import User


class PledgeStatus(models.TextChoices):
    PLANNED = "planned", _("Planned")
    REGISTERED = "registered", _("Registered")
    RELEASED = "released", _("Released")
    CANCELLED = "cancelled", _("Cancelled")


# Live, but for a renewal that is only planned (see the constraint below).
PLEDGE_LIVE_STATUSES = [PledgeStatus.PLANNED.value, PledgeStatus.REGISTERED.value]


class PledgeQuerySet(models.QuerySet["Pledge"]):
    def visible_to(self, user: User) -> PledgeQuerySet:
        """Follows the match."""
        return self.filter(match__in=Match.objects.visible_to(user))


class Pledge(models.Model):
    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="pledges")
    patent = models.ForeignKey(Patent, on_delete=models.PROTECT, related_name="pledges")
    # Two businesses may both have registered a patent they co-own: the number is what counts.
    application_number = models.CharField(_("application number"), max_length=14)
    creditor = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", verbose_name=_("creditor")
    )
    pledgee = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", verbose_name=_("pledgee")
    )
    # The registered pledge of the same patent and pledgee that this one replaces in one step, when
    # it is registered. A composite foreign key (migration 0007) holds patent and pledgee equal.
    renews = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="renewals",
        verbose_name=_("renews"),
    )
    status = models.CharField(
        _("status"), max_length=10, choices=PledgeStatus, default=PledgeStatus.PLANNED
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    registration_number = models.CharField(_("registration number"), max_length=40, blank=True)
    registered_on = models.DateField(_("registered on"), null=True, blank=True)
    released_on = models.DateField(_("released on"), null=True, blank=True)
    # What the pledge contract says, typed with the registration (DOMAIN 4.4).
    contract_signed_on = models.DateField(_("contract signed on"), null=True, blank=True)
    secured_amount = models.DecimalField(
        _("secured amount (yuan)"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    debt_ends_on = models.DateField(_("debt ends on"), null=True, blank=True)
    secured_scope = models.CharField(
        _("scope of the security"), max_length=500, blank=True, db_default=""
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PledgeQuerySet.as_manager()

    class Meta:
        verbose_name = _("pledge")
        verbose_name_plural = _("pledges")
        ordering = ["-created_at", "-pk"]
        constraints = [
            # A renewal that is only planned lies behind the pledge it will replace.
            models.UniqueConstraint(
                fields=["application_number"],
                condition=Q(status="registered") | Q(status="planned", renews__isnull=True),
                name="pledge_one_live_per_patent",
            ),
            models.UniqueConstraint(
                fields=["renews"],
                condition=Q(status="planned"),
                name="pledge_one_planned_renewal",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"])
                | (Q(registered_on__isnull=False) & ~Q(registration_number="")),
                name="pledge_registered_with_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application_number} · {self.get_status_display()}"
