"""Insurers, guarantee companies and insurances of both tenants; `world.py` calls it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from financing.models import Institution, InsurancePolicy
from financing.models.matches import Match
from financing.services.referrals import refer_blind
from sipo_portal.audit.actors import Actor
from tests.factories.guarantees import make_guarantee_offer
from tests.factories.insurance import (
    make_insurance_match,
    make_insurance_offer,
    make_insurance_proposal,
    make_insurance_request,
)
from tests.factories.money import make_terms

REFERRED = ("insurance_referral", "accepted_insurance_match", "covered_match")
LIABILITY = {"cover_kind": "infringement_liability", "accepted_kinds": []}


def make_guarantee_rows(
    world: Any, key: str, company: Institution, new_id: Callable[[], int], *, readers: set[str]
) -> dict[str, Any]:
    """A guarantee beside the loan of the tenant's referrals, which takes the pledges.

    `readers`: those who read published offers.
    """
    offer = make_guarantee_offer(
        company, id=new_id(), name=f"密山{key}保函", is_pledgee=True, loss_sharing={"bank": "40"}
    )
    offer.loan_offers.add(world.rows[key]["offer_4"])
    own = {f"guarantor_{key}"}
    world.hide(readers | own, offer.name)
    # The lender names it as pledgee.
    world.hide(readers | own | {f"staff_{key}", "system_admin"}, company.name, company.name_en)
    world.hide(own | {"audit_admin"}, offer.pk)
    return {"guarantee_offer": offer}


def make_insurance_offers(
    world: Any, key: str, insurer: Institution, new_id: Callable[[], int], *, readers: set[str]
) -> dict[str, Any]:
    own = readers | {f"insurer_{key}"}
    offers = {
        name: make_insurance_offer(insurer, id=new_id(), name=f"密山{key}险{number}")
        for number, name in enumerate(
            ("insurance_offer", "insurance_offer_2", "insurance_offer_3", "insurance_offer_4")
        )
    }
    offers["liability_offer"] = make_insurance_offer(
        insurer, id=new_id(), name=f"密山{key}责任险", **LIABILITY
    )
    draft = make_insurance_offer(insurer, id=new_id(), name=f"密山{key}未发险", status="draft")
    for offer in offers.values():
        world.hide(own, offer.name)
        world.hide(own | {"audit_admin"}, offer.pk)
    world.hide({f"insurer_{key}"}, draft.name)
    world.hide({f"insurer_{key}", "audit_admin"}, draft.pk)
    world.hide(own | {"system_admin"}, insurer.name, insurer.name_en)
    return {**offers, "draft_insurance_offer": draft}


def make_insurance_rows(
    world: Any, key: str, claimed: dict[str, Any], new_id: Callable[[], int]
) -> dict[str, Any]:
    """A request in each state, and matches from the review to the policy."""
    rows, inside = world.rows[key], world.inside(key)
    business, second = rows["business"], rows["second_business"]
    patents = [rows["patent"]]
    requests = {
        "insurance_request": make_insurance_request(business, patents, id=new_id()),
        "draft_insurance_request": make_insurance_request(
            business, patents, id=new_id(), status="draft"
        ),
        "withdrawn_insurance_request": make_insurance_request(
            business, patents, id=new_id(), status="withdrawn"
        ),
        "committed_insurance_request": make_insurance_request(
            second, [], id=new_id(), status="committed", **_cover("infringement_liability")
        ),
        "covered_insurance_request": make_insurance_request(
            second, [], id=new_id(), status="covered", **_cover("infringement_liability")
        ),
    }
    request = requests["insurance_request"]
    matches = {
        "insurance_match": make_insurance_match(request, rows["insurance_offer_2"], **claimed),
        "returned_insurance_match": make_insurance_match(
            request, rows["insurance_offer_3"], status="returned", **claimed
        ),
        "insurance_referral": make_insurance_match(
            request, rows["insurance_offer_4"], status="referred", **claimed
        ),
    }
    for name, status in (("accepted_insurance_match", "accepted"), ("covered_match", "completed")):
        kind = "committed" if status == "accepted" else "covered"
        match = make_insurance_match(
            requests[f"{kind}_insurance_request"], rows["liability_offer"], status=status, **claimed
        )
        make_terms(match, id=new_id(), status="accepted", answered_at=timezone.now())
        matches[name] = match
    with transaction.atomic():
        for name in REFERRED:
            refer_blind(Actor.of(world.people[f"coordinator_{key}"]), matches[name])
    for name, each in requests.items():
        seen_by = {f"owner_{key}"} if name.startswith("draft") else inside
        world.hide(seen_by | {"audit_admin"}, each.pk)
    for name, match in matches.items():
        referred_to = {f"insurer_{key}"} if name in REFERRED else set()
        world.hide(inside | referred_to, match.reference)
        world.hide(inside | referred_to | {"audit_admin"}, match.pk)
    policy = _policy(matches["covered_match"], f"P-密山{key}", new_id())
    world.hide(inside | {f"insurer_{key}"}, policy.number)
    make_insurance_proposal(request, rows["insurance_offer"], id=new_id(), run=claimed["run"])
    return {**requests, **matches, "insurance_policy": policy}


def _cover(kind: str) -> dict[str, Any]:
    return {"cover_kind": kind, "sum_insured": Decimal(200_000)}


def _policy(match: Match, number: str, pk: int) -> InsurancePolicy:
    """It ends in a month: the next period may be asked for."""
    today = timezone.localdate()
    return InsurancePolicy.objects.create(
        id=pk,
        match=match,
        number=number,
        starts_on=today - timedelta(days=335),
        ends_on=today + timedelta(days=30),
        premium=Decimal(3000),
        sum_insured=match.amount,
    )
