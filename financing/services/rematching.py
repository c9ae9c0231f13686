"""Asking for requests to be matched anew, after what they had was lost; called by services."""

from collections.abc import Iterable

from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from sipo_portal.outbox.services import enqueue

TASK = "financing.match_request"


def rematch(request: LoanRequest | InsuranceRequest) -> None:
    """Match the request again, within the caller's transaction; nothing where it is not open."""
    if isinstance(request, LoanRequest):
        enqueue(TASK, {"request_id": request.pk})


def rematch_all(requests: Iterable[LoanRequest | InsuranceRequest]) -> None:
    """Each of them once."""
    for request in {(type(each), each.pk): each for each in requests}.values():
        rematch(request)
