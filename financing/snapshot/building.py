"""Records -> a chunk of columns, in a fixed number of queries; `refreshing.py` calls it.

The rows are those of `kind_rows`, the same that a page or an incremental run is decided on: the
facts have one source. Here they only become columns, and what the rules say is asked again for each
day from which on it may differ.
"""

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from businesses.days_of_change import days_of_change
from businesses.models import Business, Patent
from businesses.selectors import registrability_of
from financing.id_arrays import one_of
from financing.insurance_rows import insurability_failures
from financing.kind_rows import rows_of
from financing.match_rows import certificates_held, hard_grounds
from financing.matching.national.from_rows import (
    insurance_columns,
    patents_in_order,
    request_columns,
)
from financing.matching.national.tables import (
    RequestColumns,
)
from financing.matching.tables import (
    InsuranceRequestRow,
    LoanRequestRow,
    PatentRow,
)
from financing.pair_kinds import AnyRequest, PairKind
from financing.snapshot.chunks import Chunk, joined, with_columns
from financing.snapshot.dated import Dated, changes, dated, day_number
from financing.snapshot.records import request_records

DAY = timedelta(days=1)


def read_chunk(kind: PairKind, request_ids: Collection[int], on: date) -> Chunk:
    """Those of the requests that are in matching, rising by id, right from `on` on."""
    found = kind.requests._default_manager.in_matching()
    return read_all(kind, found.filter(one_of(kind.requests, "id", request_ids)), on)


def read_all(kind: PairKind, found: QuerySet[Any], on: date) -> Chunk:
    """The same of all requests of a query, which are in matching."""
    with _no_search_for_cycles():
        return chunk_of(kind, request_records(kind, found.order_by("pk")), on)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Records form none, and looking for some among so many takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def empty_chunk(kind: PairKind) -> Chunk:
    """No requests at all; any day does."""
    return chunk_of(kind, [], date.min)


def chunk_of(kind: PairKind, requests: Sequence[AnyRequest], on: date) -> Chunk:
    """Requests with their facts, as models or records."""
    rows = list(rows_of(kind).request_rows(requests, on))
    ids = [request.pk for request in requests]
    patents = {patent.pk: patent for request in requests for patent in request.patents.all()}
    patent_rows = patents_in_order(rows)
    ordered = [patents[int(row.id)] for row in patent_rows]
    flag_codes: dict[str, int] = {}
    flags = _per_patent(
        zip(ordered, (_flags_of_row(kind, row) for row in patent_rows), strict=True),
        on,
        partial(_bits, codes=flag_codes),
        partial(_flags, kind),
    )
    columns: RequestColumns
    if kind.name == "loan":
        columns = request_columns([row for row in rows if isinstance(row, LoanRequestRow)], ids)
        columns = replace(columns, ground_codes=tuple(flag_codes))
    else:
        columns = insurance_columns(
            [row for row in rows if isinstance(row, InsuranceRequestRow)], ids
        )
        columns = replace(columns, condition_codes=tuple(flag_codes))
    numbers = np.array([patent.pk for patent in ordered], dtype=np.int64)
    columns = with_columns(columns, patents=replace(columns.patents, id=numbers))
    certificates: Dated | None = None
    if kind.name == "loan":
        held: dict[str, int] = {}
        certificates = dated([_certificates(request.business, on, held) for request in requests])
        columns = with_columns(columns, certificate_codes=tuple(held))
    chunk = Chunk(
        columns=columns,
        business=np.array([request.business_id for request in requests], dtype=np.int64),
        submitted_on=np.array([_submitted_on(each, on) for each in requests], dtype=np.int32),
        certificates=certificates,
        flags=flags,
    )
    return joined([chunk])


def _submitted_on(request: AnyRequest, on: date) -> int:
    """As `match_rows.waiting_days` counts from."""
    return day_number(timezone.localdate(request.submitted_at) if request.submitted_at else on)


def _flags(kind: PairKind, patent: Patent, day: date) -> Collection[str]:
    """What keeps the patent out of a loan whatever the offer, or what a cover may ask of it."""
    if kind.name == "loan":
        return hard_grounds(registrability_of(patent, on=day))
    return insurability_failures(patent, day)


def _flags_of_row(kind: PairKind, row: PatentRow) -> Collection[str]:
    """What `_flags` says on the day the row was made for."""
    return row.hard_grounds if kind.name == "loan" else row.insurability_failures


def _per_patent(
    patents: Iterable[tuple[Patent, Collection[str]]],
    on: date,
    bits: Callable[[Collection[str]], int],
    flags_on: Callable[[Patent, date], Collection[str]],
) -> Dated:
    """Of patents with their flags on `on`: the bits from then on; one of two requests is asked
    once."""
    known: dict[int, list[tuple[date | None, int]]] = {}
    lines = []
    for patent, flags in patents:
        if patent.pk not in known:
            known[patent.pk] = changes(
                bits(flags),
                on,
                days_of_change(patent),
                _then(bits, partial(flags_on, patent)),
            )
        lines.append(known[patent.pk])
    return dated(lines)


def _certificates(
    business: Business, on: date, codes: dict[str, int]
) -> list[tuple[date | None, int]]:
    days = {
        each.valid_until + DAY
        for each in business.certificates.all()
        if each.valid_until is not None and each.valid_until < date.max
    }
    held = partial(certificates_held, business)
    bits = partial(_bits, codes=codes)
    return changes(bits(held(on)), on, days, _then(bits, held))


def _then(
    bits: Callable[[Collection[str]], int], names_on: Callable[[date], Collection[str]]
) -> Callable[[date], int]:
    return lambda day: bits(names_on(day))


def _bits(names: Collection[str], codes: dict[str, int]) -> int:
    """A bit for each name; `codes` grows by the names it has not met."""
    return sum(1 << codes.setdefault(name, len(codes)) for name in sorted(names))
