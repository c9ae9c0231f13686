"""A patent as its business knows it and as the register says."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from sipo_portal.accounts.models import User


class PatentKind(models.TextChoices):
    INVENTION = "invention", _("Invention")
    UTILITY_MODEL = "utility_model", _("Utility model")
    DESIGN = "design", _("Design")


class PatentStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    REGISTERED = "registered", _("Registered")
    VERIFIED = "verified", _("Verified against the register")
    ENDED = "ended", _("Ended")


class EndReason(models.TextChoices):
    EXPIRED = "expired", _("Term expired")
    ANNUITY_UNPAID = "annuity_unpaid", _("Annuity not paid")
    INVALIDATED = "invalidated", _("Declared invalid")
    ABANDONED = "abandoned", _("Abandoned")
    WITHDRAWN = "withdrawn", _("Application withdrawn or refused")


class PatentQuerySet(models.QuerySet["Patent"]):
    def visible_to(self, user: User) -> PatentQuerySet:
        """The patents of every business the user may see."""
        return self.filter(business__in=Business.objects.visible_to(user))

    def with_facts(self) -> PatentQuerySet:
        """With the rows that `businesses.selectors` reads, in a constant number of queries."""
        return self.select_related("business").prefetch_related(
            "co_owners", "encumbrances", "appraisals"
        )


class Patent(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="patents")
    # Normal form of businesses.rules.identifiers; two co-owning businesses may both register it.
    application_number = models.CharField(_("application number"), max_length=14)
    kind = models.CharField(_("kind"), max_length=14, choices=PatentKind)
    title = models.CharField(_("title"), max_length=300)
    filed_on = models.DateField(_("filed on"))
    granted_on = models.DateField(_("granted on"), null=True, blank=True)
    publication_number = models.CharField(_("publication number"), max_length=20, blank=True)
    ipc_main = models.CharField(_("main IPC class"), max_length=20, blank=True)
    has_overseas_family = models.BooleanField(_("family members abroad"), default=False)
    is_licensed_in = models.BooleanField(
        _("held by licence, not by ownership"),
        default=False,
    )
    # Empty means: as the business is named.
    owner_name_on_register = models.CharField(
        _("owner named in the register"), max_length=200, blank=True
    )
    annuity_paid_through_year = models.PositiveSmallIntegerField(
        _("annuities paid up to patent year"), null=True, blank=True
    )
    annuity_relief_percent = models.DecimalField(
        _("annuity relief"), max_digits=5, decimal_places=2, default=0
    )
    compensation_days = models.PositiveIntegerField(_("term compensation in days"), default=0)
    has_ownership_dispute = models.BooleanField(
        _("ownership dispute or preservation"), default=False
    )
    has_infringement_dispute = models.BooleanField(_("infringement dispute"), default=False)
    has_same_day_invention_filing = models.BooleanField(
        _("an invention was filed for the same thing on the same day"), default=False
    )
    is_invalidation_pending = models.BooleanField(_("invalidation pending"), default=False)
    register_extract_on = models.DateField(_("date of the register extract"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=16, choices=EndReason, blank=True)
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=PatentStatus,
        default=PatentStatus.DRAFT,
        db_index=True,
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    assumed_fields = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PatentQuerySet.as_manager()

    class Meta:
        verbose_name = _("patent")
        verbose_name_plural = _("patents")
        ordering = ["-filed_on", "application_number"]
        # Whoever registered it: a pledge names a patent by its number.
        indexes = [models.Index(fields=["application_number"], name="patent_number")]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "application_number"], name="patent_once_per_business"
            ),
            models.CheckConstraint(
                condition=Q(granted_on__isnull=True) | Q(granted_on__gte=models.F("filed_on")),
                name="patent_granted_after_filing",
            ),
        ]

    def __str__(self) -> str:
        return f"ZL{self.application_number} {self.title}"

    @property
    def is_live(self) -> bool:
        return self.status in (PatentStatus.REGISTERED, PatentStatus.VERIFIED)
