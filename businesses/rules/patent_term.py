"""How long a patent lives (Patent Law art. 42, DOMAIN 4.3); used by patents and matching."""

import calendar
from datetime import date, timedelta
from typing import Literal

PatentKind = Literal["invention", "utility_model", "design"]

# Designs filed from this day live 15 years (Patent Law as amended in 2020), earlier ones 10.
LONGER_DESIGN_TERM_FROM = date(2021, 6, 1)
SHORTEST_MONTH_DAYS = 28


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later (or earlier), at most the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if day.day <= SHORTEST_MONTH_DAYS:
        return date(year, month + 1, day.day)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def anniversary(filed_on: date, years: int) -> date:
    """The filing anniversary after `years`; 29 February falls on 28 February."""
    return add_months(filed_on, 12 * years)


def term_years(kind: PatentKind, filed_on: date) -> int:
    """Years of term from the filing date; ValueError for an unknown kind."""
    if kind == "invention":
        return 20
    if kind == "utility_model":
        return 10
    if kind == "design":
        return 15 if filed_on >= LONGER_DESIGN_TERM_FROM else 10
    raise ValueError(f"unknown patent kind: {kind!r}")


def expires_on(kind: PatentKind, filed_on: date, *, compensation_days: int = 0) -> date:
    """The day the patent ends: the filing anniversary plus any days of term compensation.

    The last day in force is the day before; a holiday does not move it.
    """
    if compensation_days < 0:
        raise ValueError("compensation days cannot be negative")
    return anniversary(filed_on, term_years(kind, filed_on)) + timedelta(days=compensation_days)


def remaining_months(expires_on: date, as_of: date) -> int:
    """Whole months of life left on `as_of`, 0 when it has ended."""
    if as_of >= expires_on:
        return 0
    months = (expires_on.year - as_of.year) * 12 + expires_on.month - as_of.month
    return months if add_months(as_of, months) <= expires_on else months - 1
