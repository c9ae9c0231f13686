"""Referred matches whose consent is to be tested, with the people around them."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from financing.models import Match
from financing.services.consents import give_consent
from financing.services.person_consents import answer_person, ask_person
from financing.services.referrals import refer_blind
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_staff

NOBODY_NAMED = {"contact_name": "", "contact_phone": "", "legal_representative": ""}


@dataclass(frozen=True)
class ReferredMatch:
    """A match referred blind, its owner and a clerk of its institution."""

    match: Match
    owner: User
    clerk: User

    @property
    def business(self) -> Actor:
        return Actor.of(self.owner)

    @property
    def lender(self) -> Actor:
        return Actor.of(self.clerk)


def make_referred(status: str = "referred", **business: Any) -> ReferredMatch:
    """Of a new business that names no natural person unless `business` says so, to a new bank."""
    owner, clerk = make_owner(), make_staff()
    firm = make_business(owner=owner, **{**NOBODY_NAMED, **business})
    patent = make_patent(firm)
    make_appraisal(patent, 5_000_000)
    match = make_match(
        make_loan_request(firm, [patent], purpose_text="为新产线购买设备"),
        make_loan_offer(clerk.institution_post.institution),
        status=status,
    )
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    return ReferredMatch(match, owner, clerk)


def open_identity_of(referred: ReferredMatch) -> None:
    """Everybody consents."""
    match = referred.match
    give_consent(actor=referred.business, match=match)
    for role, name in (
        ("contact", match.business.contact_name),
        ("legal_representative", match.business.legal_representative),
    ):
        if name:
            row = ask_person(
                actor=referred.business, match=match, role=role, name=name, email="p@mail.example"
            )
            answer_person(row.token, answer="given")
