"""Loans and insurances side by side: models, columns and tasks of each kind.

The bridge, services and pages that treat both kinds alike read it, so that "which kind" is asked
in one place.
"""

from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import QuerySet

from financing.matching import tables
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.pairs import RequestAndOffer

AnyRequest = LoanRequest | InsuranceRequest
AnyOffer = LoanOffer | InsuranceOffer
OfferKey = tuple[str, int]
RequestKey = tuple[str, int]


@dataclass(frozen=True)
class PairKind:
    """One kind of request with the offers it meets.

    `request_field`, `offer_field`: how matches, proposals and runs name them. `amount_field`: what
    a request asks for. `kind_rows` has how they become the matcher's rows.
    """

    name: tables.RequestKind
    requests: type[AnyRequest]
    offers: type[AnyOffer]
    request_field: Literal["loan_request", "insurance_request"]
    offer_field: Literal["loan_offer", "insurance_offer"]
    amount_field: str
    match_request_task: str
    match_offer_task: str

    @property
    def request_id(self) -> str:
        """The column of the request in matches, proposals and runs."""
        return f"{self.request_field}_id"

    @property
    def offer_id(self) -> str:
        return f"{self.offer_field}_id"


LOAN = PairKind(
    name="loan",
    requests=LoanRequest,
    offers=LoanOffer,
    request_field="loan_request",
    offer_field="loan_offer",
    amount_field="principal",
    match_request_task="financing.match_request",
    match_offer_task="financing.match_offer",
)
INSURANCE = PairKind(
    name="insurance",
    requests=InsuranceRequest,
    offers=InsuranceOffer,
    request_field="insurance_request",
    offer_field="insurance_offer",
    amount_field="sum_insured",
    match_request_task="financing.match_insurance_request",
    match_offer_task="financing.match_insurance_offer",
)
KINDS = (LOAN, INSURANCE)
KIND_BY_NAME: dict[str, PairKind] = {kind.name: kind for kind in KINDS}


def offers_beside(request: AnyRequest) -> QuerySet[Any]:
    """The live offers a request is compared with on its pages: for insurance those of its cover.

    What insures something else is no answer to what was asked; each still has its own page.
    """
    live = kind_of(request).offers._default_manager.live()
    if isinstance(request, InsuranceRequest):
        return live.filter(cover_kind=request.cover_kind)
    return live


def kind_of(row: AnyRequest | AnyOffer | RequestAndOffer) -> PairKind:
    """The kind of a request, an offer, a proposal or a match."""
    if isinstance(row, LoanRequest | LoanOffer):
        return LOAN
    if isinstance(row, InsuranceRequest | InsuranceOffer):
        return INSURANCE
    return LOAN if getattr(row, LOAN.request_id) is not None else INSURANCE
