"""Natural persons consent for themselves: asked by mail, answered through a link of their own."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from financing.models.matches import Match
from sipo_portal.accounts.models import Role, User


class PersonRole(models.TextChoices):
    CONTACT = "contact", _("Contact person")
    LEGAL_REPRESENTATIVE = "legal_representative", _("Legal representative")
    CO_OWNER = "co_owner", _("Co-owner of a patent")


class PersonAnswer(models.TextChoices):
    OPEN = "open", _("Not answered yet")
    GIVEN = "given", _("Consented")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


def new_token() -> str:
    """The secret part of the link: 256 bits, nothing to guess."""
    return secrets.token_urlsafe(32)


class PersonConsentQuerySet(models.QuerySet["PersonConsent"]):
    def visible_to(self, user: User) -> PersonConsentQuerySet:
        """Owner and coordinator; institutions learn neither names nor addresses from here."""
        if user.is_authenticated and user.role == Role.INSTITUTION_STAFF:
            return self.none()
        return self.filter(match__in=Match.objects.visible_to(user))


class PersonConsent(models.Model):
    match = models.ForeignKey(Match, on_delete=models.PROTECT, related_name="person_consents")
    role = models.CharField(_("role"), max_length=20, choices=PersonRole)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80)
    email = models.EmailField(_("e-mail address"))
    token = models.CharField(max_length=60, unique=True, default=new_token, editable=False)
    answer = models.CharField(
        _("answer"), max_length=10, choices=PersonAnswer, default=PersonAnswer.OPEN
    )
    version = models.CharField(_("version of the text"), max_length=20)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = PersonConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent of a person")
        verbose_name_plural = _("consents of persons")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["match", "role", "name"],
                condition=~Q(answer="withdrawn"),
                name="person_asked_once_per_match",
            )
        ]

    def __str__(self) -> str:
        return f"{self.match} · {self.get_role_display()}"
