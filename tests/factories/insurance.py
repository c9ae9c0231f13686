"""Insurance requests, offers, proposals and matches for tests; every row is valid."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from businesses.models import Business, Patent
from financing.models.institutions import Institution
from financing.models.insurance_offers import InsuranceOffer
from financing.models.insurance_requests import InsuranceRequest
from financing.models.matches import Match
from financing.models.policies import MatchingPolicy
from financing.models.proposals import Proposal
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_institution, make_policy, make_run
from tests.factories.offices import make_region

_numbers = count(1)
# Standard: at least 860 yuan, or 600 + 260 a patent + 1 % of the sum insured.
STANDARD = {
    "cover_kind": "enforcement",
    "base_premium": Decimal(600),
    "premium_per_patent": Decimal(260),
    "premium_rate_percent": Decimal("1.000"),
    "min_premium": Decimal(860),
}


def make_insurance_policy_of_the_day(**fields: Any) -> MatchingPolicy:
    """A matching policy whose table has standard premiums for enforcement and liability."""
    liability = STANDARD | {
        "cover_kind": "infringement_liability",
        "premium_per_patent": Decimal(0),
    }
    return make_policy(standard_premiums=[STANDARD, liability], **fields)


def make_insurer(**fields: Any) -> Institution:
    number = next(_numbers)
    names = {"name": f"示范保险{number}", "name_en": f"Demo Insurer {number}"}
    return make_institution("insurer", **(names | fields))


def make_insurance_offer(
    institution: Institution | None = None, *, regions: Iterable[str] = (), **criteria: Any
) -> InsuranceOffer:
    """Published enforcement cover, 20 k to 1 M: at least 500, or 400 + 100 a patent + 0.5 %."""
    status = criteria.pop("status", "published")
    criteria = {
        "name": f"专利维权险{next(_numbers)}",
        "opens_on": date(timezone.localdate().year, 1, 1),
        "size_classes": ["micro", "small"],
        "cover_kind": "enforcement",
        "base_premium": Decimal(400),
        "premium_per_patent": Decimal(100),
        "premium_rate_percent": Decimal("0.500"),
        "min_premium": Decimal(500),
        "excess_percent": Decimal(10),
        "min_sum_insured": Decimal(20_000),
        "max_sum_insured": Decimal(1_000_000),
        "accepted_kinds": ["invention", "utility_model"],
        "capacity_amount": Decimal(10_000_000),
        "published_at": None if status == "draft" else timezone.now(),
        "refreshed_at": timezone.now(),
    } | criteria
    offer: InsuranceOffer = InsuranceOffer.objects.create(
        institution=institution or make_insurer(), status=status, **criteria
    )
    offer.regions.set([make_region(code) for code in regions])
    return offer


def make_insurance_request(
    business: Business | None = None,
    patents: Iterable[Patent] | None = None,
    status: str = "open",
    **fields: Any,
) -> InsuranceRequest:
    """Enforcement cover of 100,000 yuan for one invention."""
    business = business or make_business()
    if patents is None:
        patents = [make_patent(business)]
    now = timezone.now()
    fields = {
        "cover_kind": "enforcement",
        "sum_insured": Decimal(100_000),
        "submitted_at": None if status == "draft" else now,
        "refreshed_at": None if status == "draft" else now,
        "status_changed_at": now,
    } | fields
    request: InsuranceRequest = InsuranceRequest.objects.create(
        business=business, status=status, **fields
    )
    request.patents.set(patents)
    return request


def make_insurance_proposal(
    request: InsuranceRequest | None = None,
    offer: InsuranceOffer | None = None,
    **fields: Any,
) -> Proposal:
    request = request or make_insurance_request()
    fields = {
        "run": fields.pop("run", None) or make_run(),
        "rank": 1,
        "amount": request.sum_insured,
        "saving": Decimal(860),
        "patent_ids": [patent.pk for patent in request.patents.all()],
    } | fields
    return Proposal.objects.create(
        business=request.business,
        insurance_request=request,
        insurance_offer=offer or make_insurance_offer(),
        **fields,
    )


def make_insurance_match(
    request: InsuranceRequest | None = None,
    offer: InsuranceOffer | None = None,
    status: str = "in_review",
    **fields: Any,
) -> Match:
    """A match on all patents of its request; past review it counts as referred now."""
    request = request or make_insurance_request()
    offer = offer or make_insurance_offer()
    was_referred = status not in ("in_review", "returned", "rejected")
    fields = {
        "amount": request.sum_insured,
        "saving": Decimal(860),
        "status_changed_at": timezone.now(),
        "referred_at": timezone.now() if was_referred else None,
    } | fields
    match = Match.objects.create(
        business=request.business,
        institution=offer.institution,
        insurance_request=request,
        insurance_offer=offer,
        status=status,
        **fields,
    )
    match.patents.set(request.patents.all())
    return match
