"""What proposals and matches share: a request and an offer, both of a loan or both of insurance."""

from django.db.models import Q

from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest

LOAN_PAIR = Q(
    loan_request__isnull=False,
    loan_offer__isnull=False,
    insurance_request__isnull=True,
    insurance_offer__isnull=True,
)
INSURANCE_PAIR = Q(
    loan_request__isnull=True,
    loan_offer__isnull=True,
    insurance_request__isnull=False,
    insurance_offer__isnull=False,
)
# For a CHECK: exactly one kind.
ONE_KIND = LOAN_PAIR | INSURANCE_PAIR


class RequestAndOffer:
    """The request and the offer of a row, of whichever kind the row is."""

    loan_request: LoanRequest | None
    insurance_request: InsuranceRequest | None
    loan_offer: LoanOffer | None
    insurance_offer: InsuranceOffer | None

    @property
    def request(self) -> LoanRequest | InsuranceRequest:
        """The request of either kind; the CHECK says exactly one is there."""
        request = self.loan_request or self.insurance_request
        assert request is not None
        return request

    @property
    def offer(self) -> LoanOffer | InsuranceOffer:
        """The offer of either kind."""
        offer = self.loan_offer or self.insurance_offer
        assert offer is not None
        return offer
