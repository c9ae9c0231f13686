"""Who may do what in financing, and why not: named predicates for services and pages.

Each returns the reasons against the act, all of them at once, in the order in which they are
cured; an empty tuple means yes. A reason carries the place where it is cured, never a text: the
words are in `request_texts.py`. Roles and foreign rows are not decided here: gates of views and
`visible_to` did that before.

* A draft may be started by any business that is small or micro and not suspended.
* A draft and a request that was returned may be changed; what is submitted is fixed, so that
  everybody decides on the same facts. Its owner withdraws it and continues with a copy.
* What is submitted is complete: principal, least accepted, term, purpose, a live patent.
* At most one loan request of a business is in hand at a time (DOMAIN 3).
"""

from dataclasses import dataclass
from enum import StrEnum

from businesses.models import Business
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from financing.models.loan_requests import LoanRequest
from financing.models.requests import (
    REQUEST_HOLDING_STATUSES,
    REQUEST_MATCHING_STATUSES,
    RequestStatus,
)

LIVE_PATENT_STATUSES = (PatentStatus.REGISTERED, PatentStatus.VERIFIED)
CHANGEABLE_STATUSES = (RequestStatus.DRAFT, RequestStatus.RETURNED)
IN_HAND_STATUSES = tuple(REQUEST_HOLDING_STATUSES)
OVER_STATUSES = tuple(
    status for status in RequestStatus.values if status not in ("draft", *IN_HAND_STATUSES)
)


class Cure(StrEnum):
    """The page where a reason is cured."""

    BUSINESS = "business"
    LOAN = "loan"
    PATENTS = "patents"
    PURPOSE = "purpose"
    OTHER_REQUEST = "other_request"
    NONE = "none"


class ReasonCode(StrEnum):
    BUSINESS_SUSPENDED = "business_suspended"
    BUSINESS_TOO_LARGE = "business_too_large"
    SIZE_UNDETERMINED = "size_undetermined"
    INDUSTRY_NOT_COVERED = "industry_not_covered"
    LOAN_INCOMPLETE = "loan_incomplete"
    LEAST_ABOVE_PRINCIPAL = "least_above_principal"
    NO_PATENT = "no_patent"
    PATENT_ENDED = "patent_ended"
    PATENT_FOREIGN = "patent_foreign"
    PURPOSE_MISSING = "purpose_missing"
    OTHER_REQUEST_OPEN = "other_request_open"
    NOT_CHANGEABLE = "not_changeable"
    NOT_A_DRAFT = "not_a_draft"
    NOT_IN_MATCHING = "not_in_matching"
    NOT_WITHDRAWABLE = "not_withdrawable"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against an act. `detail`: codes and ids the words need, never personal values."""

    code: ReasonCode
    cure: Cure = Cure.NONE
    detail: tuple[tuple[str, str], ...] = ()


Reasons = tuple[Reason, ...]


def against_requesting(business: Business) -> Reasons:
    """Small and micro businesses that are not suspended may ask for a loan (DOMAIN 4.2)."""
    if business.status == BusinessStatus.SUSPENDED:
        return (Reason(ReasonCode.BUSINESS_SUSPENDED),)
    if business.may_request:
        return ()
    codes = {
        "undetermined": ReasonCode.SIZE_UNDETERMINED,
        "not_covered": ReasonCode.INDUSTRY_NOT_COVERED,
    }
    code = codes.get(business.size_class, ReasonCode.BUSINESS_TOO_LARGE)
    detail = (("size_class", business.size_class), ("indicator", business.size_indicator))
    return (Reason(code, Cure.BUSINESS, detail),)


def against_changing(loan_request: LoanRequest) -> Reasons:
    """Drafts and returned requests may be changed."""
    if loan_request.status in CHANGEABLE_STATUSES:
        return ()
    return (Reason(ReasonCode.NOT_CHANGEABLE),)


def against_deleting(loan_request: LoanRequest) -> Reasons:
    """Only what was never submitted is deleted; the rest is withdrawn and stays on record."""
    if loan_request.status == RequestStatus.DRAFT and loan_request.submitted_at is None:
        return ()
    return (Reason(ReasonCode.NOT_A_DRAFT),)


def against_refreshing(loan_request: LoanRequest) -> Reasons:
    """What takes part in matching can be said to be still wanted."""
    if loan_request.status in REQUEST_MATCHING_STATUSES:
        return ()
    return (Reason(ReasonCode.NOT_IN_MATCHING),)


def against_withdrawing(loan_request: LoanRequest) -> Reasons:
    """Until terms were accepted; a draft is deleted instead."""
    if loan_request.status in REQUEST_HOLDING_STATUSES and (
        loan_request.status != RequestStatus.COMMITTED
    ):
        return ()
    return (Reason(ReasonCode.NOT_WITHDRAWABLE),)


def against_submitting(loan_request: LoanRequest) -> Reasons:
    """Everything that is still to be cured before the request can go out."""
    return (
        *against_changing(loan_request),
        *against_requesting(loan_request.business),
        *_loan_gaps(loan_request),
        *_patent_gaps(loan_request),
        *_purpose_gaps(loan_request),
        *_other_open_request(loan_request),
    )


def _loan_gaps(loan_request: LoanRequest) -> Reasons:
    principal, least = loan_request.principal, loan_request.least_accepted
    if principal is None or least is None or not loan_request.term_months:
        return (Reason(ReasonCode.LOAN_INCOMPLETE, Cure.LOAN),)
    if least > principal:
        return (Reason(ReasonCode.LEAST_ABOVE_PRINCIPAL, Cure.LOAN),)
    return ()


def _patent_gaps(loan_request: LoanRequest) -> Reasons:
    patents = list(loan_request.patents.all())
    if not patents:
        return (Reason(ReasonCode.NO_PATENT, Cure.PATENTS),)
    ended = [patent for patent in patents if patent.status not in LIVE_PATENT_STATUSES]
    return tuple(
        Reason(ReasonCode.PATENT_ENDED, Cure.PATENTS, (("number", patent.application_number),))
        for patent in ended
    )


def _purpose_gaps(loan_request: LoanRequest) -> Reasons:
    return () if loan_request.purpose else (Reason(ReasonCode.PURPOSE_MISSING, Cure.PURPOSE),)


def _other_open_request(loan_request: LoanRequest) -> Reasons:
    other = (
        LoanRequest.objects.filter(
            business_id=loan_request.business_id, status__in=REQUEST_HOLDING_STATUSES
        )
        .exclude(pk=loan_request.pk)
        .first()
    )
    return () if other is None else (other_request_open(other.pk),)


def other_request_open(pk: int) -> Reason:
    """The reason for the business's one request in hand; the service meets it in a race too."""
    return Reason(ReasonCode.OTHER_REQUEST_OPEN, Cure.OTHER_REQUEST, (("request_id", str(pk)),))
