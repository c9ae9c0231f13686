"""Institutions, offers, requests, policies and matches for tests; every row is valid."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from businesses.models import Business, Patent
from financing.models.institutions import Institution, InstitutionStaff
from financing.models.loan_offers import (
    AcceptedPatentKind,
    CollateralLimit,
    LoanOffer,
    LoanOfferFee,
)
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun
from financing.models.matches import Match
from financing.models.policies import MatchingPolicy, PolicyWeight, StandardPremium
from financing.models.proposals import Proposal
from sipo_portal.accounts.models import Role, User
from tests.factories.accounts import make_user
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.offices import make_region

_numbers = count(1)
DEFAULT_KINDS = {"invention": 40, "utility_model": 25}


def make_institution(kind: str = "bank", **fields: Any) -> Institution:
    """A bank, insurer or guarantor with its seat in Jiangsu."""
    number = next(_numbers)
    region = fields.pop("region", "320500")
    fields = {"name": f"示范银行{number}", "name_en": f"Demo Bank {number}"} | fields
    return Institution.objects.create(
        kind=kind, region=make_region(region) if isinstance(region, str) else region, **fields
    )


def make_staff(institution: Institution | None = None, **fields: Any) -> User:
    """An account of institution staff with a post at `institution` (a new bank without one)."""
    user = make_user(Role.INSTITUTION_STAFF, **fields)
    InstitutionStaff.objects.create(user=user, institution=institution or make_institution())
    return user


def make_system_admin(**fields: Any) -> User:
    return make_user(Role.SYSTEM_ADMIN, **fields)


def make_loan_offer(
    institution: Institution | None = None,
    *,
    regions: Iterable[str] = (),
    accepted_kinds: dict[str, int | Decimal] | None = None,
    min_remaining_months: int = 0,
    limits: dict[int, int] | None = None,
    fees: Iterable[dict[str, Any]] = (),
    **criteria: Any,
) -> LoanOffer:
    """A published bank loan at 3 % fixed, 100 k to 5 M yuan, 6 to 36 months, open since January.

    `accepted_kinds`: loan-to-value in per cent by patent kind; `limits`: limit in yuan by number
    of patents (with `collateral_basis="limit_table"`); `regions`: division codes.
    """
    status = criteria.pop("status", "published")
    criteria = {
        "name": f"知识产权质押贷款{next(_numbers)}",
        "opens_on": date(timezone.localdate().year, 1, 1),
        "size_classes": ["micro", "small"],
        "min_principal": Decimal(100_000),
        "max_principal": Decimal(5_000_000),
        "min_term_months": 6,
        "max_term_months": 36,
        "rate_basis": "fixed",
        "interest_rate_percent": None
        if criteria.get("rate_basis", "fixed") != "fixed"
        else Decimal("3.000"),
        "repayment_method": "interest_monthly",
        "day_count": "act/360",
        "collateral_basis": "appraised",
        "capacity_amount": Decimal(50_000_000),
        "published_at": None if status == "draft" else timezone.now(),
        "refreshed_at": timezone.now(),
    } | criteria
    offer = LoanOffer.objects.create(
        institution=institution or make_institution(), status=status, **criteria
    )
    offer.regions.set([make_region(code) for code in regions])
    AcceptedPatentKind.objects.bulk_create(
        AcceptedPatentKind(
            offer=offer,
            kind=kind,
            loan_to_value_percent=Decimal(percent),
            min_remaining_months=min_remaining_months,
        )
        for kind, percent in (DEFAULT_KINDS if accepted_kinds is None else accepted_kinds).items()
    )
    CollateralLimit.objects.bulk_create(
        CollateralLimit(offer=offer, min_patents=patents, limit_amount=Decimal(limit))
        for patents, limit in (limits or {}).items()
    )
    LoanOfferFee.objects.bulk_create(LoanOfferFee(offer=offer, **fee) for fee in fees)
    return offer


def make_policy(
    *,
    weights: dict[tuple[str, str], int | Decimal] | None = None,
    standard_premiums: Iterable[dict[str, Any]] = (),
    **fields: Any,
) -> MatchingPolicy:
    """A policy in force since 2015; `weights`: lift in per cent by (dimension, key)."""
    fields = {"version": next(_numbers) + 1000, "effective_on": date(2015, 1, 1)} | fields
    policy = MatchingPolicy.objects.create(**fields)
    PolicyWeight.objects.bulk_create(
        PolicyWeight(policy=policy, dimension=dimension, key=key, lift_percent=Decimal(lift))
        for (dimension, key), lift in (weights or {}).items()
    )
    StandardPremium.objects.bulk_create(
        StandardPremium(policy=policy, **premium) for premium in standard_premiums
    )
    return policy


def make_loan_request(
    business: Business | None = None,
    patents: Iterable[Patent] | None = None,
    status: str = "open",
    **fields: Any,
) -> LoanRequest:
    """One million yuan for 12 months, at least half of it; drafts may be given None for any field.

    Without `patents`: one appraised invention worth 5 million yuan.
    """
    business = business or make_business()
    if patents is None:
        patent = make_patent(business)
        make_appraisal(patent, 5_000_000)
        patents = [patent]
    now = timezone.now()
    fields = {
        "principal": Decimal(1_000_000),
        "least_accepted": Decimal(500_000),
        "term_months": 12,
        "purpose": "working_capital",
        "submitted_at": None if status == "draft" else now,
        "refreshed_at": None if status == "draft" else now,
        "status_changed_at": now,
    } | fields
    request = LoanRequest.objects.create(business=business, status=status, **fields)
    request.patents.set(patents)
    return request


def make_loan_request_in(region: str = "320505", **fields: Any) -> LoanRequest:
    """The same of a business in this division."""
    return make_loan_request(make_business(region=region), **fields)


def make_run(**fields: Any) -> MatchRun:
    """A finished national run."""
    now = timezone.now()
    fields = {
        "kind": "full",
        "status": "done",
        "as_of": timezone.localdate(),
        "started_at": now,
        "finished_at": now,
    } | fields
    return MatchRun.objects.create(**fields)


def make_proposal(
    loan_request: LoanRequest | None = None,
    loan_offer: LoanOffer | None = None,
    **fields: Any,
) -> Proposal:
    """What a run wrote: the whole principal against all patents of the request, rank 1."""
    loan_request = loan_request or make_loan_request()
    fields = {
        "run": fields.pop("run", None) or make_run(),
        "rank": 1,
        "amount": loan_request.principal,
        "saving": Decimal(12_345),
        "patent_ids": [patent.pk for patent in loan_request.patents.all()],
    } | fields
    return Proposal.objects.create(
        business=loan_request.business,
        loan_request=loan_request,
        loan_offer=loan_offer or make_loan_offer(),
        **fields,
    )


def make_match(
    loan_request: LoanRequest | None = None,
    loan_offer: LoanOffer | None = None,
    status: str = "in_review",
    **fields: Any,
) -> Match:
    """A match on all patents of its request; past review it counts as referred now.

    Its blind disclosure is not made: `services.referrals.refer_blind` does that.
    """
    loan_request = loan_request or make_loan_request()
    loan_offer = loan_offer or make_loan_offer()
    was_referred = status not in ("in_review", "returned", "rejected")
    fields = {
        "amount": loan_request.principal,
        "saving": Decimal(12_345),
        "status_changed_at": timezone.now(),
        "referred_at": timezone.now() if was_referred else None,
    } | fields
    match = Match.objects.create(
        business=loan_request.business,
        institution=loan_offer.institution,
        loan_request=loan_request,
        loan_offer=loan_offer,
        status=status,
        **fields,
    )
    match.patents.set(loan_request.patents.all())
    return match
