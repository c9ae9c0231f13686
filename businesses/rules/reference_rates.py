"""Official lending rates by date (DOMAIN 4.6); called by services for benchmark and ceiling.

Loan prime rates as published by the National Interbank Funding Center; before 20 August 2019 the
benchmark lending rates of the People's Bank of China.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("data") / "loan_prime_rates.tsv"

# In force from, then per cent a year up to 6, 12, 36, 60 months and above.
_PBOC_BENCHMARK: tuple[tuple[date, tuple[str, str, str, str, str]], ...] = (
    (date(2012, 7, 6), ("5.60", "6.00", "6.15", "6.40", "6.55")),
    (date(2014, 11, 22), ("5.60", "5.60", "6.00", "6.00", "6.15")),
    (date(2015, 3, 1), ("5.35", "5.35", "5.75", "5.75", "5.90")),
    (date(2015, 5, 11), ("5.10", "5.10", "5.50", "5.50", "5.65")),
    (date(2015, 6, 28), ("4.85", "4.85", "5.25", "5.25", "5.40")),
    (date(2015, 8, 26), ("4.60", "4.60", "5.00", "5.00", "5.15")),
    (date(2015, 10, 24), ("4.35", "4.35", "4.75", "4.75", "4.90")),
)
_BANDS = (6, 12, 36, 60)


class RateUnknown(ValueError):
    """No rate was published for the day: it lies before the tables."""

    code = "rate_unknown"


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """A published rate: per cent a year, the day it was published, and by which table."""

    percent: Decimal
    published_on: date
    table: str


@cache
def _quotes() -> tuple[tuple[date, Decimal, Decimal], ...]:
    lines = _DATA.read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple((date.fromisoformat(a), Decimal(b), Decimal(c)) for a, b, c in rows)


def last_quote_on() -> date:
    """The day of the newest quote in the table; later days use it until the table is renewed."""
    return _quotes()[-1][0]


def reference_rate(on: date, term_months: int) -> ReferenceRate:
    """The rate for a loan of `term_months` agreed on `on`; a quote holds until the next.

    One-year LPR up to 60 months, five-year above. RateUnknown before 6 July 2012; ValueError for a
    term that is not positive.
    """
    if term_months <= 0:
        raise ValueError("the term must be at least one month")
    quotes = _quotes()
    if on >= quotes[0][0]:
        day, one_year, five_year = quotes[bisect_right(quotes, on, key=lambda q: q[0]) - 1]
        return ReferenceRate(one_year if term_months <= 60 else five_year, day, "lpr")
    position = bisect_right(_PBOC_BENCHMARK, on, key=lambda row: row[0]) - 1
    if position < 0:
        raise RateUnknown(f"no reference rate before {_PBOC_BENCHMARK[0][0]}: {on}")
    day, rates = _PBOC_BENCHMARK[position]
    band = sum(term_months > limit for limit in _BANDS)
    return ReferenceRate(Decimal(rates[band]), day, "pboc_benchmark")


def lpr_percent(on: date, term_months: int) -> Decimal:
    """Per cent a year: see reference_rate."""
    return reference_rate(on, term_months).percent
