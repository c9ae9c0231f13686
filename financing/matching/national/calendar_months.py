"""Whole months between days for compiled code, as `patent_term` counts them; for packing."""

from functools import cache
from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import inlined, signed
from financing.matching.national.tables import Int32

FIRST_DAY = -36_525
LAST_DAY = 80_000
"""Days the tables know: 1870 to 2189. What lies beyond counts as their first or last day: more
months than any offer asks for either way."""


class Months(NamedTuple):
    """By day since FIRST_DAY: number of its month, its day of the month, the month's last day."""

    number: Int32
    day: Int32
    last: Int32


@cache
def month_tables() -> Months:
    """The tables, 1.4 MB; kept, for one request is packed in less time than they take to make."""
    days = np.arange(FIRST_DAY, LAST_DAY + 1).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    start = months.astype("datetime64[D]")
    length = (months + 1).astype("datetime64[D]") - start
    return Months(
        months.astype(np.int64).astype(np.int32),
        ((days - start).astype(np.int64) + 1).astype(np.int32),
        length.astype(np.int64).astype(np.int32),
    )


@inlined
def _place(day: int) -> int:
    return min(max(signed(day), FIRST_DAY), LAST_DAY) - FIRST_DAY


@inlined
def whole_months(start: int, end: int, months: Months) -> int:
    """Most m with start + m months <= end; below 0 where end lies before start."""
    a, b = _place(start), _place(end)
    count = months.number[b] - months.number[a]
    if min(months.day[a], months.last[b]) > months.day[b]:
        count -= 1
    return signed(count)


@inlined
def months_to_reach(start: int, end: int, months: Months) -> int:
    """Least m >= 0 with start + m months >= end; for start <= end."""
    a, b = _place(start), _place(end)
    count = months.number[b] - months.number[a]
    if min(months.day[a], months.last[b]) < months.day[b]:
        count += 1
    return signed(count)
