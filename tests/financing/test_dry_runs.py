"""What-if runs: what they suppose, what they leave alone, and when one may be confirmed."""

from decimal import Decimal

import pytest
from django.utils import timezone

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services import dry_runs, full_runs, match_runs
from financing.services.dry_runs import ConfirmRefusal, RunNotConfirmed
from financing.suppositions import Supposition, SuppositionRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
    make_proposal,
)
from tests.financing.runs import pairs, what_if

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


def confirmed(actor, run):
    dry_runs.confirm_run(actor=actor, run=run)
    full_runs.write_confirmed(run.pk)
    run.refresh_from_db()
    return run


def test_a_what_if_writes_no_proposal_and_changes_nothing_that_stands(actor, office):
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    standing = make_proposal(request, make_loan_offer(status="closed"))
    before = Proposal.objects.values().get()

    run = what_if(actor, office)

    assert (run.status, run.is_dry_run, run.proposal_count) == ("done", True, 1)
    assert Proposal.objects.values().get() == before
    assert standing.loan_offer != offer
    assert run not in MatchRun.objects.written()
    assert AuditEvent.objects.filter(verb="run.requested").count() == 1


@pytest.mark.parametrize(
    ("supposed", "reached"),
    [
        ({}, 2),
        ({"without": True}, 0),
        ({"capacity": "700000"}, 1),
        ({"capacity": "0"}, 0),
    ],
)
def test_capacities_and_offers_may_be_supposed(actor, office, supposed, reached):
    for _each in range(2):
        make_loan_request_in("320505", least_accepted=Decimal(1_000_000))
    offer = make_loan_offer(capacity_amount=Decimal(100_000_000))
    given = {}
    if supposed.get("without"):
        given["without"] = (str(offer.pk),)
    if "capacity" in supposed:
        given["capacities"] = {str(offer.pk): supposed["capacity"]}

    run = what_if(actor, office, **given)

    assert run.reached_count == reached
    offer.refresh_from_db()
    assert offer.capacity_amount == Decimal(100_000_000)


def test_one_offer_more(actor, office):
    make_loan_request_in("320505")
    draft = make_loan_offer(status="draft")

    assert what_if(actor, office).reached_count == 0
    assert what_if(actor, office, added=(str(draft.pk),)).reached_count == 1
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_other_figures_of_the_policy(actor, office, policy):
    make_loan_request_in("320505")
    for _each in range(3):
        make_loan_offer()

    assert what_if(actor, office, policy={"proposals_per_request": "2"}).proposal_count == 2
    assert what_if(actor, office, policy={"proposals_per_request": "1"}).proposal_count == 1
    policy.refresh_from_db()
    assert policy.proposals_per_request == 3


@pytest.mark.parametrize(
    "supposed",
    [
        {"policy": {"version": "3"}},
        {"policy": {"loan_coverage_value": "much"}},
        {"capacities": {"999999": "5"}},
        {"without": ("insurance-1",)},
        {"added": ("x",)},
    ],
)
def test_what_says_nothing_is_refused(actor, office, supposed):
    with pytest.raises(SuppositionRefused):
        dry_runs.request_dry_run(actor=actor, office=office, supposition=Supposition(**supposed))
    assert not MatchRun.objects.exists()


def test_confirmed_it_becomes_what_stands(actor, office):
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    make_proposal(request, make_loan_offer(status="closed"))
    run = what_if(actor, office)

    run = confirmed(actor, run)

    assert pairs() == [(request.pk, offer.pk)]
    assert Proposal.objects.get().run == run
    assert run.confirmed_at is not None
    assert run.confirmed_by == actor.user
    assert run in MatchRun.objects.written()
    verbs = AuditEvent.objects.filter(verb__in=["run.confirmed", "run.written"])
    assert verbs.count() == 2
    full_runs.write_confirmed(run.pk)
    assert pairs() == [(request.pk, offer.pk)]


def test_confirmed_after_a_change_it_is_not_written(actor, office):
    request = make_loan_request_in("320505")
    offer = make_loan_offer()
    run = what_if(actor, office)
    request.principal = Decimal(900_000)
    request.save()

    run = confirmed(actor, run)

    assert run.confirm_refusal == ConfirmRefusal.INPUT_CHANGED
    assert run.confirmed_at is None
    assert pairs() == []
    assert offer.proposals.count() == 0


def test_what_supposes_something_is_never_confirmed(actor, office):
    make_loan_request_in("320505")
    make_loan_offer()
    run = what_if(actor, office, policy={"proposals_per_request": "1"})

    with pytest.raises(RunNotConfirmed) as refused:
        dry_runs.confirm_run(actor=actor, run=run)

    assert refused.value.refusal == ConfirmRefusal.SUPPOSES


def test_a_newer_run_another_office_and_a_real_run_are_refused(actor, office):
    make_loan_request_in("320505")
    make_loan_offer()
    run = what_if(actor, office)
    other = Actor.of(make_coordinator(make_office("440000")))

    assert dry_runs.refusal_to_confirm(run, other) == ConfirmRefusal.OTHER_OFFICE
    real = match_runs.request_run(actor=actor, office=office)
    assert dry_runs.refusal_to_confirm(real, actor) == ConfirmRefusal.NOT_A_DRY_RUN
    assert dry_runs.refusal_to_confirm(run, actor) is None
    full_runs.run_full(real.pk)
    assert dry_runs.refusal_to_confirm(run, actor) == ConfirmRefusal.NEWER_RUN
    MatchRun.objects.filter(pk=run.pk).update(as_of=timezone.localdate().replace(year=2020))
    run.refresh_from_db()
    assert dry_runs.refusal_to_confirm(run, actor) == ConfirmRefusal.OTHER_DAY


def test_a_run_done_again_gives_the_same_digests(actor, office):
    for _each in range(3):
        make_loan_request_in("320505")
    make_loan_offer(capacity_amount=Decimal(1_500_000))
    make_loan_offer()
    night = match_runs.request_nightly_run(on=timezone.localdate())
    full_runs.run_full(night.pk)
    run = match_runs.request_run(actor=actor, office=office)
    full_runs.run_full(run.pk)
    run.refresh_from_db()
    # Whatever becomes of the records since.
    Proposal.objects.all().delete()
    make_loan_offer(interest_rate_percent=Decimal("1.0"))

    again = full_runs.replay(run)

    assert (again.is_same_input, again.is_same_result, again.is_same_engine) == (True, True, True)
    assert run.warm_from == night
