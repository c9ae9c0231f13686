"""Conditions on thousands of ids as one array; incremental runs and shares of delivery use it.

`__in` makes a parameter of each id, and the driver takes a query apart parameter by parameter:
with the ids of 1,700 offers that cost more than the query.

An array must have the column's own type: the driver sends the smallest that holds the numbers, and
PostgreSQL looks values of another type up one by one instead of in a hash table (a million lines
against 5,000 offers: 18 s instead of half a second).
"""

from collections.abc import Iterable

from django.db import connection
from django.db.models import BooleanField, Model
from django.db.models.expressions import RawSQL


def one_of(model: type[Model], column: str, ids: Iterable[int] | Iterable[str]) -> RawSQL:
    """For `filter`, of a query that starts from `model`: the column is one of the ids."""
    table = model._meta.db_table
    (own_type,) = (
        field.db_type(connection) for field in model._meta.concrete_fields if field.column == column
    )
    return RawSQL(f'"{table}"."{column}" = ANY(%s::{own_type}[])', [list(ids)], BooleanField())
