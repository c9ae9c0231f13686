"""Which requests take part in matching."""

import pytest

from financing.models import LoanRequest
from tests.factories.businesses import make_business
from tests.factories.financing import make_loan_request

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "takes_part"),
    [("draft", False), ("submitted", True), ("open", True), ("returned", False)],
)
def test_submitted_and_open_requests_take_part(status: str, takes_part: bool) -> None:
    request = make_loan_request(status=status)
    assert (request in LoanRequest.objects.in_matching()) is takes_part


@pytest.mark.parametrize(
    ("status", "takes_part"), [("registered", True), ("verified", True), ("suspended", False)]
)
def test_a_suspended_business_takes_no_part(status: str, takes_part: bool) -> None:
    request = make_loan_request(make_business(status=status))
    assert (request in LoanRequest.objects.in_matching()) is takes_part
