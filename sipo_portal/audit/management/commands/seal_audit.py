"""`manage.py seal_audit [--loop]`: chains committed audit events, once or every second."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections, connection

from sipo_portal.audit.chain import ChainBroken, seal

# Rounds between two that look at the whole record.
WHOLE_EVERY = 300


class Command(BaseCommand):
    help = "Chains committed audit events and signs the head of the chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Go on, once a second.")
        parser.add_argument("--every", type=float, default=1.0, help="Seconds between rounds.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            self.stdout.write(f"{self._seal()} events sealed")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        rounds = 0
        while not stop.is_set():
            try:
                self._seal(whole=rounds % WHOLE_EVERY == 0)
                rounds += 1
            except Error as error:
                # The server restarts or is not there yet; events wait.
                self.stderr.write(f"database: {type(error).__name__}")
                connection.close()
            close_old_connections()
            stop.wait(options["every"])

    def _seal(self, *, whole: bool = True) -> int:
        try:
            return seal(whole=whole)
        except ChainBroken as error:
            raise CommandError(
                f"The audit chain and its signed head disagree ({error}). Nothing was sealed; "
                "run verify_audit and keep both as evidence."
            ) from error
