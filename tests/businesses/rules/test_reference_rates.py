"""Reference rates by date and term."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from businesses.rules.reference_rates import RateUnknown, lpr_percent, reference_rate


@pytest.mark.parametrize(
    ("on", "months", "percent"),
    [
        (date(2019, 8, 20), 12, "4.25"),
        (date(2019, 8, 20), 60, "4.25"),
        (date(2019, 8, 20), 61, "4.85"),
        (date(2019, 9, 19), 12, "4.25"),
        (date(2019, 9, 20), 12, "4.20"),
        (date(2019, 8, 19), 6, "4.35"),
        (date(2019, 8, 19), 7, "4.35"),
        (date(2019, 8, 19), 13, "4.75"),
        (date(2019, 8, 19), 60, "4.75"),
        (date(2019, 8, 19), 61, "4.90"),
        (date(2012, 7, 6), 6, "5.60"),
        (date(2014, 11, 21), 12, "6.00"),
        (date(2014, 11, 21), 36, "6.15"),
        (date(2014, 11, 21), 37, "6.40"),
        (date(2014, 11, 22), 12, "5.60"),
    ],
)
def test_rate(on: date, months: int, percent: str) -> None:
    assert lpr_percent(on, months) == Decimal(percent)


def test_before_the_tables_and_without_a_term() -> None:
    with pytest.raises(RateUnknown):
        lpr_percent(date(2012, 7, 5), 12)
    with pytest.raises(ValueError):
        lpr_percent(date(2024, 1, 1), 0)


@pytest.mark.shared_data
def test_agrees_with_the_announcements(shared_data: Path) -> None:
    with (shared_data / "cn_lpr.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    days = [date.fromisoformat(row["publication_date"]) for row in rows]
    for row, day, following in zip(rows, days, [*days[1:], days[-1] + timedelta(400)], strict=True):
        for on in (day, following - timedelta(days=1)):
            assert lpr_percent(on, 12) == Decimal(row["lpr_1y"])
            assert lpr_percent(on, 120) == Decimal(row["lpr_5y"])
            assert reference_rate(on, 12).published_on == day
    with (shared_data / "pboc_benchmark_loan.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            on = date.fromisoformat(row["effective_date"])
            bands = {6: "up_to_6m", 12: "up_to_1y", 36: "y1_to_3", 60: "y3_to_5", 61: "over_5y"}
            for months, column in bands.items():
                assert lpr_percent(on, months) == Decimal(row[column])
