"""A new offer beside provisional proposals: better by the margin it takes their place."""

from decimal import Decimal

import pytest

from financing.models.match_runs import MatchRun
from financing.models.matches import Match
from financing.models.proposals import Proposal
from financing.services import incremental_runs, matches
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_appraisal, make_business, make_office, make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_policy,
    make_run,
)

pytestmark = pytest.mark.django_db
# Room of one request of a million yuan: 1.5 times this is a fen more than a million.
ROOM_FOR_ONE = Decimal("666666.67")


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy(proposals_per_request=1, churn_margin_percent=Decimal(10))


def make_request(**fields):
    business = make_business(region="320505")
    patent = make_patent(business)
    make_appraisal(patent, 5_000_000)
    return make_loan_request(business, [patent], **fields)


def offer_at(percent, **criteria):
    return make_loan_offer(interest_rate_percent=Decimal(percent), **criteria)


def proposed(request):
    rows = Proposal.objects.filter(loan_request=request).order_by("rank")
    return [each.loan_offer for each in rows]


def test_a_clearly_better_offer_takes_the_place_of_a_provisional_proposal():
    request, dear = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    assert proposed(request) == [dear]

    cheap = offer_at("2.0")
    incremental_runs.match_offer(cheap.pk)

    assert proposed(request) == [cheap]
    assert Proposal.objects.get().is_provisional


def test_a_hardly_better_offer_leaves_it_as_it_is():
    request, dear = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    before = Proposal.objects.values().get()

    incremental_runs.match_offer(offer_at("2.99").pk)

    assert Proposal.objects.values().get() == before
    assert before["loan_offer_id"] == dear.pk


def test_a_proposal_of_a_full_run_stands_until_the_next_one():
    request, dear = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    Proposal.objects.update(is_provisional=False, run=make_run())

    incremental_runs.match_offer(offer_at("2.0").pk)

    assert proposed(request) == [dear]


def test_a_claimed_proposal_is_not_touched():
    request, dear = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    actor = Actor.of(make_coordinator(make_office("320000")))
    match = matches.claim(actor=actor, proposal=Proposal.objects.get())

    incremental_runs.match_offer(offer_at("2.0").pk)

    match.refresh_from_db()
    assert (match.status, match.loan_offer) == ("in_review", dear)
    assert proposed(request) == []  # k is used up
    assert Match.objects.count() == 1


def test_with_a_free_place_it_comes_beside_and_ranks_are_drawn_up_anew(policy):
    policy.proposals_per_request = 2
    policy.save()
    request, dear = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    kept = Proposal.objects.get().pk

    cheap = offer_at("2.0")
    incremental_runs.match_offer(cheap.pk)

    assert proposed(request) == [cheap, dear]
    assert Proposal.objects.get(loan_offer=dear).pk == kept


def test_a_better_offer_of_the_same_institution_replaces_only_that_one(policy):
    policy.proposals_per_request = 3
    policy.save()
    bank = make_institution()
    request, own, other = make_request(), offer_at("3.0", institution=bank), offer_at("2.5")
    incremental_runs.match_request(request.pk)
    assert proposed(request) == [other, own]

    better = offer_at("2.0", institution=bank)
    incremental_runs.match_offer(better.pk)

    assert proposed(request) == [better, other]


def test_room_for_one_displaces_one_and_the_other_keeps_what_it_had():
    first, second = make_request(), make_request()
    dear = offer_at("3.0")
    for request in (first, second):
        incremental_runs.match_request(request.pk)

    cheap = offer_at("2.0", capacity_amount=ROOM_FOR_ONE)
    incremental_runs.match_offer(cheap.pk)

    assert sorted([*proposed(first), *proposed(second)], key=lambda each: each.pk) == [dear, cheap]


def test_nobody_gets_more_of_another_offer_than_it_has():
    """The other offer is proposed to its last yuan; looked at again it still fits, no more."""
    full = offer_at("2.9", capacity_amount=ROOM_FOR_ONE)
    first, second = make_request(), make_request(least_accepted=Decimal(1_000_000))
    incremental_runs.match_request(first.pk)
    incremental_runs.match_request(second.pk)
    assert (proposed(first), proposed(second)) == ([full], [])

    new = offer_at("2.95", max_principal=Decimal(1_000_000))
    incremental_runs.match_offer(new.pk)

    assert (proposed(first), proposed(second)) == ([full], [new])


def test_a_changed_offer_keeps_the_rows_of_what_stays_as_it_was():
    request, offer = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    Proposal.objects.update(is_provisional=False, run=make_run())
    before = Proposal.objects.values().get()

    incremental_runs.match_offer(offer.pk)

    assert Proposal.objects.values().get() == before
    assert MatchRun.objects.get(kind="offer").proposal_count == 1


def test_a_changed_offer_s_proposals_say_what_it_costs_now():
    request, offer = make_request(), offer_at("3.0")
    incremental_runs.match_request(request.pk)
    before = Proposal.objects.get()
    offer.interest_rate_percent = Decimal("2.5")
    offer.save()

    incremental_runs.match_offer(offer.pk)

    after = Proposal.objects.get()
    assert after.saving > before.saving
    assert after.is_provisional


def test_a_request_that_fills_what_is_left_exactly_gets_it():
    """Room 1.5 million, half a million of it proposed: a million fits to the fen."""
    offer = offer_at("3.0", capacity_amount=Decimal(1_000_000))
    small = make_request(principal=Decimal(500_000))
    incremental_runs.match_request(small.pk)

    large = make_request(least_accepted=Decimal(1_000_000))
    incremental_runs.match_request(large.pk)

    assert proposed(large) == [offer]
