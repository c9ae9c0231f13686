"""`manage.py replay_run N`: do a stored run again and compare its digests; 1 where one differs."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from financing.models import MatchRun
from financing.run_parts import NotArchived
from financing.services.full_runs import replay


class Command(BaseCommand):
    help = "Run a stored match run again from its input and compare the digests."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="number of the run, without the R")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        run = MatchRun.objects.filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no run {options['run']}.")
        try:
            found = replay(run)
        except NotArchived as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found)))
        else:
            for name, is_same, digest in (
                ("input", found.is_same_input, found.input_digest),
                ("result", found.is_same_result, found.result_digest),
                ("engine", found.is_same_engine, found.engine_version),
            ):
                self.stdout.write(f"{name:7} {'same' if is_same else 'DIFFERS'}  {digest}")
        if not (found.is_same_input and found.is_same_result):
            raise CommandError("The run does not come out as it was stored.", returncode=1)
