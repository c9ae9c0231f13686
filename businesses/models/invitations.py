"""An address asked to act for a business; nothing tells whether it has an account already."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from sipo_portal.accounts.models import Role, User


class MemberInvitationQuerySet(models.QuerySet["MemberInvitation"]):
    def visible_to(self, user: User) -> MemberInvitationQuerySet:
        """Those of the own businesses and those to the own address; for owners only."""
        if not user.is_authenticated or user.role != Role.OWNER:
            return self.none()
        return self.filter(
            Q(business__in=Business.objects.visible_to(user)) | Q(email=user.email.lower())
        )

    def addressed_to(self, user: User) -> MemberInvitationQuerySet:
        """Those the user may answer."""
        return self.visible_to(user).filter(email=user.email.lower())


class MemberInvitation(models.Model):
    """Waits until the person behind the address accepts or declines, or a manager withdraws it."""

    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="business_invitations"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberInvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["business", "email"], name="invitation_once"),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invitation_email_lower"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.business}"
