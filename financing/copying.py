"""Rows between PostgreSQL and NumPy by COPY in binary, without a Python object per value.

Services of runs read pairs and write proposals with it. The format is PostgreSQL's own (COPY,
binary): per row the number of columns, per column its length and its bytes, big-endian.
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


def copy_out(query: str, params: Sequence[Any], types: Sequence[str]) -> list[np.ndarray]:
    """The rows of a query as one array per column; no value may be null.

    `types`: "i2", "i4" or "i8" for smallint, integer and bigint, in the order of the columns.
    """
    parts: list[tuple[str, Any]] = [("count", ">i2")]
    for number, kind in enumerate(types):
        parts += [(f"length{number}", ">i4"), (f"value{number}", f">{kind}")]
    row = np.dtype(parts)
    with (
        binary_cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", params) as copy,
    ):
        data = b"".join(bytes(block) for block in copy)
    body = memoryview(data)[len(HEADER) : -len(TRAILER)]
    rows = np.frombuffer(body, dtype=row)
    for number, kind in enumerate(types):
        if len(rows) and not (rows[f"length{number}"] == WIDTH[kind]).all():
            raise ValueError(f"column {number} has nulls or is no {kind}")
    return [rows[f"value{number}"].astype(kind) for number, kind in enumerate(types)]
