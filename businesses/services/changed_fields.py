"""Which fields of a row an edit changed; called by the services of businesses and patents."""

from typing import Any

from django.db.models import Model


def stored_values(row: Model) -> dict[str, Any]:
    """By field name; of a relation its key."""
    return {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}


def changed_names(row: Model, before: dict[str, Any]) -> list[str]:
    """Names of fields that differ from `before`, what `stored_values` said earlier."""
    return [name for name, value in stored_values(row).items() if value != before[name]]
