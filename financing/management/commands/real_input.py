"""`manage.py real_input`: real companies, patents and products through the whole job, measured."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from financing.real_input.report import Report, real_input

AS_OF = "2019-08-20"


class Command(BaseCommand):
    help = "Match real input as of a day and print what was read, refused, assumed and proposed."

    def add_arguments(self, parser: CommandParser) -> None:
        beside = settings.BASE_DIR.parent / "shared" / "data"
        parser.add_argument("--data", type=Path, default=beside, help="folder of the files")
        parser.add_argument("--on", type=date.fromisoformat, default=AS_OF, help="as of this day")
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        on = options["on"]
        if isinstance(on, str):
            on = date.fromisoformat(on)
        try:
            report = real_input(options["data"], on)
        except FileNotFoundError as error:
            raise CommandError(f"{error.filename} is not there: name the folder with --data.")
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
        else:
            self._say(report)

    def _say(self, report: Report) -> None:
        for name, each in report["files"].items():
            self.stdout.write(
                f"{name}: {each['read']} read, {each['taken']} taken over, "
                f"{each['refused']} refused"
            )
        patents, matching = report["patents"], report["matching"]
        self.stdout.write(
            f"patents in force: {patents['in_force']} of "
            f"{patents['businesses_with_patents_in_force']} businesses, "
            f"{patents['registrable']} registrable"
        )
        self.stdout.write(
            f"{matching['pairs']} pairs, {matching['eligible_pairs']} eligible, "
            f"{matching['proposals']} proposals; coverage {matching['coverage_percent']} %, "
            f"saving {matching['saving_of_first_proposals_yuan']} yuan"
        )
