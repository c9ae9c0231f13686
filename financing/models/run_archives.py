"""What a run decided on and what proves its result; `financing.run_archive` writes and reads it."""

from __future__ import annotations

from django.db import models

from financing.models.match_runs import MatchRun
from sipo_portal.accounts.models import User


class RunArchiveQuerySet(models.QuerySet["RunArchive"]):
    def visible_to(self, user: User) -> RunArchiveQuerySet:
        """Follows the run."""
        return self.filter(run__in=MatchRun.objects.visible_to(user))


class RunArchive(models.Model):
    """Input columns, compressed, and the certificate of one full run. Pruned by age.

    Pseudonymous: ids, codes and figures, no names.
    """

    run = models.OneToOneField(
        MatchRun, on_delete=models.CASCADE, related_name="archive", primary_key=True
    )
    # Null once pruned: the run can no longer be replayed, its certificate stays.
    run_input = models.BinaryField(null=True)
    # Per offer: room before and after, prices, least value given to.
    offers = models.JSONField(default=list)
    # Of the proposals: request, offer, rank, amount and saving, for the diff of two runs.
    proposals = models.BinaryField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RunArchiveQuerySet.as_manager()

    class Meta:
        verbose_name = "run archive"

    def __str__(self) -> str:
        return str(self.run)
