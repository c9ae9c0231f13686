"""`manage.py load_reference_data`: everything `REFERENCE_DATA_LOADERS` names; safe to repeat."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Loads or refreshes reference data (administrative divisions and what the apps add)."

    def handle(self, *args: Any, **options: Any) -> None:
        for path in settings.REFERENCE_DATA_LOADERS:
            count = import_string(path)()
            self.stdout.write(f"{path}: {count} rows")
