"""Asking for full runs and stopping them; `full_runs` does their work in a worker."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from financing.lifecycles import RUN
from financing.models import MatchRun
from financing.models.match_runs import RunKind, RunStatus
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice
from sipo_portal.outbox.services import enqueue
from sipo_portal.workflow.advance import advance

TASK = "financing.run_matching"
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
