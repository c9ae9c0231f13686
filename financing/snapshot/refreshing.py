"""Chunks of columns in the database: read again what changed, then read them all; runs call it.

A request is marked by triggers in the transaction that changes one of its facts. Here the marks are
taken away first and the facts read after, in one transaction: a change committed before is in what
is read, one committed later leaves its mark for the next time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from time import monotonic

import numpy as np
from django.db import connection, transaction

from financing.copying import binary_cursor
from financing.matching.national.tables import Int64
from financing.models.request_chunks import RequestChunk, RequestMark
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import PairKind
from financing.snapshot.building import chunk_of, empty_chunk, read_chunk
from financing.snapshot.chunks import Chunk, arrays_of, joined, with_used_codes
from financing.snapshot.code_digest import code_digest
from financing.snapshot.codec import from_bytes, to_bytes
from financing.snapshot.records import request_records

CHUNK = 10_000
REFRESH_LOCK = 7_230_002
CHUNKS_AT_ONCE = 20

FEWEST_MARKED = 20
"""Fewer marks in a chunk are left to the next run."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: chunks made from nothing, chunks and requests brought up to date."""

    rebuilt_count: int = 0
    spliced_count: int = 0
    requests_count: int = 0


def refresh(kind: PairKind, on: date, tell: Tell | None = None) -> Refreshed:
    """Bring all chunks of the kind up to date, right from `on` on; each in its own transaction.

    `tell(done, of)` hears of each chunk; what it raises ends the refresh, to be gone on with by the
    next one.
    """
    _forget_all_where_asked(kind, on)
    numbers = sorted(number for number, _ in _stale(kind, on))
    rebuilt = spliced = requests = 0
    for place, number in enumerate(numbers):
        if tell is not None:
            tell(place, len(numbers))
        was_rebuilt, count = _refresh_chunk(kind, number, on)
        rebuilt += was_rebuilt
        spliced += not was_rebuilt
        requests += count
    return Refreshed(rebuilt, spliced, requests)


def refresh_most_marked(kind: PairKind, on: date, *, seconds: float) -> Refreshed:
    """Bring some chunks up to date: those with most to read first, until `seconds` are over.

    Done now and then by day, it leaves the night's run the changes of the last minutes. Chunks in
    which little changed wait: writing one costs as much as reading some tens of requests.
    """
    end = monotonic() + seconds
    _forget_all_where_asked(kind, on)
    done = Refreshed()
    for number, count in _stale(kind, on):
        if count < FEWEST_MARKED or monotonic() > end:
            break
        was_rebuilt, read = _refresh_chunk(kind, number, on)
        done = Refreshed(
            done.rebuilt_count + was_rebuilt,
            done.spliced_count + (not was_rebuilt),
            done.requests_count + read,
        )
    return done


@transaction.atomic
def _forget_all_where_asked(kind: PairKind, on: date) -> None:
    """Where a whole table was emptied or nothing was read yet: empty chunks, to be made anew."""
    _lock()
    marks = RequestMark.objects.filter(kind=kind.name)
    asked, _ = marks.filter(request_id=None).delete()
    if not asked:
        return
    marks.delete()
    RequestChunk.objects.filter(kind=kind.name).delete()
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(kind.requests._meta.db_table)
        cursor.execute(
            f"SELECT DISTINCT id / {CHUNK} FROM {table} WHERE status = ANY(%s)",
            [REQUEST_MATCHING_STATUSES],
        )
        numbers = [number for (number,) in cursor.fetchall()]
    RequestChunk.objects.bulk_create(
        RequestChunk(
            kind=kind.name, number=number, request_count=0, as_of=on, code_digest="", columns=b""
        )
        for number in numbers
    )


def _stale(kind: PairKind, on: date) -> list[tuple[int, int]]:
    """Chunks of marked requests, of other code, or made for a later day, those with most marks
    first; with how many marks they have, the ones to be made from nothing with CHUNK."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, sum(count) FROM ("
            f"SELECT request_id / {CHUNK} AS number, count(DISTINCT request_id)"
            " FROM financing_requestmark"
            " WHERE kind = %s AND request_id IS NOT NULL GROUP BY 1"
            f" UNION ALL SELECT number, {CHUNK} FROM financing_requestchunk"
            " WHERE kind = %s AND (code_digest <> %s OR as_of > %s)"
            ") AS stale GROUP BY number ORDER BY 2 DESC, 1",
            [kind.name, kind.name, code_digest(), on],
        )
        return [(number, int(count)) for number, count in cursor.fetchall()]


@transaction.atomic
def _refresh_chunk(kind: PairKind, number: int, on: date) -> tuple[bool, int]:
    """Whether it was made from nothing, and how many requests were read."""
    _lock()
    first, last = number * CHUNK, (number + 1) * CHUNK - 1
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM financing_requestmark"
            " WHERE kind = %s AND request_id BETWEEN %s AND %s RETURNING request_id)"
            " SELECT DISTINCT request_id FROM gone",
            [kind.name, first, last],
        )
        marked = [pk for (pk,) in cursor.fetchall()]
    row = RequestChunk.objects.filter(kind=kind.name, number=number).first()
    if row is None or row.code_digest != code_digest() or row.as_of > on:
        chunk = rebuilt(kind, number, on)
        row = row or RequestChunk(kind=kind.name, number=number)
        count, is_new = len(chunk), True
    elif marked:
        old = from_bytes(kind.name, bytes(row.columns))
        fresh = read_chunk(kind, marked, on)
        chunk = _spliced(old, np.array(marked, dtype=np.int64), fresh)
        count, is_new = len(marked), False
    else:
        return False, 0
    # Lines not read again are right on every day since theirs, so on the later of the days too.
    row.as_of, row.code_digest = on, code_digest()
    row.request_count, row.columns = len(chunk), to_bytes(chunk)
    row.save()
    return is_new, count


def rebuilt(kind: PairKind, number: int, on: date) -> Chunk:
    """A chunk from nothing but the records."""
    found = kind.requests._default_manager.in_matching().filter(
        pk__gte=number * CHUNK, pk__lt=(number + 1) * CHUNK
    )
    return chunk_of(kind, request_records(kind, found.order_by("pk")), on)


def _spliced(old: Chunk, gone: Int64, fresh: Chunk) -> Chunk:
    """`old` without the requests `gone`, with those of `fresh`, rising by id."""
    both = joined([old.where(~np.isin(old.columns.id, gone)), fresh])
    return with_used_codes(both.taken(np.argsort(both.columns.id, kind="stable")))


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REFRESH_LOCK])


# --- reading ------------------------------------------------------------------------------------


def stored_chunks(kind: PairKind) -> Iterator[tuple[int, Chunk]]:
    """The chunks as they lie, by number."""
    at = -1
    while True:
        with binary_cursor() as cursor:
            # In binary: text would double the bytes and cost more than reading them.
            cursor.execute(
                "SELECT number, columns FROM financing_requestchunk WHERE kind = %s"
                " AND number > %s AND request_count > 0 ORDER BY number LIMIT %s",
                [kind.name, at, CHUNKS_AT_ONCE],
                binary=True,
            )
            rows = cursor.fetchall()
        for number, columns in rows:
            yield number, from_bytes(kind.name, columns)
        if len(rows) < CHUNKS_AT_ONCE:
            return
        at = rows[-1][0]


def read_requests(kind: PairKind, scope_prefix: str = "") -> Chunk:
    """All requests in matching whose region lies in the scope, as last refreshed."""
    parts = [chunk for _, chunk in stored_chunks(kind)] or [empty_chunk(kind)]
    if scope_prefix:
        parts = [each.where(_inside(each, scope_prefix)) for each in parts]
    return joined(parts)


def _inside(chunk: Chunk, scope_prefix: str) -> np.ndarray:
    codes = chunk.columns.region_codes
    inside = np.array([code.startswith(scope_prefix) for code in codes], dtype=np.bool_)
    return inside[chunk.columns.region] if len(codes) else np.zeros(0, dtype=np.bool_)


# --- checking -----------------------------------------------------------------------------------


def differences(one: Chunk, other: Chunk, on: date) -> list[str]:
    """Names of the columns in which two chunks differ on a day; how codes are numbered does not
    count."""
    count = len(one)
    if not np.array_equal(one.columns.id, other.columns.id):
        return ["id"]
    # One after the other, so that both speak of the same codes.
    both = joined([one, other])
    columns, split = both.on(on), len(one.columns.patents)
    starts = one.columns.patents_start, other.columns.patents_start
    found = [] if np.array_equal(starts[0], starts[1]) else ["patents_start"]
    by_line = arrays_of(columns) | {"business": both.business, "submitted_on": both.submitted_on}
    found += [n for n, v in by_line.items() if not np.array_equal(v[:count], v[count:])]
    by_patent = arrays_of(columns.patents)
    found += [
        f"patents.{name}"
        for name, values in by_patent.items()
        if not np.array_equal(values[:split], values[split:])
    ]
    return found
