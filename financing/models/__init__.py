"""Offers, requests, runs, matches and what follows from them."""

from financing.models.consents import Consent
from financing.models.disclosures import Disclosure, DisclosureReading
from financing.models.drawdowns import Delivery, Drawdown
from financing.models.goals import Goal
from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution, InstitutionStaff
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_policies import InsurancePolicy
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
from financing.models.person_consents import PersonConsent
from financing.models.pledges import Pledge
from financing.models.policies import (
    MatchingPolicy,
    PolicyWeight,
    StandardPremium,
    SubsidyRule,
)
from financing.models.proposals import Proposal
from financing.models.questions import AnswerFile, Question
from financing.models.referrals import Referral
from financing.models.request_chunks import RequestChunk, RequestMark
from financing.models.run_archives import RunPart
from financing.models.sharded_runs import BundleRound, RunBundle, ShardedRun
from financing.models.terms import Terms

__all__ = [
    "AcceptedPatentKind",
    "AnswerFile",
    "BundleRound",
    "CollateralLimit",
    "Consent",
    "Delivery",
    "Disclosure",
    "DisclosureReading",
    "Drawdown",
    "Goal",
    "GuaranteeOffer",
    "Institution",
    "InstitutionStaff",
    "InsuranceOffer",
    "InsurancePolicy",
    "InsuranceRequest",
    "LoanOffer",
    "LoanOfferFee",
    "LoanRequest",
    "Match",
    "MatchDecision",
    "MatchRun",
    "MatchingPolicy",
    "PersonConsent",
    "Pledge",
    "PolicyWeight",
    "Proposal",
    "Question",
    "Referral",
    "RequestChunk",
    "RequestMark",
    "RunBundle",
    "RunPart",
    "ShardedRun",
    "StandardPremium",
    "SubsidyRule",
    "Terms",
]
