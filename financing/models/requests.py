"""What loan and insurance requests have in common."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from businesses.models.businesses import Business, BusinessStatus
from sipo_portal.accounts.models import Role, User


class RequestStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    OPEN = "open", pgettext_lazy("request", "Open")
    RETURNED = "returned", _("Returned: more information asked")
    COMMITTED = "committed", _("Committed")
    FUNDED = "funded", _("Funded")
    COVERED = "covered", _("Covered")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


# At most one request of a kind per business is in one of these (DOMAIN 3).
REQUEST_HOLDING_STATUSES = [
    RequestStatus.SUBMITTED.value,
    RequestStatus.OPEN.value,
    RequestStatus.RETURNED.value,
    RequestStatus.COMMITTED.value,
]
# These take part in matching.
REQUEST_MATCHING_STATUSES = [RequestStatus.SUBMITTED.value, RequestStatus.OPEN.value]


class Purpose(models.TextChoices):
    WORKING_CAPITAL = "working_capital", _("Working capital")
    RESEARCH = "research", _("Research and development")
    EQUIPMENT = "equipment", _("Equipment")
    PRODUCTION = "production", _("Bringing a patent into production")
    LICENSING = "licensing", _("Licensing or a joint venture")
    OTHER = "other", _("Something else")


class RequestQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> Self:
        """Follows the business; a coordinator does not see drafts."""
        visible = self.filter(business__in=Business.objects.visible_to(user))
        if user.is_authenticated and user.role == Role.COORDINATOR:
            return visible.exclude(submitted_at__isnull=True)
        return visible

    def in_matching(self) -> Self:
        """The requests a run considers: submitted or open, of a business that is not suspended."""
        return self.filter(status__in=REQUEST_MATCHING_STATUSES).exclude(
            business__status=BusinessStatus.SUSPENDED
        )


class Request(models.Model):
    """What a request of either kind has; its own file holds what is asked for."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=RequestStatus,
        default=RequestStatus.DRAFT,
        db_index=True,
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    returned_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
