"""Asking for work: services call `enqueue` in their transaction; only the relay publishes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from sipo_portal.outbox.models import OutboxMessage

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
    with connection.cursor() as cursor:
        # Delivered by PostgreSQL at commit; lost ones are found by the relay's polling.
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return message
