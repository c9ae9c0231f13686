"""A full run over several workers: rounds of questions to bundles of provinces; tasks call it.

The rows are the truth: a run's conductor, what each bundle holds and every question with its answer
(models.sharded_runs). A message only says that some bundle of a round is still to be asked. Whoever
takes it locks the row of one, answers, and commits the answer together with the message; the last
answer of a round moves the conductor and asks the next, in the same transaction. So a worker that
is lost costs one bundle one round, and neither the number of workers nor their order changes a
digit. Only workers import it: it loads the compiled matcher.
"""

import hashlib
import os
import socket
import time
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from financing.full_run_inputs import FullRunInput
from financing.matching.national import bundles
from financing.matching.national.bundle_begin import begin as begin_rounds
from financing.matching.national.bundle_results import (
    kind_to_bytes,
    result_of,
)
from financing.matching.national.bundles import Bundle, BundleInput, Frame
from financing.matching.national.checked_columns import check
from financing.matching.national.engine import seed_number
from financing.matching.national.input_digest import input_digest
from financing.matching.national.kind_result import KindResult
from financing.matching.national.rounds import Answer, Conductor, Phase, Question
from financing.matching.national.run import StartPrices, match_insurances, prices_of_kind
from financing.matching.tables import RequestKind
from financing.models import BundleRound, MatchRun, RunBundle, ShardedRun
from financing.models.match_runs import RunStatus
from financing.run_archive import load_run, pack_input, store_parts
from financing.services.bundle_cache import BundleCache
from financing.services.match_runs import RunCancelled
from financing.services.sharded_endings import forget, forget_ended_runs
from sipo_portal.outbox.services import enqueue

ANSWER_TASK = "financing.answer_bundle"
FINISH_TASK = "financing.finish_sharded_run"
FAIL_TASK = "financing.fail_sharded_run"
LOAN: RequestKind = "loan"
INSURANCE: RequestKind = "insurance"
MATCHING_PERCENT, WRITING_PERCENT = 30, 80

CLAIM_SQL = """
SELECT round.id FROM financing_bundleround AS round
JOIN financing_runbundle AS bundle ON bundle.id = round.bundle_id
WHERE bundle.sharded_id = %s AND round.number = %s AND round.answered_at IS NULL
ORDER BY bundle.id = ANY(%s) DESC, bundle.request_count DESC, bundle.id
LIMIT 1 FOR UPDATE OF round SKIP LOCKED
"""


class _Process:
    """What this worker process keeps between messages; everything in it can be made again."""

    def __init__(self) -> None:
        self.cache = BundleCache(settings.MATCHING_BUNDLE_CACHE_MIB * 2**20)
        self.frames: dict[int, Frame] = {}


PROCESS = _Process()


# --- beginning ----------------------------------------------------------------------------------


def is_for_several(found: FullRunInput) -> bool:
    """Whether a run is large enough to be cut (setting MATCHING_SHARDED_FROM; 0 = never)."""
    least = settings.MATCHING_SHARDED_FROM
    return bool(0 < least <= len(found.run.loans.requests) and found.run.loans.offers)


def is_begun(run: MatchRun) -> bool:
    return ShardedRun.objects.filter(pk=run.pk).exists()


def begin(
    run: MatchRun,
    found: FullRunInput,
    prices: StartPrices,
    settled_at: datetime,
    seconds: dict[str, float],
) -> None:
    """Learn first prices on a sample, freeze the input, ask the first round.

    `settled_at`: proposals written later are newer than this run. Raises RunCancelled.
    """
    began = time.perf_counter()
    check(found.run.loans.requests)
    check(found.run.insurances.requests)
    frame = Frame.of(found.run.loans, found.policy_row)
    conductor = begin_rounds(
        found.run.loans, frame, prices_of_kind(prices, LOAN), settings.MATCHING_SHARD_THREADS
    )
    digest = input_digest(found.run)
    with transaction.atomic():
        locked = MatchRun.objects.select_for_update().get(pk=run.pk)
        if locked.status != RunStatus.RUNNING:
            raise RunCancelled
        forget_ended_runs()
        locked.is_sharded, locked.policy, locked.as_of = True, found.policy, found.policy_row.as_of
        locked.warm_from = run.warm_from
        locked.save(update_fields=["is_sharded", "policy", "as_of", "warm_from"])
        store_parts(locked, pack_input(found, prices))
        sharded = ShardedRun.objects.create(
            run=locked,
            conductor=conductor.to_bytes(),
            frame=frame.to_bytes(),
            settled_at=settled_at,
            input_digest=digest,
        )
        for number, source in enumerate(bundles.cut(found.run.loans, frame)):
            _store_bundle(sharded, number, source)
        if len(found.run.insurances.requests):
            _store_insurances(sharded, len(found.run.insurances.requests))
        seconds = {**seconds, "beginning": time.perf_counter() - began}
        _ask(sharded, conductor, seconds)


def _store_bundle(sharded: ShardedRun, number: int, source: BundleInput) -> None:
    data = source.to_bytes()
    RunBundle.objects.create(
        sharded=sharded,
        kind=LOAN,
        number=number,
        shards=list(source.shards),
        request_count=len(source.place),
        source=data,
        source_digest=hashlib.sha256(data).hexdigest(),
    )


def _store_insurances(sharded: ShardedRun, requests: int) -> None:
    """All of them are one bundle with one question: they are few and keep their pairs in memory.

    Its input is the run's, stored already.
    """
    bundle = RunBundle.objects.create(
        sharded=sharded, kind=INSURANCE, number=0, request_count=requests, source=b""
    )
    BundleRound.objects.create(bundle=bundle, number=0, questions=b"")
    _enqueue_answers(sharded, 0, 1)


def _ask(sharded: ShardedRun, conductor: Conductor, seconds: dict[str, float]) -> None:
    """Put the conductor's question to every bundle; the row of the run is locked."""
    loans = sharded.bundles.filter(kind=LOAN).defer("source", "given", "result")
    rounds = [
        BundleRound(
            bundle=bundle,
            number=conductor.number,
            questions=bundles.framed(
                [conductor.question_for(shard).to_bytes() for shard in bundle.shards]
            ),
        )
        for bundle in loans
    ]
    BundleRound.objects.bulk_create(rounds)
    sharded.conductor, sharded.number = conductor.to_bytes(), conductor.number
    sharded.seconds = {**seconds, "since": time.time()}
    sharded.save(update_fields=["conductor", "number", "seconds"])
    _enqueue_answers(sharded, conductor.number, len(rounds))
    _tell(sharded.pk, conductor)


def _enqueue_answers(sharded: ShardedRun, number: int, count: int) -> None:
    for _ in range(count):
        enqueue(ANSWER_TASK, {"run_id": sharded.pk, "number": number}, if_parked=FAIL_TASK)


def _tell(run_id: int, conductor: Conductor) -> None:
    """Rounds done and the bound so far, for the page of the run."""
    done = conductor.number / (conductor.number + _rounds_left(conductor))
    MatchRun.objects.filter(pk=run_id, status=RunStatus.RUNNING).update(
        progress={
            "stage": conductor.stage,
            "round": conductor.number,
            "bound_yuan": conductor.bound_fen // 100,
        },
        progress_percent=MATCHING_PERCENT + int((WRITING_PERCENT - MATCHING_PERCENT) * done),
    )


def _rounds_left(conductor: Conductor) -> int:
    """Passes, then two rounds for every turn but one, then the values."""
    all_rounds = conductor.plan.passes + 2 * len(conductor.plan.turns)
    return 0 if conductor.done else max(1, all_rounds - conductor.number)


# --- answering ----------------------------------------------------------------------------------


def answer(run_id: int, number: int) -> None:
    """The work of one message: one bundle's answer in this round, in the caller's transaction.

    Nothing happens where the run has ended or every bundle of the round has its answer or somebody
    who works on it.
    """
    if not MatchRun.objects.filter(pk=run_id, status=RunStatus.RUNNING).exists():
        forget(run_id)
        return
    claimed = _claim(run_id, number)
    if claimed is None:
        return
    began = time.perf_counter()
    if claimed.bundle.kind == INSURANCE:
        claimed.bundle.result = kind_to_bytes(_insurances(run_id))
        claimed.bundle.save(update_fields=["result"])
        claimed.answers = b""
    else:
        claimed.answers = _answers(run_id, claimed)
    claimed.answered_at = timezone.now()
    claimed.worker = f"{socket.gethostname()[:60]} {os.getpid()}"
    claimed.seconds = round(time.perf_counter() - began, 3)
    claimed.save(update_fields=["answers", "answered_at", "worker", "seconds"])
    _hear(run_id, number)


def _claim(run_id: int, number: int) -> BundleRound | None:
    """Lock one bundle's round: one that is packed here already, else the largest."""
    known = PROCESS.cache.bundles_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(CLAIM_SQL, [run_id, number, known])
        found = cursor.fetchone()
    if found is None:
        return None
    heavy = ("bundle__source", "bundle__given", "bundle__result")
    rounds: QuerySet[BundleRound] = BundleRound.objects.select_related("bundle").defer(*heavy)
    return rounds.get(pk=found[0])


def _answers(run_id: int, claimed: BundleRound) -> bytes:
    row = claimed.bundle
    key = (run_id, row.pk, row.source_digest)
    questions = [Question.from_bytes(one) for one in bundles.unframed(bytes(claimed.questions))]
    try:
        bundle = _opened(run_id, row)
        answers = bundles.answers_of(bundle, questions)
    except BaseException:
        # Half an answer may have changed what it holds.
        PROCESS.cache.drop(key)
        raise
    is_last = questions[0].phase is Phase.VALUES
    if is_last:
        PROCESS.cache.drop(key)
    else:
        PROCESS.cache.put(key, bundle)
    changed = []
    if bundle.rounds != row.given_round:
        row.given, row.given_round = bundles.state_of(bundle), bundle.rounds
        changed += ["given", "given_round"]
    if is_last:
        row.result = result_of(bundle, settings.MATCHING_SHARD_THREADS).to_bytes()
        changed.append("result")
    if changed:
        row.save(update_fields=changed)
    return bundles.framed([one.to_bytes() for one in answers])


def _opened(run_id: int, row: RunBundle) -> Bundle:
    """The bundle as its row says: packed, and holding what was committed last."""
    bundle = PROCESS.cache.get((run_id, row.pk, row.source_digest))
    if bundle is None:
        frame = _frame(run_id)
        source = BundleInput.from_bytes(_bytes_of(row, "source") or b"")
        seed = seed_number(frame.policy.seed)
        bundle = bundles.open_bundle(source, frame, seed, settings.MATCHING_SHARD_THREADS)
    if bundle.rounds != row.given_round:
        bundles.restore(bundle, _bytes_of(row, "given"))
    return bundle


def _frame(run_id: int) -> Frame:
    if run_id not in PROCESS.frames:
        PROCESS.frames.clear()
        PROCESS.cache.keep_only(run_id)
        data = ShardedRun.objects.values_list("frame", flat=True).get(pk=run_id)
        PROCESS.frames[run_id] = Frame.from_bytes(bytes(data))
    return PROCESS.frames[run_id]


def _bytes_of(row: RunBundle, column: str) -> bytes | None:
    data = RunBundle.objects.values_list(column, flat=True).get(pk=row.pk)
    return None if data is None else bytes(data)


def _insurances(run_id: int) -> KindResult:
    stored = load_run(MatchRun.objects.get(pk=run_id))
    return match_insurances(stored.run, stored.start_prices, settings.MATCHING_SHARD_THREADS)


def _hear(run_id: int, number: int) -> None:
    """Move the conductor where this was the last answer of its round; finish after the last of all.

    Under the lock of the run's row, one after the other: each sees the answers committed before.
    """
    sharded = ShardedRun.objects.select_for_update().defer("frame").get(pk=run_id)
    rounds = BundleRound.objects.filter(bundle__sharded=sharded)
    of_loans = rounds.filter(bundle__kind=LOAN, number=number)
    is_turn = sharded.done_at is None and sharded.number == number
    if is_turn and not of_loans.filter(answered_at=None).exists():
        answers = [
            Answer.from_bytes(one)
            for data in of_loans.values_list("answers", flat=True)
            for one in bundles.unframed(bytes(data))
        ]
        conductor = Conductor.from_bytes(bytes(sharded.conductor))
        stage, asked_at = conductor.phase.value, sharded.seconds["since"]
        seconds = dict(sharded.seconds)
        seconds[f"loan.{stage}"] = seconds.get(f"loan.{stage}", 0.0) + time.time() - asked_at
        conductor.tell(answers)
        # Answers that were heard are of no more use; times and workers stay until the end.
        of_loans.update(questions=b"", answers=b"")
        if not conductor.done:
            _ask(sharded, conductor, seconds)
            return
        sharded.conductor, sharded.done_at = conductor.to_bytes(), timezone.now()
        sharded.seconds = seconds
        sharded.save(update_fields=["conductor", "done_at", "seconds"])
        _tell(run_id, conductor)
    if sharded.done_at is not None and not rounds.filter(answered_at=None).exists():
        enqueue(FINISH_TASK, {"run_id": run_id}, if_parked=FAIL_TASK)
