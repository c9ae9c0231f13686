"""Working days against the published calendar, and beyond it."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipo_portal.offices.working_days import (
    add_working_days,
    is_announced,
    is_working_day,
    working_days_between,
)

DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))


@pytest.mark.shared_data
def test_every_day_of_the_published_calendar(shared_data: Path) -> None:
    with (shared_data / "cn_workdays_2018_2026.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3287
    wrong = [
        row["date"]
        for row in rows
        if is_working_day(date.fromisoformat(row["date"])) != (row["is_workday"] == "1")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2025, 1, 24), 1, date(2025, 1, 26)),  # Friday; Sunday is a make-up working day
        (date(2025, 1, 27), 1, date(2025, 2, 5)),  # over the Spring Festival
        (date(2025, 9, 30), 3, date(2025, 10, 11)),  # over the National Day week, Saturday made up
        (date(2025, 10, 1), 0, date(2025, 10, 9)),
        (date(2025, 3, 3), 0, date(2025, 3, 3)),
    ],
)
def test_counting(start: date, count: int, end: date) -> None:
    assert add_working_days(start, count) == (end, False)


def test_beyond_the_announced_years_weekdays_provisionally() -> None:
    assert not is_announced(date(2040, 10, 1))
    assert add_working_days(date(2040, 9, 28), 2) == (date(2040, 10, 2), True)
    assert add_working_days(date(2025, 3, 3), 1) == (date(2025, 3, 4), False)


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2025, 3, 3), -1)


@given(DAYS, st.integers(0, 60))
def test_between_undoes_adding(start: date, count: int) -> None:
    end, _provisional = add_working_days(start, count)
    assert is_working_day(end)
    if count:
        assert working_days_between(start, end) == count
        assert working_days_between(end, start) == -count


@given(DAYS, st.integers(0, 80))
def test_between_counts_days_one_by_one(start: date, length: int) -> None:
    days = [start + timedelta(days=number) for number in range(1, length + 1)]
    assert working_days_between(start, start + timedelta(days=length)) == sum(
        is_working_day(day) for day in days
    )
