"""Working on one message exactly once; the tasks made by `outbox_task` call `deliver`."""

import logging
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import Error, connection, transaction
from django.db.models import F
from django.utils import timezone

from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.outbox.locks import is_still_held, message_lock
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.outbox.services import enqueue
from sipo_portal.outbox.verbs import OutboxVerb

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
# Seconds until the second and third try after an error of the task itself.
RETRY_AFTER = (2, 10)
WORKER_LOST = "the worker was lost while at it"


def deliver(message_id: int, work: Callable[..., Any], *, atomic: bool) -> bool:
    """Run `work` with the message's arguments, unless it is done, parked or being worked on.

    Returns whether it ran to its end. With `atomic` the work and the note that it is done commit
    together: its effects in the database happen exactly once. Otherwise `work` keeps its own
    transactions and must be safe to repeat. An error of the task is tried again after a pause and
    parked after three tries; one of a lost database connection does not count.
    """
    with message_lock(message_id) as held:
        if not held:
            return False
        message = _begin(message_id)
        if message is None:
            return False
        try:
            if atomic:
                with transaction.atomic():
                    work(**message.payload)
                    _mark_done(message)
            else:
                work(**message.payload)
                _mark_done(message)
        except Exception as error:
            logger.exception("outbox message %s (%s) failed", message.pk, message.task)
            _fail(message, error)
            return False
    return True


def park(message: OutboxMessage, reason: str) -> None:
    """Set a locked row aside until the system administrator sends it again; audited.

    Whoever asked to hear of it does: the task named with the message is enqueued.
    """
    message.parked_at = timezone.now()
    message.last_error = reason[:300]
    message.save(update_fields=["parked_at", "last_error"])
    record(
        OutboxVerb.PARKED,
        actor=Actor.SYSTEM,
        obj=message,
        data={"task": message.task, "attempts": message.attempt_count, "reason": reason[:300]},
    )
    if message.if_parked:
        enqueue(message.if_parked, {**message.payload, "reason": reason[:300]})


@transaction.atomic
def _begin(message_id: int) -> OutboxMessage | None:
    """Count the try, committed before the work starts; None when there is nothing to do."""
    message = OutboxMessage.objects.waiting().select_for_update().filter(pk=message_id).first()
    now = timezone.now()
    if message is None or message.available_at > now:
        return None
    if message.attempt_count >= MOST_ATTEMPTS:
        park(message, message.last_error or WORKER_LOST)
        return None
    message.attempt_count += 1
    message.started_at = now
    message.save(update_fields=["attempt_count", "started_at"])
    return message


def _mark_done(message: OutboxMessage) -> None:
    OutboxMessage.objects.filter(pk=message.pk, done_at=None).update(done_at=timezone.now())


def _fail(message: OutboxMessage, error: Exception) -> None:
    """Note the failure; where the database itself is away, the relay finds the lost lease later."""
    connection_lost = not is_still_held(message.pk)
    try:
        with transaction.atomic():
            rows = OutboxMessage.objects.select_for_update().filter(pk=message.pk, done_at=None)
            if connection_lost:
                rows.update(attempt_count=F("attempt_count") - 1, published_at=None)
                return
            locked = rows.first()
            if locked is None:
                return
            locked.last_error = place_of(error)
            if locked.attempt_count >= MOST_ATTEMPTS:
                park(locked, locked.last_error)
                return
            pause = RETRY_AFTER[min(locked.attempt_count, len(RETRY_AFTER)) - 1]
            locked.available_at = timezone.now() + timedelta(seconds=pause)
            locked.published_at = locked.started_at = None
            locked.save(update_fields=["last_error", "available_at", "published_at", "started_at"])
    except Error:
        logger.warning("outbox message %s: the failure could not be noted", message.pk)
        connection.close()


def place_of(error: Exception) -> str:
    """The kind of error and where it came from; not its text, which may quote people's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"[:300]
