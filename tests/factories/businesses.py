"""Businesses, patents and what hangs on them, for tests; every row is valid as it stands."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from businesses.models import (
    Appraisal,
    Business,
    BusinessClaim,
    BusinessMember,
    Certificate,
    CoOwner,
    Encumbrance,
    Patent,
)
from businesses.rules.identifiers import credit_check_character, patent_check_digit
from businesses.rules.patent_term import add_months, anniversary
from businesses.rules.size_class import classify
from sipo_portal.accounts.models import User
from sipo_portal.offices.models import Region
from tests.factories.accounts import make_owner
from tests.factories.offices import make_office, make_region

__all__ = [
    "credit_code",
    "make_appraisal",
    "make_business",
    "make_certificate",
    "make_claim",
    "make_co_owner",
    "make_encumbrance",
    "make_member",
    "make_office",
    "make_patent",
    "make_region",
    "patent_number",
]

_numbers = count(1)
_TYPE_DIGITS = {"invention": "1", "utility_model": "2", "design": "3"}


def credit_code(region: str = "320505", serial: int | None = None) -> str:
    """A code that passes its check; a new one on each call without `serial`."""
    serial = next(_numbers) if serial is None else serial
    body = f"91{region}MA{serial:07d}"
    return body + credit_check_character(body)


def patent_number(kind: str = "invention", year: int = 2021, serial: int | None = None) -> str:
    """An application number in normal form; a new one on each call without `serial`."""
    serial = next(_numbers) if serial is None else serial
    digits = f"{year}{_TYPE_DIGITS[kind]}{serial:07d}"
    return f"{digits}.{patent_check_digit(digits)}"


def make_business(
    *, owner: User | None = None, region: Region | str = "320505", **fields: Any
) -> Business:
    """A verified micro business with `owner` (a new account without one) as its manager.

    The size class follows from industry and figures unless given.
    """
    number = next(_numbers)
    region = make_region(region) if isinstance(region, str) else region
    facts: dict[str, Any] = {
        "name": f"示范科技{number}有限公司",
        "credit_code": credit_code(region.code),
        "industry": "C3911",
        "established_on": date(2016, 5, 20),
        "employee_count": 15,
        "revenue_wan": Decimal(280),
        "assets_wan": Decimal(150),
        "figures_year": timezone.localdate().year - 1,
        "status": "verified",
        "contact_name": "联系人",
        "contact_phone": "0512-55501234",
    } | fields
    verdict = classify(
        facts["industry"], facts["employee_count"], facts["revenue_wan"], facts["assets_wan"]
    )
    facts = {
        "size_class": verdict.size_class,
        "size_indicator": verdict.indicator or "",
        "is_size_provisional": verdict.provisional,
    } | facts
    business = Business.objects.create(region=region, **facts)
    make_member(business, user=owner or make_owner(), is_manager=True)
    return business


def make_member(business: Business, user: User | None = None, **fields: Any) -> BusinessMember:
    return BusinessMember.objects.create(business=business, user=user or make_owner(), **fields)


def make_claim(business: Business, claimant: User | None = None, **fields: Any) -> BusinessClaim:
    fields = {"explanation": "I keep the books of this business."} | fields
    return BusinessClaim.objects.create(
        business=business, claimant=claimant or make_owner(), **fields
    )


def make_certificate(business: Business, kind: str = "high_tech", **fields: Any) -> Certificate:
    return Certificate.objects.create(business=business, kind=kind, **fields)


def make_patent(
    business: Business | None = None,
    *,
    kind: str = "invention",
    filed_on: date | None = None,
    **fields: Any,
) -> Patent:
    """A verified, granted patent in force, its annuities paid for the present patent year.

    That year ends half a year from today, whatever the day: no annuity is about to fall due.
    """
    today = timezone.localdate()
    filed_on = filed_on or add_months(today, -54).replace(day=15)
    running = sum(anniversary(filed_on, years) <= today for years in range(1, 21)) + 1
    fields = {
        "application_number": patent_number(kind, filed_on.year),
        "title": "一种示范装置",
        "granted_on": date(filed_on.year + 1, filed_on.month, 1),
        "ipc_main": "" if kind == "design" else "G06F 17/30",
        "annuity_paid_through_year": running,
        "register_extract_on": today,
        "status": "verified",
    } | fields
    return Patent.objects.create(
        business=business or make_business(), kind=kind, filed_on=filed_on, **fields
    )


def make_co_owner(patent: Patent, *, consent: str = "given", **fields: Any) -> CoOwner:
    """A co-owner organisation; a consent given carries its date."""
    fields = {
        "name": f"共有人{next(_numbers)}有限公司",
        "kind": "organisation",
        "consented_on": timezone.localdate() if consent == "given" else None,
    } | fields
    return CoOwner.objects.create(patent=patent, consent=consent, **fields)


def make_appraisal(
    patent: Patent, appraised_value: Decimal | int = 1_000_000, **fields: Any
) -> Appraisal:
    """`appraised_value` in yuan."""
    fields = {
        "appraiser": "示范资产评估有限公司",
        "appraised_on": timezone.localdate(),
        "method": "income",
    } | fields
    return Appraisal.objects.create(
        patent=patent, appraised_value=Decimal(appraised_value), **fields
    )


def make_encumbrance(patent: Patent, kind: str = "pledge", **fields: Any) -> Encumbrance:
    fields = {"holder": "示范银行", "registered_on": patent.granted_on or patent.filed_on} | fields
    return Encumbrance.objects.create(patent=patent, kind=kind, **fields)
