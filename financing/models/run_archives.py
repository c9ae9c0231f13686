"""What a run decided on and what came of it; `financing.run_archive` writes and reads it.

Pseudonymous: ids, codes and figures, no names. Pruned by age (`manage.py prune_runs`): what was
decided on goes first, then the run can no longer be replayed; its certificate stays with the run.
"""

from __future__ import annotations

from django.db import models

from financing.models.match_runs import MatchRun
from sipo_portal.accounts.models import User


class RunPartQuerySet(models.QuerySet["RunPart"]):
    def visible_to(self, user: User) -> RunPartQuerySet:
        """Follows the run."""
        return self.filter(run__in=MatchRun.objects.visible_to(user))


class RunPart(models.Model):
    """One table of a run's input or result, or a piece of a long one, compressed."""

    run = models.ForeignKey(MatchRun, on_delete=models.CASCADE, related_name="parts")
    # "loan.requests", "loan.proposals", "offers", … (financing.run_archive).
    name = models.CharField(max_length=24)
    number = models.PositiveIntegerField(default=0)
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RunPartQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "name", "number"], name="run_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.name} {self.number}"
