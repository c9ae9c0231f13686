"""Faults against real workers, relay, Redis and PostgreSQL: every message is done exactly once."""

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.relay import Relay
from sipo_portal.outbox.services import enqueue
from tests.plugins.processes import OwnRedis, Processes, wait_until

TASKS = "tests.sipo_portal.outbox.drill_tasks"
pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _effects(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS drill_effect (key text NOT NULL)")
        cursor.execute("TRUNCATE drill_effect")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE drill_effect")


def effects() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM drill_effect ORDER BY key")
        return [row[0] for row in cursor.fetchall()]


def add(task: str, **payload: object) -> OutboxMessage:
    with transaction.atomic():
        return enqueue(task, payload)


def is_done(message: OutboxMessage) -> bool:
    message.refresh_from_db()
    return message.done_at is not None


def is_started(message: OutboxMessage) -> bool:
    message.refresh_from_db()
    return message.started_at is not None


def test_worker_killed_in_the_middle(processes: Processes) -> None:
    processes.relay()
    first = processes.worker(tasks=TASKS)
    message = add("drill.leave", key="a", seconds=3)
    wait_until(lambda: is_started(message))
    processes.kill(first)
    processes.worker(tasks=TASKS)
    wait_until(lambda: is_done(message))
    assert effects() == ["a"]
    assert message.attempt_count == 2


def test_redis_flushed_between_publishing_and_work(processes: Processes) -> None:
    processes.relay()
    messages = [add("drill.leave", key=f"{number}") for number in range(5)]
    wait_until(lambda: processes.redis.llen(processes.queue) == 5)
    processes.redis.flushdb()
    processes.worker(tasks=TASKS)
    wait_until(lambda: all(is_done(message) for message in messages))
    assert effects() == ["0", "1", "2", "3", "4"]


def test_delivered_ten_times(processes: Processes) -> None:
    processes.worker(tasks=TASKS, count=2)
    message = add("drill.leave", key="a", seconds=1)
    with current_app.connection_for_write(processes.redis_url) as broker:
        for _each in range(10):
            current_app.send_task(
                "drill.leave", args=[message.pk], connection=broker, queue=processes.queue
            )
    wait_until(lambda: is_done(message))
    wait_until(processes.is_idle)
    assert effects() == ["a"]
    assert message.attempt_count == 1


def test_poison_is_parked_and_others_go_on(processes: Processes) -> None:
    processes.relay()
    processes.worker(tasks=TASKS)
    poison, other = add("drill.die"), add("drill.leave", key="a")
    wait_until(lambda: is_done(other))
    wait_until(lambda: OutboxMessage.objects.get(pk=poison.pk).parked_at)
    poison.refresh_from_db()
    assert (poison.attempt_count, poison.last_error) == (3, "the worker was lost while at it")
    assert AuditEvent.objects.filter(verb="outbox.parked", object_id=str(poison.pk)).count() == 1


def test_failing_task_leaves_nothing_and_is_parked(processes: Processes) -> None:
    processes.relay()
    processes.worker(tasks=TASKS)
    message = add("drill.fail", key="a")
    wait_until(lambda: OutboxMessage.objects.get(pk=message.pk).parked_at)
    message.refresh_from_db()
    assert message.attempt_count == 3
    assert message.last_error.startswith("RuntimeError at drill_tasks.py:")
    assert effects() == []


def test_relay_killed_with_messages_waiting(processes: Processes) -> None:
    first = processes.relay()
    processes.worker(tasks=TASKS, count=2)
    messages: list[OutboxMessage] = []

    def write() -> None:
        messages.extend(add("drill.leave", key=f"{number:02}") for number in range(30))
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(messages) > 5 or not writer.is_alive())
    processes.kill(first)
    writer.join()
    processes.relay()
    wait_until(lambda: all(is_done(message) for message in messages))
    assert effects() == [f"{number:02}" for number in range(30)]


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_redis_away_while_messages_come(
    processes_on_own_redis: Processes, own_redis: OwnRedis, fault: str
) -> None:
    processes_on_own_redis.relay()
    processes_on_own_redis.worker(tasks=TASKS, count=2)
    before = add("drill.leave", key="before")
    wait_until(lambda: is_done(before))
    # A worker that loses Redis while it acknowledges a message dies of it, and is started again by
    # the system's service manager: there is none here.
    wait_until(processes_on_own_redis.is_idle)
    own_redis.signal(signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    during = [add("drill.leave", key=f"during {number}") for number in range(3)]
    time.sleep(8)
    assert not any(is_done(message) for message in during)
    if fault == "killed":
        own_redis.start()
    else:
        own_redis.signal(signal.SIGCONT)
    wait_until(lambda: all(is_done(message) for message in during))
    assert effects() == ["before", "during 0", "during 1", "during 2"]


def test_relay_notices_that_redis_lost_its_data(processes: Processes, settings: Any) -> None:
    settings.CELERY_BROKER_URL = processes.redis_url
    settings.CELERY_TASK_DEFAULT_QUEUE = processes.queue
    relay = Relay()
    relay._look_at_broker()
    relay._look_at_broker()
    assert relay.lost_before.year == 2000
    processes.redis.delete(f"outbox:mark:{processes.queue}")
    before = timezone.now()
    relay._look_at_broker()
    assert before <= relay.lost_before <= timezone.now()
