"""Chunks of columns brought up to date: what changed is read again; runs call it, and by day beat.

A request is marked by triggers in the transaction that changes one of its facts. Here the marks are
taken away first and the facts read after, in one transaction: a change committed before is in what
is read, one committed later leaves its mark for the next time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from time import monotonic

import numpy as np
from django.db import connection, transaction

from financing.matching.national.tables import Int64
from financing.models.request_chunks import RequestChunk, RequestMark
from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import PairKind
from financing.snapshot.building import read_all, read_chunk
from financing.snapshot.chunks import Chunk, arrays_of, joined, with_used_codes
from financing.snapshot.code_digest import code_digest
from financing.snapshot.stored import (
    ChunkState,
    Newer,
    spliced,
    states,
    stored_columns,
    write_columns,
    write_newer,
)

CHUNK = 10_000
REFRESH_LOCK = 7_230_002

READ_AT_ONCE = 2_000
"""So many requests share their queries; some 20 MB of records."""

MOST_NEWER = 1_000
"""More requests read again of one chunk are put into its columns."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: chunks made from nothing, chunks and requests brought up to date."""

    rebuilt_count: int = 0
    spliced_count: int = 0
    requests_count: int = 0

    def __add__(self, other: "Refreshed") -> "Refreshed":
        return Refreshed(
            self.rebuilt_count + other.rebuilt_count,
            self.spliced_count + other.spliced_count,
            self.requests_count + other.requests_count,
        )


def refresh(kind: PairKind, on: date, tell: Tell | None = None) -> Refreshed:
    """Bring all chunks of the kind up to date, right from `on` on; some in each transaction.

    `tell(done, of)` hears how many chunks are done; what it raises ends the refresh, to be gone on
    with by the next one.
    """
    _forget_all_where_asked(kind, on)
    stale = sorted(_stale(kind, on))
    done, numbers_count = Refreshed(), 0
    for numbers in _batches(stale):
        if tell is not None:
            tell(numbers_count, len(stale))
        done += _refresh_chunks(kind, numbers, on)
        numbers_count += len(numbers)
    return done


def refresh_most_marked(kind: PairKind, on: date, *, seconds: float) -> Refreshed:
    """Bring some chunks up to date: those with most to read first, until `seconds` are over.

    Done now and then by day, it leaves the night's run the changes of the last minutes.
    """
    end = monotonic() + seconds
    _forget_all_where_asked(kind, on)
    done = Refreshed()
    for numbers in _batches(_stale(kind, on)):
        if monotonic() > end:
            break
        done += _refresh_chunks(kind, numbers, on)
    return done


def _batches(stale: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Numbers of chunks with some READ_AT_ONCE requests to read together, in this order."""
    numbers: list[int] = []
    total = 0
    for number, count in stale:
        if numbers and total + count > READ_AT_ONCE:
            yield numbers
            numbers, total = [], 0
        numbers.append(number)
        total += count
    if numbers:
        yield numbers


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
        RequestChunk(kind=kind.name, number=number, as_of=on, code_digest="", columns=b"")
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
def _refresh_chunks(kind: PairKind, numbers: list[int], on: date) -> Refreshed:
    _lock()
    marked = _marks_taken(kind, numbers)
    there = states(kind, numbers)
    rebuilt_count = requests_count = 0
    to_read: dict[int, Int64] = {}
    for number in numbers:
        state = there.get(number)
        if state is None or state.code_digest != code_digest() or state.as_of > on:
            chunk = rebuilt(kind, number, on)
            write_columns(kind, number, chunk, on)
            rebuilt_count += 1
            requests_count += len(chunk)
        elif number in marked:
            to_read[number] = marked[number]
            requests_count += len(marked[number])
    if to_read:
        _read_again(kind, to_read, there, on)
    return Refreshed(rebuilt_count, len(to_read), requests_count)


def _read_again(
    kind: PairKind, marked: dict[int, Int64], there: dict[int, ChunkState], on: date
) -> None:
    """Put requests as they are now beside their chunks' columns, or into them once they are many.

    Lines not read again are right on every day since theirs, so on the later of the days too.
    """
    fresh = read_chunk(kind, np.concatenate([*marked.values()]).tolist(), on)
    of_chunk = fresh.columns.id // CHUNK
    beside: dict[int, Newer] = {}
    for number, ids in marked.items():
        newer = Newer(ids, with_used_codes(fresh.where(of_chunk == number)))
        older = there[number].newer
        if older is not None:
            newer = older.with_newest(newer.ids, newer.chunk)
        if len(newer.ids) > MOST_NEWER:
            columns = spliced(stored_columns(kind, number), newer.ids, newer.chunk)
            write_columns(kind, number, columns, on)
        else:
            beside[number] = newer
    write_newer(kind, beside, on)


def _marks_taken(kind: PairKind, numbers: list[int]) -> dict[int, Int64]:
    """Take the marks of these chunks away; the ids they had, rising, by number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM financing_requestmark USING unnest(%s::bigint[]) AS number"
            f" WHERE kind = %s AND request_id BETWEEN number * {CHUNK}"
            f"  AND number * {CHUNK} + {CHUNK - 1} RETURNING request_id)"
            " SELECT DISTINCT request_id FROM gone",
            [numbers, kind.name],
        )
        ids = np.array(sorted(pk for (pk,) in cursor.fetchall()), dtype=np.int64)
    of_chunk = ids // CHUNK
    return {number: ids[of_chunk == number] for number in np.unique(of_chunk).tolist()}


def rebuilt(kind: PairKind, number: int, on: date) -> Chunk:
    """A chunk from nothing but the records."""
    found = kind.requests._default_manager.in_matching().filter(
        pk__gte=number * CHUNK, pk__lt=(number + 1) * CHUNK
    )
    return read_all(kind, found, on)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REFRESH_LOCK])


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
