"""How a run over several workers ends: its result put together, failed, or forgotten.

Called by `full_runs`, `sharded_runs` and the tasks. Only workers import it.
"""

import resource
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from financing.full_run_inputs import FullRunInput
from financing.lifecycles import RUN
from financing.matching.national.bundle_results import BundleResult, kind_from_bytes, merged
from financing.matching.national.bundles import Frame
from financing.matching.national.engine import ENGINE_VERSION
from financing.matching.national.result_digest import result_digest
from financing.matching.national.rounds import Conductor
from financing.matching.national.run import RunResult, match_insurances
from financing.models import BundleRound, MatchRun, ShardedRun
from financing.models.match_runs import RunStatus
from financing.run_archive import load_run
from financing.suppositions import Supposition, suppose_policy
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance

WORKER_LOST = "WorkerLost"


class NotAllAnswered(RuntimeError):
    """The run is asked for its result before every bundle has given it."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """A run whose bundles have all answered, as `full_runs` writes it."""

    found: FullRunInput
    result: RunResult
    settled_at: datetime
    seconds: dict[str, float]


def collected(run: MatchRun) -> Collected:
    """Put the parts together: the same result as of one process. Raises NotAllAnswered."""
    sharded = ShardedRun.objects.get(pk=run.pk)
    if sharded.done_at is None or run.policy is None:
        raise NotAllAnswered(run.pk)
    stored = load_run(run)
    conductor = Conductor.from_bytes(bytes(sharded.conductor))
    frame = Frame.from_bytes(bytes(sharded.frame))
    results = {
        kind: [bytes(data) for each, data in _results(sharded) if each == kind]
        for kind in ("loan", "insurance")
    }
    loans = merged(
        conductor,
        frame,
        len(stored.run.loans.requests),
        [BundleResult.from_bytes(data) for data in results["loan"]],
    )
    insurances = (
        kind_from_bytes(results["insurance"][0])
        if results["insurance"]
        else match_insurances(stored.run, stored.start_prices, 1)
    )
    seconds = {name: one for name, one in sharded.seconds.items() if name != "since"}
    result = RunResult(
        loans=loans,
        insurances=insurances,
        engine_version=ENGINE_VERSION,
        input_digest=sharded.input_digest,
        result_digest=result_digest(ENGINE_VERSION, loans, insurances),
        seconds={name: one for name, one in seconds.items() if "." in name},
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    found = FullRunInput(
        policy=suppose_policy(run.policy, Supposition.from_json(run.supposed)),
        policy_row=stored.run.policy,
        run=stored.run,
        chunks=stored.chunks,
    )
    of_run = {name: one for name, one in seconds.items() if "." not in name}
    return Collected(found, result, sharded.settled_at, of_run)


def _results(sharded: ShardedRun) -> list[tuple[str, bytes]]:
    found = list(sharded.bundles.order_by("number").values_list("kind", "result"))
    if any(data is None for _, data in found):
        raise NotAllAnswered(sharded.pk)
    return found


@transaction.atomic
def fail_sharded_run(run_id: int, reason: str) -> None:
    """A message of the run was set aside after its last try: the run has failed, visibly.

    `reason`: the kind of error and its place, or that the worker was lost.
    """
    run = MatchRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None or run.is_finished:
        return
    kind = reason.split(" ", 1)[0]
    run.failure = kind if kind.isidentifier() and kind != "the" else WORKER_LOST
    run.finished_at = timezone.now()
    run.save(update_fields=["failure", "finished_at"])
    advance(RUN, run, "fail", actor=Actor.MATCHER, data={"error": run.failure})


@transaction.atomic
def forget(run_id: int) -> None:
    """Delete what a run had between its rounds, unless somebody still works on a part of it."""
    sharded = ShardedRun.objects.select_for_update(skip_locked=True).filter(pk=run_id).first()
    if sharded is None:
        return
    open_rounds = BundleRound.objects.filter(bundle__sharded=sharded, answered_at=None)
    free = open_rounds.select_for_update(skip_locked=True, of=("self",)).values_list("pk")
    if len(free) == open_rounds.count():
        sharded.delete()


def forget_ended_runs() -> None:
    """Runs that were cancelled or failed between two rounds."""
    ended = ShardedRun.objects.exclude(run__status=RunStatus.RUNNING)
    for run_id in ended.values_list("pk", flat=True):
        forget(run_id)
