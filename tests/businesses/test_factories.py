"""The factories make rows that the models themselves accept."""

import pytest
from allauth.mfa.utils import is_mfa_enabled

from businesses.rules.identifiers import parse_credit_code, parse_patent_number
from sipo_portal.accounts.models import Role
from tests.factories.accounts import make_user
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_co_owner,
    make_encumbrance,
    make_office,
    make_patent,
)

pytestmark = pytest.mark.django_db


def test_rows_are_valid_as_they_stand() -> None:
    patent = make_patent()
    rows = [
        patent.business,
        patent,
        make_co_owner(patent),
        make_appraisal(patent),
        make_encumbrance(patent),
    ]
    for row in rows:
        row.full_clean()
    assert parse_credit_code(patent.business.credit_code).normal == patent.business.credit_code
    read = parse_patent_number(patent.application_number)
    assert (read.kind, read.filing_year) == (patent.kind, patent.filed_on.year)


def test_numbers_differ_from_call_to_call() -> None:
    one, other = make_business(), make_business()
    assert one.credit_code != other.credit_code
    assert make_patent(one).application_number != make_patent(one).application_number


@pytest.mark.parametrize("role", Role.values)
def test_an_account_of_each_role_is_let_in(role) -> None:
    office = make_office() if role == "coordinator" else None
    user = make_user(role, office=office)
    assert not user.needs_second_factor or is_mfa_enabled(user)
