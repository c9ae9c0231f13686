"""Asking for work: services call `enqueue` in their transaction; only the relay publishes."""

from collections.abc import Mapping
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
) -> OutboxMessage:
    """Have `task` run with `payload` as keyword arguments once this transaction has committed.

    `task` is the name given to `@outbox_task`; `payload` holds ids and other JSON values, never
    personal data. With `available_at` it runs at that moment or soon after. Raises
    TransactionManagementError outside a transaction: the act and its consequence belong together.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("enqueue() must be called inside a transaction.")
    now = timezone.now()
    message = OutboxMessage.objects.create(
        task=task, payload=dict(payload or {}), created_at=now, available_at=available_at or now
    )
    _notify()
    return message


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
