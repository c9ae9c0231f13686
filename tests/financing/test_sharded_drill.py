"""One run over real workers: how many there are, which one dies and where they are is all one."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection, transaction

from financing.models import BundleRound, MatchRun, ShardedRun
from financing.services.sharded_runs import ANSWER_TASK
from sipo_portal.outbox.models import OutboxMessage
from tests.financing.sharded import (
    ask_for_run,
    deliver_waiting,
    digest_of_one_process,
    make_market,
    proposals,
)
from tests.plugins.namespaces import Namespaces
from tests.plugins.processes import Processes, wait_until

TASKS = "financing.tasks"
SETTINGS = {"MATCHING_SHARDED_FROM": "1"}
pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]
Note = Callable[[str, object], None]


@pytest.fixture
def expected(transactional_db: None) -> str:
    """The digest of the run in one process, without anything between."""
    make_market()
    return digest_of_one_process()


def is_done(run: MatchRun) -> bool:
    return MatchRun.objects.filter(pk=run.pk, status="done").exists()


def assert_one_result(run: MatchRun, expected: str) -> None:
    wait_until(lambda: is_done(run), 120)
    run.refresh_from_db()
    assert (run.is_sharded, run.result_digest) == (True, expected)
    assert proposals() == proposals(run=run)
    assert len(proposals()) == run.proposal_count > 42
    wait_until(lambda: not ShardedRun.objects.exists())
    wait_until(lambda: not OutboxMessage.objects.waiting().exists())


def tries() -> Counter[int]:
    """How many messages about a bundle's round took so many tries."""
    messages = OutboxMessage.objects.filter(task=ANSWER_TASK)
    return Counter(messages.values_list("attempt_count", flat=True))


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers(
    processes: Processes, expected: str, workers: int, record_property: Note
) -> None:
    processes.relay()
    for _ in range(workers):
        processes.worker(tasks=TASKS, **SETTINGS)
    begun = time.monotonic()
    run = ask_for_run()
    assert_one_result(run, expected)
    record_property("seconds", round(time.monotonic() - begun, 2))
    record_property("messages", OutboxMessage.objects.count())
    assert set(tries()) == {1}


@pytest.mark.parametrize("stage", [pytest.param("prices", marks=pytest.mark.long), "give"])
def test_a_worker_killed_in_the_middle_of_a_round_costs_one_bundle_that_round(
    processes: Processes, expected: str, stage: str, record_property: Note, settings: Any
) -> None:
    settings.MATCHING_SHARDED_FROM = 1
    run = ask_for_run()
    deliver_waiting()
    while not is_at(run, stage):
        deliver_waiting()
    # The victim works an answer out and writes it, but nobody hears it: every answer is heard
    # under the lock of this row.
    with transaction.atomic():
        ShardedRun.objects.select_for_update().get(pk=run.pk)
        processes.relay()
        victim = processes.worker(tasks=TASKS, **SETTINGS)
        wait_until(lambda: waiting_for_us() == 1, 60)
        answered = BundleRound.objects.filter(answered_at__isnull=False).count()
        begun = time.monotonic()
        processes.kill(victim)
        wait_until(lambda: waiting_for_us() == 0)
    assert BundleRound.objects.filter(answered_at__isnull=False).count() == answered
    processes.worker(tasks=TASKS, **SETTINGS)
    assert_one_result(run, expected)
    record_property("seconds_after_the_kill", round(time.monotonic() - begun, 2))
    assert tries()[2] == 1
    assert set(tries()) == {1, 2}


def is_at(run: MatchRun, stage: str) -> bool:
    return MatchRun.objects.filter(pk=run.pk, progress__stage__startswith=stage).exists()


def waiting_for_us() -> int:
    """Sessions that wait for a row this transaction has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            " AND transactionid = pg_current_xact_id()::xid"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.long
def test_workers_that_share_nothing_but_postgresql_and_redis(
    processes: Processes,
    expected: str,
    make_namespaces: Callable[[list[tuple[str, int]]], Namespaces],
    record_property: Note,
) -> None:
    addresses = ("DATABASE_URL", "REDIS_URL")
    parts = [urlsplit(processes.environment[name]) for name in addresses]
    network = make_namespaces([(part.hostname or "", part.port or 0) for part in parts])
    processes.relay()
    for _ in range(2):
        name, hub = network.join()
        own = {}
        for variable, part, port in zip(addresses, parts, network.ports, strict=True):
            who = part.netloc.rpartition("@")
            own[variable] = urlunsplit(part._replace(netloc=f"{who[0]}{who[1]}{hub}:{port}"))
        processes.worker(tasks=TASKS, within=name, **SETTINGS, **own)
    begun = time.monotonic()
    run = ask_for_run()
    workers = set()

    def is_done_noting_workers() -> bool:
        answered = BundleRound.objects.exclude(worker="").values_list("worker", flat=True)
        workers.update(answered)
        return is_done(run)

    wait_until(is_done_noting_workers, 180)
    assert_one_result(run, expected)
    assert len(workers) == 2
    record_property("seconds", round(time.monotonic() - begun, 2))
