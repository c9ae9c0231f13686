"""The snapshot of a loaded instance, made from the generator's columns; `matching_db` asks for it.

Making it from a million records takes the better part of an hour of processor time, once; that is
measured at smaller sizes. A thousand requests are compared with their records, so that what is
timed afterwards is the real thing.
"""

from dataclasses import replace

import numpy as np
from django.utils import timezone

from benchmarks.matching_scale.instances import AS_OF, Instance
from benchmarks.matching_scale.loading import FIRST_PATENT
from financing.copying import read_columns
from financing.matching.national.tables import NO_DAY, Int64, PatentColumns
from financing.models import RequestChunk, RequestMark
from financing.pair_kinds import LOAN
from financing.snapshot.building import read_chunk
from financing.snapshot.chunks import Chunk, joined, with_used_codes
from financing.snapshot.code_digest import code_digest
from financing.snapshot.codec import to_bytes
from financing.snapshot.dated import Dated, day_number
from financing.snapshot.refreshing import CHUNK, differences

TERM_YEARS = np.array([20, 10, 15])
DESIGN = 2
ENDED = 2
"""Bit of the second ground, after that of unpaid annuities."""
COMPARED = 1_000


def prepare_columns(instance: Instance) -> list[str]:
    """Write all chunks; the columns in which those compared are not as their records say."""
    today = timezone.localdate()
    whole = _whole(instance)
    numbers = whole.columns.id // CHUNK
    compared = int(numbers[len(numbers) // 2])
    wrong: list[str] = []
    RequestChunk.objects.all().delete()
    for number in np.unique(numbers).tolist():
        chunk = with_used_codes(joined([whole.where(numbers == number)]))
        RequestChunk.objects.create(
            kind=LOAN.name,
            number=number,
            as_of=today,
            code_digest=code_digest(),
            columns=to_bytes(chunk),
        )
        if number == compared:
            some = chunk.columns.id[:COMPARED]
            fresh = read_chunk(LOAN, some.tolist(), today)
            wrong = differences(chunk.where(np.isin(chunk.columns.id, some)), fresh, today)
    RequestMark.objects.all().delete()
    return wrong


def _whole(instance: Instance) -> Chunk:
    """Every request as `loading` has written it, rising by id."""
    today = day_number(timezone.localdate())
    shift = (timezone.localdate() - AS_OF).days
    given = instance.requests
    lines = np.argsort(given.id).astype(np.int64)
    count, patents_count = len(given), len(given.patents)
    columns = replace(
        given,
        id=np.argsort(lines).astype(np.int64) + 1,
        established_on=given.established_on + np.int32(shift),
        least_accepted_fen=np.maximum(given.least_accepted_fen // 100 * 100, 100),
        drawdown_on=np.full(count, NO_DAY, dtype=np.int32),
        is_first_time_borrower=np.ones(count, dtype=np.bool_),
        patents=_patents(given.patents, shift),
        ground_codes=(*given.ground_codes, "ended_or_invalidated"),
        institution_ids=_outside_pledgees(),
    )
    expires = columns.patents.expires_on
    # A patent whose annuities nobody recorded is out now; all end with their term.
    is_over = expires <= today
    counts = np.where(is_over, 1, 2)
    start = np.zeros(patents_count + 1, dtype=np.int64)
    np.cumsum(counts, out=start[1:])
    day = np.full(int(start[-1]), NO_DAY, dtype=np.int32)
    bits = np.zeros(int(start[-1]), dtype=np.int64)
    bits[start[:-1]] = np.where(is_over, ENDED, given.patents.hard_grounds)
    later = start[:-1][~is_over] + 1
    day[later], bits[later] = expires[~is_over], ENDED
    return Chunk(
        columns=columns,
        business=columns.id.copy(),
        submitted_on=(today - given.waiting_days).astype(np.int32),
        certificates=Dated(
            np.arange(count + 1, dtype=np.int64),
            np.full(count, NO_DAY, dtype=np.int32),
            given.certificates.copy(),
        ),
        flags=Dated(start, day, bits),
    ).taken(lines)


def _patents(given: PatentColumns, shift: int) -> PatentColumns:
    pledged = np.flatnonzero(given.pledgee >= 0)
    places = np.full(len(given), -1, dtype=np.int32)
    # In the order of the patents, as `_outside_pledgees` names them.
    places[pledged] = np.arange(len(pledged))
    return replace(
        given,
        id=np.arange(len(given), dtype=np.int64) + FIRST_PATENT,
        expires_on=_after_filing(given.expires_on + shift, given.kind),
        appraised_on=np.where(
            given.appraised_on == NO_DAY, NO_DAY, given.appraised_on.astype(np.int64) + shift
        ).astype(np.int32),
        pledgee=places,
        released_on=np.where(
            given.released_on == NO_DAY, NO_DAY, given.released_on.astype(np.int64) + shift
        ).astype(np.int32),
    )


def _after_filing(expires: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """The end of the term of a patent filed so many years before: 29 February may become 28, and
    designs filed before June 2021 last ten years."""
    years = TERM_YEARS[kind]
    filed = _years_on(expires.astype("datetime64[D]"), -years)
    is_short = (kind == DESIGN) & (filed < np.datetime64("2021-06-01"))
    ends: np.ndarray = _years_on(filed, np.where(is_short, 10, years)).astype(np.int32)
    return ends


def _years_on(days: np.ndarray, years: np.ndarray) -> np.ndarray:
    months = days.astype("datetime64[M]")
    in_month = (days - months).astype(np.int64)
    moved = months + (12 * years).astype("timedelta64[M]")
    lengths = ((moved + 1).astype("datetime64[D]") - moved).astype(np.int64)
    found: np.ndarray = moved.astype("datetime64[D]") + np.minimum(in_month, lengths - 1)
    return found


def _outside_pledgees() -> tuple[str, ...]:
    patent, pk = read_columns("SELECT patent_id, id FROM businesses_encumbrance", [], ["i8", "i8"])
    order: Int64 = np.argsort(patent)
    return tuple(f"outside-{each}" for each in pk[order].tolist())
