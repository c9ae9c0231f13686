"""A low-interest, IP-backed loan as an institution posts it: every criterion as data."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from businesses.models.certificates import CertificateKind
from businesses.models.patents import PatentKind
from financing.models.offers import Offer, OfferQuerySet
from sipo_portal.accounts.models import User


class RateBasis(models.TextChoices):
    FIXED = "fixed", _("Fixed rate")
    LPR_1Y = "lpr_1y", _("One-year LPR plus spread")
    LPR_5Y = "lpr_5y", _("Five-year LPR plus spread")


class RepaymentMethod(models.TextChoices):
    EQUAL_INSTALMENTS = "equal_instalments", _("Equal monthly instalments")
    EQUAL_PRINCIPAL = "equal_principal", _("Equal monthly principal")
    INTEREST_MONTHLY = "interest_monthly", _("Interest monthly, principal at the end")
    ALL_AT_END = "all_at_end", _("Principal and interest at the end")


class DayCount(models.TextChoices):
    THIRTY_360 = "30/360", _("30/360")
    ACT_360 = "act/360", _("Actual/360")
    ACT_365 = "act/365", _("Actual/365")


class CollateralBasis(models.TextChoices):
    APPRAISED = "appraised", _("Appraised value × loan-to-value")
    LIMIT_TABLE = "limit_table", _("Limit by number of patents")
    SHARE_OF_PRINCIPAL = "share_of_principal", _("Patents must cover a share of the principal")


class FeeKind(models.TextChoices):
    APPRAISAL = "appraisal", pgettext_lazy("fee", "Appraisal")
    GUARANTEE = "guarantee", _("Guarantee")
    INSURANCE = "insurance", _("Guarantee insurance")
    REGISTRATION = "registration", _("Pledge registration")
    SERVICE = "service", _("Service")


class FeePayer(models.TextChoices):
    BORROWER = "borrower", _("Borrower")
    LENDER = "lender", _("Lender")
    PUBLIC = "public", _("Public funds")


class FeeTiming(models.TextChoices):
    UPFRONT = "upfront", _("At drawdown")
    YEARLY = "yearly", _("At the start of every year")
    AT_END = "at_end", _("At the end")


class LoanOffer(Offer):
    min_principal = models.DecimalField(
        _("least principal (yuan)"), max_digits=16, decimal_places=2, default=0
    )
    max_principal = models.DecimalField(_("most principal (yuan)"), max_digits=16, decimal_places=2)
    min_term_months = models.PositiveSmallIntegerField(
        _("shortest term (months)"), default=1, validators=[MinValueValidator(1)]
    )
    max_term_months = models.PositiveSmallIntegerField(
        _("longest term (months)"), validators=[MinValueValidator(1), MaxValueValidator(360)]
    )
    rate_basis = models.CharField(_("rate"), max_length=8, choices=RateBasis)
    interest_rate_percent = models.DecimalField(
        _("fixed interest rate (% a year)"), max_digits=6, decimal_places=3, null=True, blank=True
    )
    spread_bp = models.SmallIntegerField(
        _("spread over the LPR (basis points)"), null=True, blank=True
    )
    repayment_method = models.CharField(
        _("repayment method"),
        max_length=18,
        choices=RepaymentMethod,
        default=RepaymentMethod.INTEREST_MONTHLY,
    )
    day_count = models.CharField(
        _("day count"), max_length=8, choices=DayCount, default=DayCount.ACT_360
    )
    collateral_basis = models.CharField(
        _("collateral basis"), max_length=20, choices=CollateralBasis
    )
    collateral_share_percent = models.DecimalField(
        _("share of the principal that the patents must cover (%)"),
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
    )
    unappraised_limit = models.DecimalField(
        _("limit without an appraisal (yuan)"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Empty: patents without a usable appraisal are not accepted."),
    )
    appraisal_fee = models.DecimalField(
        _("what the appraisal costs the borrower (yuan)"),
        max_digits=14,
        decimal_places=2,
        default=0,
        help_text=_("Part of the cost where an appraisal is still needed."),
    )
    max_appraisal_age_months = models.PositiveSmallIntegerField(
        _("oldest appraisal accepted (months)"), null=True, blank=True
    )
    min_patents = models.PositiveSmallIntegerField(
        _("fewest patents"), default=1, validators=[MinValueValidator(1)]
    )
    life_margin_months = models.PositiveSmallIntegerField(
        _("patent life beyond the term (months)"), default=0
    )
    min_operating_months = models.PositiveSmallIntegerField(
        _("shortest operating history (months)"), default=0
    )
    required_certificates = ArrayField(
        models.CharField(max_length=20, choices=CertificateKind),
        default=list,
        blank=True,
        verbose_name=_("certificates required"),
    )
    capacity_amount = models.DecimalField(_("capacity (yuan)"), max_digits=16, decimal_places=2)
    capacity_count = models.PositiveIntegerField(_("capacity (loans)"), null=True, blank=True)
    booked_amount = models.DecimalField(
        _("booked (yuan)"), max_digits=16, decimal_places=2, default=0, editable=False
    )
    booked_count = models.PositiveIntegerField(_("booked (loans)"), default=0, editable=False)
    # Product terms an import did not find and assumed: field names.
    assumed_fields = models.JSONField(default=list, blank=True, editable=False)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("loan offer")
        verbose_name_plural = _("loan offers")
        ordering = ["institution", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_principal__gte=0, max_principal__gte=F("min_principal")),
                name="loan_offer_principal_range",
            ),
            models.CheckConstraint(
                condition=Q(min_term_months__gte=1, max_term_months__gte=F("min_term_months")),
                name="loan_offer_term_range",
            ),
            models.CheckConstraint(
                condition=Q(rate_basis="fixed", interest_rate_percent__isnull=False)
                | (~Q(rate_basis="fixed") & Q(spread_bp__isnull=False)),
                name="loan_offer_rate_complete",
            ),
            models.CheckConstraint(
                condition=~Q(collateral_basis="share_of_principal")
                | Q(collateral_share_percent__gt=0),
                name="loan_offer_share_complete",
            ),
            models.CheckConstraint(
                condition=Q(booked_amount__gte=0, booked_amount__lte=F("capacity_amount")),
                name="loan_offer_booked_within_capacity",
            ),
            models.CheckConstraint(
                condition=Q(capacity_count__isnull=True) | Q(booked_count__lte=F("capacity_count")),
                name="loan_offer_booked_count_within_capacity",
            ),
            models.CheckConstraint(
                condition=Q(closes_on__isnull=True) | Q(closes_on__gte=F("opens_on")),
                name="loan_offer_closes_after_opens",
            ),
        ]


class LoanOfferPartQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> LoanOfferPartQuerySet:
        """Follows the offer."""
        return self.filter(offer__in=LoanOffer.objects.visible_to(user))


class AcceptedPatentKind(models.Model):
    """One patent kind the offer accepts, with what it lends against it."""

    offer = models.ForeignKey(LoanOffer, on_delete=models.CASCADE, related_name="accepted_kinds")
    kind = models.CharField(_("patent kind"), max_length=14, choices=PatentKind)
    loan_to_value_percent = models.DecimalField(
        _("loan-to-value (%)"),
        max_digits=6,
        decimal_places=3,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text=_("For limit tables this is not used: 0 is fine."),
    )
    min_remaining_months = models.PositiveSmallIntegerField(
        _("least remaining life (months)"), default=0
    )

    objects = LoanOfferPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("accepted patent kind")
        verbose_name_plural = _("accepted patent kinds")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "kind"], name="accepted_kind_once"),
            models.CheckConstraint(
                condition=Q(loan_to_value_percent__gte=0, loan_to_value_percent__lte=100),
                name="accepted_kind_loan_to_value_range",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class CollateralLimit(models.Model):
    """One step of a limit table: from so many accepted patents, up to so much."""

    offer = models.ForeignKey(LoanOffer, on_delete=models.CASCADE, related_name="collateral_limits")
    min_patents = models.PositiveSmallIntegerField(
        _("from this number of patents"), validators=[MinValueValidator(1)]
    )
    limit_amount = models.DecimalField(_("limit (yuan)"), max_digits=16, decimal_places=2)

    objects = LoanOfferPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("collateral limit")
        verbose_name_plural = _("collateral limits")
        ordering = ["min_patents"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "min_patents"], name="collateral_limit_once"),
            models.CheckConstraint(
                condition=Q(limit_amount__gt=0), name="collateral_limit_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.min_patents}+: {self.limit_amount}"


class LoanOfferFee(models.Model):
    """A fee of the offer: a fixed amount or a share of the principal, and who pays it."""

    offer = models.ForeignKey(LoanOffer, on_delete=models.CASCADE, related_name="fees")
    kind = models.CharField(_("fee"), max_length=14, choices=FeeKind)
    payer = models.CharField(
        _("paid by"), max_length=10, choices=FeePayer, default=FeePayer.BORROWER
    )
    timing = models.CharField(
        _("when"), max_length=10, choices=FeeTiming, default=FeeTiming.UPFRONT
    )
    amount = models.DecimalField(
        _("amount (yuan)"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    percent = models.DecimalField(
        _("share of the principal (%)"), max_digits=6, decimal_places=3, null=True, blank=True
    )

    objects = LoanOfferPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("fee")
        verbose_name_plural = _("fees")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0, percent__isnull=True)
                | Q(amount__isnull=True, percent__gte=0),
                name="fee_amount_or_percent",
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
