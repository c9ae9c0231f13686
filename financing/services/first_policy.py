"""The policy an installation starts with; `load_policy` and the demo data call it."""

from datetime import date
from decimal import Decimal

from django.db import transaction

from financing.models import MatchingPolicy, PolicyWeight, StandardPremium
from financing.models.insurance_offers import CoverKind
from financing.models.policies import WeightDimension
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record

# The day of the policy itself: 国知发管字〔2014〕57号.
POLICY_ON = date(2014, 10, 8)
# Practice without an official text (DOMAIN 4.6): an administrator adds a version to change them.
STANDARD_PREMIUMS = {
    CoverKind.ENFORCEMENT: ("600", "260", "1.000"),
    CoverKind.INFRINGEMENT_LOSS: ("800", "260", "1.200"),
    CoverKind.INFRINGEMENT_LIABILITY: ("1500", "0", "1.500"),
    CoverKind.OVERSEAS_LIABILITY: ("5000", "0", "2.400"),
    CoverKind.PLEDGE_LOAN_GUARANTEE: ("0", "0", "2.000"),
}


@transaction.atomic
def ensure_policy() -> MatchingPolicy:
    """The newest policy; where there is none, version 1 with the figures of DOMAIN 4.6 and 4.7."""
    policy: MatchingPolicy | None = MatchingPolicy.objects.order_by("-version").first()
    if policy is not None:
        return policy
    policy = MatchingPolicy.objects.create(version=1, effective_on=POLICY_ON)
    PolicyWeight.objects.create(
        policy=policy,
        dimension=WeightDimension.SIZE_CLASS,
        key="micro",
        lift_percent=Decimal(10),
    )
    StandardPremium.objects.bulk_create(
        StandardPremium(
            policy=policy,
            cover_kind=cover,
            base_premium=Decimal(base),
            premium_per_patent=Decimal(per_patent),
            premium_rate_percent=Decimal(rate),
            min_premium=Decimal(860),
        )
        for cover, (base, per_patent, rate) in STANDARD_PREMIUMS.items()
    )
    record(Verb.POLICY_CHANGED, actor=Actor.SYSTEM, obj=policy, data={"version": 1})
    return policy
