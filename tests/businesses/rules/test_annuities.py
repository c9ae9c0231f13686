"""Annuities: schedule, grace, surcharge, lapse; the Examination Guidelines' own example."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from businesses.rules.annuities import patent_year, schedule, status
from businesses.rules.annuity_fees import AnnuityPolicy, full_fee, relief_percent
from businesses.rules.patent_term import expires_on, term_years

FILED, GRANTED = date(1997, 6, 3), date(2001, 8, 1)


def next_weekday(day: date) -> date:
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def test_the_guidelines_example() -> None:
    """Filed 3 June 1997, granted 1 Aug 2001: year 5 with the grant, year 6 by 3 June 2002."""
    rows = schedule("invention", FILED, GRANTED)
    assert [row.year for row in rows] == list(range(5, 21))
    assert rows[0].due_on == GRANTED
    assert (rows[0].starts_on, rows[0].ends_on) == (date(2001, 6, 3), date(2002, 6, 2))
    assert (rows[1].year, rows[1].due_on, rows[1].fee) == (6, date(2002, 6, 3), Decimal(1200))
    assert rows[1].grace_ends_on == date(2002, 12, 3)
    assert [(step.until, step.percent, step.amount) for step in rows[1].steps] == [
        (date(2002, 7, 3), 0, 0),
        (date(2002, 8, 3), 5, 60),
        (date(2002, 9, 3), 10, 120),
        (date(2002, 10, 3), 15, 180),
        (date(2002, 11, 3), 20, 240),
        (date(2002, 12, 3), 25, 300),
    ]
    assert rows[-1].due_on == date(2016, 6, 3)


@pytest.mark.parametrize(
    ("as_of", "state", "surcharge"),
    [
        (date(2001, 8, 1), "paid", 0),
        (date(2002, 3, 4), "paid", 0),
        (date(2002, 3, 5), "due_soon", 0),
        (date(2002, 6, 3), "due_soon", 0),
        (date(2002, 6, 4), "in_grace", 0),
        (date(2002, 7, 3), "in_grace", 0),
        (date(2002, 7, 4), "in_grace", 60),
        (date(2002, 12, 3), "in_grace", 300),
    ],
)
def test_status_by_day(as_of: date, state: str, surcharge: int) -> None:
    found = status("invention", FILED, GRANTED, 5, as_of)
    assert (found.state, found.next_year, found.surcharge) == (state, 6, surcharge)
    assert found.amount_due == 1200 + surcharge
    assert found.is_unpaid == (state == "in_grace")
    assert found.ended_on is None


def test_unpaid_at_the_end_it_ended_on_the_day_the_fee_was_due() -> None:
    found = status("invention", FILED, GRANTED, 5, date(2002, 12, 4))
    assert (found.state, found.ended_on, found.amount_due) == ("lapsed", date(2002, 6, 3), None)
    assert found.is_unpaid
    # Also years later, past the term.
    assert status("invention", FILED, GRANTED, 5, date(2030, 1, 1)).ended_on == date(2002, 6, 3)


def test_not_granted_unknown_and_expired() -> None:
    assert status("invention", FILED, None, None, date(2001, 1, 1)).state == "not_granted"
    assert status("invention", FILED, GRANTED, 5, date(2001, 7, 31)).state == "not_granted"
    unknown = status("invention", FILED, GRANTED, None, date(2003, 1, 1))
    assert (unknown.state, unknown.next_year, unknown.is_unpaid) == ("unknown", 7, False)
    expired = status("invention", FILED, GRANTED, 20, date(2017, 6, 3))
    assert (expired.state, expired.ended_on) == ("expired", date(2017, 6, 3))
    assert status("invention", FILED, GRANTED, 20, date(2017, 6, 2)).state == "paid"
    longer = status("invention", FILED, GRANTED, 20, date(2017, 6, 3), compensation_days=10)
    assert longer.state == "paid"


def test_relief_for_ten_fee_years_from_grant_and_surcharge_on_the_full_fee() -> None:
    rows = schedule("invention", FILED, GRANTED, relief_percent=Decimal(85))
    assert [row.fee for row in rows if row.year in (5, 14, 15)] == [180, 900, 6000]
    assert [step.amount for step in rows[1].steps] == [0, 60, 120, 180, 240, 300]
    late = status("invention", FILED, GRANTED, 5, date(2002, 8, 1), relief_percent=Decimal(85))
    assert (late.fee, late.surcharge, late.amount_due) == (180, 60, 240)


@pytest.mark.parametrize(
    ("incomes", "percent"),
    [
        ([Decimal(999_999)], 85),
        ([Decimal(1_000_000)], 0),
        ([Decimal(0), Decimal(5)], 70),
        ([Decimal(0), Decimal(2_000_000)], 0),
        ([Decimal(0), None], 0),
        ([], 0),
    ],
)
def test_relief_percent(incomes: list[Decimal | None], percent: int) -> None:
    assert relief_percent(incomes) == percent


def test_29_february_falls_on_the_28th() -> None:
    rows = {row.year: row for row in schedule("utility_model", date(2016, 2, 29), date(2016, 9, 1))}
    assert rows[2].due_on == date(2017, 2, 28)
    assert rows[5].due_on == date(2020, 2, 29)
    assert rows[6].grace_ends_on == date(2021, 8, 28)
    assert rows[10].ends_on == date(2026, 2, 27)
    assert patent_year(date(2016, 2, 29), date(2017, 2, 28)) == 2
    assert patent_year(date(2016, 2, 29), date(2017, 2, 27)) == 1


def test_a_due_day_on_a_holiday_moves_and_lapse_keeps_the_nominal_day() -> None:
    # 3 June 2006 is a Saturday, 3 December 2006 a Sunday.
    rows = schedule("invention", FILED, GRANTED, next_working_day=next_weekday)
    row = next(row for row in rows if row.year == 10)
    assert (row.due_on, row.payable_until) == (date(2006, 6, 3), date(2006, 6, 5))
    assert row.grace_ends_on == date(2006, 12, 4)

    def state_on(day: date) -> str:
        return status("invention", FILED, GRANTED, 9, day, next_working_day=next_weekday).state

    assert state_on(date(2006, 6, 5)) == "due_soon"
    assert state_on(date(2006, 6, 6)) == "in_grace"
    assert state_on(date(2006, 12, 4)) == "in_grace"
    assert state_on(date(2006, 12, 5)) == "lapsed"
    lapsed = status("invention", FILED, GRANTED, 9, date(2007, 1, 1), next_working_day=next_weekday)
    assert lapsed.ended_on == date(2006, 6, 3)


def test_policy_figures_are_data() -> None:
    policy = AnnuityPolicy(grace_months=3, free_months=0, surcharge_percent_per_month=Decimal(10))
    row = schedule("invention", FILED, GRANTED, policy=policy)[1]
    assert [step.percent for step in row.steps] == [10, 20, 30]
    assert row.grace_ends_on == date(2002, 9, 3)


def test_designs_from_june_2021_pay_3000_in_years_11_to_15() -> None:
    rows = schedule("design", date(2021, 6, 1), date(2022, 1, 4))
    assert {row.fee for row in rows if row.year >= 11} == {Decimal(3000)}
    assert rows[-1].year == 15
    assert schedule("design", date(2021, 5, 31), date(2022, 1, 4))[-1].year == 10
    for year in (0, 16):
        with pytest.raises(ValueError):
            full_fee("design", year)


@pytest.mark.shared_data
def test_fees_equal_the_official_table(shared_data: Path) -> None:
    kinds = {"发明": "invention", "实用新型": "utility_model", "外观设计": "design"}
    with (shared_data / "patent_annual_fees.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            fee = full_fee(kinds[row["patent_type"]], int(row["fee_year"]))  # type: ignore[arg-type]
            assert fee == Decimal(row["annual_fee_yuan"])


@given(
    st.sampled_from(["invention", "utility_model", "design"]),
    st.dates(date(1990, 1, 1), date(2026, 1, 1)),
    st.integers(0, 1500),
    st.integers(0, 25),
    st.integers(0, 9000),
)
def test_status_follows_the_schedule(
    kind: str, filed: date, to_grant: int, paid: int, later: int
) -> None:
    granted = filed + timedelta(days=to_grant)
    as_of = granted + timedelta(days=later)
    rows = schedule(kind, filed, granted)  # type: ignore[arg-type]
    assert [row.year for row in rows] == list(
        range(patent_year(filed, granted), term_years(kind, filed) + 1)  # type: ignore[arg-type]
    )
    for row, following in pairwise(rows):
        assert row.ends_on + timedelta(days=1) == following.starts_on == following.due_on
    found = status(kind, filed, granted, paid, as_of)  # type: ignore[arg-type]
    open_rows = [row for row in rows[1:] if row.year > paid]
    if open_rows and as_of > open_rows[0].grace_ends_on:
        assert (found.state, found.ended_on) == ("lapsed", open_rows[0].due_on)
    elif as_of >= expires_on(kind, filed):  # type: ignore[arg-type]
        assert found.state == "expired"
    elif open_rows and as_of > open_rows[0].due_on:
        assert found.state == "in_grace"
        assert found.fee is not None
        assert found.amount_due == found.fee + found.surcharge
    else:
        assert found.state in ("paid", "due_soon")
