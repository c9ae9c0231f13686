"""Booked capacity to the fen, one after the other and by several of the institution at once."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.db.utils import IntegrityError

from financing.models import LoanOffer, Match, Terms
from financing.services import capacity, loan_requests
from financing.services.capacity import CapacityExhausted
from financing.services.terms import end_terms, offer_terms
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.financing import make_loan_offer, make_policy, make_staff
from tests.factories.studies import (
    booked_by_terms,
    make_insurance_referral,
    make_referral,
    offered,
    rivals_for,
)
from tests.financing.at_once import at_once

MILLION = Decimal(1_000_000)


def offer_of(match: Match, number: int = 0, **fields: Any) -> Callable[[], Any]:
    """Offering terms on the match, by a member of staff of its own where there are several."""
    posts = match.institution.staff.select_related("user").order_by("pk")
    actor = Actor.of(posts[number % posts.count()].user)
    values = offered(match, **fields)
    return lambda: offer_terms(actor=actor, match=match, offered=values)


def counters(offer: LoanOffer) -> tuple[Decimal, int]:
    offer.refresh_from_db()
    return offer.booked_amount, offer.booked_count


# --- one after the other


@pytest.mark.django_db
@pytest.mark.parametrize("make", [make_referral, make_insurance_referral])
def test_booked_and_given_back(make: Any) -> None:
    make_policy()
    match = make("in_study", is_open=True)
    offer_of(match, amount=Decimal("654321.09"))()
    offer = type(match.offer).objects.get()
    assert (offer.booked_amount, offer.booked_count) == (Decimal("654321.09"), 1)
    with transaction.atomic():
        assert capacity.release(actor=Actor.CLOCK, match=match) == Decimal("654321.09")
        assert capacity.release(actor=Actor.CLOCK, match=match) == 0
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (0, 0)
    verbs = AuditEvent.objects.filter(verb__startswith="capacity.").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["capacity.booked", "capacity.released"]


@pytest.mark.django_db
def test_the_last_fen_may_be_booked_and_not_one_more() -> None:
    make_policy()
    one, two = rivals_for("1500000.00", 2)
    offer_of(one)()
    with pytest.raises(CapacityExhausted) as exhausted:
        offer_of(two, amount=Decimal("500000.01"))()
    assert exhausted.value.free_amount == Decimal(500_000)
    two.refresh_from_db()
    assert two.status == "in_study"
    assert not two.terms.exists()
    offer_of(two, amount=Decimal("500000.00"))()
    assert counters(one.loan_offer) == (Decimal(1_500_000), 2)


@pytest.mark.django_db
def test_the_number_of_loans_is_a_capacity_too() -> None:
    make_policy()
    one, two = rivals_for(50 * MILLION, 2, capacity_count=1)
    offer_of(one)()
    with pytest.raises(CapacityExhausted) as exhausted:
        offer_of(two)()
    assert exhausted.value.free_count == 0
    end_terms(actor=Actor.CLOCK, match=one)
    offer_of(two)()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_booked() -> None:
    match = make_referral()
    for act in (
        lambda: capacity.book(actor=Actor.SYSTEM, match=match, amount=Decimal(1)),
        lambda: capacity.release(actor=Actor.SYSTEM, match=match),
    ):
        with pytest.raises(TransactionManagementError):
            act()


@pytest.mark.django_db
def test_the_database_itself_refuses_more_than_the_capacity() -> None:
    offer = make_loan_offer(capacity_amount=Decimal(100_000), capacity_count=1)
    for fields in ({"booked_amount": Decimal("100000.01")}, {"booked_count": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LoanOffer.objects.filter(pk=offer.pk).update(**fields)


# --- several at once


@pytest.mark.django_db(transaction=True)
def test_several_of_one_institution_offer_at_once() -> None:
    make_policy()
    rivals = rivals_for("3999999.99", 6)
    results = at_once([offer_of(match, number) for number, match in enumerate(rivals)])

    late = [each for each in results if isinstance(each, CapacityExhausted)]
    assert len(late) == 3, results
    assert {each.free_amount for each in late} == {Decimal("999999.99")}
    offer = rivals[0].loan_offer
    assert counters(offer) == booked_by_terms(offer) == (3 * MILLION, 3)
    assert Match.objects.filter(status="in_study").count() == 3


@pytest.fixture
def _unlocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The offer read without its lock, and everybody reads before anybody writes."""
    everybody_has_read = Barrier(6)

    def read(key: tuple[bool, int]) -> LoanOffer:
        return LoanOffer.objects.get(pk=key[1])

    counted = capacity._booked_by

    def count_and_wait(offer: Any, **options: Any) -> Any:
        found = counted(offer, **options)
        everybody_has_read.wait(timeout=60)
        return found

    monkeypatch.setattr(capacity, "_locked_offer", read)
    monkeypatch.setattr(capacity, "_booked_by", count_and_wait)
    return


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_unlocked")
def test_control_run_without_the_lock_more_is_promised_than_there_is() -> None:
    """What the lock is for: without it six people promise six millions of four."""
    make_policy()
    rivals = rivals_for("3999999.99", 6)
    results = at_once([offer_of(match, number) for number, match in enumerate(rivals)])

    assert not [each for each in results if isinstance(each, Exception)], results
    offer = rivals[0].loan_offer
    assert booked_by_terms(offer) == (6 * MILLION, 6)
    assert counters(offer) == (MILLION, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_terms_sent_ten_times_are_offered_once() -> None:
    make_policy()
    (match,) = rivals_for(50 * MILLION, 1)
    results = at_once([offer_of(match)] * 10)
    assert len([each for each in results if not isinstance(each, Exception)]) == 1
    assert counters(match.loan_offer) == (MILLION, 1)
    assert match.terms.count() == 1


@pytest.mark.django_db(transaction=True)
def test_offering_against_withdrawing_and_ending_never_deadlocks_nor_loses_a_fen() -> None:
    """Requests with terms on two offers each, ended from both sides while others offer."""
    make_policy()
    random = Random(7)
    offers = [make_loan_offer(capacity_amount=Decimal(6_000_000)) for _each in range(2)]
    for offer in offers:
        make_staff(offer.institution)
    first = [make_referral("in_study", is_open=True, loan_offer=offers[0]) for _each in range(6)]
    second = [
        make_referral(
            "in_study", is_open=True, loan_offer=offers[1], loan_request=match.loan_request
        )
        for match in first
    ]
    for match in (*first[:3], *second[:3]):
        offer_of(match, amount=Decimal(random.randint(50_000_000, 100_000_000)) / 100)()
    acts = [offer_of(match) for match in (*first[3:], *second[3:])]
    for match in first[:3]:
        owner = Actor.of(match.business.members.get().user)
        request = match.loan_request
        acts.append(
            lambda owner=owner, request=request: loan_requests.withdraw(
                actor=owner, request=request
            )
        )
    acts += [
        lambda match=match: end_terms(actor=Actor.CLOCK, match=match)
        for match in (*first[:3], *second[:3])
    ]
    random.shuffle(acts)
    results = at_once(acts)

    assert not [each for each in results if isinstance(each, Exception)], results
    for offer in offers:
        assert counters(offer) == booked_by_terms(offer) == (3 * MILLION, 3)


@pytest.mark.django_db(transaction=True)
def test_the_owner_never_meets_a_full_offer() -> None:
    """Withdrawing while the lender is refused: the owner's act is done."""
    make_policy()
    one, two = rivals_for("1000000.00", 2)
    offer_of(one)()
    owner = Actor.of(two.business.members.get().user)
    refused, done = at_once(
        [
            offer_of(two),
            lambda: loan_requests.withdraw(actor=owner, request=two.loan_request),
        ]
    )
    assert isinstance(refused, Exception)
    assert done.status == "withdrawn"


@pytest.mark.django_db
def test_random_traces_balance_to_the_fen() -> None:
    make_policy()
    random = Random(42)
    rivals = rivals_for(5 * MILLION, 12)
    offer = rivals[0].loan_offer
    for _step in range(60):
        match = random.choice(rivals)
        match.refresh_from_db()
        amount = Decimal(random.randint(50_000_000, 100_000_000)) / 100
        free = offer.capacity_amount - counters(offer)[0]
        if match.status == "terms_offered":
            end_terms(actor=Actor.CLOCK, match=match)
            Match.objects.filter(pk=match.pk).update(status="in_study")
        elif amount <= free:
            offer_of(match, amount=amount)()
        else:
            with pytest.raises(CapacityExhausted) as exhausted:
                offer_of(match, amount=amount)()
            assert exhausted.value.free_amount == free
        assert counters(offer) == booked_by_terms(offer)
        assert offer.booked_amount <= offer.capacity_amount
    assert Terms.objects.filter(status="ended").count() > 5
