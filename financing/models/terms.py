"""The terms an institution offers on a match: what the business accepts or declines."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from financing.models.loan_offers import DayCount, RepaymentMethod
from financing.models.matches import Match
from sipo_portal.accounts.models import User


class TermsStatus(models.TextChoices):
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    ENDED = "ended", pgettext_lazy("terms", "Ended")


class MatchPartQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> MatchPartQuerySet:
        """Follows the match: owner, coordinator, and the institution once it was referred."""
        return self.filter(match__in=Match.objects.visible_to(user))


class Terms(models.Model):
    """One offer of terms. Loans fill rate, term and repayment, insurances premium and period."""

    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="terms")
    status = models.CharField(
        _("status"), max_length=10, choices=TermsStatus, default=TermsStatus.OFFERED
    )
    # Principal or sum insured, in yuan: what is booked of the offer's capacity.
    amount = models.DecimalField(_("amount (yuan)"), max_digits=16, decimal_places=2)
    interest_rate_percent = models.DecimalField(
        _("interest rate (% a year)"), max_digits=6, decimal_places=3, null=True, blank=True
    )
    term_months = models.PositiveSmallIntegerField(_("term (months)"))
    repayment_method = models.CharField(
        _("repayment method"), max_length=18, choices=RepaymentMethod, blank=True
    )
    day_count = models.CharField(_("day count"), max_length=8, choices=DayCount, blank=True)
    # Rows {"kind", "payer", "timing", "amount" | "percent"}; figures as texts, so no floats.
    fees = models.JSONField(_("fees"), default=list, blank=True)
    premium = models.DecimalField(
        _("premium (yuan)"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    excess_percent = models.DecimalField(
        _("excess (%)"), max_digits=6, decimal_places=3, null=True, blank=True
    )
    conditions = models.TextField(_("conditions"), blank=True, max_length=4000)
    valid_until = models.DateField(_("valid until"))
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    offered_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # What the offer promised, judged when the terms were offered: the answer came before its
    # deadline, and the terms cost no more than the posted ones. Feeds the delivery share.
    is_in_time = models.BooleanField(default=True, editable=False)
    is_at_posted_cost = models.BooleanField(default=True, editable=False)
    # Frozen on the day they were offered, for goals: the yearly cost of these terms and of the
    # benchmark of the same flows (DOMAIN 4.7), or the standard premium of the policy's table. None
    # where there is none to compare with.
    apr_percent = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, editable=False
    )
    benchmark_apr_percent = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, editable=False
    )
    standard_premium = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, editable=False
    )
    # At completion: what went out in all. From then on this is what stays booked.
    drawn_amount = models.DecimalField(
        _("drawn down in all (yuan)"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        editable=False,
    )

    objects = MatchPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        ordering = ["-offered_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="terms_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    interest_rate_percent__gte=0,
                    premium__isnull=True,
                    excess_percent__isnull=True,
                )
                & ~Q(repayment_method="")
                & ~Q(day_count="")
                | Q(interest_rate_percent__isnull=True, premium__gt=0),
                name="terms_of_one_kind",
            ),
            models.CheckConstraint(
                condition=Q(drawn_amount__isnull=True)
                | Q(drawn_amount__gt=0, drawn_amount__lte=F("amount"), status="accepted"),
                name="terms_drawn_within_amount",
            ),
            models.UniqueConstraint(
                fields=["match"],
                condition=Q(status__in=["offered", "accepted"]),
                name="terms_one_standing_per_match",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.match} {self.amount}"

    @property
    def fee_rows(self) -> list[dict[str, Any]]:
        """The fees, under the name that terms not yet stored have too."""
        return list(self.fees)
