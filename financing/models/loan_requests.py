"""What a business asks to borrow, against which patents."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from businesses.models.patents import Patent
from financing.models.requests import (
    REQUEST_HOLDING_STATUSES,
    Purpose,
    Request,
    RequestQuerySet,
)


class LoanRequest(Request):
    business = models.ForeignKey(
        Business, on_delete=models.PROTECT, related_name="loan_requests", verbose_name=_("business")
    )
    # A draft may be incomplete; what a submitted request needs is checked by its service.
    principal = models.DecimalField(
        _("principal (yuan)"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    least_accepted = models.DecimalField(
        _("least accepted (yuan)"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    term_months = models.PositiveSmallIntegerField(_("term (months)"), null=True, blank=True)
    max_apr_percent = models.DecimalField(
        _("dearest yearly cost accepted (APR, %)"),
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose, blank=True)
    purpose_text = models.TextField(_("what the money is for"), blank=True, max_length=2000)
    patents = models.ManyToManyField(
        Patent, blank=True, related_name="loan_requests", verbose_name=_("patents offered")
    )

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("loan request")
        verbose_name_plural = _("loan requests")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["business"],
                condition=Q(status__in=REQUEST_HOLDING_STATUSES),
                name="loan_request_one_open_per_business",
            ),
            models.CheckConstraint(
                condition=Q(principal__isnull=True) | Q(principal__gt=0),
                name="loan_request_principal_positive",
            ),
            models.CheckConstraint(
                condition=Q(least_accepted__isnull=True)
                | Q(least_accepted__gt=0, least_accepted__lte=F("principal")),
                name="loan_request_least_within_principal",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn", "expired"])
                | Q(
                    principal__isnull=False,
                    least_accepted__isnull=False,
                    term_months__gte=1,
                    submitted_at__isnull=False,
                ),
                name="loan_request_complete_when_submitted",
            ),
        ]

    def __str__(self) -> str:
        return f"L{self.pk}"
