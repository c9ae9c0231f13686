"""Reduced-premium patent insurance as an insurer posts it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from businesses.models.patents import PatentKind
from financing.models.offers import Offer, OfferQuerySet

# No patent cover is written for longer.
MOST_PERIOD_MONTHS = 60


class CoverKind(models.TextChoices):
    ENFORCEMENT = "enforcement", _("Enforcement costs")
    INFRINGEMENT_LOSS = "infringement_loss", _("Loss from infringement by others")
    INFRINGEMENT_LIABILITY = "infringement_liability", _("Liability for infringing others")
    OVERSEAS_LIABILITY = "overseas_liability", _("Infringement liability abroad")
    PLEDGE_LOAN_GUARANTEE = "pledge_loan_guarantee", _("Guarantee of a pledge loan")


class InsuranceOffer(Offer):
    cover_kind = models.CharField(_("cover"), max_length=24, choices=CoverKind)
    base_premium = models.DecimalField(_("base premium (yuan)"), max_digits=14, decimal_places=2)
    premium_per_patent = models.DecimalField(
        _("premium per patent (yuan)"), max_digits=14, decimal_places=2, default=0
    )
    premium_rate_percent = models.DecimalField(
        _("premium rate (% of the sum insured)"), max_digits=6, decimal_places=3, default=0
    )
    min_premium = models.DecimalField(
        _("minimum premium (yuan)"), max_digits=14, decimal_places=2, default=0
    )
    excess_percent = models.DecimalField(_("excess (%)"), max_digits=6, decimal_places=3, default=0)
    min_sum_insured = models.DecimalField(
        _("least sum insured (yuan)"), max_digits=16, decimal_places=2
    )
    max_sum_insured = models.DecimalField(
        _("most sum insured (yuan)"), max_digits=16, decimal_places=2
    )
    period_months = models.PositiveSmallIntegerField(_("period of cover (months)"), default=12)
    accepted_kinds = ArrayField(
        models.CharField(max_length=14, choices=PatentKind),
        default=list,
        blank=True,
        verbose_name=_("patent kinds accepted"),
    )
    min_patents = models.PositiveSmallIntegerField(
        _("fewest insurable patents (0: cover needs no own patent)"), default=1
    )
    min_remaining_months = models.PositiveSmallIntegerField(
        _("least remaining life (months)"), default=36
    )
    accepts_licensee = models.BooleanField(_("licensees may insure"), default=True)
    needs_co_owner_consent = models.BooleanField(_("co-owners must consent"), default=True)
    refuses_disputes = models.BooleanField(
        _("no pending ownership or infringement dispute"), default=True
    )
    capacity_amount = models.DecimalField(
        _("capacity (sum insured, yuan)"), max_digits=16, decimal_places=2
    )
    capacity_count = models.PositiveIntegerField(_("capacity (policies)"), null=True, blank=True)
    booked_amount = models.DecimalField(
        _("booked (yuan)"), max_digits=16, decimal_places=2, default=0, editable=False
    )
    booked_count = models.PositiveIntegerField(_("booked (policies)"), default=0, editable=False)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("insurance offer")
        verbose_name_plural = _("insurance offers")
        ordering = ["institution", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_sum_insured__gt=0, max_sum_insured__gte=F("min_sum_insured")),
                name="insurance_offer_sum_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    base_premium__gte=0,
                    premium_per_patent__gte=0,
                    premium_rate_percent__gte=0,
                    min_premium__gte=0,
                ),
                name="insurance_offer_premium_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(booked_amount__gte=0, booked_amount__lte=F("capacity_amount")),
                name="insurance_offer_booked_within_capacity",
            ),
            models.CheckConstraint(
                condition=Q(capacity_count__isnull=True) | Q(booked_count__lte=F("capacity_count")),
                name="insurance_offer_booked_count_within_capacity",
            ),
            models.CheckConstraint(
                condition=Q(closes_on__isnull=True) | Q(closes_on__gte=F("opens_on")),
                name="insurance_offer_closes_after_opens",
            ),
        ]
