"""The work of a full run: read the columns, match, put its proposals in the place of the old ones.

Only workers, commands, benchmarks and tests import it: it loads the compiled matcher. Asking for a
run and stopping one is `match_runs`.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from financing.full_run_inputs import FullRunInput, read_full_run
from financing.lifecycles import RUN
from financing.matching.national.input_digest import input_digest
from financing.matching.national.run import RunResult, StartPrices, run_matching
from financing.matching.tables import RequestKind
from financing.models import MatchRun
from financing.models.match_runs import RunStage, RunStatus
from financing.pair_kinds import KINDS
from financing.proposal_rows import ProposalRows
from financing.run_archive import (
    Packed,
    load_run,
    pack_input,
    pack_results,
    start_prices_of,
    store_parts,
)
from financing.services.dry_runs import ConfirmRefusal
from financing.services.full_run_results import KeptRows, finish_full_run, keep_results
from financing.services.match_runs import MOST_STARTS, RunCancelled
from financing.services.proposal_exchange import (
    exchange,
    fill_table,
    patiently,
    result_of,
    rows_of_result,
)
from financing.services.sharded_endings import collected, forget
from financing.services.sharded_runs import begin, is_begun, is_for_several
from financing.services.writing_lock import lock_claiming
from financing.standing_rows import last_national_run
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.workflow.advance import advance

SECONDS_BETWEEN_REPORTS = 0.5
READING_PERCENT, MATCHING_PERCENT, WRITING_PERCENT = 5, 30, 80


def run_full(run_id: int) -> None:
    """Do a whole run: read, decide, replace proposals in one transaction. Safe to repeat.

    A run that is finished, cancelled or gone is left alone; one whose worker died starts again
    from its row. Each stage is committed, so that pages can show how far it is. A what-if keeps
    its result and replaces nothing.
    """
    run = MatchRun.objects.filter(pk=run_id).first()
    if run is None or run.is_finished or is_begun(run):
        return
    try:
        _start(run)
        snapshot_at = _settled_moment()
        watch = Watch(run)
        found = read_full_run(run, timezone.localdate(), watch.read)
        reach(run, RunStage.MATCHING, MATCHING_PERCENT)
        watch.stage("matching")
        run.warm_from = last_national_run()
        prices = start_prices(run.warm_from)
        if is_for_several(found):
            watch.stage("")
            begin(run, found, prices, snapshot_at, watch.seconds)
            return
        result = decide(found, prices, watch)
        _put(run, found, result, prices, snapshot_at, watch)
    except RunCancelled:
        return
    except Exception as error:
        _fail(run, error)
        raise


def finish_sharded_run(run_id: int) -> None:
    """Write the result of a run over several workers, once all have answered. Safe to repeat."""
    run = MatchRun.objects.filter(pk=run_id).first()
    if run is not None and not run.is_finished:
        parts = collected(run)
        watch = Watch(run)
        watch.seconds |= parts.seconds
        prices = start_prices_of(run)
        # A run that was cancelled meanwhile writes nothing.
        with suppress(RunCancelled):
            _put(run, parts.found, parts.result, prices, parts.settled_at, watch)
    forget(run_id)


Rows = dict[RequestKind, ProposalRows]


def _put(
    run: MatchRun,
    found: FullRunInput,
    result: RunResult,
    prices: StartPrices,
    snapshot_at: datetime,
    watch: "Watch",
) -> None:
    reach(run, RunStage.WRITING, WRITING_PERCENT)
    watch.stage("writing")
    rows = {kind.name: rows_of_result(kind, found, result) for kind in KINDS}
    results = {kind.name: result_of(kind, result) for kind in KINDS}
    packed = pack_input(found, prices) + pack_results(results, rows)
    if run.is_dry_run:
        _keep_beside(run, found, result, rows, packed, watch)
    else:
        _write(run, found, result, rows, packed, snapshot_at, watch)


def _write(
    run: MatchRun,
    found: FullRunInput,
    result: RunResult,
    rows: Rows,
    packed: Packed,
    snapshot_at: datetime,
    watch: "Watch",
) -> None:
    fill_table(run, rows)

    @transaction.atomic
    def put_in_place() -> None:
        watch.stage("exchanging")
        locked, kept = exchange(run, found, rows, snapshot_at, expected=RunStatus.RUNNING)
        locked.warm_from = run.warm_from
        watch.stage("storing")
        store_parts(locked, packed)
        watch.stage("")
        finish_full_run(locked, found, result, kept, watch.seconds)

    patiently(put_in_place)


@transaction.atomic
def _keep_beside(
    run: MatchRun,
    found: FullRunInput,
    result: RunResult,
    rows: Rows,
    packed: Packed,
    watch: "Watch",
) -> None:
    locked = MatchRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != RunStatus.RUNNING:
        raise RunCancelled
    locked.warm_from = run.warm_from
    store_parts(locked, packed)
    watch.stage("")
    finish_full_run(locked, found, result, _all_kept(rows), watch.seconds)


def _all_kept(rows: Rows) -> dict[RequestKind, KeptRows]:
    return {name: (own, np.ones(len(own), dtype=np.bool_)) for name, own in rows.items()}


def write_confirmed(run_id: int) -> None:
    """Write a confirmed what-if, if everything is still as it was decided on. Safe to repeat."""
    run = MatchRun.objects.filter(pk=run_id).first()
    is_asked = run is not None and run.confirmed_by_id and not run.confirm_refusal
    if run is None or not is_asked or run.confirmed_at is not None:
        return
    snapshot_at = _settled_moment()
    found = read_full_run(run, timezone.localdate())
    if input_digest(found.run) != run.input_digest:
        _refuse(run, ConfirmRefusal.INPUT_CHANGED)
        return
    result = run_matching(found.run, start_prices=start_prices_of(run), over_shards=run.is_sharded)
    if result.result_digest != run.result_digest:
        _refuse(run, ConfirmRefusal.RESULT_DIFFERS)
        return
    rows = {kind.name: rows_of_result(kind, found, result) for kind in KINDS}
    fill_table(run, rows)

    @transaction.atomic
    def put_in_place() -> None:
        locked, kept = exchange(run, found, rows, snapshot_at, expected=RunStatus.DONE)
        if locked.confirmed_at is not None:
            raise RunCancelled
        locked.confirmed_at = timezone.now()
        keep_results(locked, found, result, kept, locked.timings)
        data = {"proposals": locked.proposal_count, "result_digest": locked.result_digest}
        record(Verb.RUN_WRITTEN, actor=Actor.MATCHER, obj=locked, data=data)

    patiently(put_in_place)


@transaction.atomic
def _refuse(run: MatchRun, refusal: ConfirmRefusal) -> None:
    locked = MatchRun.objects.select_for_update().get(pk=run.pk)
    locked.confirm_refusal = refusal
    locked.save(update_fields=["confirm_refusal"])
    record(Verb.RUN_NOT_WRITTEN, actor=Actor.MATCHER, obj=locked, data={"refusal": refusal})


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored run done again: the digests it has now, and whether they are those it had."""

    input_digest: str
    result_digest: str
    engine_version: str
    is_same_input: bool
    is_same_result: bool
    is_same_engine: bool


def replay(run: MatchRun) -> Replay:
    """Run again from what is stored, on what it began with. Raises NotArchived."""
    stored = load_run(run)
    result = run_matching(stored.run, start_prices=stored.start_prices, over_shards=run.is_sharded)
    return Replay(
        input_digest=result.input_digest,
        result_digest=result.result_digest,
        engine_version=result.engine_version,
        is_same_input=result.input_digest == run.input_digest,
        is_same_result=result.result_digest == run.result_digest,
        is_same_engine=result.engine_version == run.engine_version,
    )


def decide(found: FullRunInput, prices: StartPrices, watch: "Watch") -> RunResult:
    """Run the matcher; the same input and start prices give the same result, byte for byte."""
    return run_matching(found.run, start_prices=prices, progress=watch.match)


def start_prices(warm: MatchRun | None) -> StartPrices:
    """The prices of the last run over the country: a certificate at once, whatever changed."""
    if warm is None:
        return {}
    found: dict[tuple[RequestKind, str], tuple[int, int]] = {}
    for key in warm.prices.keys() | warm.count_prices.keys():
        kind, _, offer = key.rpartition("-")
        name: RequestKind = "insurance" if kind else "loan"
        found[name, offer] = (warm.prices.get(key, 0), warm.count_prices.get(key, 0))
    return found


class Watch:
    """Tells the run's row how far the work is, and stops it where somebody cancelled."""

    def __init__(self, run: MatchRun) -> None:
        self.run = run
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "reading", time.perf_counter()
        self._told_at = 0.0

    def stage(self, name: str) -> None:
        """The part of the work that begins now; "" at the end."""
        now = time.perf_counter()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = name, now

    def read(self, what: str, lines: int) -> None:
        self._tell({"stage": what, "lines": lines})

    def match(self, stage: str, bound_fen: float) -> None:
        self._tell({"stage": stage, "bound_yuan": round(bound_fen / 100)})

    def _tell(self, progress: Mapping[str, object]) -> None:
        now = time.monotonic()
        if now - self._told_at < SECONDS_BETWEEN_REPORTS:
            return
        self._told_at = now
        running = MatchRun.objects.filter(pk=self.run.pk, status=RunStatus.RUNNING)
        if not running.update(progress=progress):
            raise RunCancelled


@transaction.atomic
def _start(run: MatchRun) -> None:
    advance(RUN, run, "start", actor=Actor.MATCHER)
    run.stage, run.progress_percent = RunStage.READING, READING_PERCENT
    run.started_at = timezone.now()
    # What stopped an earlier try says nothing about this one.
    run.failure, run.progress = "", {}
    run.save(update_fields=["stage", "progress_percent", "started_at", "failure", "progress"])
    MatchRun.objects.filter(pk=run.pk).update(start_count=F("start_count") + 1)


@transaction.atomic
def _settled_moment() -> datetime:
    """A moment after which every proposal is written that the rows read next do not show.

    Whoever is replacing proposals right now has committed by then, so that no newer proposal is
    taken for an older one.
    """
    lock_claiming()
    return timezone.now()


def reach(run: MatchRun, stage: RunStage, percent: int) -> None:
    """Commit the stage; stop where the run was cancelled meanwhile."""
    moved = MatchRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        stage=stage, progress_percent=percent
    )
    if not moved:
        raise RunCancelled


@transaction.atomic
def _fail(run: MatchRun, error: Exception) -> None:
    """Note why. The outbox tries again; after the last try the run has failed for good."""
    locked = MatchRun.objects.select_for_update().filter(pk=run.pk).first()
    if locked is None or locked.is_finished:
        return
    # The kind of error only: its text may quote data of people.
    locked.failure = type(error).__name__
    locked.finished_at = timezone.now() if locked.start_count >= MOST_STARTS else None
    locked.save(update_fields=["failure", "finished_at"])
    if locked.start_count >= MOST_STARTS:
        advance(RUN, locked, "fail", actor=Actor.MATCHER, data={"error": locked.failure})
