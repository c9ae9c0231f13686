"""Years of clock rounds, day by day, against the published calendar read anew from its file.

What was announced ends with a year: beyond it weekdays count, provisionally, and are counted again
by the first round after the next year is announced. The long form (`run.py test -m long
tests/financing/test_clock_years.py`) walks through three whole years.
"""

import csv
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from financing.models import Match
from financing.services import clocks
from financing.services.clock_runs import run_clocks
from financing.services.clocks import Stage, start_clock
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.offices import working_days
from tests.factories.financing import make_match, make_policy

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]
CHINA = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
# Stage, the state of the match meanwhile, the policy's working days.
STAGES = (
    (Stage.FIRST_ANSWER, "referred", 10),
    (Stage.CONSENT, "returned", 10),
    (Stage.STUDY, "in_study", 20),
    (Stage.REVIEW, "in_review", 5),
)
Happened = dict[tuple[str, str], date]


@pytest.fixture(autouse=True)
def policy():
    lengths = {"review_days": 5, "consent_days": 10, "first_answer_days": 10, "study_days": 20}
    return make_policy(refresh_days=30_000, **lengths)


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[date, bool]:
    with (shared_data / "cn_workdays_2018_2026.csv").open(encoding="utf-8") as file:
        return {
            date.fromisoformat(row["date"]): row["is_workday"] == "1"
            for row in csv.DictReader(file)
        }


@pytest.fixture
def announce(published, monkeypatch) -> Iterator[Callable[[date], None]]:
    """`announce(day)`: the calendar the portal knows is the published one up to `day`."""

    def until(last: date) -> None:
        def is_workday(day: date) -> bool:
            if day > last:
                raise NotImplementedError
            return published[day]

        monkeypatch.setattr(working_days.chinese_calendar, "is_workday", is_workday)
        working_days.is_working_day.cache_clear()

    yield until
    monkeypatch.undo()
    working_days.is_working_day.cache_clear()


def counting(published: dict[date, bool], last: date) -> Callable[[date, int], date]:
    """The oracle: the n-th working day after a day; weekdays beyond `last`."""
    known = [day for day, is_working in published.items() if is_working and day <= last]
    beyond = [last + DAY * number for number in range(1, 400)]
    office_days = [*known, *(day for day in beyond if day.weekday() < 5)]

    def after(day: date, count: int) -> date:
        return office_days[bisect_right(office_days, day) + count - 1]

    return after


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=CHINA)


def walk(first: date, last: date, every: int) -> tuple[Happened, dict[str, tuple[date, str, int]]]:
    """A stage begins every so many days, the clock runs each day: what happened, what began."""
    happened: Happened = {}
    began: dict[str, tuple[date, str, int]] = {}
    told = AuditEvent.objects.filter(verb__in=["match.reminded", "match.expire"])
    newest = 0
    for number in range((last - first).days + 1):
        day = first + DAY * number
        if number % every == 0:
            stage, status, length = STAGES[number // every % len(STAGES)]
            match = make_match(status=status)
            start_clock(match, stage, on=day)
            began[str(match.pk)] = (day, stage, length)
        assert run_clocks(now=noon(day))["failed"] == 0
        for event in told.filter(pk__gt=newest).order_by("pk"):
            key = (event.object_id, event.data.get("which", "expired"))
            assert key not in happened
            happened[key] = day
            newest = event.pk
    return happened, began


def expected(
    began: dict[str, tuple[date, str, int]], after: Callable[[date, int], date], last: date
) -> Happened:
    """Half, end and the same time again; a review's silence ends nothing (there is no office)."""
    found: Happened = {}
    for pk, (on, stage, length) in began.items():
        end = after(on, length)
        found[pk, "half"], found[pk, "end"] = after(on, (length + 1) // 2), end
        if stage != Stage.REVIEW:
            found[pk, "expired"] = after(end, length)
    return {key: day for key, day in found.items() if day <= last}


def test_a_quarter_with_the_spring_festival_day_by_day(published) -> None:
    first, last = date(2024, 12, 20), date(2025, 3, 20)

    happened, began = walk(first, last, every=6)

    assert happened == expected(began, counting(published, date(2026, 12, 31)), last)
    assert {which for _pk, which in happened} == {"half", "end", "expired"}


@pytest.mark.long
def test_three_years_day_by_day(published) -> None:
    first, last = date(2023, 1, 1), date(2025, 12, 31)

    happened, began = walk(first, last, every=5)

    print(f"{len(began)} stages, {len(happened)} reminders and ends in 1,096 days")
    assert happened == expected(began, counting(published, date(2026, 12, 31)), last)


@pytest.mark.parametrize("year", [2022, 2023, 2024])
def test_beyond_the_announced_year_provisional_and_counted_again(year, published, announce) -> None:
    """Every stage that begins in the last weeks of a year, before and after the next is known."""
    last, later = date(year, 12, 31), date(year + 1, 12, 31)
    before, then = counting(published, last), counting(published, later)
    match, moved = make_match(status="in_study"), 0
    for number in range(60):
        on = last - DAY * number
        stage, _status, length = STAGES[number % len(STAGES)]
        announce(last)
        start_clock(match, stage, on=on)
        deadline = before(on, length)
        assert (match.deadline_on, match.is_deadline_provisional) == (deadline, deadline > last)
        assert clocks.half_on(match) == before(on, (length + 1) // 2)
        assert clocks.expires_on(match) == before(deadline, length)
        announce(later)
        assert clocks.recompute_deadline(match) == (deadline > last)
        match.refresh_from_db()
        assert (match.deadline_on, match.is_deadline_provisional) == (then(on, length), False)
        assert clocks.expires_on(match) == then(then(on, length), length)
        moved += match.deadline_on != deadline
    # New Year's Day at least was not known.
    assert moved > 5


def test_the_first_round_after_the_announcement_moves_deadlines_before_it_acts(
    published, announce
) -> None:
    """Spring Festival 2025: known too late it would have ended matches a week too early."""
    announce(date(2024, 12, 31))
    on = date(2024, 12, 31)
    matches = [make_match(status="referred") for _each in range(3)]
    for match in matches:
        start_clock(match, Stage.FIRST_ANSWER, on=on)
    provisional = counting(published, date(2024, 12, 31))
    known = counting(published, date(2025, 12, 31))
    too_early = provisional(provisional(on, 10), 10)
    assert (matches[0].deadline_on, too_early) == (date(2025, 1, 14), date(2025, 1, 28))
    assert run_clocks(now=noon(date(2025, 1, 7))) == {"reminded_half": 3}

    announce(date(2025, 12, 31))
    # The half is later now, and is not told a second time.
    for number in range(8, 15):
        assert run_clocks(now=noon(date(2025, 1, number))) == {}
    assert run_clocks(now=noon(known(on, 10))) == {"reminded_end": 3}
    expiry = known(known(on, 10), 10)
    assert expiry > too_early
    assert run_clocks(now=noon(expiry - DAY)) == {}
    assert {match.status for match in Match.objects.all()} == {"referred"}
    assert run_clocks(now=noon(expiry)) == {"expired": 3}
    assert not Match.objects.filter(is_deadline_provisional=True).exists()
    told = Notice.objects.values_list("recipient", "kind", "path")
    assert len(set(told)) == len(told)
