"""What a notice carries: kinds (event and reader) and frozen payloads; `notifications` fills them.

Payloads are plain JSON: days as ISO dates, amounts as texts, names in both languages.
"""

from dataclasses import dataclass
from enum import StrEnum

InBothLanguages = dict[str, str]


class Kind(StrEnum):
    """Event and reader; each has its templates."""

    # To the business.
    MATCH_REFERRED = "match_referred_owner"
    CONSENT_ASKED = "consent_asked_owner"
    MATCH_REJECTED = "match_rejected_owner"
    MATCH_RETURNED = "match_returned_owner"
    INTEREST_DECLARED = "interest_declared_owner"
    QUESTION_ASKED = "question_asked_owner"
    TERMS_OFFERED = "terms_offered_owner"
    TERMS_LAPSED = "terms_lapsed_owner"
    MATCH_DECLINED = "match_declined_owner"
    MATCH_EXPIRED = "match_expired_owner"
    MATCH_SUPERSEDED = "match_superseded_owner"
    MATCH_RESTORED = "match_restored_owner"
    FALLEN_THROUGH = "fallen_through_owner"
    DRAWDOWN_RECORDED = "drawdown_recorded_owner"
    COMPLETED = "completed_owner"
    PLEDGE_REGISTERED = "pledge_registered_owner"
    PLEDGE_RELEASED = "pledge_released_owner"
    POLICY_ISSUED = "policy_issued_owner"
    RENEWAL_DUE = "renewal_due_owner"
    TURN_REMINDER = "turn_reminder_owner"
    TERMS_REMINDER = "terms_reminder_owner"
    REQUEST_REMINDER = "request_reminder_owner"
    REQUEST_EXPIRED = "request_expired_owner"
    PATENT_ENDED = "patent_ended_owner"
    # To the institution.
    REFERRAL_ARRIVED = "match_referred_lender"
    CONSENT_GIVEN = "consent_given_lender"
    CONSENT_WITHDRAWN = "consent_withdrawn_lender"
    QUESTION_ANSWERED = "question_answered_lender"
    TERMS_ACCEPTED = "terms_accepted_lender"
    TERMS_DECLINED = "terms_declined_lender"
    TERMS_LAPSED_LENDER = "terms_lapsed_lender"
    MATCH_WITHDRAWN = "match_withdrawn_lender"
    SUPERSEDED_LENDER = "match_superseded_lender"
    EXPIRED_LENDER = "match_expired_lender"
    FALLEN_THROUGH_LENDER = "fallen_through_lender"
    DELIVERY_CONFIRMED = "delivery_confirmed_lender"
    ANSWER_REMINDER = "answer_reminder_lender"
    COMPLETION_REMINDER = "completion_reminder_lender"
    OFFER_REMINDER = "offer_reminder_lender"
    OFFER_CLOSED = "offer_closed_lender"
    # To the branch office.
    MATCH_RESUBMITTED = "match_resubmitted_office"
    REVIEW_REMINDER = "review_reminder_office"
    REVIEW_ESCALATED = "review_escalated_office"
    REVIEW_HANDED_UP = "review_handed_up_office"
    SILENCE = "silence_office"
    DECLINED_OFFICE = "match_declined_office"
    EXPIRED_OFFICE = "match_expired_office"
    ACCEPTED_OFFICE = "terms_accepted_office"
    FALLEN_THROUGH_OFFICE = "fallen_through_office"
    COMPLETED_OFFICE = "completed_office"


# --- payloads: frozen as they were at the event -------------------------------------------------


@dataclass(frozen=True)
class OwnerPayload:
    """About one match, for its business. `deadline_on`: ISO date or ""; amounts as texts."""

    business: str
    institution: InBothLanguages
    offer: str
    deadline_on: str = ""
    amount: str = ""
    reason: InBothLanguages | None = None
    number: str = ""
    is_last: bool = False


@dataclass(frozen=True)
class LenderPayload:
    """About one referral, for its institution: nothing that a blind referral does not say."""

    reference: str
    deadline_on: str = ""
    is_last: bool = False
    is_as_agreed: bool = True


@dataclass(frozen=True)
class OfficePayload:
    """About one match, for the coordinators who see the business anyway."""

    reference: str
    business: str
    institution: InBothLanguages
    deadline_on: str = ""
    office: InBothLanguages | None = None
    is_last: bool = False


@dataclass(frozen=True)
class RequestPayload:
    """About a request that waits for its business."""

    business: str
    lapses_on: str = ""


@dataclass(frozen=True)
class OfferPayload:
    """About an offer, for its institution."""

    offer: str
    lapses_on: str = ""
    closes_on: str = ""


@dataclass(frozen=True)
class PatentPayload:
    """About a patent whose term or annuity ran out."""

    business: str
    title: str
    number: str
    ended_on: str
