"""Claiming a proposal and taking a match over, also by several at once."""

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from financing.models.matches import Match
from financing.models.proposals import Proposal
from financing.services import matches
from financing.services.matches import MatchRefused, Reason
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import (
    make_member,
)
from tests.factories.financing import (
    make_loan_offer,
    make_policy,
    make_proposal,
)
from tests.financing.reviews import refusal, verbs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


# --- claim ---------------------------------------------------------------------------------------


def test_claim_makes_the_match_of_the_proposal(actor):
    proposal = make_proposal()

    match = matches.claim(actor=actor, proposal=proposal)

    assert (match.status, match.claimed_by) == ("in_review", actor.user)
    assert (match.amount, match.saving) == (proposal.amount, proposal.saving)
    assert [patent.pk for patent in match.patents.all()] == proposal.patent_ids
    assert match.deadline_on == add_working_days(timezone.localdate(), 5)[0]
    assert not Proposal.objects.exists()
    assert verbs(match) == ["match.claimed"]


def test_claiming_twice_gives_the_same_match_to_the_same_person_only(actor, colleague):
    proposal = make_proposal()
    match = matches.claim(actor=actor, proposal=proposal)

    assert matches.claim(actor=actor, proposal=proposal) == match
    assert refusal(matches.claim, actor=colleague, proposal=proposal) == "claimed_by_other"
    assert Match.objects.count() == 1


def test_a_proposal_that_a_run_took_back_cannot_be_claimed(actor):
    proposal = make_proposal()
    Proposal.objects.all().delete()

    assert refusal(matches.claim, actor=actor, proposal=proposal) == "proposal_gone"


@pytest.mark.parametrize("many", [2, 5])
@pytest.mark.django_db(transaction=True)
def test_coordinators_at_once_make_one_match(office, many):
    make_policy()
    proposal = make_proposal()
    actors = [Actor.of(make_coordinator(office)) for _each in range(many)]
    barrier, outcomes = Barrier(many), []

    def claim(actor):
        try:
            barrier.wait()
            outcomes.append(matches.claim(actor=actor, proposal=proposal).claimed_by_id)
        except MatchRefused as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [Thread(target=claim, args=[each]) for each in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    match = Match.objects.get()
    assert sorted(map(str, outcomes)) == sorted(
        [str(match.claimed_by_id)] + ["claimed_by_other"] * (many - 1)
    )


@pytest.mark.django_db(transaction=True)
def test_the_same_claim_posted_at_once_is_one_match(actor):
    proposal = make_proposal()
    barrier, outcomes = Barrier(4), []

    def claim():
        try:
            barrier.wait()
            outcomes.append(matches.claim(actor=actor, proposal=proposal).pk)
        finally:
            connection.close()

    threads = [Thread(target=claim) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [Match.objects.get().pk] * 4


def test_a_provisional_proposal_of_an_offer_short_of_money_waits_for_the_full_run(actor):
    offer = make_loan_offer(capacity_amount=Decimal(1_000_000))
    first = make_proposal(loan_offer=offer, is_provisional=True)
    make_proposal(loan_offer=offer, is_provisional=True)

    assert refusal(matches.claim, actor=actor, proposal=first) == "contended"

    offer.capacity_amount = Decimal(2_000_000)
    offer.save()
    assert matches.claim(actor=actor, proposal=first).loan_offer == offer


def test_what_the_full_run_gave_can_be_claimed_though_the_offer_is_short(actor):
    offer = make_loan_offer(capacity_amount=Decimal(1_000_000))
    first = make_proposal(loan_offer=offer)
    make_proposal(loan_offer=offer, is_provisional=True)
    make_proposal(loan_offer=offer, is_provisional=True)

    assert matches.claim(actor=actor, proposal=first)


def test_nobody_decides_on_the_own_business(coordinator, actor, colleague):
    proposal = make_proposal()
    make_member(proposal.business, user=coordinator)

    assert refusal(matches.claim, actor=actor, proposal=proposal) == "own_interest"
    match = matches.claim(actor=colleague, proposal=proposal)
    for step in (matches.take_over, matches.approve):
        assert refusal(step, actor=actor, match=match) == "own_interest"
    reason = Reason("business_not_ready")
    assert refusal(matches.reject, actor=actor, match=match, reason=reason) == "own_interest"


# --- take over -----------------------------------------------------------------------------------


def test_taking_over_moves_the_claim(claimed, colleague, actor):
    matches.take_over(actor=colleague, match=claimed)

    claimed.refresh_from_db()
    assert claimed.claimed_by == colleague.user
    reason = Reason("business_not_ready")
    assert refusal(matches.reject, actor=actor, match=claimed, reason=reason) == "claimed_by_other"
    assert verbs(claimed) == ["match.claimed"]


@pytest.mark.parametrize("status", ["referred", "in_study", "accepted", "rejected", "withdrawn"])
def test_what_is_no_longer_in_review_is_not_taken_over(claimed, colleague, actor, status):
    Match.objects.update(status=status)

    assert refusal(matches.take_over, actor=colleague, match=claimed) == "not_in_review"
    claimed.refresh_from_db()
    assert claimed.claimed_by == actor.user
