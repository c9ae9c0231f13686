"""A run over several workers while it is under way; only `financing.services.sharded_runs` writes.

Gone with its last step. Pseudonymous: ids, codes and figures, no names.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from financing.models.match_runs import MatchRun
from financing.models.request_chunks import UnseenQuerySet


class ShardedRun(models.Model):
    """The run's conductor between two rounds (matching.national.rounds); its row is the lock."""

    run = models.OneToOneField(
        MatchRun, on_delete=models.CASCADE, related_name="sharded", primary_key=True
    )
    conductor = models.BinaryField()
    # The round that is being asked, and once there is none any more, when the last one ended.
    number = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    # What every bundle needs: offers, policy, costs.
    frame = models.BinaryField()
    # Proposals written after this moment are newer than the run.
    settled_at = models.DateTimeField()
    input_digest = models.CharField(max_length=64)
    # Wall seconds by stage so far.
    seconds = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UnseenQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.run_id)


class RunBundle(models.Model):
    """Requests of one large province or of several small ones: what one message is about."""

    sharded = models.ForeignKey(ShardedRun, on_delete=models.CASCADE, related_name="bundles")
    kind = models.CharField(max_length=9)
    number = models.PositiveSmallIntegerField()
    shards = ArrayField(models.PositiveSmallIntegerField(), default=list)
    request_count = models.PositiveIntegerField()
    # The requests as columns, and their digest.
    source = models.BinaryField()
    source_digest = models.CharField(max_length=64)
    # What the requests hold since round `given_round`.
    given = models.BinaryField(null=True)
    given_round = models.SmallIntegerField(default=-1)
    result = models.BinaryField(null=True)

    objects = UnseenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sharded", "kind", "number"], name="run_bundle_once")
        ]

    def __str__(self) -> str:
        return f"{self.sharded_id} {self.kind} {self.number}"


class BundleRound(models.Model):
    """One question to a bundle; a worker locks the row while it works on the answer."""

    bundle = models.ForeignKey(RunBundle, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveSmallIntegerField()
    questions = models.BinaryField()
    answers = models.BinaryField(null=True)
    answered_at = models.DateTimeField(null=True)
    # Who answered, for operators: host and process; and the seconds it worked.
    worker = models.CharField(max_length=80, blank=True)
    seconds = models.FloatField(null=True)

    objects = UnseenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bundle", "number"], name="bundle_round_once")
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id} {self.number}"
