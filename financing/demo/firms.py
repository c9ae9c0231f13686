"""Demo businesses with their patents: the official size mix, plausible figures, real rules."""

import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.utils import timezone

from businesses.models import (
    Appraisal,
    Business,
    BusinessMember,
    Certificate,
    CoOwner,
    Encumbrance,
    Patent,
)
from businesses.models.businesses import BusinessStatus, SizeClass
from businesses.models.certificates import CertificateKind
from businesses.models.co_owners import CoOwnerConsent
from businesses.models.encumbrances import EncumbranceKind
from businesses.models.patents import EndReason, PatentStatus
from businesses.rules.identifiers import credit_check_character, patent_check_digit
from businesses.rules.patent_term import anniversary
from businesses.rules.size_class import classify
from businesses.selectors import expires_on
from financing.demo.words import (
    APPRAISERS,
    CO_OWNERS,
    FAMILY_NAMES,
    FIELDS,
    FORENAMES,
    GIVEN_NAMES,
    PLACES,
    TITLE_HEADS,
    TITLE_TAILS,
)
from sipo_portal.accounts.models import User

BUSINESS_COUNT = 400
PATENT_COUNT = 1500
# DOMAIN 1: small and micro businesses are 77 % of all companies.
SIZE_MIX = (("micro", 52), ("small", 25), ("medium", 17), ("large", 6))
KIND_MIX = (("invention", 34), ("utility_model", 56), ("design", 10))
TYPE_DIGITS = {"invention": "1", "utility_model": "2", "design": "3"}
STAFF = {"micro": (3, 19), "small": (20, 180), "medium": (300, 800), "large": (1000, 3000)}
REVENUE = {
    "micro": (60, 290),
    "small": (300, 1900),
    "medium": (2000, 30000),
    "large": (40000, 90000),
}
FIRST_SERIAL = 9_000_000
# Whose the first businesses are, and where: small ones, with patents in good order. Those of the
# second owner also show a request that was withdrawn.
OWNED = (
    ("owner1@demo.example", "320505"),
    ("owner2@demo.example", "440305"),
    ("owner2@demo.example", "440306"),
)


@dataclass
class Firms:
    """What was made, for the steps that follow."""

    businesses: list[Business] = field(default_factory=list)
    patents: dict[int, list[Patent]] = field(default_factory=dict)
    fields: dict[int, tuple[str, str, str, str]] = field(default_factory=dict)


def credit_code(serial: int) -> str:
    """A code of division 990000 that passes its check."""
    body = f"91990000MA{serial:07d}"
    return body + credit_check_character(body)


def patent_number(kind: str, year: int, serial: int) -> str:
    """An application number with a serial from 9000000 on."""
    digits = f"{year}{TYPE_DIGITS[kind]}{serial:07d}"
    return f"{digits}.{patent_check_digit(digits)}"


def pick(random: Random, mix: tuple[tuple[str, int], ...]) -> str:
    """One of the values, by weight."""
    return random.choices([value for value, _ in mix], [weight for _, weight in mix])[0]


def seed_firms(random: Random, users: dict[str, User], today: date) -> Firms:
    """400 businesses and 1,500 patents; the first ones belong to the demo owners."""
    firms = Firms()
    names = [(forename, each) for forename in FORENAMES for each in FIELDS]
    random.shuffle(names)
    rows = []
    for serial in range(1, BUSINESS_COUNT + 1):
        forename, branch = names[serial - 1]
        is_owned = serial <= len(OWNED)
        region = OWNED[serial - 1][1] if is_owned else pick(random, PLACES)
        size = "small" if is_owned else pick(random, SIZE_MIX)
        rows.append(_business(random, serial, forename, branch, region, size, today, is_owned))
        firms.fields[serial - 1] = branch
    firms.businesses = Business.objects.bulk_create(rows)
    firms.fields = {
        business.pk: firms.fields[place] for place, business in enumerate(firms.businesses)
    }
    BusinessMember.objects.bulk_create(
        BusinessMember(business=business, user=users[email], is_manager=True)
        for business, (email, _region) in zip(firms.businesses, OWNED, strict=False)
    )
    _certificates(random, firms, today)
    _patents(random, firms, today)
    return firms


def _business(
    random: Random,
    serial: int,
    forename: str,
    branch: tuple[str, str, str, str],
    region: str,
    size: str,
    today: date,
    is_owned: bool,
) -> Business:
    word, industry, _about, _ipc = branch
    staff = random.randint(*STAFF[size])
    revenue = Decimal(random.randint(*REVENUE[size]))
    assets = Decimal(random.randint(*REVENUE[size]))
    verdict = classify(industry, staff, revenue, assets)
    is_verified = is_owned or random.random() < 0.85
    return Business(
        name=f"{forename}{word}示范有限公司",
        credit_code=credit_code(serial),
        region_id=region,
        address=f"示范路{serial}号",
        industry=industry,
        established_on=today - timedelta(days=random.randint(200, 6500)),
        employee_count=staff,
        revenue_wan=revenue,
        assets_wan=assets,
        figures_year=today.year - 1,
        has_low_taxable_income=size == "micro",
        size_class=verdict.size_class,
        size_indicator=verdict.indicator or "",
        is_size_provisional=verdict.provisional,
        contact_name=random.choice(FAMILY_NAMES) + random.choice(GIVEN_NAMES),
        contact_phone=f"400-990-{serial:04d}",
        legal_representative=random.choice(FAMILY_NAMES) + random.choice(GIVEN_NAMES),
        status=BusinessStatus.VERIFIED if is_verified else BusinessStatus.REGISTERED,
        status_changed_at=timezone.now(),
    )


def _certificates(random: Random, firms: Firms, today: date) -> None:
    rows = []
    for business in firms.businesses:
        if random.random() < 0.35:
            rows.append((business, CertificateKind.HIGH_TECH))
        if random.random() < 0.25:
            rows.append((business, CertificateKind.TECH_SME))
        if random.random() < 0.08:
            rows.append((business, CertificateKind.SPECIALISED_NEW))
    Certificate.objects.bulk_create(
        Certificate(
            business=business,
            kind=kind,
            number=f"GR99{random.randint(10_000_000, 99_999_999)}",
            valid_until=today + timedelta(days=random.randint(-60, 1000)),
        )
        for business, kind in rows
    )


def _patents(random: Random, firms: Firms, today: date) -> None:
    counts = [1] * BUSINESS_COUNT
    counts[: len(OWNED)] = [6] * len(OWNED)
    while sum(counts) < PATENT_COUNT:
        # A few firms have many: square of a uniform number favours the front of the list.
        counts[len(OWNED) + int(random.random() ** 2 * (BUSINESS_COUNT - len(OWNED)))] += 1
    rows = []
    serial = FIRST_SERIAL
    for business, count in zip(firms.businesses, counts, strict=True):
        for _each in range(count):
            serial += 1
            is_owned = business in firms.businesses[: len(OWNED)]
            rows.append(
                _patent(random, business, firms.fields[business.pk], serial, today, is_owned)
            )
    for patent in Patent.objects.bulk_create(rows):
        firms.patents.setdefault(patent.business_id, []).append(patent)
    _co_owners(random, rows)
    _appraisals(random, firms, today)
    _encumbrances(random, rows[30:], today)


def _patent(
    random: Random,
    business: Business,
    branch: tuple[str, str, str, str],
    serial: int,
    today: date,
    is_owned: bool,
) -> Patent:
    _word, _industry, about, ipc = branch
    kind = pick(random, KIND_MIX)
    oldest = {"invention": 14, "utility_model": 9, "design": 9}[kind]
    age_days = random.randint(500, (6 if is_owned else oldest) * 365)
    filed_on = today - timedelta(days=age_days)
    wait = {"invention": 760, "utility_model": 260, "design": 200}[kind]
    granted_on = filed_on + timedelta(days=wait + random.randint(-40, 120))
    is_granted = granted_on < today
    full_years = (
        today.year - filed_on.year - (today < anniversary(filed_on, today.year - filed_on.year))
    )
    # Most have paid the running patent year; some are in their months of grace.
    paid_year = full_years + (1 if is_owned or random.random() < 0.9 else 0)
    is_ended = not is_owned and random.random() < 0.03
    is_verified = is_owned or random.random() < 0.7
    patent = Patent(
        business=business,
        application_number=patent_number(kind, filed_on.year, serial),
        kind=kind,
        title=f"{random.choice(TITLE_HEADS)}{about}{random.choice(TITLE_TAILS)}",
        filed_on=filed_on,
        granted_on=granted_on if is_granted else None,
        ipc_main="" if kind == "design" else ipc,
        has_overseas_family=random.random() < 0.06,
        annuity_paid_through_year=max(1, paid_year) if is_granted else None,
        annuity_relief_percent=85 if business.has_low_taxable_income else 0,
        has_ownership_dispute=not is_owned and random.random() < 0.01,
        has_same_day_invention_filing=kind == "utility_model" and random.random() < 0.04,
        is_invalidation_pending=not is_owned and random.random() < 0.01,
        register_extract_on=today - timedelta(days=random.randint(1, 28)) if is_verified else None,
        status=PatentStatus.VERIFIED if is_verified else PatentStatus.REGISTERED,
        status_changed_at=timezone.now(),
    )
    if is_ended:
        patent.status = PatentStatus.ENDED
        patent.end_reason = EndReason.ANNUITY_UNPAID
        patent.ended_on = today - timedelta(days=random.randint(30, 700))
    term_ends_on = expires_on(patent)
    if term_ends_on <= today:
        patent.status, patent.end_reason = PatentStatus.ENDED, EndReason.EXPIRED
        patent.ended_on = term_ends_on
    return patent


def _co_owners(random: Random, patents: list[Patent]) -> None:
    CoOwner.objects.bulk_create(
        CoOwner(
            patent=patent,
            name=random.choice(CO_OWNERS),
            kind="organisation",
            consent=CoOwnerConsent.GIVEN if random.random() < 0.6 else CoOwnerConsent.MISSING,
            consented_on=None,
        )
        for patent in patents
        if random.random() < 0.07
    )


def _appraisals(random: Random, firms: Firms, today: date) -> None:
    """About six in ten patents; values around the loans they carry (DOMAIN 4.6)."""
    rows = []
    for patents in firms.patents.values():
        for place, patent in enumerate(patents):
            if place == 0 or random.random() < 0.55:
                median = {"invention": 4.2e6, "utility_model": 1.6e6, "design": 0.6e6}[patent.kind]
                value = random.lognormvariate(math.log(median), 0.9)
                rows.append(
                    Appraisal(
                        patent=patent,
                        appraiser=random.choice(APPRAISERS),
                        appraised_on=today - timedelta(days=random.randint(10, 640)),
                        method=random.choice(("income", "income", "market", "cost")),
                        appraised_value=Decimal(round(value / 10_000) * 10_000 or 10_000),
                    )
                )
    Appraisal.objects.bulk_create(rows)


def _encumbrances(random: Random, patents: list[Patent], today: date) -> None:
    Encumbrance.objects.bulk_create(
        Encumbrance(
            patent=patent,
            kind=EncumbranceKind.PLEDGE if random.random() < 0.6 else EncumbranceKind.LICENCE,
            holder=random.choice(("临江示范村镇银行", "海陵示范典当行")),
            registered_on=today - timedelta(days=random.randint(60, 700)),
            releases_on=today + timedelta(days=random.randint(60, 500)),
        )
        for patent in patents
        if random.random() < 0.03
    )


def may_ask(business: Business) -> bool:
    """Small and micro businesses ask; the others look."""
    return business.size_class in (SizeClass.MICRO, SizeClass.SMALL)
