"""What-if runs: asking for one and confirming it; `full_runs` does their work in a worker.

A what-if decides as a full run does, on other figures if asked, and keeps its result beside the
proposals that stand. Only one that supposes nothing may be confirmed, and only while everything it
was decided on is still so.
"""

from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from financing import suppositions
from financing.models import MatchRun
from financing.models.match_runs import RunKind, RunStatus
from financing.services.match_runs import TASK
from financing.suppositions import Supposition
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice
from sipo_portal.outbox.services import enqueue

CONFIRM_TASK = "financing.write_confirmed_run"


class ConfirmRefusal(StrEnum):
    """Why a what-if is not written; the last two are found by the worker (confirm_refusal)."""

    NOT_A_DRY_RUN = "not_a_dry_run"
    NOT_DONE = "not_done"
    CONFIRMED_ALREADY = "confirmed_already"
    SUPPOSES = "supposes"
    OTHER_OFFICE = "other_office"
    OTHER_DAY = "other_day"
    NEWER_RUN = "newer_run"
    INPUT_CHANGED = "input_changed"
    RESULT_DIFFERS = "result_differs"


class RunNotConfirmed(Exception):
    """The what-if cannot be written; `refusal` says why."""

    def __init__(self, refusal: ConfirmRefusal) -> None:
        self.refusal = refusal
        super().__init__(refusal)


@transaction.atomic
def request_dry_run(
    *, actor: Actor, office: BranchOffice, supposition: Supposition | None = None
) -> MatchRun:
    """Ask for a what-if over the office's region; the same one still waiting is returned.

    Locks the office row, so that two clicks make one run. Raises SuppositionRefused.
    """
    supposition = supposition or Supposition()
    suppositions.check(supposition)
    BranchOffice.objects.select_for_update().get(pk=office.pk)
    there = MatchRun.objects.filter(
        kind=RunKind.FULL,
        office=office,
        is_dry_run=True,
        supposed=supposition.as_json(),
        status=RunStatus.QUEUED,
    ).first()
    if there is not None:
        return there
    run = MatchRun.objects.create(
        kind=RunKind.FULL,
        office=office,
        scope_prefix=office.scope_prefix,
        requested_by=actor.user,
        is_dry_run=True,
        supposed=supposition.as_json(),
    )
    data = {"scope": run.scope_prefix, "is_dry_run": True, "supposed": run.supposed}
    record(Verb.RUN_REQUESTED, actor=actor, obj=run, data=data)
    enqueue(TASK, {"run_id": run.pk})
    return run


@transaction.atomic
def confirm_run(*, actor: Actor, run: MatchRun) -> MatchRun:
    """Let the result of a what-if become what stands. Locks the run. Raises RunNotConfirmed.

    A worker reads everything once more and writes only if it is to the last byte what the what-if
    was decided on; else the run gets a `confirm_refusal` and nothing is written.
    """
    locked = MatchRun.objects.select_for_update().get(pk=run.pk)
    refusal = refusal_to_confirm(locked, actor)
    if refusal is not None:
        raise RunNotConfirmed(refusal)
    locked.confirmed_by = actor.user
    locked.confirm_refusal = ""
    locked.save(update_fields=["confirmed_by", "confirm_refusal"])
    record(Verb.RUN_CONFIRMED, actor=actor, obj=locked, data={"result": locked.result_digest})
    enqueue(CONFIRM_TASK, {"run_id": locked.pk})
    return locked


def refusal_to_confirm(run: MatchRun, actor: Actor) -> ConfirmRefusal | None:
    """Why this actor may not confirm the run now; None where nothing is known against it."""
    office = getattr(actor.user, "office", None)
    if not run.is_dry_run:
        return ConfirmRefusal.NOT_A_DRY_RUN
    if run.status != RunStatus.DONE:
        return ConfirmRefusal.NOT_DONE
    if run.confirmed_at is not None or (run.confirmed_by_id and not run.confirm_refusal):
        return ConfirmRefusal.CONFIRMED_ALREADY
    if run.supposed:
        return ConfirmRefusal.SUPPOSES
    if office is None or not run.scope_prefix.startswith(office.scope_prefix):
        return ConfirmRefusal.OTHER_OFFICE
    if run.as_of != timezone.localdate():
        return ConfirmRefusal.OTHER_DAY
    if _has_newer(run):
        return ConfirmRefusal.NEWER_RUN
    return None


def _has_newer(run: MatchRun) -> bool:
    """A full run over some of the same requests has written since this one read."""
    since = MatchRun.objects.written().filter(
        kind=RunKind.FULL, status=RunStatus.DONE, finished_at__gte=run.started_at
    )
    return any(
        prefix.startswith(run.scope_prefix) or run.scope_prefix.startswith(prefix)
        for prefix in since.exclude(pk=run.pk).values_list("scope_prefix", flat=True)
    )
