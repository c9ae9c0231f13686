"""`manage.py seed_demo`: invented data for a demonstration; does nothing where it is there."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from financing.demo.seeding import is_seeded, seed


class Command(BaseCommand):
    help = (
        "Write invented demo data (offices, institutions, offers, businesses, requests, matches)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_DATA:
            raise CommandError(
                "Demo data is off: set DEMO_DATA=1 on a machine that is no real one."
            )
        if is_seeded():
            self.stdout.write("Demo data is there already.")
            return
        seed()
        self.stdout.write("Demo data written.")
