"""`manage.py import_offers FILE`: columns in docs/imports.md."""

from typing import Any

from django.core.management.base import CommandParser

from financing.models.institutions import InstitutionKind
from financing.services.offer_imports import OPTIONAL, REQUIRED, import_offers
from sipo_portal.audit.actors import Actor
from sipo_portal.tabular.commands import ImportCommand
from sipo_portal.tabular.reading import Row


class Command(ImportCommand):
    help = "Import loan offers from a CSV file, all rows or none; unknown institutions are made."
    required_columns = REQUIRED
    optional_columns = OPTIONAL

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--institution-kind",
            default=InstitutionKind.BANK.value,
            choices=InstitutionKind.values,
            help="kind of institutions that are not there yet",
        )
        parser.add_argument(
            "--publish", action="store_true", help="publish the offers instead of keeping drafts"
        )

    def take_over(self, rows: list[Row], options: dict[str, Any]) -> int:
        offers = import_offers(
            Actor.SYSTEM,
            rows,
            institution_kind=options["institution_kind"],
            publish=options["publish"],
        )
        return len(offers)
