"""Decisions of people keep a pair away until the cited criterion changes (MATCHING 1)."""

from dataclasses import replace

import pytest

from financing.matching import eligibility
from financing.matching.decided import CRITERION_COLUMNS, criterion_fingerprint
from financing.matching.eligibility import INSURANCE_RULES, LOAN_RULES
from financing.matching.tables import DecidedPair
from tests.matching.refusals import INSURANCE_REFUSALS, LOAN_REFUSALS, failed
from tests.matching.rows import (
    WAN,
    insurance_offer,
    insurance_request,
    loan_offer,
    loan_request,
    patent,
)


def decision(request, offer, criterion):
    return DecidedPair(
        kind=request.kind,
        request_id=request.id,
        institution_id=offer.institution_id,
        criterion=criterion,
        fingerprint=criterion_fingerprint(criterion, request, offer),
    )


def test_a_decision_blocks_the_institution_until_the_cited_criterion_changes():
    request, offer = loan_request(), loan_offer()
    decided = [decision(request, offer, "term_out_of_range")]
    assert list(failed(request, offer, decided=decided)) == ["already_decided"]
    copied = replace(offer, id="O2", interest_rate_ppm=29_000)
    assert list(failed(request, copied, decided=decided)) == ["already_decided"]
    assert failed(request, replace(offer, institution_id="I2"), decided=decided) == {}
    assert failed(replace(request, id="R2"), offer, decided=decided) == {}
    assert failed(request, replace(offer, term_max_months=24), decided=decided) == {}
    assert failed(replace(request, term_months=13), offer, decided=decided) == {}


def test_a_decision_without_a_rule_blocks_for_good():
    request, offer = loan_request(), loan_offer()
    decided = [decision(request, offer, "other")]
    changed = replace(offer, id="O7", term_max_months=24, interest_rate_ppm=20_000)
    assert list(failed(request, changed, decided=decided)) == ["already_decided"]


def test_every_rule_but_the_last_ones_can_be_cited_and_cites_columns_that_exist():
    rows = (loan_request(), loan_offer(), insurance_request(), insurance_offer())
    for criterion, (of_request, of_offer) in CRITERION_COLUMNS.items():
        assert hasattr(eligibility, criterion)
        for name in of_request:
            assert any(hasattr(row, name) for row in rows[::2])
        for name in of_offer:
            assert any(hasattr(row, name) for row in rows[1::2])


OF_KIND = {
    "loan": (LOAN_REFUSALS, LOAN_RULES, loan_request, loan_offer),
    "insurance": (INSURANCE_REFUSALS, INSURANCE_RULES, insurance_request, insurance_offer),
}
CASES = [
    (kind, code, of_request, of_offer)
    for kind, (refusals, *_rest) in OF_KIND.items()
    for code, of_request, of_offer, _gap in refusals
    # An offer that is paused and posted again is the same one: only its days are compared.
    if not {"status", "is_institution_suspended"} & set(of_offer)
]


@pytest.mark.parametrize("kind", OF_KIND)
def test_every_rule_that_is_no_decision_itself_can_be_cited(kind):
    _refusals, rules, *_rows = OF_KIND[kind]
    assert {rule.__name__ for rule in rules} - {"already_decided"} <= set(CRITERION_COLUMNS)


@pytest.mark.parametrize(("kind", "code", "of_request", "of_offer"), CASES)
def test_what_changes_the_outcome_of_a_rule_changes_its_fingerprint(
    kind, code, of_request, of_offer
):
    """Else a person's decision would go on blocking a pair whose criterion has changed."""
    _refusals, _rules, request, offer = OF_KIND[kind]
    before = criterion_fingerprint(code, request(), offer())
    assert criterion_fingerprint(code, request(**of_request), offer(**of_offer)) != before
    # Another offer like it, and another request like it, are the same to the criterion.
    assert criterion_fingerprint(code, request(id="R9"), offer(id="O9", delivery_ppm=1)) == before


@pytest.mark.parametrize(
    ("code", "of_request", "of_offer"),
    [
        ("premium_above_limit", {"sum_insured_fen": 10 * WAN}, {}),
        ("premium_above_limit", {"patents": (patent(), patent(id="P2"))}, {}),
        ("no_saving", {"sum_insured_fen": 10 * WAN}, {}),
        ("no_saving", {"patents": (patent(), patent(id="P2"))}, {}),
        ("no_saving", {}, {"premium_base_fen": 0}),
        ("not_insurable", {}, {"min_patents_count": 0}),
        ("not_insurable", {}, {"conditions": frozenset()}),
    ],
)
def test_an_insurance_decision_lapses_with_every_figure_its_criterion_compares(
    code, of_request, of_offer
):
    request, offer = insurance_request(), insurance_offer()
    decided = [decision(request, offer, code)]
    assert list(failed(request, offer, decided=decided)) == ["already_decided"]
    changed = failed(replace(request, **of_request), replace(offer, **of_offer), decided=decided)
    assert "already_decided" not in changed
