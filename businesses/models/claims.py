"""A second account that claims a business already registered; the coordinator decides."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from sipo_portal.accounts.models import Role, User


class ClaimStatus(models.TextChoices):
    PENDING = "pending", _("Waiting for the coordinator")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")


class BusinessClaimQuerySet(models.QuerySet["BusinessClaim"]):
    def visible_to(self, user: User) -> BusinessClaimQuerySet:
        """The claimant sees the own claim, coordinators those of their region."""
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.OWNER:
            return self.filter(claimant=user)
        if user.role == Role.COORDINATOR:
            return self.filter(business__in=Business.objects.visible_to(user))
        return self.none()


class BusinessClaim(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="claims")
    claimant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="business_claims"
    )
    explanation = models.TextField(_("explanation"), blank=True)
    status = models.CharField(max_length=10, choices=ClaimStatus, default=ClaimStatus.PENDING)
    status_changed_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BusinessClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["business", "claimant"],
                condition=Q(status="pending"),
                name="claim_pending_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.claimant} → {self.business}"
