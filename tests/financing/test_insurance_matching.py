"""Insurance through the bridge: premiums, conditions, runs over both kinds, at once."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

import pytest
from django.utils import timezone

from businesses.rules.insurability import InsuranceConditions
from businesses.selectors import insurability_of
from financing.contention import contentions
from financing.match_runs import explain_pair, explain_request
from financing.matching.contention import Contention
from financing.models import MatchRun, Proposal
from financing.models.matches import DecisionReason
from financing.models.requests import RequestStatus
from financing.services import full_runs, incremental_runs, match_runs, matches
from financing.services.matches import Reason
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import (
    make_business,
    make_co_owner,
    make_encumbrance,
    make_patent,
)
from tests.factories.financing import make_loan_offer, make_loan_request, make_proposal, make_run
from tests.factories.insurance import (
    make_insurance_match,
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_proposal,
    make_insurance_request,
    make_insurer,
)
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return make_insurance_policy_of_the_day()


def explained(request, offer):
    return explain_pair(request, offer, on=timezone.localdate())


def refusals(request, offer):
    return [result.code for result in explained(request, offer).refusals]


def tariff_premium(offer, count: int, insured: Decimal) -> Decimal:
    """DOMAIN 4.5 by fractions, rounded once at the end."""
    exact = (
        Fraction(offer["base_premium"])
        + Fraction(offer["premium_per_patent"]) * count
        + Fraction(offer["premium_rate_percent"]) / 100 * Fraction(insured)
    )
    due = max(Fraction(offer["min_premium"]), exact)
    fen = Decimal(due.numerator * 100) / Decimal(due.denominator)
    return fen.quantize(Decimal(1), ROUND_HALF_UP) / 100


# --- premiums -----------------------------------------------------------------------------------


def test_premium_and_reduction_are_the_formula_of_the_offer_and_of_the_table(policy):
    random = Random(7)
    business = make_business()
    patents = [make_patent(business) for _each in range(4)]
    standard = policy.standard_premiums.get(cover_kind="enforcement")
    table = {
        name: getattr(standard, name)
        for name in ("base_premium", "premium_per_patent", "premium_rate_percent", "min_premium")
    }
    request = make_insurance_request(business)
    for _round in range(12):
        insured = Decimal(random.randrange(2_000_000, 100_000_000)) / 100
        count = random.randint(1, 4)
        tariff = {
            "base_premium": Decimal(random.randrange(0, 100_000)) / 100,
            "premium_per_patent": Decimal(random.randrange(0, 30_000)) / 100,
            "premium_rate_percent": Decimal(random.randrange(0, 900)) / 1000,
            "min_premium": Decimal(random.randrange(0, 300_000)) / 100,
        }
        request.sum_insured = insured
        request.save()
        request.patents.set(patents[:count])
        found = explained(request, make_insurance_offer(**tariff))
        assert found.premium == tariff_premium(tariff, count, insured)
        assert found.standard_premium == tariff_premium(table, count, insured)
        assert found.saving == found.standard_premium - found.premium


def test_a_premium_above_the_table_or_above_the_limit_is_refused():
    request = make_insurance_request(premium_limit=Decimal(900))
    # Table: 600 + 260 + 1,000 = 1,860; offers: base + 100 + 500.
    assert refusals(request, make_insurance_offer(base_premium=Decimal(300))) == []
    dearer_than_limit = make_insurance_offer(base_premium=Decimal("300.01"))
    assert refusals(request, dearer_than_limit) == ["premium_above_limit"]
    request.premium_limit = None
    request.save()
    assert refusals(request, make_insurance_offer(base_premium=Decimal(1260))) == []
    assert refusals(request, make_insurance_offer(base_premium=Decimal("1260.01"))) == ["no_saving"]


def test_the_insurer_s_own_figures_are_no_standard(policy):
    """A cover the policy's table does not list saves nothing."""
    policy.standard_premiums.all().delete()
    found = explained(make_insurance_request(), make_insurance_offer())
    assert (found.standard_premium, found.saving) == (None, 0)


# --- conditions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "wanted"),
    [
        ({"cover_kind": "infringement_liability"}, "cover_kind_differs"),
        ({"status": "paused"}, "not_open"),
        ({"regions": ["440300"]}, "region_not_served"),
        ({"industries": ["A"]}, "industry_not_accepted"),
        ({"size_classes": ["small"]}, "size_not_accepted"),
        ({"min_sum_insured": Decimal("100000.01")}, "sum_insured_out_of_range"),
        ({"accepted_kinds": ["utility_model"]}, "patent_kind_not_accepted"),
        ({"min_patents": 2}, "not_insurable"),
        ({"min_remaining_months": 240}, "not_insurable"),
    ],
)
def test_each_criterion_refuses_by_its_own_code(criteria, wanted):
    request = make_insurance_request(make_business(size_class="micro"))
    assert refusals(request, make_insurance_offer()) == []
    assert refusals(request, make_insurance_offer(**criteria)) == [wanted]


@pytest.mark.parametrize(
    ("facts", "column", "code"),
    [
        ({"has_ownership_dispute": True}, "refuses_disputes", "ownership_dispute_pending"),
        ({"has_infringement_dispute": True}, "refuses_disputes", "infringement_dispute_pending"),
        ({"co_owner": "missing"}, "needs_co_owner_consent", "co_owner_consent_missing"),
        (
            {"is_licensed_in": True, "owner_name_on_register": "示范大学"},
            "accepts_licensee",
            "licensee_not_accepted",
        ),
    ],
)
def test_a_condition_counts_only_where_the_offer_insists_on_it(facts, column, code):
    business = make_business()
    consent = facts.get("co_owner")
    patent = make_patent(business, **{k: v for k, v in facts.items() if k != "co_owner"})
    if consent:
        make_co_owner(patent, consent=consent)
    request = make_insurance_request(business, [patent])
    # The columns say "insists" but for licensees, where they say "accepts".
    strict = column != "accepts_licensee"
    (refused,) = explained(request, make_insurance_offer(**{column: strict})).refusals
    assert (refused.code, refused.gap) == ("not_insurable", (code,))
    assert refusals(request, make_insurance_offer(**{column: not strict})) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"granted_on": None}, "not_in_force"),
        ({"annuity_paid_through_year": 1}, None),
        ({"owner_name_on_register": "别的公司"}, "policyholder_not_entitled"),
    ],
)
def test_what_every_insurer_insists_on(facts, code):
    business = make_business()
    request = make_insurance_request(business, [make_patent(business, **facts)])
    offer = make_insurance_offer(
        needs_co_owner_consent=False, refuses_disputes=False, accepts_licensee=True
    )
    (refused,) = explained(request, offer).refusals
    assert refused.code == "not_insurable"
    if code is not None:
        assert code in refused.gap


def test_insurability_agrees_with_the_plain_rule():
    """The bridge splits the rule into codes; put together again they are the rule."""
    business = make_business()
    licensed = make_patent(business, is_licensed_in=True, owner_name_on_register="示范大学")
    disputed = make_patent(business, has_infringement_dispute=True)
    preserved = make_patent(business)
    make_encumbrance(preserved, "preservation")
    owned = make_patent(business)
    for patent in (licensed, disputed, preserved, owned):
        for licensees in (True, False):
            for disputes in (True, False):
                offer = make_insurance_offer(accepts_licensee=licensees, refuses_disputes=disputes)
                plain = insurability_of(
                    patent,
                    on=timezone.localdate(),
                    conditions=InsuranceConditions(
                        accepts_licensees=licensees,
                        refuses_ownership_dispute=disputes,
                        refuses_infringement_dispute=disputes,
                    ),
                )
                request = make_insurance_request(make_business(), [patent], status="withdrawn")
                assert (refusals(request, offer) == []) is (not plain)


def test_liability_cover_needs_no_patent():
    cover = {"cover_kind": "infringement_liability"}
    request = make_insurance_request(patents=[], **cover)
    offer = make_insurance_offer(min_patents=0, accepted_kinds=[], **cover)
    found = explained(request, offer)
    assert not found.refusals
    assert found.premium == Decimal(900)
    assert refusals(request, make_insurance_offer(min_patents=1, **cover)) == ["not_insurable"]


def test_an_unpaid_annuity_is_a_near_miss():
    business = make_business()
    patent = make_patent(business, annuity_paid_through_year=None)
    request = make_insurance_request(business, [patent])
    make_insurance_offer()
    (near,) = explain_request(request, on=timezone.localdate()).near_misses
    assert near.near_miss.change_code == "pay_annuity"
    assert near.near_miss.saving_fen == 86_000


# --- runs ---------------------------------------------------------------------------------------


def run_country():
    run = match_runs.request_nightly_run(on=timezone.localdate())
    full_runs.run_full(run.pk)
    return MatchRun.objects.get(pk=run.pk)


def test_one_run_matches_both_kinds():
    loan, loan_offer = make_loan_request(), make_loan_offer()
    cover, cover_offer = make_insurance_request(), make_insurance_offer()
    run = run_country()
    assert (run.request_count, run.offer_count, run.reached_count) == (2, 2, 2)
    by_kind = {bool(each.loan_request_id): each for each in Proposal.objects.all()}
    assert (by_kind[True].request, by_kind[True].offer) == (loan, loan_offer)
    insured = by_kind[False]
    assert (insured.request, insured.offer) == (cover, cover_offer)
    assert (insured.amount, insured.saving) == (Decimal(100_000), Decimal(860))
    assert insured.patent_ids == [patent.pk for patent in cover.patents.all()]
    assert run.fairness["kind"] == {
        "insurance": {"requests": 1, "eligible": 1, "reached": 1},
        "loan": {"requests": 1, "eligible": 1, "reached": 1},
    }


def test_prices_of_an_insurance_are_not_taken_for_a_loan_s(policy):
    """Ids of the kinds overlap: what is short there is not short here."""
    offer = make_insurance_offer(capacity_amount=Decimal(100_000))
    twin = make_loan_offer(pk=offer.pk)
    for _each in range(3):
        make_insurance_request()
    run = run_country()
    assert list(run.prices) == [f"insurance-{offer.pk}"]
    dear = make_insurance_proposal(offer=offer, run=run, is_provisional=True)
    free = make_proposal(loan_offer=twin, run=run, is_provisional=True)
    waiting = contentions([dear, free], on=timezone.localdate())
    assert waiting == {dear.pk: Contention.PRICED}


def test_a_submitted_request_is_matched_at_once():
    offer = make_insurance_offer()
    request = make_insurance_request(status="submitted")
    incremental_runs.match_insurance_request(request.pk)
    request.refresh_from_db()
    proposal = Proposal.objects.get()
    assert request.status == RequestStatus.OPEN
    assert (proposal.request, proposal.offer, proposal.is_provisional) == (request, offer, True)
    assert proposal.run.insurance_request == request
    request.status = RequestStatus.WITHDRAWN
    request.save()
    incremental_runs.match_insurance_request(request.pk)
    assert not Proposal.objects.exists()


def test_a_published_offer_is_matched_with_what_has_a_place():
    request = make_insurance_request()
    first = make_insurance_offer()
    make_insurance_proposal(request, first)
    better = make_insurance_offer(base_premium=Decimal(100))
    same_house = make_insurance_offer(first.institution)
    incremental_runs.match_insurance_offer(better.pk)
    incremental_runs.match_insurance_offer(same_house.pk)
    found = {each.offer: each.rank for each in Proposal.objects.all()}
    assert found == {first: 1, better: 2}


def test_provisional_proposals_keep_to_the_room_that_others_left():
    offer = make_insurance_offer(capacity_amount=Decimal(100_000))
    make_insurance_proposal(make_insurance_request(), offer)
    late = make_insurance_request(status="submitted")
    incremental_runs.match_insurance_request(late.pk)
    assert not late.proposals.exists()


def test_a_rejected_pair_comes_back_only_when_its_criterion_changed():
    coordinator = make_coordinator(make_office("320000"))
    request, offer = make_insurance_request(), make_insurance_offer()
    match = make_insurance_match(request, offer, claimed_by=coordinator)
    reason = Reason(DecisionReason.CRITERION_NOT_MET, "sum_insured_out_of_range", "太高")
    matches.reject(actor=Actor.of(coordinator), match=match, reason=reason)
    assert refusals(request, offer) == ["already_decided"]
    copy = make_insurance_offer(offer.institution)
    assert refusals(request, copy) == ["already_decided"]
    assert refusals(request, make_insurance_offer(make_insurer())) == []
    request.sum_insured = Decimal(90_000)
    request.save()
    assert refusals(request, offer) == []


def test_explaining_takes_the_same_queries_for_many_offers(django_assert_max_num_queries):
    request = make_insurance_request()
    for _each in range(3):
        make_insurance_offer()
    make_run()
    with django_assert_max_num_queries(22):
        assert len(explain_request(request, on=timezone.localdate()).fits) == 3
