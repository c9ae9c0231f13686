"""What pages say of offers that fit and were not proposed: only what a run has really decided."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from financing.match_runs import explain_pair, explain_request
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services import incremental_runs
from financing.services.offers import match_again
from financing.services.rematching import rematch
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_policy,
    make_proposal,
    make_run,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy()


def make_request(**fields):
    business = make_business(region="320505", owner=make_owner(language="en"))
    patent = make_patent(business)
    make_appraisal(patent, 5_000_000)
    return make_loan_request(business, [patent], **fields)


@pytest.fixture
def request_():
    return make_request()


@pytest.fixture
def offer():
    return make_loan_offer()


def outcome(request, offer):
    request.refresh_from_db()
    return explain_pair(request, offer, on=timezone.localdate()).outcome


def ran(**fields):
    """A run that proposed the offer to nobody."""
    run = make_run(**fields)
    Proposal.objects.all().delete()
    return run


def test_a_pair_no_run_has_looked_at_is_not_matched_yet(request_, offer):
    assert outcome(request_, offer) == "not_matched_yet"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scope_prefix": "32"},
        {"scope_prefix": "320505"},
        {"kind": "request", "loan_request": True},
        {"kind": "offer", "loan_offer": True},
    ],
    ids=str,
)
def test_after_a_run_over_it_the_reason_is_that_of_the_run(request_, offer, fields):
    rows = {"loan_request": request_, "loan_offer": offer}
    ran(**{name: rows.get(name, value) for name, value in fields.items()})

    assert outcome(request_, offer) == "not_allocated"


@pytest.mark.parametrize(
    "fields",
    [
        {"scope_prefix": "44"},
        {"scope_prefix": "3206"},
        {"status": "failed"},
        {"status": "running"},
        {"as_of": timezone.localdate() - timedelta(days=400)},
        {"started_at": timezone.now() - timedelta(days=30)},
    ],
    # Not their values: those differ between processes that share out the tests.
    ids=["elsewhere", "beside", "failed", "running", "of_old_rows", "started_before"],
)
def test_a_run_elsewhere_earlier_or_unfinished_has_not_looked_at_it(request_, offer, fields):
    ran(**fields)

    assert outcome(request_, offer) == "not_matched_yet"


def test_a_run_over_another_request_or_offer_has_not_looked_at_it(request_, offer):
    ran(kind="request", loan_request=make_request())
    ran(kind="offer", loan_offer=make_loan_offer())

    assert outcome(request_, offer) == "not_matched_yet"


def test_an_offer_posted_after_the_run_is_not_matched_yet(request_):
    ran()
    later = make_loan_offer(published_at=timezone.now() + timedelta(seconds=1))

    assert outcome(request_, later) == "not_matched_yet"


@pytest.mark.parametrize("changed", ["request", "offer"])
def test_what_waits_to_be_matched_again_is_not_matched_yet(request_, offer, changed):
    ran()
    with transaction.atomic():
        rematch(request_) if changed == "request" else match_again(offer)
    other = make_loan_offer(published_at=timezone.now() - timedelta(days=1))

    assert outcome(request_, offer) == "not_matched_yet"
    expected = "not_matched_yet" if changed == "request" else "not_allocated"
    assert outcome(request_, other) == expected


def test_a_run_that_really_ran_counts(request_, offer, policy):
    """k is one and taken by the better offer; the other is beyond it once the run has looked."""
    policy.proposals_per_request = 1
    policy.save()
    better = make_loan_offer(interest_rate_percent=Decimal(2))
    make_proposal(request_, better, run=make_run(kind="offer", loan_offer=better))
    assert outcome(request_, offer) == "not_matched_yet"

    incremental_runs.match_request(request_.pk)

    assert outcome(request_, better) == "proposed"
    assert outcome(request_, offer) == "beyond_k"
    assert MatchRun.objects.filter(kind="request").exists()


def test_a_draft_is_not_in_matching(offer):
    draft = make_request(status="draft")

    assert outcome(draft, offer) == "not_in_matching"


def test_the_page_says_what_happens_next(client, request_, offer):
    client.force_login(request_.business.members.get().user)

    text = client.get(reverse("financing:request_offers", args=[request_.pk])).content.decode()

    assert "Fits, not matched yet" in text
    assert "at the latest tonight" in text
    assert "given to others" not in text


# --- near misses and the room of the offer --------------------------------------------------------


def near(request):
    every = explain_request(LoanRequest.objects.get(pk=request.pk), on=timezone.localdate())
    return [(each.offer.name, each.has_room) for each in every.near_misses]


def test_a_near_miss_without_room_says_so_and_comes_last(client, request_):
    full = make_loan_offer(
        name="Full one",
        min_term_months=24,
        interest_rate_percent=Decimal(1),
        capacity_amount=Decimal(600_000),
    )
    make_loan_offer(name="Free one", min_term_months=24)
    assert near(request_) == [("Free one", True), ("Full one", False)]
    client.force_login(request_.business.members.get().user)
    page = reverse("financing:request_offers", args=[request_.pk])

    short = client.get(page, HTTP_HX_REQUEST="true").content.decode()
    every = client.get(page).content.decode()
    one = client.get(
        reverse("financing:request_offer", args=[request_.pk, full.pk])
    ).content.decode()

    assert "Free one" in short
    assert "Full one" not in short
    assert "Nearly fits, no capacity" in every
    assert "what is left under this offer is not enough now" in one
    assert reverse("financing:request_change", args=[request_.pk]) not in one


def test_what_is_proposed_to_others_takes_room_from_a_near_miss(request_):
    offer = make_loan_offer(
        name="One", min_term_months=24, capacity_amount=Decimal(2_000_000), capacity_count=2
    )
    make_proposal(make_request(term_months=24), offer)
    assert near(request_) == [("One", True)]

    make_proposal(make_request(term_months=24), offer, amount=Decimal(1_500_000))

    assert near(request_) == [("One", False)]


def test_a_near_miss_has_room_for_the_pieces_that_are_left(request_):
    offer = make_loan_offer(name="One", min_term_months=24, capacity_count=1)
    assert near(request_) == [("One", True)]

    make_proposal(make_request(term_months=24), offer)

    assert near(request_) == [("One", False)]
