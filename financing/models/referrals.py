"""A match as its institution reads it: the same row, seen only through what was disclosed."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from financing.models.disclosures import Disclosure, DisclosureStage
from financing.models.institutions import Institution
from financing.models.matches import Match, MatchQuerySet
from sipo_portal.accounts.models import Role, User


class ReferralQuerySet(MatchQuerySet):
    def visible_to(self, user: User) -> ReferralQuerySet:
        """The institution's staff, once the match was referred blind; nobody else."""
        if not user.is_authenticated or user.role != Role.INSTITUTION_STAFF:
            return self.none()
        own = Institution.objects.visible_to(user)
        disclosed = Disclosure.objects.filter(stage=DisclosureStage.BLIND, institution__in=own)
        return self.filter(
            institution__in=own, referred_at__isnull=False, pk__in=disclosed.values("match")
        )


class Referral(Match):
    objects = ReferralQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-referred_at", "pk"]
