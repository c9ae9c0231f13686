"""What the clock does with matches, day by day: reminders, escalation, lapse, expiry."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from financing import review_selectors
from financing.models import LoanOffer, LoanRequest, Match
from financing.pair_kinds import LOAN
from financing.services import clocks
from financing.services.clock_runs import request_clock_run, run_clocks
from financing.services.clocks import Stage, start_clock, stop_clock
from financing.standing_rows import standing_rows
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator
from tests.factories.financing import (
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.money import make_accepted, make_terms, register_all
from tests.factories.offices import make_office
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")
MONDAY = date(2025, 3, 3)
MATCH_REQUEST = "financing.match_request"


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=CHINA)


def after(count: int, day: date = MONDAY) -> date:
    return add_working_days(day, count)[0]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@pytest.fixture(autouse=True)
def policy():
    # Requests and offers do not lapse in these tests.
    return make_policy(refresh_days=30_000)


@pytest.fixture
def offices():
    """Nearest first: county, prefecture (nobody works there), province, national."""
    national = make_office(None)
    province = make_office("320000", parent=national)
    prefecture = make_office("320500", parent=province)
    county = make_office("320505", parent=prefecture)
    for office in (national, province, county):
        make_coordinator(office)
    return {"national": national, "province": province, "prefecture": prefecture, "county": county}


def running(stage: str, status: str, *, on: date = MONDAY, **fields) -> Match:
    match = make_match(status=status, **fields)
    make_staff(match.institution)
    start_clock(match, stage, on=on)
    return match


def kinds(match: Match | None = None) -> Counter[str]:
    return Counter(Notice.objects.values_list("kind", flat=True))


def told(kind: str) -> set[str]:
    return set(Notice.objects.filter(kind=kind).values_list("recipient__role", flat=True))


# --- reminders on their day ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "status", "length", "kind", "role"),
    [
        (Stage.REVIEW, "in_review", 5, "review_reminder_office", "coordinator"),
        (Stage.CONSENT, "returned", 10, "turn_reminder_owner", "owner"),
        (Stage.FIRST_ANSWER, "referred", 10, "answer_reminder_lender", "institution_staff"),
        (Stage.CONSENT, "referred", 10, "turn_reminder_owner", "owner"),
        (Stage.STUDY, "in_study", 20, "answer_reminder_lender", "institution_staff"),
        (Stage.CONSENT, "waiting", 10, "turn_reminder_owner", "owner"),
    ],
)
def test_reminders_on_the_day_of_half_and_end(stage, status, length, kind, role, offices) -> None:
    match = running(stage, status)
    half, end = after(-(-length // 2)), after(length)
    sent = {}
    for day in days(MONDAY, end):
        done = run_clocks(now=at(day))
        if done:
            sent[day] = dict(done)
    assert sent == {half: {"reminded_half": 1}, end: {"reminded_end": 1}}
    first, last = Notice.objects.filter(kind=kind).order_by("pk")
    assert (first.payload["is_last"], last.payload["is_last"]) == (False, True)
    assert told(kind) == {role}
    assert first.payload["deadline_on"] == str(end)
    # At the end of somebody else's time the office hears of it, to chase.
    assert kinds()["silence_office"] == (0 if stage == Stage.REVIEW else 1)
    events = AuditEvent.objects.filter(object_id=str(match.pk), verb="match.reminded")
    assert [event.actor_kind for event in events] == ["clock", "clock"]


def test_terms_are_reminded_of_until_their_last_day(offices) -> None:
    terms = make_terms(valid_until=after(6))
    start_clock(terms.match, Stage.TERMS, on=MONDAY)
    assert run_clocks(now=at(after(2))) == {}
    assert run_clocks(now=at(after(3))) == {"reminded_half": 1}
    assert run_clocks(now=at(after(6))) == {"reminded_end": 1}
    assert kinds()["terms_reminder_owner"] == 2


def test_ten_rounds_a_day_remind_once(offices) -> None:
    running(Stage.REVIEW, "in_review")
    for hour in range(8, 18):
        run_clocks(now=at(after(3), hour))
    assert kinds() == {"review_reminder_office": 1}


# --- past the deadline ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "status", "length"),
    [
        (Stage.CONSENT, "returned", 10),
        (Stage.FIRST_ANSWER, "referred", 10),
        (Stage.STUDY, "in_study", 20),
        (Stage.CONSENT, "waiting", 10),
    ],
)
def test_past_the_deadline_it_counts_no_longer_and_expires_after_the_same_time(
    stage, status, length, offices
) -> None:
    match = running(stage, status)
    deadline, expiry = after(length), after(2 * length)

    def counts(on: date) -> bool:
        return standing_rows(LOAN, [match.loan_request_id], on)[0].is_within_deadline

    assert counts(deadline)
    assert not counts(deadline + timedelta(days=1))
    run_clocks(now=at(expiry - timedelta(days=1), 23))
    match.refresh_from_db()
    assert match.status == status

    OutboxMessage.objects.all().delete()
    assert run_clocks(now=at(expiry, 0)) == {"expired": 1}
    match.refresh_from_db()
    assert (match.status, match.deadline_on) == ("expired", None)
    # The request stays open and is matched again.
    request = LoanRequest.objects.get(pk=match.loan_request_id)
    assert request.status == "open"
    again = OutboxMessage.objects.get(task=MATCH_REQUEST)
    assert again.payload == {"request_id": request.pk}
    assert {"match_expired_owner", "match_expired_office"} <= set(kinds())
    assert AuditEvent.objects.get(verb="match.expire").actor_kind == "clock"
    assert run_clocks(now=at(expiry + timedelta(days=40))) == {}


def test_an_institution_that_never_saw_the_match_is_not_told_of_its_end(offices) -> None:
    running(Stage.CONSENT, "returned")
    run_clocks(now=at(after(20)))
    assert "match_expired_lender" not in kinds()


def test_lapsed_terms_give_back_what_they_booked_the_day_after(offices) -> None:
    terms = make_terms(valid_until=after(10))
    match = terms.match
    start_clock(match, Stage.TERMS, on=MONDAY)
    run_clocks(now=at(after(10), 23))
    assert LoanOffer.objects.get(pk=match.loan_offer_id).booked_amount == terms.amount

    assert run_clocks(now=at(after(10) + timedelta(days=1), 0)) == {"terms_lapsed": 1}
    offer = LoanOffer.objects.get(pk=match.loan_offer_id)
    assert (offer.booked_amount, offer.booked_count) == (0, 0)
    match.refresh_from_db()
    assert match.status == "terms_offered"

    run_clocks(now=at(after(20)))
    match.refresh_from_db()
    assert match.status == "expired"


def test_a_study_that_waits_does_not_run_out(offices) -> None:
    match = running(Stage.STUDY, "in_study")
    stop_clock(match, on=after(18))
    match.status = "waiting"
    match.save()
    # Long after the study's own last day the business still has its time.
    assert run_clocks(now=at(after(22))) == {}
    assert run_clocks(now=at(after(23))) == {"reminded_half": 1}
    assert told("turn_reminder_owner") == {"owner"}


# --- silence of an office ------------------------------------------------------------------------


def test_a_silent_review_goes_up_office_by_office_and_never_ends(offices) -> None:
    match = running(Stage.REVIEW, "in_review")
    assert run_clocks(now=at(after(5), 23)) == {"reminded_end": 1}

    first = after(6)
    assert run_clocks(now=at(first)) == {"escalated": 1}
    match.refresh_from_db()
    # The prefecture's office has nobody: it is passed over.
    assert match.escalated_to == offices["province"]
    assert match.deadline_on == after(5, first)
    assert match.reminded_at_end is None
    upper = Notice.objects.get(kind="review_escalated_office")
    assert upper.recipient.office == offices["province"]
    below = Notice.objects.get(kind="review_handed_up_office")
    assert below.recipient.office == offices["county"]
    assert AuditEvent.objects.get(verb="match.escalated").data == {
        "from": offices["county"].pk,
        "to": offices["province"].pk,
    }

    # Reminders go to the office that answers now.
    run_clocks(now=at(after(3, first)))
    reminder = Notice.objects.filter(kind="review_reminder_office").latest("pk")
    assert reminder.recipient.office == offices["province"]

    second = after(6, first)
    assert run_clocks(now=at(second)) == {"escalated": 1}
    match.refresh_from_db()
    assert match.escalated_to == offices["national"]

    for week in range(1, 60):
        run_clocks(now=at(second + timedelta(weeks=week)))
    match.refresh_from_db()
    assert match.status == "in_review"
    assert kinds()["review_escalated_office"] == 2


def test_a_parent_that_does_not_cover_the_region_is_not_asked() -> None:
    elsewhere = make_office("330000")
    make_coordinator(elsewhere)
    county = make_office("320505", parent=elsewhere)
    make_coordinator(county)
    match = running(Stage.REVIEW, "in_review")
    assert run_clocks(now=at(after(6))) == {"reminded_end": 1}
    match.refresh_from_db()
    assert match.escalated_to is None


# --- acceptance that comes to nothing ------------------------------------------------------------


def test_past_the_time_to_the_money_it_falls_through(offices) -> None:
    match = make_accepted()
    deadline = match.deadline_on
    assert run_clocks(now=at(deadline, 23)) == {"reminded_end": 1}
    assert run_clocks(now=at(deadline + timedelta(days=1), 0)) == {"fallen_through": 1}
    match.refresh_from_db()
    assert match.status == "fallen_through"
    assert match.loan_offer.booked_amount == 0
    assert LoanRequest.objects.get(pk=match.loan_request_id).status == "open"


def test_what_only_people_can_undo_is_left_to_them(offices) -> None:
    match = make_accepted()
    register_all(match)
    run_clocks(now=at(match.deadline_on))
    assert run_clocks(now=at(match.deadline_on + timedelta(days=30))) == {}
    match.refresh_from_db()
    assert match.status == "accepted"


# --- one round after another, or at once ---------------------------------------------------------


def test_a_row_that_fails_does_not_stop_the_others(offices, monkeypatch) -> None:
    broken, healthy = (running(Stage.FIRST_ANSWER, "referred") for _each in range(2))
    original = clocks.recompute_deadline

    def fail(match):
        if match.pk == broken.pk:
            raise RuntimeError("broken")
        return original(match)

    monkeypatch.setattr("financing.services.match_clocks.recompute_deadline", fail)
    assert run_clocks(now=at(after(20))) == {"expired": 1, "failed": 1}
    healthy.refresh_from_db()
    assert healthy.status == "expired"


def test_beat_asks_once_while_a_round_waits() -> None:
    request_clock_run()
    request_clock_run()
    assert OutboxMessage.objects.filter(task="financing.run_clocks").count() == 1


def test_the_round_asked_for_runs(run_outbox, offices) -> None:
    running(Stage.FIRST_ANSWER, "referred")
    request_clock_run()
    run_outbox()
    assert Match.objects.get().status == "expired"


@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_do_nothing_twice(policy) -> None:
    national = make_office(None)
    county = make_office("320505", parent=national)
    for office in (national, county):
        make_coordinator(office)
    matches = [running(Stage.FIRST_ANSWER, "referred") for _each in range(6)]
    matches += [running(Stage.REVIEW, "in_review") for _each in range(6)]
    late = [running(Stage.STUDY, "in_study") for _each in range(6)]
    now = at(after(20))

    outcomes = at_once([lambda: run_clocks(now=now)] * 3)

    assert sum(outcomes, Counter()) == {"expired": 6, "escalated": 6, "reminded_end": 6}
    assert AuditEvent.objects.filter(verb="match.expire").count() == 6
    assert AuditEvent.objects.filter(verb="match.escalated").count() == 6
    assert AuditEvent.objects.filter(verb="match.reminded").count() == 6
    assert OutboxMessage.objects.filter(task=MATCH_REQUEST).count() == 6
    assert kinds()["match_expired_owner"] == 6
    assert kinds()["answer_reminder_lender"] == 6
    assert {match.status for match in Match.objects.filter(pk__in=[m.pk for m in late])} == {
        "in_study"
    }
    assert len(matches) == 12


def test_the_upper_office_finds_what_was_handed_up_in_its_queue(offices, client) -> None:
    match = running(Stage.REVIEW, "in_review")
    match.claimed_by = offices["county"].coordinators.get()
    match.save()
    person = offices["province"].coordinators.get()
    mine = review_selectors.QueueFilter(shown="mine")
    assert not review_selectors.queue(person, mine).exists()

    run_clocks(now=at(after(6)))
    handed_up = [(row["kind"], row["pk"]) for row in review_selectors.queue(person, mine)]
    assert handed_up == [("loan", match.loan_request_id)]
    assert review_selectors.first_mine(person) == match
    client.force_login(person)
    queue = client.get(reverse("financing:review_queue"), headers={"accept-language": "en"})
    assert "Handed up" in queue.content.decode()
    page = client.get(
        reverse("financing:match_detail", args=[match.pk]), headers={"accept-language": "en"}
    )
    assert offices["province"].label in page.context["now"].text
