"""Referrals as their lender meets them: blind, opened, in study; of loans and of insurances."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from financing.consent_state import consent_state
from financing.models import InsuranceOffer, InsuranceRequest, LoanOffer, Match, PersonConsent
from financing.models.person_consents import PersonAnswer
from financing.services.consents import give_consent, withdraw_consent
from financing.services.offer_terms import FeeTerms
from financing.services.offered_terms import OfferedTerms
from financing.services.referrals import refer_blind
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_institution, make_loan_offer, make_match, make_staff

_numbers = count(1)


def make_referral(status: str = "referred", *, is_open: bool = False, **fields: Any) -> Match:
    """A loan match referred blind; `is_open`: everybody has consented, the identity is disclosed.

    Its institution has one member of staff (`staff_of`).
    """
    match = make_match(status="referred", **fields)
    return _referred(match, status, is_open)


def make_insurance_referral(
    status: str = "referred", *, is_open: bool = False, **offer_fields: Any
) -> Match:
    """The same for an insurance: 1 million asked for, premium 5,000 by the posted tariff."""
    business = make_business()
    patent = make_patent(business)
    values = {
        "name": f"专利保险{next(_numbers)}",
        "status": "published",
        "opens_on": date(timezone.localdate().year, 1, 1),
        "size_classes": ["micro", "small"],
        "cover_kind": "enforcement",
        "base_premium": Decimal(0),
        "premium_rate_percent": Decimal("0.5"),
        "excess_percent": Decimal(10),
        "min_sum_insured": Decimal(100_000),
        "max_sum_insured": Decimal(2_000_000),
        "capacity_amount": Decimal(10_000_000),
    } | offer_fields
    offer = InsuranceOffer.objects.create(institution=make_institution("insurer"), **values)
    request = InsuranceRequest.objects.create(
        business=business,
        cover_kind="enforcement",
        sum_insured=Decimal(1_000_000),
        status="open",
        submitted_at=timezone.now(),
    )
    request.patents.set([patent])
    match = Match.objects.create(
        business=business,
        institution=offer.institution,
        insurance_request=request,
        insurance_offer=offer,
        status="referred",
        amount=Decimal(1_000_000),
        saving=Decimal(1000),
        referred_at=timezone.now(),
    )
    match.patents.set([patent])
    return _referred(match, status, is_open)


def consent_of_all(match: Match) -> None:
    """The business and every natural person concerned agree: the identity is open."""
    for person in consent_state(match).persons:
        PersonConsent.objects.create(
            match=match,
            role=person.role,
            name=person.name,
            email=f"person{next(_numbers)}@firm.example",
            answer=PersonAnswer.GIVEN,
            version="1",
            answered_at=timezone.now(),
        )
    give_consent(actor=_owner(match), match=match)
    match.refresh_from_db()


def withdraw_consent_of(match: Match) -> None:
    """The business takes its consent back."""
    consent = consent_state(match).business
    assert consent is not None
    withdraw_consent(actor=_owner(match), consent=consent)
    match.refresh_from_db()


def staff_of(match: Match) -> User:
    """The institution's first member of staff."""
    return match.institution.staff.select_related("user").order_by("pk")[0].user


def offered(match: Match, **fields: Any) -> OfferedTerms:
    """Terms as posted on the whole amount of the match, valid for ten working days."""
    valid_until = add_working_days(timezone.localdate(), 10)[0]
    of_kind: dict[str, Any]
    if match.loan_offer_id is not None:
        of_kind = {
            "term_months": 12,
            "interest_rate_percent": Decimal("3.000"),
            "repayment_method": "interest_monthly",
            "day_count": "act/360",
        }
    else:
        of_kind = {
            "term_months": 12,
            "premium": Decimal(5000),
            "excess_percent": Decimal(10),
        }
    values = {"amount": match.amount, "valid_until": valid_until, **of_kind, **fields}
    return OfferedTerms(**values)


def fee(**fields: Any) -> FeeTerms:
    """A service fee of 500 yuan that the borrower pays at drawdown."""
    values = {
        "kind": "service",
        "payer": "borrower",
        "timing": "upfront",
        "amount": Decimal(500),
        "place": "fees_0",
    } | fields
    return FeeTerms(**values)


def rivals_for(capacity: Decimal | int, number: int, **offer_fields: Any) -> list[Match]:
    """So many referrals in study on one offer, each over a million yuan, each with staff."""
    offer = make_loan_offer(capacity_amount=Decimal(capacity), **offer_fields)
    for _each in range(number):
        make_staff(offer.institution)
    return [make_referral("in_study", is_open=True, loan_offer=offer) for _each in range(number)]


def booked_by_terms(offer: LoanOffer | InsuranceOffer) -> tuple[Decimal, int]:
    """What is booked, by an independent query over terms and states of matches."""
    column = "loan_offer_id" if isinstance(offer, LoanOffer) else "insurance_offer_id"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(coalesce(t.drawn_amount, t.amount)), 0), count(*) "
            "FROM financing_terms t JOIN financing_match m ON m.id = t.match_id "
            f"WHERE m.{column} = %s AND t.status <> 'ended' "
            "AND m.status IN ('terms_offered', 'accepted', 'completed')",
            [offer.pk],
        )
        amount, number = cursor.fetchone()
    return Decimal(amount), int(number)


def _referred(match: Match, status: str, is_open: bool) -> Match:
    if not match.institution.staff.exists():
        make_staff(match.institution, language="en")
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    if is_open:
        consent_of_all(match)
    Match.objects.filter(pk=match.pk).update(status=status)
    match.refresh_from_db()
    return match


def _owner(match: Match) -> Actor:
    return Actor.of(match.business.members.get(is_manager=True).user)
