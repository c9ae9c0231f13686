"""What loan, insurance and guarantee offers have in common; their own files hold the rest."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import SizeClass
from financing.models.institutions import Institution
from sipo_portal.accounts.models import Role, User


class OfferStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    PAUSED = "paused", _("Paused")
    CLOSED = "closed", _("Closed")


REQUESTING_SIZE_CLASSES = [
    (SizeClass.MICRO.value, SizeClass.MICRO.label),
    (SizeClass.SMALL.value, SizeClass.SMALL.label),
]


class OfferQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, user: User) -> Self:
        """Staff see their institution's offers; owners and coordinators what was ever published."""
        if not user.is_authenticated:
            return self.none()
        if user.role == Role.INSTITUTION_STAFF:
            return self.filter(institution__in=Institution.objects.visible_to(user))
        if user.role in (Role.OWNER, Role.COORDINATOR):
            return self.exclude(status=OfferStatus.DRAFT)
        return self.none()

    def live(self) -> Self:
        """Published by an institution that is not suspended; dates are the matcher's to judge."""
        return self.filter(status=OfferStatus.PUBLISHED, institution__is_suspended=False)


class Offer(models.Model):
    institution = models.ForeignKey(
        Institution,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        verbose_name=_("institution"),
    )
    name = models.CharField(_("name of the offer"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=OfferStatus, default=OfferStatus.DRAFT, db_index=True
    )
    status_changed_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    opens_on = models.DateField(_("opens on"))
    closes_on = models.DateField(_("closes on"), null=True, blank=True)
    regions = models.ManyToManyField(
        "offices.Region",
        blank=True,
        related_name="+",
        verbose_name=_("regions served"),
        help_text=_("None chosen: the whole country. A province includes everything below it."),
    )
    industries = ArrayField(
        models.CharField(max_length=5),
        default=list,
        blank=True,
        verbose_name=_("industries accepted"),
        help_text=_("GB/T 4754-2017 codes such as C, C39 or C3911. None: all industries."),
    )
    size_classes = ArrayField(
        models.CharField(max_length=12, choices=REQUESTING_SIZE_CLASSES),
        default=list,
        verbose_name=_("size classes accepted"),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name
