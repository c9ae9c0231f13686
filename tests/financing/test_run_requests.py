"""The page of one request in a stored run: that day's reasons, whatever has changed since."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from financing import run_archive
from financing.models import LoanOffer, LoanRequest, Proposal
from financing.pair_kinds import LOAN
from financing.services.run_pruning import prune_runs
from financing.stored_explanations import NotInRun, request_in_run
from sipo_portal.audit.actors import Actor
from tests.factories.businesses import make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
    make_run,
)
from tests.financing.runs import start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


@pytest.fixture
def signed_in(client, coordinator):
    client.force_login(coordinator)
    return client


def run_now(coordinator):
    return start(Actor.of(coordinator), coordinator.office)


def address(run, request, kind="loan"):
    return reverse("financing:run_request", args=[run.pk, kind, request.pk])


def test_the_page_explains_that_day(signed_in, coordinator, django_assert_max_num_queries):
    request = make_loan_request_in(least_accepted=Decimal(1_000_000))
    best = make_loan_offer(name="Best", interest_rate_percent=Decimal("2.5"))
    make_loan_offer(name="Sister", institution=best.institution)
    make_loan_offer(name="Tight", capacity_amount=Decimal(100_000))
    make_loan_offer(name="Far", regions=["440000"])
    make_loan_offer(
        name="Large", min_principal=Decimal(9_000_000), max_principal=Decimal(9_500_000)
    )
    run = run_now(coordinator)
    # Whatever happens after: nothing proposed, every figure another.
    Proposal.objects.all().delete()
    LoanRequest.objects.update(principal=Decimal(10_000), least_accepted=Decimal(10_000))
    LoanOffer.objects.update(status="closed", capacity_amount=Decimal(0), min_principal=Decimal(0))

    with django_assert_max_num_queries(14):
        response = signed_in.get(address(run, request))

    shown = response.context
    assert [(row["offer"].name, row["rank"]) for row in shown["proposed"]] == [("Best", 1)]
    assert "1\xa0million" in shown["proposed"][0]["amount"]
    others = {row["offer"].name: row for row in shown["others"]}
    assert [row["offer"].name for row in shown["others"]][:2] == ["Sister", "Tight"]
    assert others["Sister"]["outcome"].label == "Fits, other offer better"
    assert "same institution was proposed: Best." in others["Sister"]["reason"][0]
    assert "would have had to be worth" in others["Sister"]["reason"][1]
    assert "The run could propose CNY\xa0150,000 of it in all" in others["Tight"]["reason"][0]
    assert others["Far"]["reason"][0].startswith("The offer is for other regions")
    assert others["Large"]["outcome"].label == "Does not fit"
    assert "The request today" in response.content.decode()


def test_a_loser_reads_the_price_and_what_it_would_have_had_to_be_worth(signed_in, coordinator):
    rivals = [make_loan_request_in(least_accepted=Decimal(1_000_000)) for _each in range(3)]
    make_loan_offer(name="Only", capacity_amount=Decimal(1_000_000))
    run = run_now(coordinator)
    winner = Proposal.objects.filter(run=run).values_list("loan_request", flat=True)
    loser = next(each for each in rivals if each.pk not in winner)

    response = signed_in.get(address(run, loser))

    row = response.context["others"][0]
    assert response.context["proposed"] == []
    assert row["outcome"].label == "Fits, given to others"
    # One loan's room for three equal requests: the price is what each of them is worth, or more.
    assert row["reason"][0] in (
        "Its room brought more elsewhere.",
        "It was worth the price of its room; what decided is that no loan or policy is split.",
    )
    assert row["price"].startswith("One more")
    assert "Nothing. Below you see why" in response.content.decode()


def test_pieces_that_do_not_hold_the_request_are_not_read(coordinator, monkeypatch):
    monkeypatch.setattr(run_archive, "LINES_PER_PART", 2)
    asked = [make_loan_request_in() for _each in range(5)]
    offer, other = make_loan_offer(), make_loan_offer(interest_rate_percent=Decimal("2.5"))
    run = run_now(coordinator)
    assert run.parts.filter(name="loan.requests").count() == 3
    assert run.parts.filter(name="loan.proposals").count() == 5
    run.parts.filter(name="loan.requests", number=0).update(data=b"")

    for request in asked[3:]:
        found = request_in_run(run, LOAN, request.pk)
        assert found.request.business_id == str(request.business_id)
        assert [one.rank for one in found.run.proposals] == [1, 2]
        assert {one.offer_id for one in found.run.proposals} == {str(offer.pk), str(other.pk)}
    with pytest.raises(NotInRun):
        request_in_run(run, LOAN, asked[-1].pk + 1)


def test_what_a_run_does_not_tell_is_said(signed_in, coordinator):
    asked = make_loan_request_in()
    make_loan_offer(name="Best")
    run = run_now(coordinator)
    late = make_loan_request_in()
    assert "did not look at this request" in signed_in.get(address(run, late)).content.decode()
    small = make_run(kind="request", loan_request=asked)
    assert "keeps nothing to explain" in signed_in.get(address(small, asked)).content.decode()

    prune_runs(now=timezone.now() + timedelta(days=500))
    pruned = signed_in.get(address(run, asked))
    assert "no longer keeps what it decided on" in pruned.content.decode()
    assert [row["offer"].name for row in pruned.context["proposed"]] == ["Best"]
    prune_runs(now=timezone.now() + timedelta(days=900))
    assert "absent" in signed_in.get(address(run, asked)).context


def test_foreign_runs_and_requests_are_not_found(signed_in, coordinator):
    own, foreign = make_loan_request_in(), make_loan_request_in("440000")
    run = make_run(scope_prefix="32", office=coordinator.office)
    elsewhere = make_run(scope_prefix="44", office=make_office("440000"))
    assert signed_in.get(address(run, own)).status_code == 200
    assert signed_in.get(address(run, foreign)).status_code == 404
    assert signed_in.get(address(elsewhere, own)).status_code == 404
    assert signed_in.get(address(run, own, kind="other")).status_code == 404


def test_the_review_page_leads_to_the_last_run(signed_in, coordinator):
    asked = make_loan_request_in()
    run = make_run(scope_prefix="32", office=coordinator.office)
    page = signed_in.get(reverse("financing:review_request", args=[asked.pk]))
    assert address(run, asked) in page.content.decode()
