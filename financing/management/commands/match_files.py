"""`manage.py match_files`: the matcher on CSV files, without a database (MATCHING §6)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from financing.matching.csv_rows import FileError
from financing.matching.files import run_files


class Command(BaseCommand):
    """Reads files, writes proposals, prices, certificate and summary; needs no database."""

    help = "Match requests and offers from files; columns and units: docs/matching-files.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in ("requests", "patents", "offers", "policy", "out"):
            parser.add_argument(f"--{name}", type=Path, required=True)
        for name in ("decided", "standing", "previous"):
            parser.add_argument(f"--{name}", type=Path)
        parser.add_argument("--json", action="store_true", help="summary or faults as JSON")
        parser.add_argument(
            "--pairs",
            action="store_true",
            help="write every pair that fits to pairs.csv, so that anyone can check the bound",
        )
        parser.add_argument(
            "--explain",
            nargs="+",
            action="extend",
            default=[],
            metavar="REQUEST:OFFER",
            help="write the rule results of these pairs to explanations.json",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            summary = run_files(
                requests=options["requests"],
                patents=options["patents"],
                offers=options["offers"],
                policy=options["policy"],
                out=options["out"],
                explained=options["explain"],
                pairs=options["pairs"],
                decided=options["decided"],
                standing=options["standing"],
                previous=options["previous"],
            )
        except FileError as error:
            if options["json"]:
                faults = [
                    {
                        "file": fault.file,
                        "row": fault.row,
                        "column": fault.column,
                        "value": fault.value,
                        "reason": fault.reason,
                    }
                    for fault in error.faults
                ]
                self.stdout.write(json.dumps({"faults": faults}, ensure_ascii=False, indent=2))
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"the results cannot be written: {error}") from None
        if options["json"]:
            text = json.dumps(summary, ensure_ascii=False, indent=2, sort_keys=True)
            self.stdout.write(text)
            return
        for name, value in summary.items():
            if name != "explanations":
                self.stdout.write(f"{name}: {value}")
        for pair in summary.get("explanations", ()):
            self.stdout.write(f"{pair['request_id']}:{pair['offer_id']}: {pair['outcome']}")
