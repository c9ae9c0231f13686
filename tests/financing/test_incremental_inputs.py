"""What a run over one request or offer reads: less than all, and never what is no longer so."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from businesses.models import Certificate
from financing import full_run_inputs, incremental_inputs, live_offers, offer_takers
from financing.kind_rows import rows_of
from financing.live_offers import live_offer_rows, with_current_use
from financing.matching.context import make_context
from financing.matching.eligibility import evaluate
from financing.models import Institution, LoanOffer, Proposal
from financing.models.match_runs import MatchRun
from financing.pair_kinds import INSURANCE, LOAN
from financing.run_inputs import decide, in_matching, read_rows
from financing.run_inputs import live_offers as all_live
from financing.services import incremental_runs, insurance_offers, loan_offers, match_runs
from sipo_portal.audit.actors import Actor
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_staff,
)
from tests.factories.insurance import make_insurance_offer, make_insurance_request

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy()


def full_offers(kind):
    """All live offers as a full run reads them."""
    return rows_of(kind).offer_rows(list(all_live(kind)), TODAY())


def world(seed):
    """Institutions, offers and requests at random: some fit, some have no room, some are taken."""
    dice = random.Random(seed)
    banks = [make_institution(is_suspended=dice.random() < 0.15) for _ in range(4)]
    offers = [
        make_loan_offer(
            dice.choice(banks),
            status=dice.choice(("published", "published", "published", "paused")),
            regions=dice.choice(((), ("320000",), ("320500",), ("330000",))),
            industries=dice.choice(([], ["C"], ["I65", "C39"])),
            size_classes=dice.choice(([], ["micro"], ["micro", "small"])),
            interest_rate_percent=Decimal(dice.choice(("2.6", "2.8", "2.9", "3.0"))),
            max_principal=Decimal(dice.choice((600_000, 5_000_000))),
            min_operating_months=dice.choice((0, 24)),
            required_certificates=dice.choice(([], [], ["high_tech"], ["high_tech", "tech_sme"])),
            capacity_amount=Decimal(dice.choice((700_000, 1_500_000, 50_000_000))),
            capacity_count=dice.choice((None, None, 1)),
            max_term_months=dice.choice((6, 24, 36)),
        )
        for _ in range(10)
    ]
    requests = []
    for _ in range(8):
        business = make_business(
            region=dice.choice(("320505", "330106", "110108")),
            industry=dice.choice(("C3911", "I6513")),
            size_class=dice.choice(("micro", "small")),
            established_on=dice.choice((date(2015, 1, 1), TODAY())),
        )
        for code in dice.sample(("high_tech", "tech_sme"), dice.randint(0, 2)):
            Certificate.objects.create(business=business, kind=code)
        patent = make_patent(business)
        make_appraisal(patent, dice.choice((1_000_000, 5_000_000)))
        requests.append(
            make_loan_request(
                business,
                [patent],
                principal=Decimal(dice.choice((400_000, 1_000_000, 2_000_000))),
                least_accepted=Decimal(300_000),
                term_months=dice.choice((6, 12, 24)),
                status=dice.choice(("open", "open", "submitted", "withdrawn")),
            )
        )
    for request in requests[:3]:
        offer = dice.choice(offers)
        make_proposal(request, offer, rank=1, is_provisional=dice.random() < 0.5)
    return offers, requests


def proposals_of(found):
    return [
        (p.request_id, p.offer_id, p.rank, p.is_first, p.amount_fen, p.saving_fen, p.patent_ids)
        for p in decide(found).proposals
    ]


@pytest.mark.parametrize("seed", range(6))
def test_a_request_gets_of_few_offers_what_it_would_get_of_all(seed):
    _, requests = world(seed)
    for request in requests:
        found = incremental_inputs.read_request_run(LOAN, request.pk, TODAY())
        every = read_rows(list(in_matching(LOAN).filter(pk=request.pk)), [], TODAY())
        offers = incremental_inputs.less_proposed(
            LOAN, full_offers(LOAN), every.policy_row, found.reconsidered
        )
        assert proposals_of(found) == proposals_of(replace(every, offers=offers))
        assert found.offer_count in (None, len(offers))


LOOK_AT_PATENTS = {
    "patent_kind_not_accepted",
    "patents_too_short_lived",
    "not_registrable",
    "too_few_patents",
    "appraisal_missing",
    "collateral_too_small",
    "above_rate_ceiling",
    "no_saving",
}


def passing(offer, *, but=frozenset()):
    """Requests that no rule refuses, these ones aside."""
    every = read_rows(list(in_matching(LOAN)), [offer], TODAY())
    context = make_context(every.policy_row)
    return {
        int(row.id)
        for row in every.requests
        if not set(evaluate(row, every.offers[0], context).failed_codes) - but
    }


def decided_of(offer, ids, monkeypatch):
    """What the run over the offer proposes when it decides on these requests."""
    with monkeypatch.context() as patched:
        patched.setattr(incremental_inputs, "_deciding", lambda *_: Q(pk__in=ids))
        return proposals_of(incremental_inputs.read_offer_run(LOAN, offer.pk, TODAY()))


@pytest.mark.parametrize("seed", range(6))
def test_an_offer_is_decided_on_beside_those_it_fits(seed, monkeypatch):
    world(seed + 100)
    for offer in all_live(LOAN):
        found = incremental_inputs.read_offer_run(LOAN, offer.pk, TODAY())
        fitting = passing(offer)
        assert {int(row.id) for row in found.requests} == fitting
        assert proposals_of(found) == decided_of(offer, fitting, monkeypatch)


@pytest.mark.parametrize("seed", range(3))
def test_without_columns_those_it_may_suit_are_read(seed, monkeypatch):
    world(seed + 100)
    monkeypatch.setattr(offer_takers, "MOST_READ_ANEW", 2)
    for offer in all_live(LOAN):
        found = incremental_inputs.read_offer_run(LOAN, offer.pk, TODAY())
        assert {int(row.id) for row in found.requests} == passing(offer, but=LOOK_AT_PATENTS)


@pytest.mark.parametrize("seed", range(6))
def test_of_many_that_fit_the_best_are_decided_on(seed, monkeypatch):
    """Nothing else is proposed than with all of them, whatever is proposed and matched already."""
    offers, requests = world(seed + 200)
    make_match(requests[4], offers[0], status="in_study")
    make_match(requests[5], offers[1], status="referred", deadline_on=date(2020, 1, 1))
    monkeypatch.setattr(offer_takers, "KEEP_ALL", 1)
    monkeypatch.setattr(offer_takers, "ROOMS_FILLED", 2)
    for offer in all_live(LOAN):
        found = incremental_inputs.read_offer_run(LOAN, offer.pk, TODAY())
        fitting = passing(offer)
        assert {int(row.id) for row in found.requests} <= fitting
        own = [each for each in proposals_of(found) if each[1] == str(offer.pk)]
        every = decided_of(offer, fitting, monkeypatch)
        assert own == [each for each in every if each[1] == str(offer.pk)]


def test_what_changed_in_a_request_is_seen_at_once():
    offer, request = make_loan_offer(), make_loan_request()
    incremental_runs.match_offer(offer.pk)
    assert Proposal.objects.get().amount == Decimal(1_000_000)
    request.principal = Decimal(800_000)
    request.save()
    incremental_runs.match_offer(offer.pk)
    assert Proposal.objects.get().amount == Decimal(800_000)
    appraisal = request.patents.get().appraisals.get()
    appraisal.appraised_value = Decimal(1_500_000)
    appraisal.save()
    incremental_runs.match_offer(offer.pk)
    assert Proposal.objects.get().amount == Decimal(600_000)


def test_amounts_beyond_the_compiled_rules_are_matched_by_the_readable_ones():
    offer = make_loan_offer(max_principal=Decimal(20_000_000_000), capacity_amount=Decimal(10**12))
    make_loan_offer()
    request = make_loan_request(principal=Decimal(11_000_000_000), least_accepted=Decimal(1))
    incremental_runs.match_request(request.pk)
    assert offer in {each.loan_offer for each in request.proposals.all()}
    Proposal.objects.all().delete()
    incremental_runs.match_offer(offer.pk)
    assert request.proposals.get().loan_offer == offer


def test_insurances_too():
    offers = [make_insurance_offer() for _ in range(3)]
    request = make_insurance_request()
    found = incremental_inputs.read_request_run(INSURANCE, request.pk, TODAY())
    every = read_rows(list(in_matching(INSURANCE)), list(all_live(INSURANCE)), TODAY())
    assert proposals_of(found) == proposals_of(every) != []
    of_offer = incremental_inputs.read_offer_run(INSURANCE, offers[0].pk, TODAY())
    assert [row.id for row in of_offer.requests] == [str(request.pk)]


# --- the rows that are kept ------------------------------------------------------------------


def current(kind=LOAN):
    return with_current_use(kind, live_offer_rows(kind, TODAY()), TODAY())


def test_kept_rows_are_those_a_full_run_reads():
    offers, requests = world(7)
    make_match(requests[0], offers[0], status="in_study", amount=Decimal(300_000))
    assert current() == full_offers(LOAN)
    make_insurance_offer()
    assert current(INSURANCE) == full_offers(INSURANCE)
    national = match_runs.request_nightly_run(on=TODAY())
    found = full_run_inputs.read_full_run(national, TODAY())
    assert list(found.run.loans.offers) == full_offers(LOAN) != []
    assert list(found.run.insurances.offers) == full_offers(INSURANCE) != []


def test_an_offer_that_did_not_change_is_not_read_again():
    first, second = make_loan_offer(), make_loan_offer(regions=("320500",))
    before = live_offer_rows(LOAN, TODAY())
    with CaptureQueriesContext(connection) as queries:
        again = live_offer_rows(LOAN, TODAY())
    assert len(queries) == 1
    assert all(one is other for one, other in zip(before, again, strict=True))
    LoanOffer.objects.filter(pk=second.pk).update(booked_amount=Decimal(10))
    changed = live_offer_rows(LOAN, TODAY())
    assert changed[0] is before[0]
    assert changed[1].booked_fen == 1_000
    assert changed[1].regions == {"320500"}
    assert [row.id for row in changed] == [str(first.pk), str(second.pk)]


def saved(offer, staff, **changes):
    terms = replace(loan_offers.terms_of(offer), **changes)
    return loan_offers.save_loan_offer(
        Actor.of(staff), institution=offer.institution, terms=terms, offer_id=offer.pk
    )


def test_whatever_a_service_changes_is_seen():
    offer = make_loan_offer(fees=[{"kind": "service", "amount": Decimal(100)}])
    staff = make_staff(offer.institution)
    make_loan_offer()
    live_offer_rows(LOAN, TODAY())
    terms = loan_offers.terms_of(offer)
    kinds = (replace(terms.accepted_kinds[0], loan_to_value_percent=Decimal(11)),)
    for change in (
        {"regions": ()},
        {"accepted_kinds": kinds},
        {"fees": ()},
        {"max_principal": Decimal(700_000)},
    ):
        saved(offer, staff, **change)
        offer.refresh_from_db()
        offer = LoanOffer.objects.get(pk=offer.pk)
        assert current() == full_offers(LOAN)
    for step in ("pause", "resume", "close"):
        loan_offers.STEPS[step](Actor.of(staff), offer=offer)
        assert current() == full_offers(LOAN)
    Institution.objects.update(is_suspended=True)
    assert live_offer_rows(LOAN, TODAY()) == []


def test_an_insurance_offer_s_change_is_seen():
    offer = make_insurance_offer()
    staff = make_staff(offer.institution)
    live_offer_rows(INSURANCE, TODAY())
    terms = replace(insurance_offers.terms_of(offer), regions=())
    insurance_offers.save_insurance_offer(
        Actor.of(staff), institution=offer.institution, terms=terms, offer_id=offer.pk
    )
    assert current(INSURANCE) == full_offers(INSURANCE)


def test_the_next_match_sees_a_change_of_terms():
    offer = make_loan_offer(capacity_amount=Decimal(5_000_000))
    staff = make_staff(offer.institution)
    request = make_loan_request()
    incremental_runs.match_request(request.pk)
    assert Proposal.objects.get().amount == Decimal(1_000_000)
    assert MatchRun.objects.latest("pk").offer_count == 1
    saved(offer, staff, max_principal=Decimal(700_000))
    incremental_runs.match_request(request.pk)
    assert Proposal.objects.get().amount == Decimal(700_000)
    loan_offers.pause(Actor.of(staff), offer=LoanOffer.objects.get())
    incremental_runs.match_request(request.pk)
    assert not Proposal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_no_row_behind():
    make_policy()
    offer = make_loan_offer()
    before = live_offer_rows(LOAN, TODAY())
    with transaction.atomic():
        LoanOffer.objects.update(max_principal=Decimal(700_000))
        make_loan_offer(offer.institution)
        assert live_offer_rows(LOAN, TODAY())[0].principal_max_fen == 70_000_000
        transaction.set_rollback(True)
    assert live_offer_rows(LOAN, TODAY()) == before == full_offers(LOAN)


@pytest.mark.django_db(transaction=True)
def test_two_processes_see_each_other_s_changes(monkeypatch):
    """The process of the web changes offers; the worker's rows are of another one."""
    make_policy()
    offer = make_loan_offer()
    live_offer_rows(LOAN, TODAY())
    mine = dict(live_offers._kept)
    monkeypatch.setattr(live_offers, "_kept", {})
    saved(offer, make_staff(offer.institution), max_principal=Decimal(700_000))
    assert live_offer_rows(LOAN, TODAY())[0].principal_max_fen == 70_000_000
    monkeypatch.setattr(live_offers, "_kept", mine)
    assert live_offer_rows(LOAN, TODAY()) == full_offers(LOAN)
