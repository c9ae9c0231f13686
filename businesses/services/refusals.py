"""Why a service of businesses changed nothing; raised by services, put into words by views."""

from enum import StrEnum


class Refusal(StrEnum):
    CODE_TAKEN = "code_taken"
    CODE_INVALID = "code_invalid"
    CODE_UNVERIFIED = "code_unverified"
    CODE_VALID = "code_valid"
    NOT_REGISTERED = "not_registered"
    ALREADY_MEMBER = "already_member"
    CLAIM_PENDING = "claim_pending"
    CLAIM_DECIDED = "claim_decided"
    OWN_INTEREST = "own_interest"
    REASON_MISSING = "reason_missing"
    NOT_MANAGER = "not_manager"
    LAST_MANAGER = "last_manager"
    INVITED_ALREADY = "invited_already"
    EMAIL_UNCONFIRMED = "email_unconfirmed"
    PATENT_THERE = "patent_there"
    NUMBER_DISAGREES = "number_disagrees"
    PATENT_ENDED = "patent_ended"
    NOT_A_DRAFT = "not_a_draft"
    EXTRACT_IN_FUTURE = "extract_in_future"
    RELEASED_TOO_EARLY = "released_too_early"
    RELEASED_ALREADY = "released_already"


class BusinessRefused(Exception):
    """Nothing was changed; `code` says why."""

    def __init__(self, code: Refusal):
        super().__init__(code.value)
        self.code = code
