"""What can happen to a business and its patents, as the audit records it."""

from enum import StrEnum


class Verb(StrEnum):
    BUSINESS_REGISTERED = "business.registered"
    BUSINESS_CHANGED = "business.changed"
    BUSINESS_CODE_EXCEPTION = "business.code_exception_accepted"
    BUSINESS_CLAIMED = "business.claimed"
    CLAIM_DECIDED = "claim.decided"
    MEMBER_INVITED = "member.invited"
    INVITATION_WITHDRAWN = "member.invitation_withdrawn"
    INVITATION_DECLINED = "member.invitation_declined"
    MEMBER_ADDED = "member.added"
    MEMBER_MADE_MANAGER = "member.made_manager"
    MEMBER_REMOVED = "member.removed"
    CERTIFICATES_CHANGED = "certificates.changed"
    PATENT_ADDED = "patent.added"
    PATENT_CHANGED = "patent.changed"
    PATENT_REMOVED = "patent.removed"
    CO_OWNERS_CHANGED = "patent.co_owners_changed"
    APPRAISAL_ADDED = "appraisal.added"
    APPRAISAL_REMOVED = "appraisal.removed"
    ENCUMBRANCE_ADDED = "encumbrance.added"
    ENCUMBRANCE_RELEASED = "encumbrance.released"
    BUSINESSES_IMPORTED = "businesses.imported"
    PATENTS_IMPORTED = "patents.imported"
