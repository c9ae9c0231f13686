"""The table of chunks: written by `refreshing.py`, read by runs, by publishing an offer and checks.

A chunk's columns are megabytes, what changes in it between two runs some lines. Those lie beside
the columns until they are many: `newer_ids` are the requests read again since, `newer_columns`
those of them that are in matching. Everything goes as bytes; as text it would be doubled.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.utils import timezone

from financing.copying import binary_cursor
from financing.matching.national.tables import Bool, Int64
from financing.pair_kinds import PairKind
from financing.snapshot.building import empty_chunk
from financing.snapshot.chunks import Chunk, joined, with_used_codes
from financing.snapshot.code_digest import code_digest
from financing.snapshot.codec import from_bytes, to_bytes

CHUNKS_AT_ONCE = 20


@dataclass(frozen=True, slots=True, eq=False)
class Newer:
    """Requests read again (ids rising), and those of them that are in matching."""

    ids: Int64
    chunk: Chunk

    def with_newest(self, ids: Int64, chunk: Chunk) -> "Newer":
        """Together with requests read after these."""
        return Newer(np.union1d(self.ids, ids), spliced(self.chunk, ids, chunk))


@dataclass(frozen=True, slots=True, eq=False)
class ChunkState:
    """What there is of a chunk beside its columns."""

    code_digest: str
    as_of: date
    newer: Newer | None


def spliced(old: Chunk, gone: Int64, fresh: Chunk) -> Chunk:
    """`old` without the requests `gone`, with those of `fresh`, rising by id."""
    both = joined([old.where(~np.isin(old.columns.id, gone)), fresh])
    return with_used_codes(both.taken(np.argsort(both.columns.id, kind="stable")))


# --- writing ------------------------------------------------------------------------------------


def states(kind: PairKind, numbers: Collection[int]) -> dict[int, ChunkState]:
    """By number; nothing of those that are not there."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT number, code_digest, as_of, newer_ids, newer_columns"
            " FROM financing_requestchunk WHERE kind = %s AND number = ANY(%s)",
            [kind.name, list(numbers)],
            binary=True,
        )
        return {
            number: ChunkState(digest, as_of, _newer(kind, ids, columns))
            for number, digest, as_of, ids, columns in cursor
        }


def write_columns(kind: PairKind, number: int, chunk: Chunk, as_of: date) -> None:
    """All of a chunk, with nothing beside it."""
    with binary_cursor() as cursor:
        cursor.execute(
            "INSERT INTO financing_requestchunk (kind, number, as_of, code_digest, columns,"
            " newer_ids, newer_columns, built_at) VALUES (%s, %s, %s, %s, %b, '', '', %s)"
            " ON CONFLICT (kind, number) DO UPDATE SET as_of = excluded.as_of,"
            " code_digest = excluded.code_digest, columns = excluded.columns, newer_ids = '',"
            " newer_columns = '', built_at = excluded.built_at",
            [kind.name, number, as_of, code_digest(), to_bytes(chunk), timezone.now()],
        )


def write_newer(kind: PairKind, newer: dict[int, Newer], as_of: date) -> None:
    """What lies beside the columns of some chunks, by number; the columns are not touched."""
    now = timezone.now()
    with binary_cursor() as cursor:
        cursor.executemany(
            "UPDATE financing_requestchunk SET as_of = %s, newer_ids = %b, newer_columns = %b,"
            " built_at = %s WHERE kind = %s AND number = %s",
            [
                (as_of, each.ids.tobytes(), to_bytes(each.chunk), now, kind.name, number)
                for number, each in newer.items()
            ],
        )


# --- reading ------------------------------------------------------------------------------------


def stored_columns(kind: PairKind, number: int) -> Chunk:
    """The columns of a chunk as they lie, without what is newer."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT columns FROM financing_requestchunk WHERE kind = %s AND number = %s",
            [kind.name, number],
            binary=True,
        )
        found = cursor.fetchone()
    assert found is not None
    return from_bytes(kind.name, found[0])


def stored_chunks(kind: PairKind) -> Iterator[tuple[int, Chunk]]:
    """The chunks as last refreshed, by number."""
    for number, chunk, newer in _stored(kind):
        yield number, chunk if newer is None else spliced(chunk, newer.ids, newer.chunk)


def stored_parts(kind: PairKind) -> Iterator[tuple[Chunk, Bool]]:
    """All requests as last refreshed, in parts, and which lines of them hold."""
    for _, chunk, newer in _stored(kind):
        if newer is None:
            yield chunk, np.ones(len(chunk), dtype=np.bool_)
        else:
            yield chunk, ~np.isin(chunk.columns.id, newer.ids)
            yield newer.chunk, np.ones(len(newer.chunk), dtype=np.bool_)


def read_requests(kind: PairKind, scope_prefix: str = "") -> Chunk:
    """All requests in matching whose region lies in the scope, as last refreshed, rising by id."""
    parts, holding = [], []
    for chunk, holds in stored_parts(kind):
        if scope_prefix:
            chunk = chunk.where(holds & _inside(chunk, scope_prefix))
            holds = np.ones(len(chunk), dtype=np.bool_)
        parts.append(chunk)
        holding.append(holds)
    if not parts:
        return empty_chunk(kind)
    whole = joined(parts)
    del parts
    lines = np.flatnonzero(np.concatenate(holding))
    ids = whole.columns.id[lines]
    if len(lines) == len(whole) and (np.diff(ids) > 0).all():
        return whole
    return whole.taken(lines[np.argsort(ids, kind="stable")])


def _stored(kind: PairKind) -> Iterator[tuple[int, Chunk, Newer | None]]:
    """By number, without chunks of which nothing was read yet."""
    at = -1
    while True:
        with binary_cursor() as cursor:
            cursor.execute(
                "SELECT number, columns, newer_ids, newer_columns FROM financing_requestchunk"
                " WHERE kind = %s AND number > %s AND octet_length(columns) > 0"
                " ORDER BY number LIMIT %s",
                [kind.name, at, CHUNKS_AT_ONCE],
                binary=True,
            )
            rows = cursor.fetchall()
        for number, columns, ids, newer in rows:
            yield number, from_bytes(kind.name, columns), _newer(kind, ids, newer)
        if len(rows) < CHUNKS_AT_ONCE:
            return
        at = rows[-1][0]


def _newer(kind: PairKind, ids: bytes, columns: bytes) -> Newer | None:
    if not ids:
        return None
    return Newer(np.frombuffer(ids, dtype=np.int64), from_bytes(kind.name, columns))


def _inside(chunk: Chunk, scope_prefix: str) -> Bool:
    codes = chunk.columns.region_codes
    inside = np.array([code.startswith(scope_prefix) for code in codes], dtype=np.bool_)
    return inside[chunk.columns.region] if len(codes) else np.zeros(len(chunk), dtype=np.bool_)
