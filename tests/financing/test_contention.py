"""Which provisional proposals wait for the next full run, and what pages say of it."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from financing.contention import contention_of, contentions, next_full_run_on
from financing.matching.contention import Contention
from financing.models.match_runs import MatchRun
from financing.services import incremental_runs, matches
from financing.services.matches import MatchRefused
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_business, make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_run,
)
from tests.factories.insurance import make_insurance_offer, make_insurance_proposal

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
CHINA = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy(oversubscription=Decimal(1))


@pytest.fixture
def actor():
    return Actor.of(make_coordinator(make_office("320000")))


def offer_with(capacity, **fields):
    return make_loan_offer(capacity_amount=Decimal(capacity), **fields)


def test_what_is_proposed_held_and_booked_is_counted_against_the_capacity():
    offer = offer_with(2_000_000)
    proposal = make_proposal(loan_offer=offer, is_provisional=True)
    assert contention_of(proposal, on=TODAY()) is None
    make_proposal(loan_offer=offer)
    assert contention_of(proposal, on=TODAY()) is None
    make_match(loan_offer=offer, status="in_study", amount=Decimal(1))
    assert contention_of(proposal, on=TODAY()) is Contention.SHORT


def test_a_count_is_a_capacity_too():
    offer = offer_with(50_000_000, capacity_count=1)
    proposal = make_proposal(loan_offer=offer, is_provisional=True)
    assert contention_of(proposal, on=TODAY()) is None
    make_proposal(loan_offer=offer, is_provisional=True)
    assert contention_of(proposal, on=TODAY()) is Contention.SHORT


def test_a_price_of_the_last_run_over_the_country_counts():
    proposal = make_proposal(is_provisional=True)
    key = str(proposal.loan_offer_id)
    make_run(prices={key: 5}, scope_prefix="32")
    assert contention_of(proposal, on=TODAY()) is None
    make_run(prices={key: 5})
    assert contention_of(proposal, on=TODAY()) is Contention.PRICED
    make_run(prices={"insurance-" + key: 5})
    assert contention_of(proposal, on=TODAY()) is None
    make_run(count_prices={key: 5})
    assert contention_of(proposal, on=TODAY()) is Contention.PRICED


def test_what_a_full_run_proposes_never_waits():
    offer = offer_with(1)
    assert contention_of(make_proposal(loan_offer=offer), on=TODAY()) is None


def test_queries_do_not_grow(django_assert_max_num_queries):
    offers = [make_insurance_offer() for _ in range(3)]
    rows = [make_insurance_proposal(offer=each, is_provisional=True) for each in offers]
    rows += [make_proposal(is_provisional=True) for _ in range(4)]
    with django_assert_max_num_queries(10):
        assert contentions(rows, on=TODAY()) == {}
    with django_assert_max_num_queries(0):
        assert contentions([], on=TODAY()) == {}


def test_the_claim_is_refused_with_its_reason(actor):
    offer = offer_with(1_000_000)
    business = make_business(region="320505")
    first = make_proposal(make_loan_request(business), offer, is_provisional=True)
    make_proposal(loan_offer=offer, is_provisional=True)
    with pytest.raises(MatchRefused) as refused:
        matches.claim(actor=actor, proposal=first)
    assert (refused.value.code, refused.value.details) == ("contended", ("short",))


def test_an_uncontended_request_is_proposed_and_claimed_at_once(actor):
    request = make_loan_request(make_business(region="320505"), status="submitted")
    offer_with(50_000_000)
    make_run()
    incremental_runs.match_request(request.pk)
    proposal = request.proposals.get()
    assert proposal.is_provisional
    assert matches.claim(actor=actor, proposal=proposal).loan_request == request


@pytest.mark.parametrize(
    ("hour", "has_run", "day"),
    [(1, False, 5), (5, False, 5), (5, True, 6), (6, False, 6), (23, True, 6)],
)
def test_the_next_full_run(hour, has_run, day):
    if has_run:
        now = timezone.now()
        MatchRun.objects.create(
            kind="full", status="done", nightly_of="2025-03-05", finished_at=now
        )
    assert next_full_run_on(datetime(2025, 3, 5, hour, tzinfo=CHINA)).day == day
