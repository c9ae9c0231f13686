"""The lender's pages from acceptance to repayment, in the admin."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import Drawdown, Match
from financing.services import deliveries
from financing.services.referrals import refer_blind
from sipo_portal.audit.actors import Actor
from tests.factories.financing import make_policy, make_staff
from tests.factories.money import (
    draw,
    make_accepted,
    make_completed,
    make_terms,
    owner_of,
    register_all,
    staff_of,
    typed_contract,
)
from tests.financing.money_steps import statuses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    with translation.override("en"):
        yield make_policy()


@pytest.fixture
def today():
    return timezone.localdate()


def shown(match):
    """The match as its institution reads it: referred blind."""
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    return match


def client_of(match):
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff_of(match).user)
    return client


def url_of(match, action):
    return reverse("admin:financing_referral_step", args=[match.pk, action])


def page(match):
    url = reverse("admin:financing_referral_change", args=[match.pk])
    response = client_of(match).get(url)
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ")


def post(match, action, **data):
    response = client_of(match).post(url_of(match, action), data, follow=True)
    assert response.status_code == 200
    return response.content.decode().replace("\u00a0", " ")


def offered(match):
    """Actions whose pages are linked now."""
    content = page(match)
    actions = ("register", "drawdown", "complete", "release", "end")
    return [each for each in actions if url_of(match, each) in content]


def register(match, number="Y2026980000001", on=None):
    [pledge] = match.pledges.all()
    data = typed_contract(match)
    data |= {
        f"number_{pledge.pk}": number,
        f"registered_on_{pledge.pk}": on or timezone.localdate(),
    }
    return post(match, "register", **data)


def record(match, amount, reference="RB-1", on=None, **data):
    data = {"amount": amount, "drawn_on": on or timezone.localdate(), "reference": reference} | data
    return post(match, "drawdown", **data)


def test_the_steps_follow_the_state():
    match = shown(make_accepted())
    assert offered(match) == ["register", "end"]

    register_all(match)
    assert offered(match) == ["drawdown", "release"]

    draw(match, 1000)
    assert offered(match) == ["drawdown", "complete", "release"]

    draw(match, match.amount - 1000)
    assert offered(match) == ["complete", "release"]

    post(match, "complete")
    assert offered(match) == ["release"]

    [pledge] = match.pledges.all()
    post(match, "release", **{f"released_on_{pledge.pk}": timezone.localdate()})
    assert offered(match) == []
    assert statuses(match, match.pledges.get()) == ["completed", "released"]


def test_before_acceptance_there_is_nothing_to_complete():
    match = shown(make_terms().match)

    assert offered(match) == []
    assert "the page has changed" in post(match, "drawdown", amount=1)


def test_registering_records_number_and_day(today):
    match = shown(make_accepted())

    content = register(match)

    assert "1 pledge is registered." in content
    assert "Y2026980000001" in content
    pledge = match.pledges.get()
    assert (pledge.status, pledge.registered_on) == ("registered", today)


def test_half_a_registration_is_an_error_at_the_field(today):
    match = shown(make_accepted())
    [pledge] = match.pledges.all()
    contract = typed_contract(match)

    assert "Enter the number." in post(
        match, "register", **contract, **{f"registered_on_{pledge.pk}": today}
    )
    assert "Enter the day." in post(match, "register", **contract, **{f"number_{pledge.pk}": "Y1"})
    assert "Fill in at least one patent." in post(match, "register", **contract)
    assert "The day lies in the future." in register(match, on=today + timedelta(days=1))
    assert "Enter a date as" in register(match, on="31.02.")
    assert statuses(pledge) == ["planned"]


def test_ids_of_other_pledges_change_nothing():
    match, stranger = shown(make_accepted()), shown(make_accepted())
    [foreign] = stranger.pledges.all()

    post(
        match,
        "register",
        **typed_contract(match),
        **{f"number_{foreign.pk}": "Y1", f"registered_on_{foreign.pk}": timezone.localdate()},
    )

    assert statuses(foreign) == ["planned"]


def test_a_drawdown_is_confirmed_with_its_figures_before_it_counts():
    match = shown(make_accepted(amount=Decimal(1_000_000)))
    register_all(match)

    content = record(match, "400000")
    assert "CNY 600,000.00" in content
    assert not Drawdown.objects.exists()

    content = record(match, "400000", is_confirmed="1")
    assert "The drawdown of CNY 400,000.00 is recorded." in content
    assert "CNY 400,000.00 of CNY 1,000,000.00 paid out." in content

    record(match, "400000", is_confirmed="1")
    assert Drawdown.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("1000000.01", "are left of the terms."),
        ("0", "id_amount_error"),
        ("-5", "id_amount_error"),
        ("NaN", "id_amount_error"),
        ("1e309", "id_amount_error"),
        ("1.001", "id_amount_error"),
        ("", "id_amount_error"),
    ],
)
def test_amounts_of_a_drawdown_are_told_at_the_field(amount, message):
    match = shown(make_accepted(amount=Decimal(1_000_000)))
    register_all(match)

    content = record(match, amount, is_confirmed="1")

    assert message.lower() in content.lower()
    assert not Drawdown.objects.exists()


def test_figures_are_read_as_people_type_them():
    match = shown(make_accepted(amount=Decimal(1_000_000)))
    register_all(match)

    record(match, "４００，０００.5０", is_confirmed="1")

    assert Drawdown.objects.get().amount == Decimal("400000.50")


def test_a_used_reference_is_told_at_the_field(today):
    match = shown(make_accepted())
    register_all(match)
    record(match, "1000", is_confirmed="1")

    assert "belongs to another drawdown" in record(match, "2000", is_confirmed="1")
    early = record(match, "1", "RB-2", on=today - timedelta(days=1), is_confirmed="1")
    assert "The day cannot be before" in early
    assert Drawdown.objects.count() == 1


def test_a_day_that_cannot_be_is_told_before_the_confirmation(today):
    match = shown(make_accepted())
    register_all(match)

    assert "The day lies in the future." in record(match, "1", on=today + timedelta(days=1))
    assert "The day cannot be before" in record(match, "1", on=today - timedelta(days=1))
    assert "id_amount_error" in record(match, "0")


def test_completing_gives_back_what_is_left():
    match = shown(make_accepted(amount=Decimal(1_000_000)))
    register_all(match)
    draw(match, 400_000)

    assert "CNY 600,000.00" in client_of(match).get(
        url_of(match, "complete")
    ).content.decode().replace("\u00a0", " ")
    post(match, "complete")

    assert statuses(match, match.loan_request, match.loan_offer) == [
        "completed",
        "funded",
        "published",
    ]
    assert match.loan_offer.booked_amount == 400_000


def test_ending_needs_a_reason_and_gives_everything_back():
    match = shown(make_accepted())

    assert "Choose the reason." in post(match, "end")
    assert "Explain the reason in the text." in post(match, "end", reason="other")
    content = post(match, "end", reason="conditions_unmet", text="No appraisal came.")

    assert "everything is given back" in content
    assert statuses(match, match.loan_request) == ["fallen_through", "open"]
    assert match.decisions.get().text == "No appraisal came."


def test_what_the_business_says_is_shown_to_its_lender():
    match = shown(make_completed())
    deliveries.confirm_delivery(
        actor=owner_of(match), match=match, is_as_agreed=False, text="A fee more"
    )

    assert "A fee more" in page(match)


def test_other_institutions_find_nothing():
    match = shown(make_accepted())
    register_all(match)
    client = Client()
    client.force_login(make_staff())

    for action in ("register", "drawdown", "complete", "release", "end"):
        assert client.get(url_of(match, action)).status_code == 404
        assert client.post(url_of(match, action)).status_code == 404
    assert Match.objects.get(pk=match.pk).status == "accepted"
