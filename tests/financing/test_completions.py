"""From acceptance to the money: pledges registered and released, drawdowns, completion."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from financing.models import Drawdown
from financing.services import acceptances, completions, pledges
from financing.services.money_refusals import MoneyRefused
from sipo_portal.audit.models import AuditEvent
from tests.factories.financing import make_loan_request, make_match, make_policy
from tests.factories.money import (
    draw,
    live_pledges,
    make_accepted,
    make_completed,
    make_contract,
    make_rival,
    make_terms,
    owner_of,
    register_all,
    staff_of,
)
from tests.financing.money_steps import booked, fall_through, refusal, release, statuses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


@pytest.fixture
def today():
    return timezone.localdate()


def register(pledge, number="Y2026980000001", on=None):
    return pledges.register_pledge(
        actor=staff_of(pledge.match),
        pledge=pledge,
        registration_number=number,
        registered_on=on or timezone.localdate(),
        contract=make_contract(pledge.match),
    )


def complete(match):
    return completions.complete(actor=staff_of(match), match=match)


# --- pledges ------------------------------------------------------------------------------------


def test_a_pledge_is_registered_with_number_and_day(today):
    [pledge] = make_accepted().pledges.all()

    register(pledge)
    register(pledge)

    pledge.refresh_from_db()
    assert (pledge.status, pledge.registration_number) == ("registered", "Y2026980000001")
    assert pledge.registered_on == today
    assert AuditEvent.objects.filter(verb="pledge.register").count() == 1


def test_a_pledge_is_not_registered_twice_differently():
    [pledge] = make_accepted().pledges.all()
    register(pledge)

    assert refusal(register, pledge, "Y2026980000002") == "registered_differently"


@pytest.mark.parametrize(
    ("number", "days", "code"),
    [(" ", 0, "number_missing"), ("Y1", 1, "in_the_future"), ("Y1", -1, "before_acceptance")],
)
def test_number_and_day_of_a_registration_are_checked(today, number, days, code):
    [pledge] = make_accepted().pledges.all()

    assert refusal(register, pledge, number, today + timedelta(days=days)) == code
    assert statuses(pledge) == ["planned"]


def test_a_released_pledge_frees_the_patent():
    match = make_completed()
    [pledge] = match.pledges.all()

    release(pledge)
    release(pledge)

    assert statuses(pledge) == ["released"]
    assert live_pledges(pledge.application_number) == []
    assert AuditEvent.objects.filter(verb="pledge.release").count() == 1


def test_a_release_is_not_before_its_registration(today):
    [pledge] = make_completed().pledges.all()

    assert refusal(release, pledge, today - timedelta(days=1)) == "before_acceptance"


def renewal_of(old):
    """An accepted loan of the same business and lender on the same patents."""
    request = make_loan_request(old.business, list(old.patents.all()))
    return make_accepted(make_match(request, old.loan_offer, status="terms_offered"))


def test_registering_a_renewal_releases_the_old_pledge_in_the_same_step(today):
    old = make_completed()
    new = renewal_of(old)

    register(new.pledges.get(), "Y2026980000009")

    assert statuses(old.pledges.get(), new.pledges.get()) == ["released", "registered"]
    assert old.pledges.get().released_on == today
    assert [p.match for p in live_pledges(new.patents.get().application_number)] == [new]


def test_a_renewal_stands_for_itself_once_the_old_pledge_is_released():
    old = make_completed()
    new = renewal_of(old)
    rival = make_rival(list(old.patents.all()))

    release(old.pledges.get())

    assert new.pledges.get().renews is None
    terms = make_terms(rival)
    assert refusal(acceptances.accept_terms, actor=owner_of(rival), terms=terms) == "patent_pledged"
    register(new.pledges.get())
    assert statuses(new.pledges.get()) == ["registered"]


def test_a_renewal_that_falls_through_leaves_the_old_pledge_as_it_is():
    old = make_completed()
    new = renewal_of(old)

    fall_through(new)

    assert statuses(old.pledges.get(), new.pledges.get()) == ["registered", "cancelled"]


# --- drawdown -----------------------------------------------------------------------------------


def test_no_money_before_every_pledge_is_registered():
    match = make_accepted()

    assert refusal(draw, match) == "pledges_not_registered"

    register_all(match)
    assert draw(match).amount == match.terms.get().amount


def test_money_goes_out_in_parts_up_to_the_terms():
    match = make_accepted(amount=Decimal("1000000.00"))
    register_all(match)

    draw(match, "333333.33")
    draw(match, "666666.66")

    with pytest.raises(MoneyRefused) as refused:
        draw(match, "0.02")
    assert (refused.value.code, refused.value.details) == ("above_terms", (Decimal("0.01"),))
    draw(match, "0.01")
    assert completions.drawn_total(match) == Decimal(1_000_000)


def test_the_same_reference_is_the_same_drawdown():
    match = make_accepted()
    register_all(match)

    first = draw(match, 1000, reference="A1")
    again = draw(match, 1000, reference=" A1 ")

    assert first == again
    assert Drawdown.objects.count() == 1
    assert AuditEvent.objects.filter(verb="drawdown.recorded").count() == 1
    assert refusal(draw, match, 2000, reference="A1") == "reference_used"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": "0"}, "not_positive"),
        ({"amount": "-1"}, "not_positive"),
        ({"amount": "NaN"}, "not_positive"),
        ({"amount": "Infinity"}, "not_positive"),
        ({"amount": "1e309"}, "above_terms"),
        ({"amount": "1.001"}, "not_positive"),
        ({"amount": "1", "reference": " "}, "number_missing"),
    ],
)
def test_figures_of_a_drawdown_are_checked(fields, code):
    match = make_accepted()
    register_all(match)

    assert refusal(draw, match, **fields) == code
    assert not Drawdown.objects.exists()


def test_days_of_a_drawdown_are_checked(today):
    match = make_accepted()
    register_all(match)

    assert refusal(draw, match, drawn_on=today + timedelta(days=1)) == "in_the_future"
    assert refusal(draw, match, drawn_on=today - timedelta(days=1)) == "before_acceptance"
    match.terms.update(answered_at=timezone.now() - timedelta(days=3))
    assert refusal(draw, match, drawn_on=today - timedelta(days=1)) == "before_pledge"


def test_raw_rows_cannot_repeat_a_reference_or_go_below_nothing():
    match = make_accepted()
    register_all(match)
    drawdown = draw(match, 1000)
    row = {"match": match, "drawn_on": drawdown.drawn_on, "recorded_by": drawdown.recorded_by}

    for fields in ({"amount": 1000, "reference": drawdown.reference}, {"amount": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Drawdown.objects.create(**row, **{"reference": "B"} | fields)


# --- completion ---------------------------------------------------------------------------------


def test_completion_gives_back_what_was_not_drawn():
    match = make_accepted(amount=Decimal("1000000.00"))
    register_all(match)
    draw(match, "600000.01")

    complete(match)
    complete(match)

    terms = match.terms.get()
    assert statuses(match, match.loan_request, terms) == ["completed", "funded", "accepted"]
    assert (terms.amount, terms.drawn_amount) == (1_000_000, Decimal("600000.01"))
    assert booked(match) == (Decimal("600000.01"), 1)
    assert match.deadline_on is None
    assert AuditEvent.objects.filter(verb="match.complete").count() == 1


def test_nothing_drawn_is_not_completed():
    match = make_accepted()

    assert refusal(complete, match) == "nothing_drawn"
    assert statuses(match) == ["accepted"]


def test_no_money_after_completion():
    match = make_accepted()
    register_all(match)
    draw(match, 1000)
    complete(match)

    assert refusal(draw, match, 1000) == "not_accepted"
