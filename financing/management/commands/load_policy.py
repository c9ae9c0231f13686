"""`manage.py load_policy`: the first matching policy of an installation; safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand

from financing.services.first_policy import ensure_policy


class Command(BaseCommand):
    help = "Write version 1 of the matching policy where there is none."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Matching policy {ensure_policy()}.")
