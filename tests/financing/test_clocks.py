"""Starting, stopping and resuming the clock of a match; its days against the published calendar."""

import csv
from bisect import bisect_right
from datetime import date, timedelta
from pathlib import Path

import pytest

from financing.services import clocks
from financing.services.clocks import Stage, resume_clock, start_clock, stop_clock
from sipo_portal.audit.models import AuditEvent
from sipo_portal.offices import working_days
from tests.factories.financing import make_match, make_policy
from tests.factories.money import make_terms

pytestmark = pytest.mark.django_db

# A Friday; 26 January 2025 is a make-up working day, 28 January to 4 February the Spring Festival.
FRIDAY = date(2025, 1, 24)
DAYS = {Stage.REVIEW: 5, Stage.CONSENT: 10, Stage.FIRST_ANSWER: 10, Stage.STUDY: 20}


@pytest.fixture(autouse=True)
def policy():
    return make_policy(review_days=5, consent_days=10, first_answer_days=10, study_days=20)


@pytest.fixture
def match():
    return make_match()


def events(match):
    rows = AuditEvent.objects.filter(object_id=str(match.pk), verb__startswith="match.deadline")
    return list(rows.order_by("pk").values_list("verb", "actor_kind", "data__stage"))


# --- the calendar: three years, counted from the file --------------------------------------------


@pytest.fixture(scope="module")
def office_days(shared_data: Path) -> list[date]:
    with (shared_data / "cn_workdays_2018_2026.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["is_workday"] == "1"]
    return sorted(date.fromisoformat(row["date"]) for row in rows)


@pytest.mark.shared_data
def test_deadlines_of_three_years(office_days, match) -> None:
    """Every day of 2023 to 2025 begins a stage, in turn each of them: deadline, half, expiry."""

    def after(day: date, count: int) -> date:
        return office_days[bisect_right(office_days, day) + count - 1]

    wrong = []
    day, stages = date(2023, 1, 1), list(DAYS.items())
    for number in range(1096):
        on = day + timedelta(days=number)
        stage, length = stages[number % 4]
        start_clock(match, stage, on=on)
        deadline = after(on, length)
        expected = (deadline, after(on, -(-length // 2)), after(deadline, length), False)
        found = (
            match.deadline_on,
            clocks.half_on(match),
            clocks.expires_on(match),
            match.is_deadline_provisional,
        )
        if found != expected:
            wrong.append((on, stage, found, expected))
    assert on == date(2025, 12, 31)
    assert wrong == []


@pytest.mark.shared_data
def test_waits_of_three_years_keep_the_days_left(office_days, match) -> None:
    """A study stopped and resumed: days used before and after add up to the stage's length."""

    def between(start: date, end: date) -> int:
        return bisect_right(office_days, end) - bisect_right(office_days, start)

    for number in range(0, 1000, 7):
        on = date(2023, 1, 1) + timedelta(days=number)
        stopped_on = on + timedelta(days=number % 20)
        resumed_on = stopped_on + timedelta(days=number % 33)
        start_clock(match, Stage.STUDY, on=on)
        stop_clock(match, on=stopped_on)
        resume_clock(match, on=resumed_on)
        used = between(on, stopped_on) + between(resumed_on, match.deadline_on)
        assert used == 20, (on, stopped_on, resumed_on)


# --- arithmetic ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "length"), DAYS.items())
def test_a_stage_has_the_days_of_the_policy(match, stage, length) -> None:
    start_clock(match, stage, on=FRIDAY)
    match.refresh_from_db()
    assert match.deadline_on == working_days.add_working_days(FRIDAY, length)[0]
    assert (match.clock_stage, match.clock_days, match.stage_began_on) == (stage, length, FRIDAY)
    assert events(match) == [("match.deadline_set", "clock", stage)]


def test_another_policy_counts_for_new_stages_only(match, policy) -> None:
    start_clock(match, Stage.REVIEW, on=FRIDAY)
    before = match.deadline_on
    make_policy(review_days=1, version=policy.version + 1, effective_on=date(2025, 1, 1))
    assert match.deadline_on == before
    start_clock(match, Stage.REVIEW, on=FRIDAY)
    assert match.deadline_on == date(2025, 1, 26)


def test_terms_run_until_their_own_day_holiday_or_not() -> None:
    terms = make_terms(valid_until=date(2025, 2, 1))
    start_clock(terms.match, Stage.TERMS, on=FRIDAY)
    assert terms.match.deadline_on == date(2025, 2, 1)
    # 26 and 27 January are the working days until then.
    assert terms.match.clock_days == 2
    assert not terms.match.is_deadline_provisional


def test_no_terms_no_clock_of_terms(match) -> None:
    with pytest.raises(ValueError, match="terms"):
        start_clock(match, Stage.TERMS, on=FRIDAY)


def test_a_wait_gives_the_business_its_own_days(match) -> None:
    start_clock(match, Stage.STUDY, on=date(2025, 3, 3))
    stop_clock(match, on=date(2025, 3, 10))  # five of twenty are used
    assert match.days_left_when_stopped == 15
    assert match.clock_stage == Stage.CONSENT
    assert match.deadline_on == date(2025, 3, 24)  # ten days after 10 March

    resume_clock(match, on=date(2025, 3, 17))
    assert match.days_left_when_stopped is None
    assert match.clock_stage == Stage.STUDY
    # Fifteen after 17 March; 4 April is Tomb-Sweeping Day.
    assert match.deadline_on == date(2025, 4, 8)
    assert events(match) == [
        ("match.deadline_set", "clock", "study"),
        ("match.deadline_stopped", "clock", "consent"),
        ("match.deadline_set", "clock", "study"),
    ]


def test_stopping_and_resuming_twice_is_the_same_as_once(match) -> None:
    start_clock(match, Stage.STUDY, on=date(2025, 3, 3))
    stop_clock(match, on=date(2025, 3, 10))
    stop_clock(match, on=date(2025, 3, 12))
    assert match.days_left_when_stopped == 15
    resume_clock(match, on=date(2025, 3, 17))
    resume_clock(match, on=date(2025, 3, 20))
    assert match.deadline_on == date(2025, 4, 8)
    assert len(events(match)) == 3


def test_who_was_late_when_it_stopped_has_a_day_to_read_the_answer(match) -> None:
    start_clock(match, Stage.REVIEW, on=date(2025, 3, 3))
    stop_clock(match, on=date(2025, 3, 14))
    assert match.days_left_when_stopped == -4
    resume_clock(match, on=date(2025, 3, 17))
    assert match.deadline_on == date(2025, 3, 18)


def test_half_counts_the_days_before_the_wait(match) -> None:
    start_clock(match, Stage.STUDY, on=date(2025, 3, 3))
    assert clocks.half_on(match) == date(2025, 3, 17)
    stop_clock(match, on=date(2025, 3, 10))
    resume_clock(match, on=date(2025, 3, 17))
    # Five are used; the half is five working days later, and not reminded of yet.
    assert clocks.half_on(match) == date(2025, 3, 24)
    assert match.reminded_at_half is None

    stop_clock(match, on=date(2025, 3, 27))
    resume_clock(match, on=date(2025, 3, 31))
    assert match.reminded_at_half is not None


# --- beyond the announced calendar -------------------------------------------------------------


@pytest.fixture
def announced_until(monkeypatch):
    """`announced_until(day, holidays)`: what the official calendar says, as if it ended there."""

    def announce(last: date, holidays: set[date]) -> None:
        monkeypatch.setattr(working_days, "is_announced", lambda day: day <= last)
        monkeypatch.setattr(
            working_days,
            "is_working_day",
            lambda day: day.weekday() < 5 and not (day <= last and day in holidays),
        )

    return announce


def test_a_provisional_deadline_is_counted_again_once_announced(match, announced_until) -> None:
    holidays = {date(2031, 1, day) for day in (1, 2, 3)}
    announced_until(date(2030, 12, 31), holidays)
    start_clock(match, Stage.REVIEW, on=date(2030, 12, 30))
    assert (match.deadline_on, match.is_deadline_provisional) == (date(2031, 1, 6), True)

    assert not clocks.recompute_deadline(match)
    announced_until(date(2031, 12, 31), holidays)
    assert clocks.recompute_deadline(match)
    match.refresh_from_db()
    assert (match.deadline_on, match.is_deadline_provisional) == (date(2031, 1, 9), False)
    assert not clocks.recompute_deadline(match)
    assert len(events(match)) == 2


def test_a_resumed_provisional_deadline_counts_what_was_left(match, announced_until) -> None:
    holidays = {date(2031, 1, day) for day in (1, 2, 3)}
    announced_until(date(2030, 12, 31), holidays)
    start_clock(match, Stage.REVIEW, on=date(2030, 12, 23))
    stop_clock(match, on=date(2030, 12, 25))
    resume_clock(match, on=date(2030, 12, 31))
    assert match.deadline_on == date(2031, 1, 3)
    announced_until(date(2031, 12, 31), holidays)
    clocks.recompute_deadline(match)
    assert match.deadline_on == date(2031, 1, 8)
