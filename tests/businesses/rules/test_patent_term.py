"""Terms of patents, with 29 February and the design reform of 2021."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from businesses.rules.patent_term import add_months, expires_on, remaining_months


@pytest.mark.parametrize(
    ("kind", "filed", "expected"),
    [
        ("invention", date(2010, 3, 5), date(2030, 3, 5)),
        ("utility_model", date(1999, 9, 6), date(2009, 9, 6)),
        ("design", date(2021, 5, 31), date(2031, 5, 31)),
        ("design", date(2021, 6, 1), date(2036, 6, 1)),
        ("invention", date(2008, 2, 29), date(2028, 2, 29)),
        ("utility_model", date(2016, 2, 29), date(2026, 2, 28)),
        ("design", date(2024, 2, 29), date(2039, 2, 28)),
        ("utility_model", date(2015, 2, 28), date(2025, 2, 28)),
    ],
)
def test_expiry(kind: str, filed: date, expected: date) -> None:
    assert expires_on(kind, filed) == expected  # type: ignore[arg-type]


def test_compensation_is_days_and_not_negative() -> None:
    assert expires_on("invention", date(2010, 3, 5), compensation_days=30) == date(2030, 4, 4)
    with pytest.raises(ValueError):
        expires_on("invention", date(2010, 3, 5), compensation_days=-1)
    with pytest.raises(ValueError):
        expires_on("plant", date(2010, 3, 5))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expiry", "as_of", "months"),
    [
        (date(2030, 3, 5), date(2030, 3, 5), 0),
        (date(2030, 3, 5), date(2031, 1, 1), 0),
        (date(2030, 3, 5), date(2030, 2, 5), 1),
        (date(2030, 3, 5), date(2030, 2, 6), 0),
        (date(2030, 3, 5), date(2028, 3, 5), 24),
        (date(2026, 2, 28), date(2026, 1, 31), 1),
        (date(2026, 2, 28), date(2024, 2, 29), 24),
    ],
)
def test_remaining_months(expiry: date, as_of: date, months: int) -> None:
    assert remaining_months(expiry, as_of) == months


days = st.dates(date(1985, 4, 1), date(2060, 12, 31))


@given(days, st.integers(0, 400))
def test_remaining_months_is_the_most_months_that_fit(as_of: date, ahead: int) -> None:
    expiry = as_of + timedelta(days=ahead * 7 + 1)
    months = remaining_months(expiry, as_of)
    assert add_months(as_of, months) <= expiry < add_months(as_of, months + 1)
