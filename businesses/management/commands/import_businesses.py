"""`manage.py import_businesses FILE`: columns in docs/imports.md."""

from typing import Any

from businesses.services.business_imports import OPTIONAL, REQUIRED, import_businesses
from sipo_portal.audit.actors import Actor
from sipo_portal.tabular.commands import ImportCommand
from sipo_portal.tabular.reading import Row


class Command(ImportCommand):
    help = "Import businesses from a CSV file, all rows or none."
    required_columns = REQUIRED
    optional_columns = OPTIONAL

    def take_over(self, rows: list[Row], options: dict[str, Any]) -> int:
        return len(import_businesses(actor=Actor.SYSTEM, rows=rows))
