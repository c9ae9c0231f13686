"""What the latest run proposes; replaced by the next run, never the target of a foreign key."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from businesses.models.businesses import Business
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun
from financing.models.pairs import ONE_KIND, RequestAndOffer
from sipo_portal.accounts.models import User


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, user: User) -> ProposalQuerySet:
        """Owner and coordinator of the business; never a lender (DOMAIN 2)."""
        return self.filter(business__in=Business.objects.visible_to(user))


class Proposal(RequestAndOffer, models.Model):
    run = models.ForeignKey(MatchRun, on_delete=models.PROTECT, related_name="proposals")
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="proposals")
    loan_request = models.ForeignKey(
        LoanRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    loan_offer = models.ForeignKey(
        LoanOffer, on_delete=models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    insurance_request = models.ForeignKey(
        InsuranceRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    insurance_offer = models.ForeignKey(
        InsuranceOffer, on_delete=models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    rank = models.PositiveSmallIntegerField(_("rank"))
    # Written by an incremental run; the next full run decides for good.
    is_provisional = models.BooleanField(_("provisional"), default=False)
    amount = models.DecimalField(_("amount (yuan)"), max_digits=16, decimal_places=2)
    saving = models.DecimalField(_("saving (yuan)"), max_digits=16, decimal_places=2)
    patent_ids = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        ordering = ["rank", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=ONE_KIND,
                name="proposal_one_kind",
            ),
            models.UniqueConstraint(
                fields=["loan_request", "loan_offer"],
                condition=Q(loan_request__isnull=False),
                name="loan_proposal_once",
            ),
            models.UniqueConstraint(
                fields=["insurance_request", "insurance_offer"],
                condition=Q(insurance_request__isnull=False),
                name="insurance_proposal_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} → {self.offer}"
