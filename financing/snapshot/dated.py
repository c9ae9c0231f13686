"""Bits that change with the day, by line of a table; `chunks.py` keeps them beside the columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from financing.matching.national.tables import NO_DAY, Int32, Int64

EPOCH = date(1970, 1, 1)

BitsOn = Callable[[date], int]


def day_number(day: date) -> int:
    """Days since 1970-01-01, as the matcher's columns count them."""
    return (day - EPOCH).days


@dataclass(frozen=True, slots=True, eq=False)
class Dated:
    """Bits by line and day: those of line i are start[i] to start[i + 1] - 1, days rising.

    `day`: from that day on `bits` hold; of the first of each line NO_DAY, "as of the chunk's day".
    """

    start: Int64
    day: Int32
    bits: Int64

    def on(self, day: date) -> Int64:
        """The bits of every line on a day."""
        begun = np.zeros(len(self.day) + 1, dtype=np.int64)
        np.cumsum(self.day <= day_number(day), out=begun[1:])
        first = self.start[:-1]
        found: Int64 = self.bits[first + (begun[self.start[1:]] - begun[first]) - 1]
        return found

    def taken(self, lines: Int64) -> "Dated":
        """These lines, in this order."""
        start, places = spread(self.start, lines)
        return Dated(start, self.day[places], self.bits[places])


def spread(start: Int64, lines: Int64) -> tuple[Int64, Int64]:
    """Starts and places of the parts of these lines, one after the other."""
    counts = start[lines + 1] - start[lines]
    begin = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(counts, out=begin[1:])
    places = np.repeat(start[lines] - begin[:-1], counts) + np.arange(begin[-1])
    return begin, places


def dated(lines: Sequence[Sequence[tuple[date | None, int]]]) -> Dated:
    """From (day, bits) of every line, the first without a day."""
    start = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum([len(line) for line in lines], out=start[1:])
    flat = [one for line in lines for one in line]
    return Dated(
        start,
        np.array([NO_DAY if day is None else day_number(day) for day, _ in flat], dtype=np.int32),
        np.array([bits for _, bits in flat], dtype=np.int64),
    )


def changes(
    first: int, from_day: date, days: set[date], bits_on: BitsOn
) -> list[tuple[date | None, int]]:
    """`first`, what holds on `from_day`, and every later day of `days` on which that changes."""
    found: list[tuple[date | None, int]] = [(None, first)]
    for day in sorted(day for day in days if day > from_day):
        bits = bits_on(day)
        if bits != found[-1][1]:
            found.append((day, bits))
    return found
