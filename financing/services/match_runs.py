"""Running the matcher: the row of a run first, then its work, then its proposals; tasks call it."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from financing.lifecycles import RUN
from financing.matching.results import MatchingResult
from financing.models import MatchRun, Proposal
from financing.models.match_runs import RunKind, RunStage, RunStatus
from financing.models.matches import Match
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KINDS, PairKind, kind_of
from financing.run_inputs import (
    RunInput,
    decide,
    proposals_of,
    read_full_run,
)
from financing.services.run_results import finish_run
from financing.services.writing_lock import lock_claiming, lock_writing
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice
from sipo_portal.outbox.services import enqueue
from sipo_portal.workflow.advance import advance

TASK = "financing.run_matching"
BATCH = 5000
# A run that was started so often and is still not done has been given up by the outbox.
MOST_STARTS = 3
GIVEN_UP_AFTER = timedelta(minutes=10)


class RunCancelled(Exception):
    """A coordinator cancelled the run; nothing of it was written."""


# --- asking for a run -------------------------------------------------------------------------


@transaction.atomic
def request_run(*, actor: Actor, office: BranchOffice) -> MatchRun:
    """Ask for a run over the office's region; the one already waiting or running is returned.

    The row is written first and its task sent through the outbox, so that nothing is lost.
    Locks the office row, so that two clicks make one run.
    """
    BranchOffice.objects.select_for_update().get(pk=office.pk)
    unfinished = MatchRun.objects.filter(
        kind=RunKind.FULL,
        office=office,
        is_dry_run=False,
        status__in=[RunStatus.QUEUED, RunStatus.RUNNING],
    ).first()
    if unfinished is not None:
        if not _is_given_up(unfinished):
            return unfinished
        _give_up(unfinished)
    run = MatchRun.objects.create(
        kind=RunKind.FULL,
        office=office,
        scope_prefix=office.scope_prefix,
        requested_by=actor.user,
    )
    record(Verb.RUN_REQUESTED, actor=actor, obj=run, data={"scope": run.scope_prefix})
    enqueue(TASK, {"run_id": run.pk})
    return run


@transaction.atomic
def request_nightly_run(*, on: date) -> MatchRun:
    """The run over the whole country of one night; asked twice, it is still one.

    Earlier nightly runs whose workers were lost too often are ended, so that no page shows them
    as running.
    """
    stuck = MatchRun.objects.filter(nightly_of__isnull=False, status=RunStatus.RUNNING)
    for run in stuck.select_for_update(skip_locked=True):
        if _is_given_up(run):
            _give_up(run)
    run, is_new = MatchRun.objects.get_or_create(nightly_of=on, defaults={"kind": RunKind.FULL})
    if is_new:
        record(Verb.RUN_REQUESTED, actor=Actor.CLOCK, obj=run, data={"scope": ""})
        enqueue(TASK, {"run_id": run.pk})
    return run


@transaction.atomic
def cancel_run(*, actor: Actor, run: MatchRun) -> None:
    """Stop a run that has not written its proposals yet."""
    advance(RUN, run, "cancel", actor=actor)
    MatchRun.objects.filter(pk=run.pk).update(finished_at=timezone.now())


# --- the work -----------------------------------------------------------------------------------


def run_matching(run_id: int) -> None:
    """Do a whole run: read, decide, replace proposals in one transaction. Safe to repeat.

    A run that is finished, cancelled or gone is left alone; one whose worker died starts again
    from its row. Each stage is committed, so that pages can show how far it is.
    """
    run = MatchRun.objects.filter(pk=run_id).first()
    if run is None or run.is_finished:
        return
    try:
        _start(run)
        snapshot_at = _settled_moment()
        found = read_full_run(run, timezone.localdate())
        _reach(run, RunStage.MATCHING, 30)
        result = decide(found)
        _reach(run, RunStage.WRITING, 80)
        _write_full_run(run, found, result, snapshot_at)
    except RunCancelled:
        return
    except Exception as error:
        _fail(run, error)
        raise


@transaction.atomic
def _start(run: MatchRun) -> None:
    advance(RUN, run, "start", actor=Actor.MATCHER)
    run.stage, run.progress_percent = RunStage.READING, 5
    run.started_at = timezone.now()
    # What stopped an earlier try says nothing about this one.
    run.failure = ""
    run.save(update_fields=["stage", "progress_percent", "started_at", "failure"])
    MatchRun.objects.filter(pk=run.pk).update(start_count=F("start_count") + 1)


@transaction.atomic
def _settled_moment() -> datetime:
    """A moment after which every proposal is written that the rows read next do not show.

    Whoever is replacing proposals right now has committed by then, so that no newer proposal is
    taken for an older one.
    """
    lock_claiming()
    return timezone.now()


def _reach(run: MatchRun, stage: RunStage, percent: int) -> None:
    """Commit the stage; stop where the run was cancelled meanwhile."""
    moved = MatchRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        stage=stage, progress_percent=percent
    )
    if not moved:
        raise RunCancelled


@transaction.atomic
def _write_full_run(
    run: MatchRun, found: RunInput, result: MatchingResult, snapshot_at: datetime
) -> None:
    """Replace the proposals of the run's requests by its own, all at once.

    What people or an incremental run decided since the rows were read is newer than this run and
    stays: withdrawn requests, paused offers, claimed proposals, requests changed meanwhile.
    """
    lock_writing()
    locked = MatchRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != RunStatus.RUNNING:
        raise RunCancelled
    every = proposals_of(result, found, run, is_provisional=False)
    kept: list[Proposal] = []
    for kind in KINDS:
        request_ids = {pk for name, pk in found.business_ids if name == kind.name}
        newer = _offers_matched_since(kind, snapshot_at)
        changed = _changed_since(kind, request_ids, newer, snapshot_at)
        own = [
            each
            for each in every
            if kind_of(each) is kind and getattr(each, kind.offer_id) not in newer
        ]
        kept += _still_holding(kind, own, request_ids - changed)
        stale = {f"{kind.request_field}__in": request_ids - changed}
        Proposal.objects.filter(**stale).delete()
    Proposal.objects.bulk_create(kept, batch_size=BATCH)
    finish_run(locked, found, result, kept)


def _offers_matched_since(kind: PairKind, moment: datetime) -> set[int]:
    """Offers that an incremental run matched after `moment`: their rows were read before."""
    runs = MatchRun.objects.filter(created_at__gt=moment, **{f"{kind.offer_field}__isnull": False})
    return set(runs.values_list(kind.offer_id, flat=True))


def _changed_since(
    kind: PairKind, request_ids: set[int], newer_offer_ids: set[int], moment: datetime
) -> set[int]:
    """Requests that people or an incremental run touched after `moment`, whether it left them
    a proposal or none, or that have one of an offer matched since."""
    matched = MatchRun.objects.filter(
        created_at__gt=moment, **{f"{kind.request_field}__isnull": False}
    )
    return set(
        kind.requests._default_manager.filter(pk__in=request_ids)
        .filter(
            Q(updated_at__gt=moment)
            | Q(proposals__created_at__gt=moment)
            | Q(matches__created_at__gt=moment)
            | Q(pk__in=matched.values(kind.request_id))
            | Q(**{f"proposals__{kind.offer_field}__in": newer_offer_ids})
        )
        .values_list("pk", flat=True)
    )


def _still_holding(
    kind: PairKind, proposals: list[Proposal], request_ids: set[int]
) -> list[Proposal]:
    """Of the proposals of these requests those whose request and offer are still open, and whose
    pair nobody claimed meanwhile."""
    still_open = set(
        kind.requests._default_manager.filter(
            pk__in=request_ids, status__in=REQUEST_MATCHING_STATUSES
        ).values_list("pk", flat=True)
    )
    live_pairs = set(
        Match.objects.live()
        .filter(**{f"{kind.request_field}__in": request_ids})
        .values_list(kind.request_id, kind.offer_id)
    )
    live_offers = set(
        kind.offers._default_manager.live()
        .filter(pk__in={getattr(each, kind.offer_id) for each in proposals})
        .values_list("pk", flat=True)
    )
    return [
        each
        for each in proposals
        if getattr(each, kind.request_id) in still_open
        and getattr(each, kind.offer_id) in live_offers
        and (getattr(each, kind.request_id), getattr(each, kind.offer_id)) not in live_pairs
    ]


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


def _give_up(run: MatchRun) -> None:
    advance(RUN, run, "fail", actor=Actor.MATCHER)
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])


def _is_given_up(run: MatchRun) -> bool:
    return (
        run.start_count >= MOST_STARTS
        and run.started_at is not None
        and run.started_at < timezone.now() - GIVEN_UP_AFTER
    )
