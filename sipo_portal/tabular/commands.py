"""What the import commands have in common; each app's commands extend `ImportCommand`."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from sipo_portal.tabular.reading import ImportRefused, Row, RowFault, read_table


class ImportCommand(BaseCommand):
    """Reads FILE, takes it over whole or not at all, and lists every fault by row and column."""

    required_columns: ClassVar[Sequence[str]]
    optional_columns: ClassVar[Sequence[str]] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="CSV in UTF-8 (with or without BOM) or GB18030")
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def take_over(self, rows: list[Row], options: dict[str, Any]) -> int:
        """Import the rows; returns how many. Raises ImportRefused."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        faults: list[RowFault] = []
        try:
            table = read_table(
                options["file"], required=self.required_columns, optional=self.optional_columns
            )
            faults = table.faults
            with transaction.atomic():
                count = self.take_over(table.rows, options)
                if faults:
                    # Looked at all the same, so that every fault of the file is named at once.
                    raise ImportRefused([])
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except ImportRefused as refused:
            every = ImportRefused([*faults, *refused.faults])
            self._say_faults(every, is_json=options["json"])
            raise CommandError(f"Nothing was imported: {every}.")
        if options["json"]:
            result = {"imported": 0 if options["dry_run"] else count, "checked": count}
            self.stdout.write(json.dumps(result | {"faults": []}))
        elif options["dry_run"]:
            self.stdout.write(f"{count} rows are right; nothing was written.")
        else:
            self.stdout.write(f"{count} rows imported.")

    def _say_faults(self, refused: ImportRefused, *, is_json: bool) -> None:
        if is_json:
            faults = [fault.as_dict() for fault in refused.faults]
            report = {"imported": 0, "faults": faults}
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
            return
        for fault in refused.faults:
            self.stderr.write(str(fault))
