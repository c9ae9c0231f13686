"""Who acts for a business."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from sipo_portal.accounts.models import User


class BusinessMemberQuerySet(models.QuerySet["BusinessMember"]):
    def visible_to(self, user: User) -> BusinessMemberQuerySet:
        """The members of every business the user may see."""
        return self.filter(business__in=Business.objects.visible_to(user))


class BusinessMember(models.Model):
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="business_memberships"
    )
    is_active = models.BooleanField(_("active"), default=True)
    # The one who registered the business may add and remove the others.
    is_manager = models.BooleanField(_("may manage members"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BusinessMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["business", "user"], name="member_once_per_business")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.business}"
