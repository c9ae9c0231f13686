"""Conditions on thousands of ids as one array; incremental runs and shares of delivery use it.

`__in` makes a parameter of each id, and the driver takes a query apart parameter by parameter:
with the ids of 1,700 offers that cost more than the query.
"""

from collections.abc import Iterable

from django.db.models import BooleanField, Model
from django.db.models.expressions import RawSQL


def one_of(model: type[Model], column: str, ids: Iterable[int] | Iterable[str]) -> RawSQL:
    """For `filter`, of a query that starts from `model`: the column is one of the ids."""
    table = model._meta.db_table
    return RawSQL(f'"{table}"."{column}" = ANY(%s)', [list(ids)], BooleanField())
