"""Why a step between terms and money could not be taken; services raise, pages translate."""

from collections.abc import Iterable
from enum import StrEnum


class MoneyRefusal(StrEnum):
    NOT_OFFERED = "not_offered"
    TERMS_CHANGED = "terms_changed"
    TERMS_EXPIRED = "terms_expired"
    BUSINESS_SUSPENDED = "business_suspended"
    INSTITUTION_SUSPENDED = "institution_suspended"
    PATENT_ENDED = "patent_ended"
    PATENT_PLEDGED = "patent_pledged"
    NOT_ACCEPTED = "not_accepted"
    NOT_A_LOAN = "not_a_loan"
    PLEDGES_NOT_REGISTERED = "pledges_not_registered"
    PLEDGES_REGISTERED = "pledges_registered"
    BEFORE_PLEDGE = "before_pledge"
    BEFORE_ACCEPTANCE = "before_acceptance"
    IN_THE_FUTURE = "in_the_future"
    NOT_POSITIVE = "not_positive"
    ABOVE_TERMS = "above_terms"
    NUMBER_MISSING = "number_missing"
    REFERENCE_USED = "reference_used"
    CONTRACT_INCOMPLETE = "contract_incomplete"
    SIGNED_LATE = "signed_late"
    DEBT_ENDS_EARLY = "debt_ends_early"
    DEBT_OUTLIVES_PATENT = "debt_outlives_patent"
    PLEDGEE_NOT_POSSIBLE = "pledgee_not_possible"
    REGISTERED_DIFFERENTLY = "registered_differently"
    NOTHING_DRAWN = "nothing_drawn"
    MONEY_DRAWN = "money_drawn"
    NO_POLICY_ISSUED = "no_policy_issued"
    NOT_AN_INSURANCE = "not_an_insurance"
    POLICY_ISSUED = "policy_issued"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_EARLY = "too_early"
    NOT_COMPLETED = "not_completed"
    DIFFERENCE_MISSING = "difference_missing"


class MoneyRefused(Exception):
    """Nothing was changed; `code` says why, `details` what it is about (numbers, amounts, days)."""

    def __init__(self, code: MoneyRefusal, details: Iterable[object] = ()) -> None:
        super().__init__(code.value)
        self.code = code
        self.details = tuple(details)
