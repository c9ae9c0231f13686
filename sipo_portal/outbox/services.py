"""Asking for work: services call `enqueue` in their transaction; only the relay publishes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.verbs import OutboxVerb

CHANNEL = "outbox"


def enqueue(
    task: str,
    payload: Mapping[str, Any] | None = None,
    *,
    available_at: datetime | None = None,
    if_parked: str = "",
) -> OutboxMessage:
    """Have `task` run with `payload` as keyword arguments once this transaction has committed.

    `task` is the name given to `@outbox_task`; `payload` holds ids and other JSON values, never
    personal data. With `available_at` it runs at that moment or soon after. `if_parked`: task that
    runs with the same payload and `reason` where this one is set aside after its last try. Raises
    TransactionManagementError outside a transaction: the act and its consequence belong together.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("enqueue() must be called inside a transaction.")
    now = timezone.now()
    message = OutboxMessage.objects.create(
        task=task,
        payload=dict(payload or {}),
        if_parked=if_parked,
        created_at=now,
        available_at=available_at or now,
    )
    _notify()
    return message


def enqueue_once(task: str, payloads: Iterable[Mapping[str, Any]]) -> list[OutboxMessage]:
    """As `enqueue` for each payload that no message of `task` is already waiting with.

    Returns the new messages. One that waits is locked until this transaction ends: its work then
    begins after the commit and sees what was changed here. One that was started already does not
    count, nor one somebody else holds.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("enqueue_once() must be called inside a transaction.")
    wanted = [dict(payload) for payload in payloads]
    if not wanted:
        return []
    now = timezone.now()
    waiting = (
        OutboxMessage.objects.waiting()
        .filter(task=task, payload__in=wanted, started_at=None, available_at__lte=now)
        .select_for_update(skip_locked=True)
    )
    there = [message.payload for message in waiting]
    missing = [payload for payload in wanted if payload not in there]
    messages = OutboxMessage.objects.bulk_create(
        OutboxMessage(task=task, payload=payload, created_at=now, available_at=now)
        for payload in missing
    )
    if messages:
        _notify()
    return messages


@transaction.atomic
def send_again(actor: Actor, *, message: OutboxMessage) -> OutboxMessage:
    """Give a parked message three new tries; locks it, audited. One not parked stays as it is."""
    locked = OutboxMessage.objects.select_for_update().get(pk=message.pk)
    if locked.parked_at is None:
        return locked
    locked.parked_at = locked.published_at = locked.started_at = None
    locked.attempt_count = 0
    locked.available_at = timezone.now()
    locked.save()
    record(OutboxVerb.SENT_AGAIN, actor=actor, obj=locked, data={"task": locked.task})
    _notify()
    return locked


def _notify() -> None:
    # Delivered by PostgreSQL at commit; lost ones are found by the relay's polling.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
