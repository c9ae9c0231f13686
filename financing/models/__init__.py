"""Offers, requests, runs, matches and what follows from them."""

from financing.models.consents import Consent
from financing.models.disclosures import Disclosure
from financing.models.goals import Goal
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution, InstitutionStaff
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
)
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun
from financing.models.matches import Match, MatchDecision
from financing.models.pledges import Pledge
from financing.models.policies import (
    MatchingPolicy,
    PolicyWeight,
    StandardPremium,
    SubsidyRule,
)
from financing.models.proposals import Proposal
from financing.models.referrals import Referral

__all__ = [
    "AcceptedPatentKind",
    "CollateralLimit",
    "Consent",
    "Disclosure",
    "Goal",
    "GuaranteeOffer",
    "Institution",
    "InstitutionStaff",
    "InsuranceOffer",
    "InsuranceRequest",
    "LoanOffer",
    "LoanOfferFee",
    "LoanRequest",
    "Match",
    "MatchDecision",
    "MatchRun",
    "MatchingPolicy",
    "Pledge",
    "PolicyWeight",
    "Proposal",
    "Referral",
    "StandardPremium",
    "SubsidyRule",
]
