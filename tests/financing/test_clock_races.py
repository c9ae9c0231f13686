"""Rounds of the clock at the same moment: everything they bring about happens once."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from financing.models import InsurancePolicy, Match
from financing.services import match_clocks
from financing.services.clock_runs import run_clocks
from financing.services.clocks import Stage, start_clock
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.businesses import make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.insurance import make_insurance_match, make_insurance_request
from tests.factories.money import make_accepted, make_terms
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
CHINA = ZoneInfo("Asia/Shanghai")
MONDAY = date(2025, 3, 3)
ROUNDS = 4


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_policy()


def at(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=CHINA)


def rounds_at_once(now: datetime) -> Counter[str]:
    outcomes = at_once([lambda: run_clocks(now=now)] * ROUNDS)
    assert [each for each in outcomes if isinstance(each, Exception)] == []
    return sum(outcomes, Counter())


def told_once() -> None:
    """Nobody has a notice twice, and there is one mail for each."""
    told = Counter(Notice.objects.values_list("recipient", "kind", "path"))
    assert [each for each, number in told.items() if number > 1] == []
    mails = OutboxMessage.objects.filter(task="notices.send_mail")
    assert mails.count() == told.total()


def test_control_without_the_lock_two_rounds_remind_twice(monkeypatch) -> None:
    match = make_match(status="referred")
    start_clock(match, Stage.FIRST_ANSWER, on=MONDAY)
    meeting = Barrier(2)

    def read(rows: Any, pk: Any) -> Any:
        row = rows.filter(pk=pk).first()
        meeting.wait()
        return row

    monkeypatch.setattr(match_clocks, "locked_row", read)
    now = at(add_working_days(MONDAY, 10)[0])
    outcomes = at_once([lambda: run_clocks(now=now)] * 2)

    assert outcomes == [{"reminded_end": 1}] * 2
    assert AuditEvent.objects.filter(verb="match.reminded").count() == 2


def test_everything_that_is_due_is_done_once() -> None:
    """Reminders, lapsed terms, fall-through, forgotten requests and offers, ended patents."""
    now = at(MONDAY + timedelta(days=400))
    for _each in range(3):
        reminded = make_match(status="referred")
        start_clock(reminded, Stage.FIRST_ANSWER, on=now.date() - timedelta(days=17))
        lapsed = make_terms()
        start_clock(lapsed.match, Stage.TERMS, on=MONDAY)
        yesterday = {
            "deadline_on": now.date() - timedelta(days=1),
            "is_deadline_provisional": False,
        }
        Match.objects.filter(pk=lapsed.match_id).update(**yesterday)
        fallen = make_accepted()
        Match.objects.filter(pk=fallen.pk).update(**yesterday)
        request = make_loan_request()
        type(request).objects.filter(pk=request.pk).update(
            submitted_at=at(MONDAY), refreshed_at=at(MONDAY)
        )
        offer = make_loan_offer(opens_on=date(2024, 1, 1))
        make_staff(offer.institution)
        type(offer).objects.filter(pk=offer.pk).update(closes_on=MONDAY)
        make_patent(filed_on=date(2006, 1, 2))

    done = rounds_at_once(now)

    wanted = ("terms_lapsed", "request_reminded", "offer_closed", "patent_ended")
    assert {word: done[word] for word in wanted} == dict.fromkeys(wanted, 3)
    # Falling through is one act whoever asks for it; every round that did counts it.
    assert done["fallen_through"] >= 3
    assert done["reminded_half"] + done["reminded_end"] >= 3
    assert done["failed"] == 0
    assert AuditEvent.objects.filter(verb="match.fall_through").count() == 3
    assert AuditEvent.objects.filter(verb="terms.ended").count() == 3
    assert AuditEvent.objects.filter(verb="offer.close").count() == 3
    assert AuditEvent.objects.filter(verb="patent.end").count() == 3
    told_once()
    # Another round of the same moment finds nothing left to do.
    assert run_clocks(now=now) == {}


def test_the_end_of_cover_is_reminded_of_once() -> None:
    for _each in range(4):
        match = make_insurance_match(make_insurance_request(status="covered"), status="completed")
        InsurancePolicy.objects.create(
            match=match,
            number="P1",
            starts_on=MONDAY,
            ends_on=MONDAY + timedelta(days=364),
            premium=1000,
            sum_insured=100_000,
        )
    day = MONDAY + timedelta(days=364 - 60)
    assert run_clocks(now=at(day - timedelta(days=1)))["renewal_reminded"] == 0

    assert rounds_at_once(at(day))["renewal_reminded"] == 4
    assert Notice.objects.filter(kind="renewal_due_owner").count() == 4
    told_once()


def test_capacity_balances_after_rounds_at_once() -> None:
    offer = make_loan_offer()
    for _each in range(6):
        terms = make_terms(make_match(loan_offer=offer, status="terms_offered"))
        start_clock(terms.match, Stage.TERMS, on=MONDAY)
        Match.objects.filter(pk=terms.match_id).update(deadline_on=MONDAY)

    done = rounds_at_once(at(MONDAY + timedelta(days=1)))

    assert done["terms_lapsed"] == 6
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (0, 0)
    released = AuditEvent.objects.filter(verb="capacity.released", actor_kind="clock")
    assert released.count() == 6
