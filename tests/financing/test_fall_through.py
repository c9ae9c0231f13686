"""An accepted match that comes to nothing, and what a business says of one that came to money."""

from decimal import Decimal

import pytest

from financing.models import Delivery, LoanOffer, Pledge
from financing.services import acceptances, deliveries
from financing.services.matches import MatchRefused, Reason
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_policy
from tests.factories.money import (
    draw,
    live_pledges,
    make_accepted,
    make_completed,
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


# --- fall-through -------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "staff", "clock"])
def test_everything_is_given_back(who):
    match = make_accepted()
    actor = {"owner": owner_of(match), "staff": staff_of(match), "clock": Actor.CLOCK}[who]

    fall_through(match, actor, None if who == "clock" else Reason("business_not_ready"))

    terms, pledge = match.terms.get(), match.pledges.get()
    assert statuses(match, match.loan_request, terms, pledge) == [
        "fallen_through",
        "open",
        "ended",
        "cancelled",
    ]
    assert booked(match) == (0, 0)
    assert match.deadline_on is None
    assert match.decisions.filter(action="fall_through").exists() == (who != "clock")
    message = OutboxMessage.objects.filter(task="financing.match_request").last()
    assert message.payload == {"request_id": match.loan_request_id}


def test_falling_through_twice_is_the_same_as_once():
    match = make_accepted()
    fall_through(match)
    fall_through(match)

    assert AuditEvent.objects.filter(verb="match.fall_through").count() == 1


def test_registered_pledges_are_released_first():
    match = make_accepted()
    register_all(match)

    assert refusal(fall_through, match) == "pledges_registered"
    assert statuses(match, match.loan_request) == ["accepted", "committed"]

    release(match.pledges.get())
    fall_through(match)
    assert statuses(match, match.pledges.get()) == ["fallen_through", "released"]


def test_a_match_whose_money_is_out_does_not_fall_through():
    match = make_accepted()
    register_all(match)
    draw(match, 1000)
    release(match.pledges.get())

    assert refusal(fall_through, match) == "money_drawn"


def test_people_give_a_reason():
    with pytest.raises(MatchRefused):
        fall_through(make_accepted(), reason=Reason("other"))


def alternative(request, **offer):
    return make_match(request, make_loan_offer(**offer), status="referred")


def test_alternatives_that_still_hold_are_back_in_review():
    request = make_loan_request()
    holds, paused, too_dear = (
        alternative(request),
        alternative(request),
        alternative(request, interest_rate_percent=Decimal(30)),
    )
    was_over = make_match(request, make_loan_offer(), status="declined")
    accepted = make_accepted(make_match(request, make_loan_offer(), status="terms_offered"))
    LoanOffer.objects.filter(pk=paused.loan_offer_id).update(status="paused")

    fall_through(accepted)

    assert statuses(holds, paused, too_dear, was_over) == [
        "in_review",
        "superseded",
        "superseded",
        "declined",
    ]
    assert holds.clock_stage == "review"


def test_other_businesses_get_their_match_back_once_the_patent_is_free():
    terms = make_terms()
    rival = make_rival(list(terms.match.patents.all()))
    gone = make_rival(list(terms.match.patents.all()))
    match = acceptances.accept_terms(actor=owner_of(terms.match), terms=terms)
    type(gone.loan_request).objects.filter(pk=gone.loan_request_id).update(status="withdrawn")
    assert statuses(rival, gone) == ["superseded", "superseded"]
    OutboxMessage.objects.all().delete()

    fall_through(match)

    assert statuses(rival, gone) == ["in_review", "superseded"]
    tasks = OutboxMessage.objects.filter(task="financing.match_request")
    assert {message.payload["request_id"] for message in tasks} == {
        match.loan_request_id,
        rival.loan_request_id,
    }


def test_an_alternative_whose_patent_is_pledged_elsewhere_stays_superseded():
    request = make_loan_request()
    patent = request.patents.get()
    second = make_loan_request().patents.get()
    beside = alternative(request)
    beside.patents.add(second)
    accepted = make_accepted(make_match(request, make_loan_offer(), status="terms_offered"))
    elsewhere = make_rival([second])
    make_accepted(elsewhere)

    fall_through(accepted)

    assert live_pledges(patent.application_number) == []
    assert statuses(beside) == ["superseded"]


def test_no_more_than_k_matches_and_one_of_an_institution_come_back(policy):
    policy.proposals_per_request = 2
    policy.save()
    request = make_loan_request()
    offers = [make_loan_offer() for _each in range(2)]
    twin = make_loan_offer(offers[1].institution)
    third = make_loan_offer()
    matches = [
        make_match(request, offer, status="referred") for offer in (third, offers[0], *offers[1:])
    ]
    doubled = make_match(request, twin, status="referred")
    accepted = make_accepted(make_match(request, make_loan_offer(), status="terms_offered"))

    fall_through(accepted)

    assert statuses(*matches, doubled) == ["superseded", "in_review", "superseded", "in_review"]


# --- delivery -----------------------------------------------------------------------------------


def confirm(match, **fields):
    return deliveries.confirm_delivery(
        actor=owner_of(match), match=match, **{"is_as_agreed": True} | fields
    )


def test_the_business_confirms_once_what_it_got():
    match = make_completed()

    first = confirm(match)
    again = confirm(match, is_as_agreed=False, text="late")

    assert first == again
    assert Delivery.objects.get().is_as_agreed
    assert AuditEvent.objects.filter(verb="delivery.confirmed").count() == 1


def test_a_difference_is_told():
    match = make_completed()

    assert refusal(confirm, match, is_as_agreed=False, text=" ") == "difference_missing"
    assert confirm(match, is_as_agreed=False, text="A fee of 500").text == "A fee of 500"


def test_nothing_is_confirmed_before_completion():
    assert refusal(confirm, make_accepted()) == "not_completed"
    assert not Pledge.objects.filter(status="registered").exists()
