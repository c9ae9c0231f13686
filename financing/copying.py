"""Rows between PostgreSQL and NumPy in binary, without a Python object per value.

Runs read pairs with it, write proposals by COPY and long values as they are. COPY's format is
PostgreSQL's own: per row the number of columns, per column its length and its bytes, big-endian.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg
from django.db import connection

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
WIDTH = {"i2": 2, "i4": 4, "i8": 8}


@contextmanager
def binary_cursor() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor that may fetch in binary and COPY, in the connection's transaction."""
    connection.ensure_connection()
    # Errors as Django's cursors raise them.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor


def read_columns(
    query: str, params: Sequence[Any], types: Sequence[str]
) -> list[np.ndarray[Any, Any]]:
    """The rows of a query as one array per column; no value may be null.

    `types`: "i2", "i4" or "i8" for smallint, integer and bigint, in the order of the columns.
    The server sends all rows as one value: row by row, a million of them take seconds to collect.
    """
    row = np.dtype([(f"value{number}", f">{kind}") for number, kind in enumerate(types)])
    names = [f"value{number}" for number in range(len(types))]
    bits = " || ".join(
        f"int{WIDTH[kind]}send({name})" for name, kind in zip(names, types, strict=True)
    )
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(string_agg({bits}, ''::bytea), ''::bytea)"
            f" FROM ({query}) AS found ({', '.join(names)})",
            params,
            binary=True,
        )
        found = cursor.fetchone()
    assert found is not None
    count, data = found
    # A row with a null in it adds nothing.
    if len(data) != count * row.itemsize:
        raise ValueError("a column has nulls")
    rows = np.frombuffer(data, dtype=row)
    return [rows[name].astype(kind) for name, kind in zip(names, types, strict=True)]
