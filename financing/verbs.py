"""What can happen in financing, as the audit records it."""

from enum import StrEnum


class Verb(StrEnum):
    INSTITUTION_CHANGED = "institution.changed"
    INSTITUTION_SUSPENDED = "institution.suspended"
    INSTITUTION_REINSTATED = "institution.reinstated"
    OFFER_SAVED = "offer.saved"
    OFFERS_IMPORTED = "offers.imported"
    REQUEST_SAVED = "request.saved"
    REQUEST_DELETED = "request.draft_deleted"
    REQUEST_REFRESHED = "request.refreshed"
    RUN_REQUESTED = "run.requested"
    RUN_FINISHED = "run.finished"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    MATCH_CLAIMED = "match.claimed"
    MATCH_OPENED = "match.opened"
    DISCLOSED = "disclosure.made"
    REFERRAL_READ = "referral.read"
    POLICY_CHANGED = "policy.changed"
