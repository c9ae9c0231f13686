"""`manage.py check_snapshot`: compare the stored columns of requests with their records."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from financing.pair_kinds import KINDS
from financing.snapshot.refreshing import differences, rebuilt, refresh
from financing.snapshot.stored import stored_chunks


class Command(BaseCommand):
    help = "Refresh the columns of requests, then compare each chunk with one made from nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every", type=int, default=1, help="check every n-th chunk (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        today, wrong, checked = timezone.localdate(), 0, 0
        for kind in KINDS:
            refresh(kind, today)
            for place, (number, stored) in enumerate(stored_chunks(kind)):
                if place % options["every"]:
                    continue
                checked += 1
                found = differences(stored, rebuilt(kind, number, today), today)
                if found:
                    wrong += 1
                    self.stderr.write(f"{kind.name} {number}: {', '.join(found)}")
        if wrong:
            raise CommandError(f"{wrong} of {checked} chunks differ from their records.")
        self.stdout.write(f"{checked} chunks are as their records say.")
