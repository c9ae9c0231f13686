"""Faults against real workers, relay, beat, Redis and PostgreSQL: every run gives one result."""

import os
import shelve
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import celery
import pytest
from celery import current_app
from celery.beat import ScheduleEntry
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing.models import LoanRequest, MatchRun, Proposal
from financing.services import loan_requests
from financing.services.full_runs import run_full
from financing.services.match_runs import request_run
from financing.services.writing_lock import WRITING_LOCK
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import make_loan_offer, make_loan_request, make_policy
from tests.factories.offices import make_office
from tests.plugins.processes import OwnRedis, Processes, wait_until

TASKS = "financing.tasks"
pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]
Note = Callable[[str, object], None]


@dataclass(frozen=True)
class Outcome:
    """What an undisturbed twin of a run gives: its digest and its proposals."""

    digest: str
    proposals: list[tuple[Any, ...]]


@pytest.fixture
def market(transactional_db: None) -> None:
    """Six open requests of three sizes and four offers, one of them scarce."""
    make_policy()
    for number in range(6):
        business = make_business()
        patent = make_patent(business)
        make_appraisal(patent, 4_000_000 + 500_000 * number)
        make_loan_request(business, [patent], principal=800_000 + 100_000 * (number % 3))
    for rate in ("2.800", "3.000", "3.200"):
        make_loan_offer(interest_rate_percent=rate)
    make_loan_offer(interest_rate_percent="2.500", capacity_amount=1_500_000)


def proposals(**of: Any) -> list[tuple[Any, ...]]:
    columns = ("loan_request_id", "loan_offer_id", "rank", "amount", "saving", "is_provisional")
    return sorted(Proposal.objects.filter(**of).values_list(*columns))


def ask_for_run() -> MatchRun:
    return request_run(actor=Actor.SYSTEM, office=make_office(None))


def undisturbed_twin() -> Outcome:
    """A whole run on the same rows in one go, its outcome noted and taken back."""
    with transaction.atomic():
        run = ask_for_run()
        run_full(run.pk)
        run.refresh_from_db()
        outcome = Outcome(run.result_digest, proposals(run=run))
        transaction.set_rollback(True)
    assert outcome.digest
    assert len(outcome.proposals) > 6
    return outcome


def assert_one_result(run: MatchRun, twin: Outcome) -> None:
    run.refresh_from_db()
    assert (run.status, run.result_digest) == ("done", twin.digest)
    assert proposals() == twin.proposals
    assert set(Proposal.objects.values_list("run_id", flat=True)) == {run.pk}
    assert AuditEvent.objects.filter(verb="run.finish", object_id=str(run.pk)).count() == 1


def is_at(run: MatchRun, **values: Any) -> bool:
    return MatchRun.objects.filter(pk=run.pk, **values).exists()


def all_done() -> bool:
    return not OutboxMessage.objects.waiting().exists()


def is_shown(request: LoanRequest) -> bool:
    return Proposal.objects.filter(loan_request=request).exists()


def draft_of(owner: User) -> LoanRequest:
    return make_loan_request(make_business(owner=owner), status="draft")


class WritingHeld:
    """Inside, every run waits in its writing stage, as behind a claim."""

    def __enter__(self) -> None:
        self._call("pg_advisory_lock_shared")

    def __exit__(self, *_error: object) -> None:
        self._call("pg_advisory_unlock_shared")

    def _call(self, function: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [WRITING_LOCK])


def test_from_submit_to_proposals_and_again_with_redis_flushed_and_relay_killed(
    processes: Processes, market: None, record_property: Note
) -> None:
    relay, worker = processes.relay(), processes.worker(tasks=TASKS)
    run = ask_for_run()
    wait_until(lambda: is_at(run, status="done"))
    owners = [make_owner(), make_owner()]
    first, second = (draft_of(owner) for owner in owners)

    begun = time.monotonic()
    loan_requests.submit(actor=Actor.of(owners[0]), request=first)
    wait_until(lambda: is_shown(first))
    record_property("submit_to_proposals_seconds", round(time.monotonic() - begun, 2))
    shown = proposals(loan_request=first)
    assert all(is_provisional for *_rest, is_provisional in shown)
    first.refresh_from_db()
    assert first.status == "open"

    # Nobody works: the message waits in Redis, which forgets it, and the relay is gone as well.
    wait_until(all_done)
    processes.kill(worker)
    loan_requests.submit(actor=Actor.of(owners[1]), request=second)
    wait_until(lambda: processes.redis.llen(processes.queue) == 1)
    processes.kill(relay)
    processes.redis.flushdb()
    processes.worker(tasks=TASKS)
    processes.relay()
    wait_until(lambda: is_shown(second))
    wait_until(all_done)
    assert MatchRun.objects.filter(loan_request=first).count() == 1
    assert MatchRun.objects.filter(loan_request=second).count() == 1
    assert proposals(loan_request=first) == shown


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_killed_in_the_middle_of_a_full_run(
    processes: Processes, market: None, victim: str
) -> None:
    twin = undisturbed_twin()
    processes.relay()
    worker = processes.worker(tasks=TASKS)
    with WritingHeld():
        run = ask_for_run()
        wait_until(lambda: is_at(run, stage="writing"))
        if victim == "worker":
            processes.kill(worker)
            processes.worker(tasks=TASKS)
        else:
            for child in _children(worker.pid):
                os.kill(child, signal.SIGKILL)
        wait_until(lambda: is_at(run, stage="writing", start_count=2))
        assert proposals() == []
    wait_until(all_done)
    assert_one_result(run, twin)
    assert OutboxMessage.objects.get().attempt_count == 2


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in text.split()]


def test_full_run_delivered_ten_times(processes: Processes, market: None) -> None:
    twin = undisturbed_twin()
    processes.worker(tasks=TASKS, count=2)
    with WritingHeld():
        run = ask_for_run()
        message = OutboxMessage.objects.get()
        with current_app.connection_for_write(processes.redis_url) as broker:
            for _each in range(10):
                current_app.send_task(
                    message.task, args=[message.pk], connection=broker, queue=processes.queue
                )
        wait_until(lambda: is_at(run, stage="writing"))
        wait_until(lambda: processes.redis.llen(processes.queue) == 0)
    wait_until(all_done)
    wait_until(processes.is_idle)
    assert_one_result(run, twin)
    run.refresh_from_db()
    message.refresh_from_db()
    assert (run.start_count, message.attempt_count) == (1, 1)


def test_two_beats_make_one_nightly_run(processes: Processes, market: None, tmp_path: Path) -> None:
    processes.relay()
    processes.worker(tasks=TASKS, count=2)
    logs = []
    for number in range(2):
        schedule = tmp_path / f"schedule{number}"
        _make_due(schedule)
        logs.append(tmp_path / f"beat{number}.log")
        processes.beat(schedule, logs[-1])
    wait_until(lambda: all(log.exists() and "Sending due" in log.read_text() for log in logs))
    wait_until(lambda: MatchRun.objects.filter(status="done").exists())
    wait_until(processes.is_idle)
    run = MatchRun.objects.get()
    assert run.nightly_of == timezone.localdate()
    # Beat also asks for a round of the clocks.
    messages = OutboxMessage.objects.filter(task="financing.run_matching")
    assert run.start_count == messages.count() == 1
    assert AuditEvent.objects.filter(verb="run.requested").count() == 1
    assert {is_provisional for *_rest, is_provisional in proposals(run=run)} == {False}


def _make_due(schedule: Path) -> None:
    """A schedule file as a beat leaves it that ran all its entries two days ago."""
    with shelve.open(str(schedule)) as store:
        store["entries"] = {
            name: ScheduleEntry(
                name=name,
                app=current_app._get_current_object(),
                last_run_at=timezone.now() - timedelta(days=2),
                **entry,
            )
            for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
        }
        store.update(
            __version__=celery.__version__,
            tz=settings.CELERY_TIMEZONE,
            utc_enabled=current_app.conf.enable_utc,
        )


def test_submitted_while_redis_is_down(
    processes_on_own_redis: Processes,
    own_redis: OwnRedis,
    market: None,
    client: Client,
    settings: Any,
    record_property: Note,
) -> None:
    processes_on_own_redis.relay()
    processes_on_own_redis.worker(tasks=TASKS)
    run = ask_for_run()
    wait_until(lambda: is_at(run, status="done"))
    # The web's own use of Redis is down as well.
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": own_redis.url}
    settings.CACHES = {"default": cache}
    owner = make_owner()
    request = draft_of(owner)
    client.force_login(owner)
    # Killed while it acknowledges a message, the worker would die of it (see the outbox drill).
    wait_until(processes_on_own_redis.is_idle)
    own_redis.signal(signal.SIGKILL)

    begun = time.monotonic()
    answer = client.post(reverse("financing:request_submit", args=[request.pk]), follow=True)
    assert time.monotonic() - begun < 10
    assert answer.status_code == 200
    request.refresh_from_db()
    assert request.status == "submitted"
    time.sleep(3)
    assert not is_shown(request)

    own_redis.start()
    begun = time.monotonic()
    wait_until(lambda: is_shown(request))
    record_property("after_redis_returned_seconds", round(time.monotonic() - begun, 2))
    wait_until(all_done)
    assert MatchRun.objects.filter(loan_request=request).count() == 1
