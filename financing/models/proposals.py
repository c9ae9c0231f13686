"""What the latest run proposes; replaced by the next run, never the target of a foreign key.

The table is partitioned by run (migration 0014): each run over the country gets a partition of its
own, everything else lies in the default one. A national run writes millions of rows, so the
database checks no foreign keys row by row; `services.full_runs` checks them for all at once, and
deleting a request or an offer still deletes its proposals (CASCADE below).
"""

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
    run = models.ForeignKey(
        MatchRun,
        on_delete=models.PROTECT,
        related_name="proposals",
        db_constraint=False,
        db_index=False,
    )
    business = models.ForeignKey(
        Business, on_delete=models.CASCADE, related_name="proposals", db_constraint=False
    )
    loan_request = models.ForeignKey(
        LoanRequest,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposals",
        db_constraint=False,
        db_index=False,
    )
    loan_offer = models.ForeignKey(
        LoanOffer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposals",
        db_constraint=False,
        db_index=False,
    )
    insurance_request = models.ForeignKey(
        InsuranceRequest,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposals",
        db_constraint=False,
        db_index=False,
    )
    insurance_offer = models.ForeignKey(
        InsuranceOffer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="proposals",
        db_constraint=False,
        db_index=False,
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
        indexes = [
            models.Index(
                fields=["loan_offer"],
                condition=Q(loan_offer__isnull=False),
                name="loan_proposal_offer",
            ),
            models.Index(
                fields=["insurance_offer"],
                condition=Q(insurance_offer__isnull=False),
                name="insurance_proposal_offer",
            ),
        ]
        # Unique within a partition; between partitions the lock of `writing_lock` sees to it.
        constraints = [
            models.CheckConstraint(
                condition=ONE_KIND,
                name="proposal_one_kind",
            ),
            models.UniqueConstraint(
                fields=["loan_request", "loan_offer", "run"],
                condition=Q(loan_request__isnull=False),
                name="loan_proposal_once",
            ),
            models.UniqueConstraint(
                fields=["insurance_request", "insurance_offer", "run"],
                condition=Q(insurance_request__isnull=False),
                name="insurance_proposal_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} → {self.offer}"
