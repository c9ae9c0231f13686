"""Loans and insurances side by side: what a kind's rows are and how they become the matcher's.

The bridge, services and pages that treat both kinds alike read it, so that "which kind" is asked
in one place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from django.db.models import QuerySet

from financing import insurance_rows, match_rows
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
    a request asks for. `with_facts`, `with_criteria`: what the row functions need read before.
    """

    name: tables.RequestKind
    requests: type[AnyRequest]
    offers: type[AnyOffer]
    request_field: Literal["loan_request", "insurance_request"]
    offer_field: Literal["loan_offer", "insurance_offer"]
    amount_field: str
    match_request_task: str
    match_offer_task: str
    with_facts: Callable[[Any], QuerySet[Any]]
    with_criteria: Callable[[Any], QuerySet[Any]]
    request_rows: Callable[[Any, date], Sequence[tables.RequestRow]]
    offer_rows: Callable[[Any, date], Sequence[tables.OfferRow]]

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
    with_facts=match_rows.with_matching_facts,
    with_criteria=match_rows.with_criteria,
    request_rows=match_rows.loan_request_rows,
    offer_rows=match_rows.loan_offer_rows,
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
    with_facts=insurance_rows.with_insured_facts,
    with_criteria=insurance_rows.with_conditions,
    request_rows=insurance_rows.insurance_request_rows,
    offer_rows=insurance_rows.insurance_offer_rows,
)
KINDS = (LOAN, INSURANCE)
KIND_BY_NAME: dict[str, PairKind] = {kind.name: kind for kind in KINDS}


def kind_of(row: AnyRequest | AnyOffer | RequestAndOffer) -> PairKind:
    """The kind of a request, an offer, a proposal or a match."""
    if isinstance(row, LoanRequest | LoanOffer):
        return LOAN
    if isinstance(row, InsuranceRequest | InsuranceOffer):
        return INSURANCE
    return LOAN if getattr(row, LOAN.request_id) is not None else INSURANCE
