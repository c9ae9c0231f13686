"""Runs over a region, one request or one offer; who sees which."""

from decimal import Decimal

import pytest
from django.utils import timezone

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services import full_runs, incremental_runs, match_runs
from tests.factories.businesses import make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
    make_match,
    make_proposal,
    make_run,
)
from tests.financing.runs import pairs, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


# --- a regional run ------------------------------------------------------------------------------


def test_a_regional_run_touches_only_its_region(actor, office):
    inside, outside = make_loan_request_in("320505"), make_loan_request_in("440305")
    offer = make_loan_offer()
    kept = make_proposal(outside, offer, run=make_run(kind="request", loan_request=outside))

    run = start(actor, office)

    assert run.request_count == 1
    assert Proposal.objects.get(loan_request=outside) == kept
    assert Proposal.objects.get(loan_request=inside).run == run


@pytest.mark.parametrize(("share", "reached"), [(4, 4), (2, 2), (1, 1)])
def test_it_uses_at_most_its_share_of_the_last_national_run(actor, office, share, reached):
    """Of 4 million proposed in the country, `share` million were proposed in the region."""
    policy_room = Decimal(4_000_000) / Decimal("1.5")
    offer = make_loan_offer(capacity_amount=policy_room.quantize(Decimal(1)) + 1)
    for _each in range(4):
        make_loan_request_in("320505", least_accepted=Decimal(1_000_000))
        make_loan_request_in("440305")
    proposed = {"320505": f"{share}000000.00", "440305": f"{4 - share}000000.00"}
    make_run(allotted={str(offer.pk): proposed})

    run = start(actor, office)

    used = sum(Proposal.objects.filter(run=run).values_list("amount", flat=True))
    assert used == reached * 1_000_000


def test_run_again_it_gives_the_same(actor, office):
    """The share is what the national run gave, whatever became of its proposals since."""
    make_loan_offer(capacity_amount=Decimal(2_666_667))
    for region in ("320505", "320505", "440305", "440305"):
        make_loan_request_in(region, least_accepted=Decimal(1_000_000))
    national = match_runs.request_nightly_run(on=timezone.localdate())
    full_runs.run_full(national.pk)
    given = Proposal.objects.filter(business__region="320505").count()

    counts = [start(actor, office).proposal_count for _each in range(3)]

    assert counts == [given] * 3
    assert given > 0


def test_without_a_national_run_the_share_is_that_of_the_open_principal(actor, office):
    offer = make_loan_offer(capacity_amount=Decimal(2_666_667))
    for region in ("320505", "320506", "440305", "440306"):
        make_loan_request_in(region, least_accepted=Decimal(1_000_000))

    run = start(actor, office)

    assert offer.matches.count() == 0
    assert Proposal.objects.filter(run=run).count() == 2
    # Half of 4 million in the country: two of the two requests here, none more is possible.
    make_loan_request_in("320505", least_accepted=Decimal(1_000_000))
    third = start(actor, office)
    used = sum(Proposal.objects.filter(run=third).values_list("amount", flat=True))
    assert used <= Decimal(4_000_000) * 3 / 5


def test_booked_and_held_are_taken_off_before_sharing(actor, office):
    # Room: 1.5 × (4 million − 1 million booked) − 1 million held = 3.5 million.
    offer = make_loan_offer(
        capacity_amount=Decimal(4_000_000), booked_amount=Decimal(1_000_000), booked_count=1
    )
    make_match(make_loan_request_in("320507", status="open"), offer, status="referred")
    for _each in range(4):
        make_loan_request_in("320505", least_accepted=Decimal(1_000_000))

    run = start(actor, office)

    used = sum(Proposal.objects.filter(run=run).values_list("amount", flat=True))
    assert used == Decimal(3_000_000)


# --- one request, one offer ----------------------------------------------------------------------


def test_a_submitted_request_is_opened_and_matched_at_once():
    request, offer = make_loan_request_in("320505", status="submitted"), make_loan_offer()

    incremental_runs.match_request(request.pk)

    request.refresh_from_db()
    assert request.status == "open"
    proposal = Proposal.objects.get()
    assert (proposal.loan_offer, proposal.is_provisional) == (offer, True)
    assert (proposal.run.kind, proposal.run.status) == ("request", "done")


def test_matching_a_request_twice_leaves_one_set_of_proposals():
    request, offer = make_loan_request_in("320505"), make_loan_offer()

    incremental_runs.match_request(request.pk)
    incremental_runs.match_request(request.pk)

    assert pairs() == [(request.pk, offer.pk)]


def test_a_request_no_longer_in_matching_loses_its_proposals():
    request = make_loan_request_in("320505", status="withdrawn")
    make_proposal(request, make_loan_offer())

    incremental_runs.match_request(request.pk)

    assert pairs() == []
    assert not MatchRun.objects.filter(kind="request").exists()


def test_a_vanished_request_is_normal():
    incremental_runs.match_request(999_999)
    incremental_runs.match_offer(999_999)
    full_runs.run_full(999_999)


def test_one_request_gets_only_what_standing_proposals_leave():
    # Room 1.5 million, 1 million of it proposed to another request.
    offer = make_loan_offer(capacity_amount=Decimal(1_000_000))
    make_proposal(make_loan_request_in("320505"), offer)
    late = make_loan_request_in("320505", least_accepted=Decimal(1_000_000))

    incremental_runs.match_request(late.pk)

    assert not Proposal.objects.filter(loan_request=late).exists()


def test_a_published_offer_is_added_behind_what_requests_have():
    request, first = make_loan_request_in("320505"), make_loan_offer()
    make_proposal(request, first)
    offer = make_loan_offer()

    incremental_runs.match_offer(offer.pk)

    new = Proposal.objects.get(loan_offer=offer)
    assert (new.rank, new.is_provisional, new.run.kind) == (2, True, "offer")
    assert Proposal.objects.filter(loan_offer=first).exists()


def test_a_request_with_k_proposals_gets_no_more():
    request = make_loan_request_in("320505")
    for rank in (1, 2, 3):
        make_proposal(request, make_loan_offer(), rank=rank)
    offer = make_loan_offer()

    incremental_runs.match_offer(offer.pk)

    assert not Proposal.objects.filter(loan_offer=offer).exists()


@pytest.mark.parametrize("status", ["paused", "closed"])
def test_an_offer_no_longer_live_loses_its_proposals_and_no_other(status):
    request = make_loan_request_in("320505")
    offer, other = make_loan_offer(status=status), make_loan_offer()
    make_proposal(request, offer)
    make_proposal(request, other, rank=2)

    incremental_runs.match_offer(offer.pk)

    assert pairs() == [(request.pk, other.pk)]


# --- who sees it ---------------------------------------------------------------------------------


def test_coordinators_see_runs_of_their_region_and_of_the_country(actor, office):
    national, own = make_run(), make_run(scope_prefix="32", office=office)
    below = make_run(scope_prefix="3205", office=make_office("320500"))
    foreign = make_run(scope_prefix="44", office=make_office("440000"))
    one = make_run(kind="request", loan_request=make_loan_request_in("320505"))
    foreign_one = make_run(kind="request", loan_request=make_loan_request_in("440305"))

    seen = set(MatchRun.objects.visible_to(actor.user))

    assert seen == {national, own, below, one}
    assert not seen & {foreign, foreign_one}
