"""The factories make rows that hold their constraints, scoped as people see them."""

import pytest

from financing.models import LoanOffer, Match
from tests.factories.accounts import make_owner
from tests.factories.financing import (
    make_loan_offer,
    make_match,
    make_policy,
    make_proposal,
    make_staff,
)

pytestmark = pytest.mark.django_db


def test_match_is_seen_by_its_institution_once_referred() -> None:
    offer = make_loan_offer(limits={1: 1_000_000}, collateral_basis="limit_table")
    match = make_match(loan_offer=offer, status="referred")
    in_review = make_match(loan_offer=offer)
    staff, other = make_staff(offer.institution), make_staff()

    assert list(Match.objects.visible_to(staff)) == [match]
    assert not Match.objects.visible_to(other).exists()
    assert in_review in Match.objects.visible_to(in_review.business.members.get().user)
    assert list(LoanOffer.objects.visible_to(staff)) == [offer]
    assert not Match.objects.visible_to(make_owner()).exists()


def test_proposals_and_policies_are_valid() -> None:
    policy = make_policy(weights={("size_class", "micro"): 20})
    proposal = make_proposal()

    assert policy.weights.get().lift_percent == 20
    assert proposal.patent_ids == [proposal.loan_request.patents.get().pk]
