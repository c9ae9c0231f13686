"""`manage.py prune_runs`: delete what old runs were decided on; the nightly run does it, too."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from financing.services.run_pruning import INPUT_DAYS, RESULT_DAYS, prune_runs


class Command(BaseCommand):
    help = "Delete the stored input and result of old match runs; their rows stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--input-days", type=int, default=INPUT_DAYS)
        parser.add_argument("--result-days", type=int, default=RESULT_DAYS)

    def handle(self, *args: Any, **options: Any) -> None:
        inputs, results = prune_runs(
            now=timezone.now(),
            input_days=options["input_days"],
            result_days=options["result_days"],
        )
        self.stdout.write(f"Deleted {inputs} parts of inputs and {results} parts of results.")
