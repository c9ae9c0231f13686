"""What a match run writes, and what it leaves alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun
from financing.models.matches import Match
from financing.models.proposals import Proposal
from financing.services import full_runs, incremental_runs, match_runs, matches
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import (
    make_encumbrance,
    make_office,
)
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
    make_proposal,
)
from tests.financing.runs import pairs, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


# --- asking --------------------------------------------------------------------------------------


def test_a_run_asked_twice_is_the_one_under_way(actor, office):
    first = match_runs.request_run(actor=actor, office=office)
    again = match_runs.request_run(actor=actor, office=office)

    assert first == again
    assert (first.status, first.scope_prefix) == ("queued", "32")
    assert OutboxMessage.objects.filter(task="financing.run_matching").count() == 1
    full_runs.run_full(first.pk)
    assert match_runs.request_run(actor=actor, office=office) != first


def test_another_office_gets_its_own_run(actor, office):
    other = make_office("440000")

    first = match_runs.request_run(actor=actor, office=office)
    second = match_runs.request_run(actor=Actor.of(make_coordinator(other)), office=other)

    assert first != second


def test_a_run_given_up_by_the_outbox_makes_way_for_a_new_one(actor, office):
    lost = match_runs.request_run(actor=actor, office=office)
    MatchRun.objects.filter(pk=lost.pk).update(
        status="running", start_count=3, started_at=timezone.now() - timedelta(hours=1)
    )

    run = match_runs.request_run(actor=actor, office=office)

    lost.refresh_from_db()
    assert (lost.status, run.status) == ("failed", "queued")


def test_two_beats_of_one_night_make_one_run():
    today = timezone.localdate()

    assert match_runs.request_nightly_run(on=today) == match_runs.request_nightly_run(on=today)
    assert MatchRun.objects.count() == 1
    assert OutboxMessage.objects.count() == 1


# --- a full run ----------------------------------------------------------------------------------


def test_a_run_replaces_the_proposals_of_its_requests(actor, office):
    request = make_loan_request_in("320505")
    offer, gone = make_loan_offer(), make_loan_offer(status="closed")
    make_proposal(request, gone)

    run = start(actor, office)

    assert pairs() == [(request.pk, offer.pk)]
    proposal = Proposal.objects.get()
    assert (proposal.run, proposal.is_provisional, proposal.rank) == (run, False, 1)
    assert proposal.amount == request.principal
    assert proposal.patent_ids == [patent.pk for patent in request.patents.all()]
    assert (run.status, run.request_count, run.reached_count) == ("done", 1, 1)
    assert run.value <= run.bound
    assert run.fairness["size_class"] == {"micro": {"requests": 1, "eligible": 1, "reached": 1}}
    assert run.policy is not None
    assert all([run.input_digest, run.result_digest, run.seed, run.engine_version])
    assert run.saving_total == proposal.saving


def test_nothing_is_written_when_writing_fails(actor, office, monkeypatch):
    request, offer = make_loan_request_in("320505"), make_loan_offer(status="closed")
    make_loan_offer()
    make_proposal(request, offer)
    before = pairs()
    run = match_runs.request_run(actor=actor, office=office)

    def broken(*_arguments):
        raise RuntimeError("no space left")

    monkeypatch.setattr(full_runs, "finish_full_run", broken)
    for _try in range(3):
        with pytest.raises(RuntimeError):
            full_runs.run_full(run.pk)

    run.refresh_from_db()
    assert pairs() == before
    assert (run.status, run.failure) == ("failed", "RuntimeError")
    assert run.finished_at is not None


def test_an_interrupted_run_starts_again_from_its_row(actor, office, monkeypatch):
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    run = match_runs.request_run(actor=actor, office=office)
    finish = full_runs.finish_full_run
    monkeypatch.setattr(full_runs, "finish_full_run", lambda *_each: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        full_runs.run_full(run.pk)
    run.refresh_from_db()
    assert (run.status, pairs()) == ("running", [])

    monkeypatch.setattr(full_runs, "finish_full_run", finish)
    full_runs.run_full(run.pk)

    run.refresh_from_db()
    assert (run.status, run.failure) == ("done", "")
    assert pairs() == [(request.pk, offer.pk)]


def test_delivered_twice_it_gives_one_result(actor, office):
    make_loan_request_in("320505")
    make_loan_offer()
    run = start(actor, office)
    first = list(Proposal.objects.values_list("pk", flat=True))

    full_runs.run_full(run.pk)

    assert list(Proposal.objects.values_list("pk", flat=True)) == first
    assert AuditEvent.objects.filter(verb="run.finish").count() == 1


def test_the_same_input_gives_the_same_digests(actor, office):
    make_loan_request_in("320505")
    make_loan_request_in("320506")
    make_loan_offer()

    first, second = start(actor, office), start(actor, office)

    # The proposals of the first are part of the input of the second.
    assert first.result_digest == second.result_digest
    assert start(actor, office).input_digest == second.input_digest


def test_a_cancelled_run_writes_nothing(actor, office):
    request, offer = make_loan_request_in("320505"), make_loan_offer(status="closed")
    make_loan_offer()
    make_proposal(request, offer)
    before = pairs()
    run = match_runs.request_run(actor=actor, office=office)

    match_runs.cancel_run(actor=actor, run=run)
    full_runs.run_full(run.pk)

    run.refresh_from_db()
    assert (run.status, pairs()) == ("cancelled", before)
    assert run.finished_at is not None
    with pytest.raises(TransitionRefused):
        match_runs.cancel_run(actor=actor, run=run)


@pytest.mark.parametrize("moment", ["matching", "writing"])
def test_cancelled_while_it_works_it_writes_nothing(actor, office, monkeypatch, moment):
    make_loan_request_in("320505")
    make_loan_offer()
    run = match_runs.request_run(actor=actor, office=office)
    reach = full_runs.reach

    def cancelled_after(each, stage, percent):
        reach(each, stage, percent)
        if stage == moment:
            match_runs.cancel_run(actor=actor, run=MatchRun.objects.get(pk=run.pk))

    monkeypatch.setattr(full_runs, "reach", cancelled_after)
    full_runs.run_full(run.pk)

    run.refresh_from_db()
    assert (run.status, pairs()) == ("cancelled", [])


def test_cancelled_while_prices_are_learned_it_stops_at_the_next_report(actor, office, monkeypatch):
    make_loan_request_in("320505")
    make_loan_offer()
    run = match_runs.request_run(actor=actor, office=office)
    learn, ended = full_runs.run_matching, []

    def cancelled_first(found, **options):
        match_runs.cancel_run(actor=actor, run=MatchRun.objects.get(pk=run.pk))
        learn(found, **options)
        ended.append(found)

    monkeypatch.setattr(full_runs, "SECONDS_BETWEEN_REPORTS", 0)
    monkeypatch.setattr(full_runs, "run_matching", cancelled_first)
    full_runs.run_full(run.pk)

    run.refresh_from_db()
    assert (run.status, pairs(), ended) == ("cancelled", [], [])


# --- what happened since the rows were read ------------------------------------------------------


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(call)`: something that happens between reading and writing of the next run."""

    def happens(call):
        decide = full_runs.decide

        def decide_then(*given):
            result = decide(*given)
            # Once: what happens may be a run itself.
            monkeypatch.setattr(full_runs, "decide", decide)
            call()
            return result

        monkeypatch.setattr(full_runs, "decide", decide_then)

    return happens


def test_a_request_withdrawn_meanwhile_gets_no_proposal(actor, office, meanwhile):
    request = make_loan_request_in("320505")
    make_loan_offer()
    # Without `updated_at`: the state itself has to be looked at.
    meanwhile(lambda: LoanRequest.objects.filter(pk=request.pk).update(status="withdrawn"))

    run = start(actor, office)

    assert (run.status, pairs()) == ("done", [])


def test_an_offer_paused_meanwhile_is_not_proposed(actor, office, meanwhile):
    make_loan_request_in("320505")
    offer = make_loan_offer()

    def pause():
        offer.status = "paused"
        offer.save()

    meanwhile(pause)

    assert start(actor, office).proposal_count == 0
    assert pairs() == []


def test_a_proposal_claimed_meanwhile_is_not_proposed_again(actor, office, meanwhile):
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    proposal = make_proposal(request, offer)
    meanwhile(lambda: matches.claim(actor=actor, proposal=proposal))

    start(actor, office)

    assert Match.objects.get().loan_offer == offer
    assert pairs() == []


def test_a_request_changed_meanwhile_keeps_its_newer_proposals(actor, office, meanwhile):
    request, untouched = make_loan_request_in("320505"), make_loan_request_in("320505")
    make_loan_offer()

    def change():
        request.refresh_from_db()
        request.principal = Decimal(700_000)
        request.save()
        Proposal.objects.filter(loan_request=request).delete()
        make_proposal(request, make_loan_offer(), amount=Decimal(700_000), is_provisional=True)

    meanwhile(change)
    run = start(actor, office)

    newer = Proposal.objects.get(loan_request=request)
    assert (newer.amount, newer.is_provisional) == (Decimal(700_000), True)
    assert Proposal.objects.get(loan_request=untouched).run == run


def test_a_request_that_lost_its_proposals_meanwhile_does_not_get_them_back(
    actor, office, meanwhile
):
    """Its patent was pledged elsewhere: the run read it while it was free."""
    request = make_loan_request_in("320505")
    make_loan_offer()

    def pledge():
        make_encumbrance(request.patents.get())
        incremental_runs.match_request(request.pk)

    meanwhile(pledge)
    start(actor, office)

    assert pairs() == []


def test_an_offer_changed_meanwhile_is_not_proposed_as_it_was(actor, office, meanwhile):
    request, stays = make_loan_request_in("320505"), make_loan_request_in("320505")
    offer, other = make_loan_offer(), make_loan_offer(interest_rate_percent=Decimal("3.2"))
    make_proposal(stays, offer, is_provisional=True)

    def dearer():
        offer.interest_rate_percent, offer.max_principal = Decimal("3.3"), Decimal(400_000)
        offer.save()
        incremental_runs.match_offer(offer.pk)

    meanwhile(dearer)
    start(actor, office)

    assert pairs() == [(request.pk, other.pk), (stays.pk, other.pk)]
