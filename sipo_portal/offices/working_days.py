"""Working days after the official calendar of China; clocks and due dates of every app count here.

The State Council announces holidays and make-up days one year at a time. Beyond the last announced
year (and before 2004, where the calendar begins) weekdays count, and results say so: provisional.
"""

from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

_DAY = timedelta(days=1)


# Asked a hundred times for every patent of a match run; thirty years of days are remembered.
@lru_cache(maxsize=11_000)
def is_working_day(day: date) -> bool:
    """Whether offices work on `day`; weekdays where the calendar is not announced."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def is_announced(day: date) -> bool:
    """Whether the official calendar says something about `day`."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def add_working_days(day: date, count: int) -> tuple[date, bool]:
    """The `count`-th working day after `day` (which itself never counts), and if it is provisional.

    With 0: `day` itself, or the next working day where it is none. Raises ValueError for less.
    """
    if count < 0:
        raise ValueError("A number of working days is not negative.")
    if count == 0:
        while not is_working_day(day):
            day += _DAY
    for _each in range(count):
        day += _DAY
        while not is_working_day(day):
            day += _DAY
    return day, not is_announced(day)


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; negative when `end` is before.

    The inverse of `add_working_days`: between a day and n working days after it lie n.
    """
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + _DAY * step) for step in range(1, (end - start).days + 1))
