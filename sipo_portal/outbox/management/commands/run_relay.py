"""`manage.py run_relay`: publishes outbox messages as they are committed, until it is stopped."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, connection

from sipo_portal.outbox.relay import BATCH, BROKER_ERRORS, Relay
from sipo_portal.outbox.services import CHANNEL

logger = logging.getLogger(__name__)

# PostgreSQL says when there is something new; what it cannot say (lost, due later) is polled.
POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.5


class Command(BaseCommand):
    help = "Publishes outbox messages to the broker and sends again what got lost."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        relay = Relay()
        # A connection of its own: a notice must not wait for a transaction of the relay.
        listener: Any = connection.copy()
        listening = False
        while not stop.is_set():
            try:
                if not listening:
                    with listener.cursor() as cursor:
                        cursor.execute(f"LISTEN {CHANNEL}")
                    listening = True
                if relay.round() < BATCH:
                    list(listener.connection.notifies(timeout=POLL_SECONDS, stop_after=1))
            except BROKER_ERRORS as error:
                logger.warning("broker: %s", type(error).__name__)
                stop.wait(PAUSE_SECONDS)
            except Error as error:
                logger.warning("database: %s", type(error).__name__)
                connection.close()
                listener.close()
                listening = False
                stop.wait(PAUSE_SECONDS)
        listener.close()
