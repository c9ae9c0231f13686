"""Work that runs in Celery: ids in, one service call; reached through the outbox and by beat."""

from typing import Any

from celery import shared_task
from celery.signals import worker_init
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from financing.pair_kinds import KINDS
from financing.services.clock_runs import request_clock_run, run_clocks
from financing.services.full_runs import finish_sharded_run, run_full, write_confirmed
from financing.services.incremental_runs import (
    match_insurance_offer,
    match_insurance_request,
    match_offer,
    match_request,
)
from financing.services.match_runs import request_nightly_run
from financing.services.person_consents import mail_person_consent
from financing.services.run_pruning import prune_runs
from financing.services.sharded_endings import fail_sharded_run
from financing.services.sharded_runs import answer
from financing.snapshot.refreshing import refresh_most_marked
from financing.worker_start import start
from sipo_portal.outbox.tasks import outbox_task

REFRESHED_FOR_S = 1.0
"""Seconds a worker gives to the columns at a time: requests that come meanwhile wait for it."""


@worker_init.connect  # type: ignore[untyped-decorator]
def make_worker_ready(**_signal: Any) -> None:
    """Before the worker forks and says that it is ready."""
    start()


@outbox_task("financing.match_request", label=_("Match a loan request"))
def match_request_task(request_id: int) -> None:
    match_request(request_id)


@outbox_task("financing.match_offer", label=_("Match a loan offer"))
def match_offer_task(offer_id: int) -> None:
    match_offer(offer_id)


@outbox_task("financing.match_insurance_request", label=_("Match an insurance request"))
def match_insurance_request_task(request_id: int) -> None:
    match_insurance_request(request_id)


@outbox_task("financing.match_insurance_offer", label=_("Match an insurance offer"))
def match_insurance_offer_task(offer_id: int) -> None:
    match_insurance_offer(offer_id)


@outbox_task("financing.run_matching", label=_("Match run"), atomic=False)
def run_matching_task(run_id: int) -> None:
    run_full(run_id)


@outbox_task("financing.answer_bundle", label=_("Match run: one part of a round"))
def answer_bundle_task(run_id: int, number: int) -> None:
    answer(run_id, number)


@outbox_task("financing.finish_sharded_run", label=_("Match run: writing"), atomic=False)
def finish_sharded_run_task(run_id: int) -> None:
    finish_sharded_run(run_id)


@outbox_task("financing.fail_sharded_run", label=_("Match run: a part of it failed"))
def fail_sharded_run_task(run_id: int, reason: str, number: int = 0) -> None:
    fail_sharded_run(run_id, reason)


@outbox_task("financing.write_confirmed_run", label=_("Write a confirmed what-if"), atomic=False)
def write_confirmed_run_task(run_id: int) -> None:
    write_confirmed(run_id)


@outbox_task("financing.mail_person_consent", label=_("Mail a person who is asked to consent"))
def mail_person_consent_task(person_consent_id: int, asked_at: str) -> None:
    mail_person_consent(person_consent_id, asked_at)


@shared_task(name="financing.nightly_matching")  # type: ignore[untyped-decorator]
def nightly_matching() -> None:
    """Sent by beat; asks for the night's run, left to the outbox, and prunes old ones."""
    request_nightly_run(on=timezone.localdate())
    prune_runs(now=timezone.now())


@shared_task(name="financing.refresh_snapshot")  # type: ignore[untyped-decorator]
def refresh_snapshot() -> None:
    """Sent by beat by day; lost or late, the next one does its work."""
    for kind in KINDS:
        refresh_most_marked(kind, timezone.localdate(), seconds=REFRESHED_FOR_S)


@outbox_task("financing.run_clocks", label=_("Round of the clocks"), atomic=False)
def run_clocks_task() -> None:
    """Each row keeps its own transaction; safe to repeat."""
    run_clocks(now=timezone.now())


@shared_task(name="financing.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """Sent by beat; asks for a round of the clocks and leaves the work to the outbox."""
    request_clock_run()
