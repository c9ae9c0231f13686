"""Each rule by example: what it refuses, the gap it names, the patents it cites."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from businesses.rules.premiums import Tariff, premium
from financing.matching.context import make_context
from financing.matching.eligibility import INSURANCE_RULES, LOAN_RULES, evaluate
from financing.matching.savings import premium_fen
from financing.matching.tables import AcceptedPatentKind, LimitStep, OfferFee
from tests.matching.refusals import INSURANCE_REFUSALS, LOAN_REFUSALS, failed
from tests.matching.rows import (
    AS_OF,
    WAN,
    YUAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
    policy,
)

MATCHING_LOAN_CODES = [
    "not_open",
    "region_not_served",
    "industry_not_accepted",
    "size_not_accepted",
    "amount_out_of_range",
    "term_out_of_range",
    "patent_kind_not_accepted",
    "patents_too_short_lived",
    "not_registrable",
    "too_few_patents",
    "appraisal_missing",
    "collateral_too_small",
    "operating_history_too_short",
    "certificate_missing",
    "above_rate_ceiling",
    "above_borrowers_rate",
    "no_saving",
    "already_decided",
]


def test_a_rule_is_named_like_its_code_and_stands_in_the_order_of_the_specification():
    assert [rule.__name__ for rule in LOAN_RULES] == MATCHING_LOAN_CODES
    context = make_context(policy())
    for rules, request, offer in (
        (LOAN_RULES, loan_request(), loan_offer()),
        (INSURANCE_RULES, insurance_request(), insurance_offer()),
    ):
        results = evaluate(request, offer, context).results
        assert [result.code for result in results] == [rule.__name__ for rule in rules]
        assert all(result.passed for result in results)


def test_kinds_do_not_mix():
    with pytest.raises(TypeError):
        evaluate(loan_request(), insurance_offer(), make_context(policy()))


@pytest.mark.parametrize(("code", "of_request", "of_offer", "gap"), LOAN_REFUSALS)
def test_loan_rule_refuses_alone_and_says_how_much(code, of_request, of_offer, gap):
    results = failed(loan_request(**of_request), loan_offer(**of_offer))
    assert list(results) == [code]
    assert results[code].gap == gap


@pytest.mark.parametrize(("code", "of_request", "of_offer", "gap"), INSURANCE_REFUSALS)
def test_insurance_rule_refuses_alone_and_says_how_much(code, of_request, of_offer, gap):
    results = failed(insurance_request(**of_request), insurance_offer(**of_offer))
    assert list(results) == [code]
    assert results[code].gap == gap


def test_liability_cover_needs_no_own_patent():
    request = insurance_request(patents=())
    assert failed(request, insurance_offer(min_patents_count=0)) == {}


def test_conditions_the_insurer_does_not_make_do_not_count():
    request = insurance_request(
        patents=(patent(insurability_failures=frozenset({"infringement_dispute"})),)
    )
    assert failed(request, insurance_offer()) == {}


def test_a_patent_left_out_refuses_only_when_what_remains_is_too_little():
    patents = (
        patent(id="P1"),
        patent(id="P2", kind="design"),
        patent(id="P3", expires_on=date(2026, 1, 1)),
        patent(id="P4", hard_grounds=frozenset({"ownership_dispute_or_preservation"})),
    )
    request, context = loan_request(patents=patents), make_context(policy())
    evaluation = evaluate(request, loan_offer(), context)
    assert evaluation.passed
    assert evaluation.pair.basket.patent_ids == ("P1",)
    results = failed(request, loan_offer(min_patents_count=2))
    assert results["not_registrable"].patent_ids == ("P4",)
    assert results["too_few_patents"].gap == 1


def test_present_pledgee_may_renew_and_a_release_before_drawdown_frees():
    pledged = patent(pledgee_institution_id="I2", pledge_released_on=date(2025, 8, 1))
    assert failed(loan_request(patents=(pledged,)), loan_offer(institution_id="I2")) == {}
    assert "not_registrable" in failed(loan_request(patents=(pledged,)), loan_offer())
    later = loan_request(patents=(pledged,), drawdown_on=date(2025, 8, 1))
    assert failed(later, loan_offer()) == {}


def test_basket_gives_earliest_expiry_and_union_of_co_owners():
    patents = (
        patent(id="P2", expires_on=date(2031, 1, 1), co_owner_ids=frozenset({"C2"})),
        patent(id="P1", co_owner_ids=frozenset({"C1", "C2"})),
    )
    evaluation = evaluate(loan_request(patents=patents), loan_offer(), make_context(policy()))
    basket = evaluation.pair.basket
    assert basket.earliest_expiry_on == date(2031, 1, 1)
    assert basket.co_owner_ids == ("C1", "C2")


@pytest.mark.parametrize(
    ("of_offer", "patents", "amount"),
    [
        ({}, (patent(appraised_value_fen=30_000_055),), 12_000_000),
        ({}, (patent(appraised_value_fen=30_000_250),), 12_000_100),
        ({"principal_max_fen": 55 * WAN + 99}, (patent(),), 55 * WAN),
        (
            {"collateral_basis": "limit_table",
             "limit_table": (LimitStep(1, 60 * WAN), LimitStep(3, 120 * WAN))},
            (patent(), patent(id="P2")),
            60 * WAN,
        ),
        (
            {"collateral_basis": "share_of_principal", "secured_share_ppm": 500_000},
            (patent(appraised_value_fen=100 * WAN),),
            80 * WAN,
        ),
        (
            {"unappraised_limit_fen": 70 * WAN},
            (patent(appraised_value_fen=None, appraised_on=None),),
            70 * WAN,
        ),
        ({"unappraised_limit_fen": 70 * WAN}, (patent(appraised_value_fen=100 * WAN),), 40 * WAN),
        (
            {"unappraised_limit_fen": 70 * WAN},
            (patent(appraised_value_fen=300 * WAN),
             patent(id="P2", appraised_value_fen=None, appraised_on=None)),
            120 * WAN,
        ),
    ],
)  # fmt: skip
def test_financeable_amount_by_basis_in_whole_yuan(of_offer, patents, amount):
    request = loan_request(patents=patents, least_accepted_fen=1)
    offer = loan_offer(principal_min_fen=0, **of_offer)
    evaluation = evaluate(request, offer, make_context(policy()))
    assert evaluation.passed, evaluation.failed_codes
    assert evaluation.pair.amount_fen == amount


@pytest.mark.parametrize(
    ("appraised_on", "usable"),
    [(date(2024, 6, 20), True), (date(2024, 6, 19), False), (date(2025, 6, 21), False)],
)
def test_an_appraisal_is_usable_up_to_its_age_and_not_before_its_day(appraised_on, usable):
    request = loan_request(patents=(patent(appraised_on=appraised_on),))
    results = failed(request, loan_offer(appraisal_max_age_months=12))
    assert list(results) == ([] if usable else ["appraisal_missing"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"opens_on": AS_OF, "closes_on": AS_OF}, None),
        ({"principal_min_fen": 200 * WAN}, None),
        ({"principal_min_fen": 200 * WAN + 1}, "amount_out_of_range"),
        ({"principal_max_fen": 100 * WAN}, None),
        ({"principal_max_fen": 100 * WAN - 1}, "amount_out_of_range"),
        ({"term_min_months": 12, "term_max_months": 12}, None),
        ({"min_operating_months": 87}, None),
        ({"min_operating_months": 88}, "operating_history_too_short"),
    ],
)
def test_bounds_are_inclusive(changes, code):
    assert list(failed(loan_request(), loan_offer(**changes))) == ([code] if code else [])


def test_premium_agrees_with_the_tariff_of_the_rules():
    for sum_insured in (5 * WAN, 12_345_678, 100 * WAN):
        offer = insurance_offer(premium_rate_ppm=23_457)
        tariff = Tariff(Decimal(500), Decimal(100), Decimal(50), Decimal("2.3457"))
        exact = premium(tariff, 2, Decimal(sum_insured) / 100)
        assert premium_fen(offer, sum_insured, 2) == exact * 100


def test_rates_and_saving():
    assert "above_rate_ceiling" in failed(loan_request(), loan_offer(interest_rate_ppm=34_801))
    assert failed(loan_request(), loan_offer(interest_rate_ppm=34_800)) == {}
    with_fee = loan_offer(
        interest_rate_ppm=34_000, fees=(OfferFee("borrower", "upfront", 0, 5_000),)
    )
    assert {"above_rate_ceiling", "no_saving"} <= set(failed(loan_request(), with_fee))
    paid_by_lender = replace(with_fee, fees=(OfferFee("lender", "upfront", 0, 5_000),))
    assert failed(loan_request(), paid_by_lender) == {}
    limit = failed(loan_request(max_apr_ppm=30_000), loan_offer())
    # 3 % paid monthly is an effective 3.04 %.
    assert list(limit) == ["above_borrowers_rate"]
    assert 400 < limit["above_borrowers_rate"].gap < 430


def test_fixed_fees_and_a_conditional_appraisal_lower_the_saving():
    def saving(request, offer):
        return evaluate(request, offer, make_context(policy())).pair.saving_fen

    # 200 万 for a year at 3.00 % instead of 3.48 %.
    assert saving(loan_request(), loan_offer()) == 9_600 * YUAN
    fees = (OfferFee("borrower", "upfront", 1_000 * YUAN, 100),)
    assert saving(loan_request(), loan_offer(fees=fees)) == (9_600 - 1_000 - 200) * YUAN
    bare = loan_request(patents=(patent(appraised_value_fen=None, appraised_on=None),))
    offer = loan_offer(unappraised_limit_fen=200 * WAN, appraisal_fee_fen=3_000 * YUAN)
    assert saving(bare, offer) == 6_600 * YUAN
    assert saving(loan_request(), offer) == 9_600 * YUAN


def test_five_year_lpr_above_sixty_months():
    offer = loan_offer(interest_rate_ppm=36_000, term_max_months=120)
    patents = (patent(expires_on=date(2040, 1, 1)),)
    assert "no_saving" in failed(loan_request(term_months=60, patents=patents), offer)
    assert failed(loan_request(term_months=61, patents=patents), offer) == {}


@pytest.mark.parametrize(
    ("found", "served", "passes"),
    [
        ("320505", {"320000"}, True),
        ("320505", {"320500"}, True),
        ("320505", {"320505"}, True),
        ("320505", {"320506"}, False),
        ("320500", {"320505"}, False),
        ("429004", {"429000"}, True),
        ("330505", {"320000", "330500"}, True),
    ],
)
def test_region_subtree(found, served, passes):
    results = failed(loan_request(region_code=found), loan_offer(regions=frozenset(served)))
    assert (results == {}) == passes


@pytest.mark.parametrize(
    ("found", "accepted", "passes"),
    [("C3911", {"C"}, True), ("C3911", {"C39"}, True), ("C39", {"C3911"}, False),
     ("C3911", {"C391"}, True), ("I6513", {"C", "I65"}, True), ("C4011", {"C39"}, False)],
)  # fmt: skip
def test_industry_prefix(found, accepted, passes):
    results = failed(loan_request(industry_code=found), loan_offer(industries=frozenset(accepted)))
    assert (results == {}) == passes


def test_an_ended_patent_is_in_no_basket_even_where_no_life_is_asked():
    offer = insurance_offer(min_remaining_months=0)
    ended = insurance_request(patents=(patent(expires_on=AS_OF),))
    assert list(failed(ended, offer)) == ["not_insurable"]
    assert failed(insurance_request(patents=(patent(expires_on=date(2025, 6, 21)),)), offer) == {}


def test_least_remaining_life_of_a_kind_counts_whatever_the_term():
    offer = loan_offer(accepted_patents=(AcceptedPatentKind("invention", 400_000, 96),))
    request = loan_request(patents=(patent(expires_on=date(2033, 6, 19)),))
    assert failed(request, offer)["patents_too_short_lived"].required == 96
    longer = loan_request(patents=(patent(expires_on=date(2033, 6, 20)),))
    assert failed(longer, offer) == {}


def test_a_met_patent_rule_shows_the_figures_of_the_basket():
    """One of three patents is left out by each of two rules: what counts is the one kept."""
    patents = (
        patent(id="P1"),
        patent(id="P2", kind="design"),
        patent(id="P3", hard_grounds=frozenset({"annuity_unpaid"})),
    )
    results = {
        result.code: result
        for result in evaluate(
            loan_request(patents=patents), loan_offer(), make_context(policy())
        ).results
    }

    for code in ("patent_kind_not_accepted", "patents_too_short_lived", "not_registrable"):
        result = results[code]
        assert (result.passed, result.required, result.found) == (True, 1, 1), code
        assert result.patent_ids == ("P1",), code


def test_a_met_patent_rule_shows_no_figures_where_another_left_too_few():
    patents = (patent(id="P1"), patent(id="P2", kind="design"))
    results = {
        result.code: result
        for result in evaluate(
            loan_request(patents=patents), loan_offer(min_patents_count=2), make_context(policy())
        ).results
    }

    kinds, lives = results["patent_kind_not_accepted"], results["patents_too_short_lived"]
    assert (kinds.passed, kinds.required, kinds.found, kinds.gap) == (False, 2, 1, 1)
    assert (lives.passed, lives.required, lives.found) == (True, None, None)
