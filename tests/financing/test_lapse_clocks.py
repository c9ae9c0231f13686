"""Requests and offers nobody touches, and patents whose term is over."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from financing.models import LoanOffer, LoanRequest, Match, Proposal
from financing.models.guarantee_offers import GuaranteeOffer
from financing.services import loan_requests
from financing.services.clock_runs import run_clocks
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.businesses import make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_staff,
)

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")
MONDAY = date(2025, 3, 3)
NINETY = timedelta(days=90)


def at(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=CHINA)


REMINDED_ON = MONDAY + NINETY
LAPSES_ON = add_working_days(REMINDED_ON, 7)[0]


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


@pytest.fixture
def request_row() -> LoanRequest:
    """Open, last touched on MONDAY."""
    row = make_loan_request()
    return touched(row, submitted_at=at(MONDAY), refreshed_at=at(MONDAY))


@pytest.fixture
def offer() -> LoanOffer:
    row = make_loan_offer(opens_on=date(2024, 1, 1))
    make_staff(row.institution)
    return touched(row, refreshed_at=at(MONDAY), published_at=at(MONDAY))


def touched(row, **moments):
    type(row).objects.filter(pk=row.pk).update(**moments)
    row.refresh_from_db()
    return row


def kinds() -> list[str]:
    return sorted(Notice.objects.values_list("kind", flat=True))


# --- requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["submitted", "open", "returned"])
def test_a_forgotten_request_is_reminded_then_expires(request_row, status) -> None:
    touched(request_row, status=status)
    make_proposal(request_row)
    assert run_clocks(now=at(REMINDED_ON, 8)) == {}
    assert run_clocks(now=at(REMINDED_ON)) == {"request_reminded": 1}
    assert run_clocks(now=at(LAPSES_ON - timedelta(days=1), 23)) == {}
    assert kinds() == ["request_reminder_owner"]
    assert Notice.objects.get().payload["lapses_on"] == str(LAPSES_ON)

    assert run_clocks(now=at(LAPSES_ON, 0)) == {"request_expired": 1}
    request_row.refresh_from_db()
    assert request_row.status == "expired"
    assert not Proposal.objects.exists()
    assert AuditEvent.objects.get(verb="request.expire").actor_kind == "clock"
    assert run_clocks(now=at(LAPSES_ON + NINETY)) == {}
    assert kinds() == ["request_expired_owner", "request_reminder_owner"]


@pytest.mark.parametrize("status", ["draft", "committed", "funded", "withdrawn"])
def test_other_requests_do_not_lapse(request_row, status) -> None:
    touched(request_row, status=status)
    assert run_clocks(now=at(REMINDED_ON + NINETY)) == {}


def test_a_refreshed_request_begins_anew(request_row) -> None:
    run_clocks(now=at(REMINDED_ON))
    touched(request_row, refreshed_at=at(REMINDED_ON, 10))
    assert run_clocks(now=at(LAPSES_ON)) == {}
    assert run_clocks(now=at(REMINDED_ON + NINETY, 11)) == {"request_reminded": 1}
    # A second reminder is a second event.
    assert kinds() == ["request_reminder_owner"] * 2


def test_refreshing_on_its_page_is_what_counts(request_row) -> None:
    owner = Actor.of(request_row.business.members.get().user)
    loan_requests.refresh(actor=owner, request=request_row)
    assert run_clocks(now=at(LAPSES_ON)) == {}


def test_a_live_match_keeps_the_request_and_its_end_starts_the_days(request_row) -> None:
    match = make_match(request_row, status="in_study")
    assert run_clocks(now=at(REMINDED_ON + NINETY)) == {}
    ended_at = at(REMINDED_ON + NINETY)
    Match.objects.filter(pk=match.pk).update(status="declined", status_changed_at=ended_at)
    assert run_clocks(now=ended_at + timedelta(days=89)) == {}
    assert run_clocks(now=ended_at + timedelta(days=90)) == {"request_reminded": 1}


def test_the_days_are_policy(request_row) -> None:
    make_policy(version=9999, effective_on=MONDAY, refresh_days=30, refresh_grace_days=1)
    day = MONDAY + timedelta(days=30)
    assert run_clocks(now=at(day)) == {"request_reminded": 1}
    assert run_clocks(now=at(add_working_days(day, 1)[0])) == {"request_expired": 1}


# --- offers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["published", "paused"])
def test_an_offer_closes_the_day_after_its_last(offer, status) -> None:
    touched(offer, status=status, closes_on=MONDAY)
    assert run_clocks(now=at(MONDAY, 23)) == {}
    assert run_clocks(now=at(MONDAY + timedelta(days=1), 0)) == {"offer_closed": 1}
    offer.refresh_from_db()
    assert offer.status == "closed"
    assert kinds() == ["offer_closed_lender"]
    message = OutboxMessage.objects.get(task="financing.match_offer")
    assert message.payload == {"offer_id": offer.pk}


def test_a_forgotten_offer_is_reminded_then_closed(offer) -> None:
    assert run_clocks(now=at(REMINDED_ON)) == {"offer_reminded": 1}
    assert run_clocks(now=at(LAPSES_ON)) == {"offer_closed": 1}
    assert kinds() == ["offer_closed_lender", "offer_reminder_lender"]


def test_an_offer_with_a_live_match_stays(offer) -> None:
    make_match(None, offer, status="in_study")
    done = run_clocks(now=at(LAPSES_ON))
    assert "offer_reminded" not in done
    offer.refresh_from_db()
    assert offer.status == "published"


def test_a_guarantee_lives_on_the_loans_it_secures(offer) -> None:
    guarantee = GuaranteeOffer.objects.create(
        institution=make_institution("guarantor"),
        name="担保一号",
        status="published",
        opens_on=MONDAY,
        size_classes=["micro"],
        share_percent=80,
        fee_percent=1,
    )
    guarantee.loan_offers.add(offer)
    GuaranteeOffer.objects.update(refreshed_at=at(MONDAY), created_at=at(MONDAY))
    match = make_match(None, offer, status="in_study")
    assert run_clocks(now=at(REMINDED_ON)) == {}
    Match.objects.filter(pk=match.pk).update(status="declined", status_changed_at=at(MONDAY))
    LoanRequest.objects.update(status="draft")
    assert run_clocks(now=at(REMINDED_ON)) == {"offer_reminded": 2}


# --- patents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "filed_on", "days", "ends_on"),
    [
        ("invention", date(2005, 6, 10), 0, date(2025, 6, 10)),
        ("invention", date(2005, 6, 10), 100, date(2025, 9, 18)),
        ("utility_model", date(2016, 2, 29), 0, date(2026, 2, 28)),
        ("design", date(2015, 6, 1), 0, date(2025, 6, 1)),
        ("design", date(2021, 6, 1), 0, date(2036, 6, 1)),
    ],
)
def test_a_patent_ends_with_its_term(kind, filed_on, days, ends_on) -> None:
    patent = make_patent(kind=kind, filed_on=filed_on, compensation_days=days)
    assert run_clocks(now=at(ends_on - timedelta(days=1), 23)) == {}
    assert run_clocks(now=at(ends_on, 0)) == {"patent_ended": 1}
    patent.refresh_from_db()
    assert (patent.status, patent.end_reason, patent.ended_on) == ("ended", "expired", ends_on)
    assert kinds() == ["patent_ended_owner"]
    assert AuditEvent.objects.get(verb="patent.end").actor_kind == "clock"
    assert run_clocks(now=at(ends_on, 1)) == {}


@pytest.mark.parametrize(("status", "is_shown"), [("published", 1), ("paused", 1), ("draft", 0)])
def test_a_lender_confirms_an_offer_on_its_page(offer, client, status, is_shown) -> None:
    touched(offer, status=status)
    client.force_login(offer.institution.staff.get().user)
    page = reverse("admin:financing_loanoffer_change", args=[offer.pk])
    step = reverse("admin:financing_loanoffer_step", args=[offer.pk, "refresh"])
    assert client.get(page).content.decode().count(step) == is_shown
    client.post(step)
    offer.refresh_from_db()
    assert (offer.refreshed_at > at(MONDAY)) == bool(is_shown)
    assert AuditEvent.objects.filter(verb="offer.refreshed").count() == is_shown
    if is_shown:
        assert run_clocks(now=at(LAPSES_ON)) == {}
