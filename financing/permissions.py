"""Who may do what in financing, and why not: named predicates for services and pages.

Each returns the reasons against the act, all of them at once, in the order in which they are
cured; an empty tuple means yes. A reason carries the place where it is cured, never a text: the
words are in `request_texts.py`. Roles and foreign rows are not decided here: gates of views and
`visible_to` did that before.

* A draft may be started by any business that is small or micro and not suspended.
* A draft and a request that was returned may be changed; what is submitted is fixed, so that
  everybody decides on the same facts. Its owner withdraws it and continues with a copy.
* What is submitted is complete: a loan request has principal, least accepted, term, purpose and a
  live patent, an insurance request its sum insured, and a live patent unless the cover needs none.
* At most one loan request of a business, and one insurance request of each cover, is in hand at a
  time (DOMAIN 3).
"""

from dataclasses import dataclass
from enum import StrEnum

from businesses.models import Business
from businesses.models.businesses import BusinessStatus
from businesses.models.patents import PatentStatus
from financing.models.insurance_offers import CoverKind
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.models.requests import (
    REQUEST_HOLDING_STATUSES,
    REQUEST_MATCHING_STATUSES,
    RequestStatus,
)

LIVE_PATENT_STATUSES = (PatentStatus.REGISTERED, PatentStatus.VERIFIED)
# Insures against what others may claim: whoever has no patent needs it too (DOMAIN 4.5).
COVERS_WITHOUT_PATENTS = (CoverKind.INFRINGEMENT_LIABILITY, CoverKind.OVERSEAS_LIABILITY)
AnyRequest = LoanRequest | InsuranceRequest
CHANGEABLE_STATUSES = (RequestStatus.DRAFT, RequestStatus.RETURNED)
IN_HAND_STATUSES = tuple(REQUEST_HOLDING_STATUSES)
OVER_STATUSES = tuple(
    status for status in RequestStatus.values if status not in ("draft", *IN_HAND_STATUSES)
)


class Cure(StrEnum):
    """The page where a reason is cured."""

    BUSINESS = "business"
    LOAN = "loan"
    COVER = "cover"
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
    COVER_INCOMPLETE = "cover_incomplete"
    LEAST_ABOVE_PRINCIPAL = "least_above_principal"
    NO_PATENT = "no_patent"
    PATENT_ENDED = "patent_ended"
    PATENT_FOREIGN = "patent_foreign"
    PURPOSE_MISSING = "purpose_missing"
    OTHER_REQUEST_OPEN = "other_request_open"
    OTHER_COVER_OPEN = "other_cover_open"
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
    """Small and micro businesses that are not suspended may ask (DOMAIN 4.2)."""
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


def against_changing(request: AnyRequest) -> Reasons:
    """Drafts and returned requests may be changed."""
    if request.status in CHANGEABLE_STATUSES:
        return ()
    return (Reason(ReasonCode.NOT_CHANGEABLE),)


def against_deleting(request: AnyRequest) -> Reasons:
    """Only what was never submitted is deleted; the rest is withdrawn and stays on record."""
    if request.status == RequestStatus.DRAFT and request.submitted_at is None:
        return ()
    return (Reason(ReasonCode.NOT_A_DRAFT),)


def against_refreshing(request: AnyRequest) -> Reasons:
    """What takes part in matching can be said to be still wanted."""
    if request.status in REQUEST_MATCHING_STATUSES:
        return ()
    return (Reason(ReasonCode.NOT_IN_MATCHING),)


def against_withdrawing(request: AnyRequest) -> Reasons:
    """Until terms were accepted; a draft is deleted instead."""
    if request.status in REQUEST_HOLDING_STATUSES and (request.status != RequestStatus.COMMITTED):
        return ()
    return (Reason(ReasonCode.NOT_WITHDRAWABLE),)


def against_submitting(request: AnyRequest) -> Reasons:
    """Everything that is still to be cured before the request can go out."""
    return (
        *against_changing(request),
        *against_requesting(request.business),
        *_gaps(request),
        *_other_open_request(request),
    )


def _gaps(request: AnyRequest) -> Reasons:
    if isinstance(request, LoanRequest):
        return (*_loan_gaps(request), *_patent_gaps(request), *_purpose_gaps(request))
    return (*_cover_gaps(request), *_patent_gaps(request, is_needed=needs_patents(request)))


def needs_patents(request: AnyRequest) -> bool:
    """Loans do; of the covers those that insure the business's own patents."""
    return isinstance(request, LoanRequest) or request.cover_kind not in COVERS_WITHOUT_PATENTS


def _cover_gaps(request: InsuranceRequest) -> Reasons:
    if request.sum_insured is None:
        return (Reason(ReasonCode.COVER_INCOMPLETE, Cure.COVER),)
    return ()


def _loan_gaps(request: LoanRequest) -> Reasons:
    principal, least = request.principal, request.least_accepted
    if principal is None or least is None or not request.term_months:
        return (Reason(ReasonCode.LOAN_INCOMPLETE, Cure.LOAN),)
    if least > principal:
        return (Reason(ReasonCode.LEAST_ABOVE_PRINCIPAL, Cure.LOAN),)
    return ()


def _patent_gaps(request: AnyRequest, *, is_needed: bool = True) -> Reasons:
    patents = list(request.patents.all())
    if not patents and is_needed:
        return (Reason(ReasonCode.NO_PATENT, Cure.PATENTS),)
    ended = [patent for patent in patents if patent.status not in LIVE_PATENT_STATUSES]
    return tuple(
        Reason(ReasonCode.PATENT_ENDED, Cure.PATENTS, (("number", patent.application_number),))
        for patent in ended
    )


def _purpose_gaps(request: LoanRequest) -> Reasons:
    return () if request.purpose else (Reason(ReasonCode.PURPOSE_MISSING, Cure.PURPOSE),)


def _other_open_request(request: AnyRequest) -> Reasons:
    own = {"business_id": request.business_id, "status__in": REQUEST_HOLDING_STATUSES}
    if isinstance(request, LoanRequest):
        code, others = ReasonCode.OTHER_REQUEST_OPEN, LoanRequest.objects.filter(**own)
    else:
        code = ReasonCode.OTHER_COVER_OPEN
        others = InsuranceRequest.objects.filter(**own, cover_kind=request.cover_kind)
    other = others.exclude(pk=request.pk).first()
    if other is None:
        return ()
    return (Reason(code, Cure.OTHER_REQUEST, (("request_id", str(other.pk)),)),)
