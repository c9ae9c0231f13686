"""Asking for work, working on it, and a broker that does not answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.db import OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox import relay
from sipo_portal.outbox.delivery import deliver
from sipo_portal.outbox.locks import message_lock
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.services import enqueue, send_again
from sipo_portal.outbox.tasks import outbox_task
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db(transaction=True)
seen: list[Any] = []


@outbox_task("test.see")
def see(**payload: Any) -> None:
    seen.append(payload)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


@pytest.fixture
def silent_broker(settings: Any) -> Iterator[str]:
    """An address that takes connections and never answers, like a frozen Redis."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        before = current_app.conf.broker_write_url
        settings.CELERY_BROKER_URL = current_app.conf.broker_write_url = url
        yield url
        current_app.conf.broker_write_url = before


def add(task: str = "test.see", **options: Any) -> OutboxMessage:
    with transaction.atomic():
        return enqueue(task, {"a": 1}, **options)


def test_needs_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        enqueue("test.see", {})


def test_goes_with_the_transaction() -> None:
    with transaction.atomic():
        enqueue("test.see", {})
        transaction.set_rollback(True)
    assert not OutboxMessage.objects.exists()


def test_commit_is_announced() -> None:
    parameters = connection.get_connection_params()
    with psycopg.connect(**parameters | {"autocommit": True}) as listener:
        listener.execute("LISTEN outbox")
        add()
        assert list(listener.notifies(timeout=5, stop_after=1))


def test_run_outbox_runs_what_is_due(run_outbox: Callable[[], int]) -> None:
    add()
    add(available_at=timezone.now() + timedelta(hours=1))
    assert run_outbox() == 1
    assert seen == [{"a": 1}]
    assert run_outbox() == 0


def test_done_or_absent_is_skipped() -> None:
    message = add()
    assert deliver(message.pk, see.work, atomic=True)
    assert not deliver(message.pk, see.work, atomic=True)
    assert not deliver(message.pk + 1000, see.work, atomic=True)
    assert len(seen) == 1


def test_not_while_somebody_else_works_on_it() -> None:
    message = add()
    outcome: list[bool] = []

    def other() -> None:
        outcome.append(deliver(message.pk, see.work, atomic=True))
        connection.close()

    with message_lock(message.pk) as held:
        assert held
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert outcome == [False]
    assert deliver(message.pk, see.work, atomic=True)


def test_errors_are_tried_again_later_then_parked_without_their_text() -> None:
    message = add()

    def fail(a: int) -> None:
        AuditEvent.objects.create(verb="half.done", actor_kind="system", signature="")
        raise ValueError("13800000000")

    for attempt in (1, 2, 3):
        assert not deliver(message.pk, fail, atomic=True)
        message.refresh_from_db()
        assert message.attempt_count == attempt
        if attempt < 3:
            assert message.parked_at is None
            assert message.available_at > timezone.now()
            assert not deliver(message.pk, fail, atomic=True), "not before the pause is over"
            OutboxMessage.objects.update(available_at=timezone.now())
    assert message.parked_at is not None
    assert message.last_error.startswith("ValueError at test_outbox.py:")
    assert [event.verb for event in AuditEvent.objects.all()] == ["outbox.parked"]
    assert not deliver(message.pk, see.work, atomic=True)


def test_a_lost_database_connection_does_not_count() -> None:
    message = add()

    def lose(a: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    for _each in range(4):
        assert not deliver(message.pk, lose, atomic=True)
    message.refresh_from_db()
    assert (message.attempt_count, message.parked_at) == (0, None)
    assert deliver(message.pk, see.work, atomic=True)


def test_deadlocks_do_count() -> None:
    message = add()

    def deadlock(a: int) -> None:
        raise OperationalError("deadlock detected")

    deliver(message.pk, deadlock, atomic=True)
    message.refresh_from_db()
    assert message.attempt_count == 1


def test_sent_again() -> None:
    message = add()
    OutboxMessage.objects.update(parked_at=timezone.now(), attempt_count=3)
    send_again(Actor.of(make_user(Role.SYSTEM_ADMIN)), message=message)
    assert AuditEvent.objects.get().verb == "outbox.sent_again"
    assert deliver(message.pk, see.work, atomic=True)
    send_again(Actor.SYSTEM, message=message)
    assert AuditEvent.objects.count() == 1


def test_visible_to_the_system_administrator() -> None:
    add()
    for role in set(Role) - {Role.COORDINATOR}:
        count = OutboxMessage.objects.visible_to(make_user(role)).count()
        assert count == (1 if role == Role.SYSTEM_ADMIN else 0)


@pytest.mark.parametrize("address", ["frozen", "dead"])
def test_a_broker_that_does_not_answer_never_holds_the_relay(
    silent_broker: str, settings: Any, address: str
) -> None:
    if address == "dead":
        settings.CELERY_BROKER_URL = current_app.conf.broker_write_url = "redis://127.0.0.1:1/0"
    message = add()
    for step in (relay.Relay().round, lambda: relay.Relay()._publish_due(60)):
        started = time.monotonic()
        with pytest.raises(relay.BROKER_ERRORS):
            step()
        assert time.monotonic() - started < 10
    message.refresh_from_db()
    assert message.published_at is None


def due() -> list[int]:
    now = timezone.now()
    parameters = {
        "now": now,
        "lost_before": relay.Relay().lost_before,
        "first": relay.FIRST_PAUSE,
        "longest": relay.LONGEST_PAUSE,
        "batch": 10,
    }
    with transaction.atomic():
        return [row[0] for row in relay._rows(relay.DUE_SQL, parameters)]


@pytest.mark.parametrize(
    ("published", "started", "count", "is_due"),
    [
        (None, None, 0, True),
        (1, None, 1, False),
        (4, None, 1, True),
        (4, None, 2, False),
        (7, None, 2, True),
        (50, None, 9, False),
        (61, None, 9, True),
        (2, 1, 1, True),  # started, and nobody holds its lock: the worker died
    ],
)
def test_what_is_sent_and_sent_again(
    published: int | None, started: int | None, count: int, is_due: bool
) -> None:
    now = timezone.now()
    message = add()
    OutboxMessage.objects.update(
        published_at=published and now - timedelta(seconds=published),
        started_at=started and now - timedelta(seconds=started),
        publish_count=count,
    )
    assert due() == ([message.pk] if is_due else [])
    holder = psycopg.connect(**connection.get_connection_params() | {"autocommit": True})
    with holder:
        holder.execute("SELECT pg_advisory_lock((%s::bigint << 32) | %s)", [0x0B0C, message.pk])
        assert due() == []
