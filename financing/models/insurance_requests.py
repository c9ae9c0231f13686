"""What a business asks to insure."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from businesses.models.patents import Patent
from financing.models.insurance_offers import CoverKind
from financing.models.requests import REQUEST_HOLDING_STATUSES, Request, RequestQuerySet


class InsuranceRequest(Request):
    business = models.ForeignKey(
        Business,
        on_delete=models.PROTECT,
        related_name="insurance_requests",
        verbose_name=_("business"),
    )
    cover_kind = models.CharField(_("cover"), max_length=24, choices=CoverKind)
    sum_insured = models.DecimalField(
        _("sum insured (yuan)"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    premium_limit = models.DecimalField(
        _("highest premium accepted (yuan)"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
    )
    patents = models.ManyToManyField(
        Patent, blank=True, related_name="insurance_requests", verbose_name=_("patents to insure")
    )

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("insurance request")
        verbose_name_plural = _("insurance requests")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "cover_kind"],
                condition=Q(status__in=REQUEST_HOLDING_STATUSES),
                name="insurance_request_one_open_per_cover",
            ),
            models.CheckConstraint(
                condition=Q(sum_insured__isnull=True) | Q(sum_insured__gt=0),
                name="insurance_request_sum_positive",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn", "expired"])
                | Q(sum_insured__isnull=False, submitted_at__isnull=False),
                name="insurance_request_complete_when_submitted",
            ),
        ]

    def __str__(self) -> str:
        return f"I{self.pk}"
