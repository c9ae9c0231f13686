"""Two runs side by side, what became of one, and what is let go of with time."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from financing.models import LoanRequest, MatchRun, Proposal, RequestMark, RunPart
from financing.pair_kinds import LOAN
from financing.run_diffs import diff_runs
from financing.run_outcomes import fairness_now
from financing.run_parts import NotArchived
from financing.services import full_runs, match_runs, matches
from financing.services.run_pruning import prune_runs
from financing.stored_explanations import NotInRun, request_in_run
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
)
from tests.financing.runs import what_if

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


def test_who_gains_who_loses_and_whose_best_offer_changes(actor, office):
    only_cheap = make_loan_request_in(
        "320505", principal=Decimal(300_000), least_accepted=Decimal(300_000)
    )
    either = make_loan_request_in("320506")
    cheap = make_loan_offer(interest_rate_percent=Decimal("2.5"), min_principal=Decimal(100_000))
    dear = make_loan_offer(
        status="draft", interest_rate_percent=Decimal("3.2"), min_principal=Decimal(500_000)
    )
    before = what_if(actor, office)
    after = what_if(actor, office, without=(str(cheap.pk),), added=(str(dear.pk),))

    diff = diff_runs(before, after)

    assert (diff.total.lost_count, diff.total.lost_amount) == (1, only_cheap.principal)
    assert (diff.total.moved_count, diff.total.gained_count) == (1, 0)
    assert diff.total.saving_change < 0
    assert diff.by["province"]["320000"] == diff.total
    assert diff.by["size_class"]["micro"] == diff.total
    assert diff.by["amount_band"]["under_500k"].lost_count == 1
    assert diff.by["amount_band"]["1m_3m"].moved_count == 1
    assert either.principal == 1_000_000
    back = diff_runs(after, before)
    assert (back.total.gained_count, back.total.gained_amount) == (1, only_cheap.principal)
    assert back.total.saving_change == -diff.total.saving_change


def test_the_same_run_twice_differs_in_nothing(actor, office):
    for _each in range(3):
        make_loan_request_in("320505")
    make_loan_offer()

    diff = diff_runs(what_if(actor, office), what_if(actor, office))

    assert diff.total.unchanged_count == 3
    assert (diff.total.gained_count, diff.total.lost_count, diff.total.moved_count) == (0, 0, 0)
    assert (diff.only_in_a_count, diff.only_in_b_count) == (0, 0)


def test_requests_that_one_run_was_not_about_are_counted(actor, office):
    first = make_loan_request_in("320505")
    make_loan_offer()
    before = what_if(actor, office)
    first.status = "withdrawn"
    first.save()
    make_loan_request_in("320505")
    after = what_if(actor, office)

    diff = diff_runs(before, after)

    assert (diff.only_in_a_count, diff.only_in_b_count) == (1, 1)
    assert (diff.total.gained_count, diff.total.lost_count) == (1, 1)


def test_completed_matches_of_the_run_are_counted_as_of_now(actor, office):
    request = make_loan_request_in("320505")
    make_loan_request_in("320505")
    make_loan_offer()
    run = match_runs.request_run(actor=actor, office=office)
    full_runs.run_full(run.pk)
    run.refresh_from_db()
    match = matches.claim(actor=actor, proposal=Proposal.objects.get(loan_request=request))
    type(match).objects.filter(pk=match.pk).update(status="completed")

    counts = fairness_now(run)["province"]["320000"]

    assert counts == {
        "requests": 2,
        "eligible": 2,
        "reached": 2,
        "proposed": 2,
        "answered": 0,
        "completed": 1,
    }


def test_the_input_goes_first_then_the_result(actor, office, capsys):
    make_loan_request_in("320505")
    make_loan_offer()
    run = what_if(actor, office)
    call_command("replay_run", str(run.pk))
    assert "same" in capsys.readouterr().out
    now = timezone.now() + timedelta(days=500)

    prune_runs(now=now)

    assert RunPart.objects.filter(name="loan.proposals").exists()
    with pytest.raises(NotArchived):
        full_runs.replay(run)
    with pytest.raises(NotArchived):
        diff_runs(run, run)
    prune_runs(now=now + timedelta(days=400))
    assert not RunPart.objects.exists()
    assert MatchRun.objects.get().result_digest == run.result_digest


def test_the_check_of_the_columns_finds_a_chunk_that_is_not_as_its_records(actor, office, capsys):
    request = make_loan_request_in("320505")
    make_loan_offer()
    what_if(actor, office)
    call_command("check_snapshot")
    assert "1 chunks are" in capsys.readouterr().out.replace("2 chunks", "1 chunks")

    # As if the triggers had missed it.
    LoanRequest.objects.filter(pk=request.pk).update(principal=Decimal(600_000))
    RequestMark.objects.all().delete()
    with pytest.raises(CommandError):
        call_command("check_snapshot")
    assert "principal_fen" in capsys.readouterr().err


def test_a_stored_run_says_why_a_pair_was_proposed_or_not_whatever_came_after(actor, office):
    small = make_loan_request_in(
        "320505", principal=Decimal(300_000), least_accepted=Decimal(300_000)
    )
    large = make_loan_request_in("320506", least_accepted=Decimal(1_000_000))
    best = make_loan_offer(interest_rate_percent=Decimal("2.5"))
    big = make_loan_offer(min_principal=Decimal(500_000))
    short = make_loan_offer(interest_rate_percent=Decimal("2.0"), capacity_amount=Decimal(100_000))
    run = what_if(actor, office)
    Proposal.objects.all().delete()
    LoanRequest.objects.update(principal=Decimal(10_000), least_accepted=Decimal(10_000))
    type(best).objects.update(status="closed", capacity_amount=Decimal(0))

    def outcome(request, offer):
        return request_in_run(run, LOAN, request.pk).explain(str(offer.pk)).outcome

    assert outcome(large, best) == "proposed"
    assert outcome(large, big) == "proposed"
    assert outcome(small, big) == "amount_out_of_range"
    assert outcome(large, short) == "capacity_exhausted"
    with pytest.raises(NotInRun):
        request_in_run(run, LOAN, make_loan_request_in("320505").pk)


def test_a_stored_run_names_the_ground_that_kept_a_patent_out(actor, office):
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    request.patents.update(has_ownership_dispute=True)
    run = what_if(actor, office)
    request.patents.update(has_ownership_dispute=False)

    found = request_in_run(run, LOAN, request.pk)

    assert found.explain(str(offer.pk)).outcome == "not_registrable"
    (patent,) = found.request.patents
    assert patent.hard_grounds == {"ownership_dispute_or_preservation"}
