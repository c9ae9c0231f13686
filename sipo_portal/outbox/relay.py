"""Publishing outbox messages to the broker, and again what got lost; run by `run_relay`."""

import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from sipo_portal.outbox.delivery import MOST_ATTEMPTS, WORKER_LOST, park
from sipo_portal.outbox.locks import NOT_LOCKED_SQL
from sipo_portal.outbox.models import OutboxMessage

logger = logging.getLogger(__name__)

BATCH = 200
# A broker that does not answer is given up after this, so a round never hangs (ARCHITECTURE §2).
BROKER_SECONDS = 0.8
BROKER_ERRORS = (OperationalError, redis.RedisError, OSError)
# A message that nobody started is sent again after 3 s, then less and less often. When the queue
# is empty it cannot be waiting in it, so the pause stays short.
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE_EMPTY = 3, 60, 6

DUE_SQL = f"""
SELECT m.id, m.task FROM outbox_outboxmessage m
WHERE m.done_at IS NULL AND m.parked_at IS NULL AND m.available_at <= %(now)s
  AND (m.published_at IS NULL
       OR m.published_at < %(lost_before)s
       OR m.started_at >= m.published_at
       OR m.published_at < %(now)s - make_interval(secs =>
            least(%(longest)s, %(first)s * 2 ^ least(m.publish_count, 10) / 2)))
  AND {NOT_LOCKED_SQL}
ORDER BY m.published_at NULLS FIRST, m.id LIMIT %(batch)s
FOR UPDATE OF m SKIP LOCKED
"""

LOST_SQL = f"""
SELECT m.id FROM outbox_outboxmessage m
WHERE m.done_at IS NULL AND m.parked_at IS NULL AND m.attempt_count >= %s
  AND m.started_at IS NOT NULL AND {NOT_LOCKED_SQL}
LIMIT %s FOR UPDATE OF m SKIP LOCKED
"""


@dataclass
class Relay:
    """One relay's memory: the mark it left in Redis, which is gone when Redis lost its data."""

    mark: str = ""
    lost_before: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def round(self) -> int:
        """Park what killed its workers, publish what is due; returns how many were published.

        Raises one of BROKER_ERRORS, within two seconds, when the broker does not answer; whatever
        was published until then is remembered.
        """
        park_lost()
        queue_length = self._look_at_broker()
        return self._publish_due(LONGEST_PAUSE if queue_length else LONGEST_PAUSE_EMPTY)

    def _look_at_broker(self) -> int:
        """The queue's length; notices when Redis came back without its data."""
        queue = settings.CELERY_TASK_DEFAULT_QUEUE
        with redis.Redis.from_url(
            settings.CELERY_BROKER_URL,
            socket_timeout=BROKER_SECONDS,
            socket_connect_timeout=BROKER_SECONDS,
            retry=None,
        ) as client:
            key = f"outbox:mark:{queue}"
            client.set(key, secrets.token_hex(8), nx=True)
            mark = (client.get(key) or b"").decode()
            length: int = client.llen(queue)
        if mark != self.mark:
            if self.mark:
                self.lost_before = timezone.now()
            self.mark = mark
        return length

    def _publish_due(self, longest_pause: int) -> int:
        # The rows stay locked until their state is written: a worker that is quicker than this
        # transaction waits for it before it notes its start.
        with transaction.atomic():
            now = timezone.now()
            due = _rows(
                DUE_SQL,
                {
                    "now": now,
                    "lost_before": self.lost_before,
                    "first": FIRST_PAUSE,
                    "longest": longest_pause,
                    "batch": BATCH,
                },
            )
            sent, failure = _publish(due)
            if sent:
                with connection.cursor() as cursor:
                    cursor.execute(
                        "UPDATE outbox_outboxmessage SET published_at = %s, started_at = NULL,"
                        " publish_count = publish_count + 1 WHERE id = ANY(%s)",
                        [timezone.now(), sent],
                    )
        if failure is not None:
            raise failure
        return len(sent)


@transaction.atomic
def park_lost() -> int:
    """Set aside messages whose last allowed try ended with the worker's death."""
    ids = [row[0] for row in _rows(LOST_SQL, [MOST_ATTEMPTS, BATCH])]
    for message in OutboxMessage.objects.filter(pk__in=ids):
        logger.error("outbox message %s (%s) parked", message.pk, message.task)
        park(message, message.last_error or WORKER_LOST)
    return len(ids)


def _publish(due: list[tuple[Any, ...]]) -> tuple[list[int], Exception | None]:
    """Send one task per row; ids sent, and the error that ended it early."""
    sent: list[int] = []
    if not due:
        return sent, None
    # A connection per round: a kept one would believe its queue declared after Redis lost it.
    with current_app.connection_for_write() as broker:
        broker.transport_options = {
            **(broker.transport_options or {}),
            "socket_timeout": BROKER_SECONDS,
            "socket_connect_timeout": BROKER_SECONDS,
            "max_retries": 0,
            "connect_retries_timeout": BROKER_SECONDS,
        }
        for message_id, task in due:
            try:
                current_app.send_task(task, args=[message_id], connection=broker, retry=False)
            except BROKER_ERRORS as error:
                return sent, error
            sent.append(message_id)
    return sent, None


def _rows(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
