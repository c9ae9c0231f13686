"""Requests of one kind in columns, with what depends on the day kept apart; no database.

`building.py` makes them from records, `codec.py` turns them into bytes, `refreshing.py` stores and
reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np

from financing.matching.national.tables import (
    Bool,
    Int32,
    Int64,
    LoanRequestColumns,
    RequestColumns,
)
from financing.snapshot.dated import Dated, day_number, spread

# Columns that are places in a tuple of codes, and those whose bits stand for codes.
PLACES = {
    "region": "region_codes",
    "industry": "industry_codes",
    "patents.pledgee": "institution_ids",
}
BITS = {
    "certificate_codes": "certificates",
    "ground_codes": "flags",
    "condition_codes": "flags",
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Chunk:
    """One line per request, rising by id.

    Of `columns` those that depend on the day (waiting_days, certificates, hard_grounds,
    failures) mean nothing: `on` fills them in. `certificates`: by request, of loans only. `flags`:
    by patent; bit n is ground_codes[n] of loans, condition_codes[n] of insurances.
    """

    columns: RequestColumns
    business: Int64
    submitted_on: Int32
    certificates: Dated | None
    flags: Dated

    def __len__(self) -> int:
        return len(self.columns)

    def on(self, day: date) -> RequestColumns:
        """The columns as the matcher takes them, on a day not before the chunk's."""
        columns = self.columns
        waiting = np.maximum(day_number(day) - self.submitted_on, 0).astype(np.int32)
        flags = self.flags.on(day)
        if isinstance(columns, LoanRequestColumns):
            assert self.certificates is not None
            return replace(
                columns,
                waiting_days=waiting,
                certificates=self.certificates.on(day),
                patents=replace(columns.patents, hard_grounds=flags.astype(np.uint16)),
            )
        insured = replace(columns.patents, failures=flags)
        return replace(columns, waiting_days=waiting, patents=insured)

    def taken(self, lines: Int64) -> "Chunk":
        """These lines, in this order; codes stay as they are."""
        columns = self.columns
        start, places = spread(columns.patents_start, lines)
        of_patents: dict[str, Any] = arrays_of(columns.patents)
        patents = replace(columns.patents, **{n: v[places] for n, v in of_patents.items()})
        own: dict[str, Any] = {n: v[lines] for n, v in arrays_of(columns).items()}
        return Chunk(
            columns=with_columns(columns, **own, patents_start=start, patents=patents),
            business=self.business[lines],
            submitted_on=self.submitted_on[lines],
            certificates=None if self.certificates is None else self.certificates.taken(lines),
            flags=self.flags.taken(places),
        )

    def where(self, wanted: Bool) -> "Chunk":
        return self.taken(np.flatnonzero(wanted).astype(np.int64))


def with_columns(columns: RequestColumns, **values: Any) -> RequestColumns:
    """The table of either kind with some of its columns replaced."""
    table: Any = columns
    changed: RequestColumns = replace(table, **values)
    return changed


def arrays_of(table: Any) -> dict[str, np.ndarray]:
    """The columns with one value per line."""
    return {
        one.name: getattr(table, one.name)
        for one in fields(table)
        if "allowed" in one.metadata and one.name != "patents_start"
    }


def codes_of(table: Any) -> dict[str, tuple[str, ...]]:
    """The tuples of codes."""
    return {
        one.name: getattr(table, one.name)
        for one in fields(table)
        if "allowed" not in one.metadata and one.name != "patents"
    }


def joined(chunks: Sequence[Chunk]) -> Chunk:
    """All lines of all chunks of one kind, in this order, with the codes of all; at least one."""
    codes = {
        name: tuple(sorted({code for each in chunks for code in codes_of(each.columns)[name]}))
        for name in codes_of(chunks[0].columns)
    }
    numbers = _numbers(codes)
    chunks = [_recoded(each, codes, numbers) for each in chunks]
    first = chunks[0]
    tables = [each.columns for each in chunks]
    of_patents: dict[str, Any] = {
        name: np.concatenate([getattr(each.patents, name) for each in tables])
        for name in arrays_of(first.columns.patents)
    }
    patents = replace(first.columns.patents, **of_patents)
    own: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in tables])
        for name in arrays_of(first.columns)
    }
    certificates = [each.certificates for each in chunks if each.certificates is not None]
    return Chunk(
        columns=with_columns(
            first.columns,
            **own,
            patents_start=_starts([each.patents_start for each in tables]),
            patents=patents,
        ),
        business=np.concatenate([each.business for each in chunks]),
        submitted_on=np.concatenate([each.submitted_on for each in chunks]),
        certificates=_joined_dated(certificates) if certificates else None,
        flags=_joined_dated([each.flags for each in chunks]),
    )


def _joined_dated(parts: Sequence[Dated]) -> Dated:
    return Dated(
        _starts([part.start for part in parts]),
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.bits for part in parts]),
    )


def _starts(parts: Sequence[Int64]) -> Int64:
    counts = [np.diff(part) for part in parts]
    start = np.zeros(sum(len(count) for count in counts) + 1, dtype=np.int64)
    np.cumsum(np.concatenate(counts), out=start[1:])
    return start


def with_used_codes(chunk: Chunk) -> Chunk:
    """Without the codes that no line has any more; certificates, grounds and conditions stay."""
    columns = chunk.columns
    used: dict[str, tuple[str, ...]] = {}
    for name, codes in PLACES.items():
        column = _column(columns, name)
        if column is not None:
            there = np.unique(column)
            known = getattr(columns, codes)
            used[codes] = tuple(known[place] for place in there if place >= 0)
    kept = codes_of(columns) | used
    return _recoded(chunk, kept, _numbers(kept))


def _numbers(codes: dict[str, tuple[str, ...]]) -> dict[str, dict[str, int]]:
    return {name: {code: place for place, code in enumerate(own)} for name, own in codes.items()}


def _recoded(
    chunk: Chunk, codes: dict[str, tuple[str, ...]], numbers: dict[str, dict[str, int]]
) -> Chunk:
    """The chunk with places and bits by these codes, which name all that its lines use.

    `numbers`: of the codes; there may be many thousands, and as many chunks to recode.
    """
    columns = chunk.columns
    own: dict[str, Any] = {}
    of_patents: dict[str, Any] = {}
    for name, code_name in PLACES.items():
        column = _column(columns, name)
        if column is None or codes[code_name] == getattr(columns, code_name):
            continue
        # One more at the end: -1, for nothing, stays -1.
        table = [numbers[code_name].get(code, -1) for code in getattr(columns, code_name)]
        moved = np.array([*table, -1])[column].astype(column.dtype)
        (of_patents if "." in name else own)[name.rpartition(".")[2]] = moved
    known = codes_of(columns)
    bits = {
        name: {1 << old: 1 << numbers[code_name][code] for old, code in enumerate(known[code_name])}
        for code_name, name in BITS.items()
        if code_name in known and codes[code_name] != known[code_name]
    }
    if of_patents:
        own["patents"] = replace(columns.patents, **of_patents)
    certificates = chunk.certificates
    if certificates is not None and "certificates" in bits:
        certificates = _rebitted(certificates, bits["certificates"])
    return replace(
        chunk,
        columns=with_columns(columns, **own, **codes),
        certificates=certificates,
        flags=_rebitted(chunk.flags, bits["flags"]) if "flags" in bits else chunk.flags,
    )


def _rebitted(each: Dated, moves: dict[int, int]) -> Dated:
    bits = np.zeros_like(each.bits)
    for old, new in moves.items():
        bits |= np.where(each.bits & old, new, 0)
    return replace(each, bits=bits)


def _column(columns: RequestColumns, name: str) -> np.ndarray | None:
    table, _, own = name.rpartition(".")
    return getattr(columns.patents if table else columns, own, None)
