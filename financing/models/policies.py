"""The policy of the day: what a run maximises, how long each stage may take; all of it data."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.models.insurance_offers import CoverKind
from sipo_portal.accounts.models import Role, User


class PolicyQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> PolicyQuerySet:
        """Policy is public to everybody who works with it; only system administrators change it."""
        if user.is_authenticated and user.role in (
            Role.SYSTEM_ADMIN,
            Role.AUDIT_ADMIN,
            Role.COORDINATOR,
        ):
            return self.all()
        return self.none()


class MatchingPolicy(models.Model):
    """One dated version; a run stores which one it used. Never changed once a run used it."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    effective_on = models.DateField(_("in force from"))
    proposals_per_request = models.PositiveSmallIntegerField(
        _("proposals per request (k)"), default=3, validators=[MinValueValidator(1)]
    )
    alternative_share = models.DecimalField(
        _("share at which alternatives count"),
        max_digits=4,
        decimal_places=3,
        default=Decimal("0.2"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )
    loan_coverage_value = models.DecimalField(
        _("worth of reaching one more business by a loan (yuan)"),
        max_digits=14,
        decimal_places=2,
        default=Decimal(500000),
    )
    insurance_coverage_value = models.DecimalField(
        _("worth of reaching one more business by insurance (yuan)"),
        max_digits=14,
        decimal_places=2,
        default=Decimal(20000),
    )
    oversubscription = models.DecimalField(
        _("oversubscription"),
        max_digits=4,
        decimal_places=2,
        default=Decimal("1.5"),
        validators=[MinValueValidator(Decimal(1))],
    )
    ceiling_spread_percent = models.DecimalField(
        _("ceiling over the LPR (percentage points)"),
        max_digits=5,
        decimal_places=3,
        default=Decimal("0.480"),
    )
    reference_spread_percent = models.DecimalField(
        _("reference spread of the benchmark over the LPR (percentage points)"),
        max_digits=5,
        decimal_places=3,
        default=Decimal("0.480"),
    )
    churn_margin_percent = models.DecimalField(
        _("a proposal is replaced only if the new one is better by (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(5),
    )
    first_time_lift_percent = models.DecimalField(
        _("lift of a first-time borrower (%)"), max_digits=6, decimal_places=2, default=Decimal(10)
    )
    waiting_lift_percent_per_day = models.DecimalField(
        _("lift per day of waiting (%)"), max_digits=6, decimal_places=3, default=Decimal("0.1")
    )
    waiting_lift_most_percent = models.DecimalField(
        _("most lift by waiting (%)"), max_digits=6, decimal_places=2, default=Decimal(20)
    )
    seed = models.CharField(_("seed of the lottery for ties"), max_length=64, default="sipo")
    review_days = models.PositiveSmallIntegerField(_("review (working days)"), default=5)
    consent_days = models.PositiveSmallIntegerField(_("consent (working days)"), default=10)
    first_answer_days = models.PositiveSmallIntegerField(
        _("lender's first answer (working days)"), default=10
    )
    study_days = models.PositiveSmallIntegerField(_("study (working days)"), default=20)
    completion_days = models.PositiveSmallIntegerField(
        _("from acceptance to the money (working days)"), default=60
    )
    refresh_days = models.PositiveSmallIntegerField(
        _("requests and offers lapse unless refreshed within (days)"), default=90
    )
    refresh_grace_days = models.PositiveSmallIntegerField(
        _("time after the reminder to refresh (working days)"), default=7
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("matching policy")
        verbose_name_plural = _("matching policies")
        ordering = ["-effective_on", "-version"]
        constraints = [
            models.CheckConstraint(
                # DOMAIN 4.7: the ceiling never lies above the benchmark.
                condition=Q(ceiling_spread_percent__lte=models.F("reference_spread_percent")),
                name="policy_ceiling_not_above_benchmark",
            ),
            models.CheckConstraint(
                condition=Q(alternative_share__gte=0, alternative_share__lte=1),
                name="policy_alternative_share_range",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class WeightDimension(models.TextChoices):
    REGION = "region", _("Region (division code)")
    SIZE_CLASS = "size_class", _("Size class")


class PolicyWeight(models.Model):
    """Lifts what lags: added to the weight 1 of every business it speaks about; lifts add up."""

    policy = models.ForeignKey(MatchingPolicy, on_delete=models.CASCADE, related_name="weights")
    dimension = models.CharField(_("dimension"), max_length=14, choices=WeightDimension)
    key = models.CharField(
        _("value"), max_length=20, help_text=_("A division code, or micro or small.")
    )
    lift_percent = models.DecimalField(
        _("lift (%)"),
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1000))],
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("weight")
        verbose_name_plural = _("weights")
        ordering = ["dimension", "key"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "dimension", "key"], name="weight_once"),
            models.CheckConstraint(condition=Q(lift_percent__gte=0), name="lift_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.key}: +{self.lift_percent} %"


class StandardPremium(models.Model):
    """The policy's own premium table, against which a reduction is measured (DOMAIN 4.5)."""

    policy = models.ForeignKey(
        MatchingPolicy, on_delete=models.CASCADE, related_name="standard_premiums"
    )
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

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard premium")
        verbose_name_plural = _("standard premiums")
        ordering = ["cover_kind"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "cover_kind"], name="standard_premium_once")
        ]

    def __str__(self) -> str:
        return self.get_cover_kind_display()


class SubsidyKind(models.TextChoices):
    INTEREST = "interest", _("Interest subsidy")
    FEE = "fee", _("Fee subsidy")
    PREMIUM = "premium", _("Premium subsidy")


class SubsidyRule(models.Model):
    """A public subsidy: shown apart, never part of the saving the matcher uses (DOMAIN 4.7)."""

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=SubsidyKind)
    source = models.CharField(_("legal source"), max_length=300)
    region = models.ForeignKey(
        "offices.Region", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    percent_of_base = models.DecimalField(
        _("share of the base (%)"), max_digits=6, decimal_places=3
    )
    cap_per_business_year = models.DecimalField(
        _("cap per business and year (yuan)"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
    )
    stacking_group = models.CharField(_("stacking group"), max_length=40, blank=True)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    is_paid_after_repayment = models.BooleanField(_("paid out after repayment"), default=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("subsidy rule")
        verbose_name_plural = _("subsidy rules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
