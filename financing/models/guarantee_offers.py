"""A guarantee company's offer that attaches to loan offers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from financing.models.loan_offers import LoanOffer
from financing.models.offers import Offer, OfferQuerySet


class GuaranteeOffer(Offer):
    loan_offers = models.ManyToManyField(
        LoanOffer, blank=True, related_name="guarantee_offers", verbose_name=_("loan offers")
    )
    share_percent = models.DecimalField(
        _("share of the principal guaranteed (%)"), max_digits=6, decimal_places=3
    )
    fee_percent = models.DecimalField(
        _("yearly fee (% of the guaranteed amount)"), max_digits=6, decimal_places=3
    )
    # Who bears a loss, in per cent: {"guarantor": 60, "bank": 20, "insurer": 20}.
    loss_sharing = models.JSONField(_("loss sharing"), default=dict, blank=True)
    is_pledgee = models.BooleanField(_("takes the pledge itself"), default=False)

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("guarantee offer")
        verbose_name_plural = _("guarantee offers")
        ordering = ["institution", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(share_percent__gt=0, share_percent__lte=100, fee_percent__gte=0),
                name="guarantee_offer_ranges",
            )
        ]
