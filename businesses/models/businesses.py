"""The small company that borrows or insures, and who may see it."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import Region


class BusinessStatus(models.TextChoices):
    REGISTERED = "registered", _("Registered, not yet verified")
    VERIFIED = "verified", _("Verified")
    SUSPENDED = "suspended", _("Suspended")


class SizeClass(models.TextChoices):
    MICRO = "micro", _("Micro")
    SMALL = "small", _("Small")
    MEDIUM = "medium", _("Medium")
    LARGE = "large", _("Large")
    UNDETERMINED = "undetermined", _("Undetermined")
    NOT_COVERED = "not_covered", _("Industry not covered by the size standard")


class SizeIndicator(models.TextChoices):
    EMPLOYEES = "employees", _("Staff")
    REVENUE_WAN = "revenue_wan", _("Yearly revenue")
    ASSETS_WAN = "assets_wan", _("Total assets")


class BusinessQuerySet(models.QuerySet["Business"]):
    def visible_to(self, user: User) -> BusinessQuerySet:
        """Owners see their own, coordinators those in their region subtree, others none.

        Lenders never read businesses: what they may know of one is in `Disclosure` rows.
        """
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.OWNER:
            return self.filter(members__user=user, members__is_active=True)
        if user.role == Role.COORDINATOR and user.office is not None:
            return self.filter(region__code__startswith=user.office.scope_prefix)
        return self.none()


class Business(models.Model):
    name = models.CharField(_("name"), max_length=200)
    credit_code = models.CharField(_("unified social credit code"), max_length=18, unique=True)
    # Real records that fail the check digit exist (DOMAIN 4.1): a coordinator accepts one by hand.
    credit_code_exception_reason = models.TextField(
        _("why a code that fails its check is accepted"), blank=True
    )
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="businesses", verbose_name=_("region")
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    industry = models.CharField(
        _("industry"), max_length=5, help_text=_("GB/T 4754-2017 code, for example C3911")
    )
    established_on = models.DateField(_("established on"))
    employee_count = models.PositiveIntegerField(_("staff"), null=True, blank=True)
    revenue_wan = models.DecimalField(
        _("yearly revenue (10,000 yuan)"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    assets_wan = models.DecimalField(
        _("total assets (10,000 yuan)"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    figures_year = models.PositiveSmallIntegerField(_("year of the figures"), null=True, blank=True)
    has_low_taxable_income = models.BooleanField(
        _("taxable income of the previous year under 1 million yuan"), default=False
    )
    # Derived by the service from industry and indicators (businesses.rules.size_class).
    size_class = models.CharField(
        _("size class"), max_length=12, choices=SizeClass, default=SizeClass.UNDETERMINED
    )
    size_indicator = models.CharField(
        _("deciding indicator"), max_length=12, choices=SizeIndicator, blank=True
    )
    is_size_provisional = models.BooleanField(_("size class is provisional"), default=False)
    contact_name = models.CharField(_("contact person"), max_length=80, blank=True)
    contact_phone = models.CharField(_("contact telephone"), max_length=30, blank=True)
    legal_representative = models.CharField(_("legal representative"), max_length=80, blank=True)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=BusinessStatus,
        default=BusinessStatus.REGISTERED,
        db_index=True,
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    # Shown to the owner while suspended; kept out of the audit, which holds no free text.
    suspension_reason = models.TextField(_("why it is suspended"), blank=True)
    # What an import assumed because the register does not say it: field names.
    assumed_fields = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BusinessQuerySet.as_manager()

    class Meta:
        verbose_name = _("business")
        verbose_name_plural = _("businesses")
        ordering = ["name", "pk"]
        indexes = [
            models.Index(
                fields=["region"], name="business_region_prefix", opclasses=["varchar_pattern_ops"]
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(revenue_wan__isnull=True) | Q(revenue_wan__gte=0),
                name="business_revenue_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(assets_wan__isnull=True) | Q(assets_wan__gte=0),
                name="business_assets_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_request(self) -> bool:
        """Small and micro businesses may ask for a loan or insurance (DOMAIN 4.2)."""
        return self.size_class in (SizeClass.MICRO, SizeClass.SMALL)
