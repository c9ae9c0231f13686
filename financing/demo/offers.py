"""Demo offers: 48 loans, 8 insurances, 4 guarantees, terms in the bands of DOMAIN 4.6."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.utils import timezone

from financing.models import (
    AcceptedPatentKind,
    CollateralLimit,
    GuaranteeOffer,
    Institution,
    InsuranceOffer,
    LoanOffer,
    LoanOfferFee,
)
from financing.models.offers import OfferStatus
from financing.permissions import COVERS_WITHOUT_PATENTS
from sipo_portal.offices.models import Region

LOAN_OFFER_COUNT = 48
NAMES = ("知融贷", "专利质押贷", "创新贷", "智权贷", "小微知产贷", "科创知识贷", "惠企专利贷")
TERMS = ((3, 12), (6, 12), (6, 24), (12, 36), (6, 36), (12, 60))
METHODS = ("interest_monthly", "interest_monthly", "equal_instalments", "equal_principal")
PROVINCES = ("320000", "440000", "610000")


def seed_offers(random: Random, institutions: list[Institution], today: date) -> list[LoanOffer]:
    """All offers; returns the loan offers."""
    banks = [each for each in institutions if each.kind == "bank"]
    insurers = [each for each in institutions if each.kind == "insurer"]
    guarantors = [each for each in institutions if each.kind == "guarantor"]
    offers = [
        _loan_offer(random, banks[place % len(banks)], place, today)
        for place in range(LOAN_OFFER_COUNT)
    ]
    _insurance_offers(random, insurers, today)
    _guarantee_offers(random, guarantors, offers, today)
    return offers


def _loan_offer(random: Random, bank: Institution, place: int, today: date) -> LoanOffer:
    basis = random.choices(("appraised", "limit_table", "share_of_principal"), (60, 25, 15))[0]
    shortest, longest = random.choice(TERMS)
    most = random.choice((1_000_000, 2_000_000, 3_000_000, 5_000_000, 10_000_000, 20_000_000))
    status = random.choices(
        (OfferStatus.PUBLISHED, OfferStatus.DRAFT, OfferStatus.PAUSED, OfferStatus.CLOSED),
        (86, 5, 5, 4),
    )[0]
    # The first offer of every bank is live, so that each lender has something to show.
    status = OfferStatus.PUBLISHED if place < 8 else status
    offer = LoanOffer.objects.create(
        institution=bank,
        name=f"{NAMES[place % len(NAMES)]}{'ABCDEFGH'[place // 8]}",
        status=status,
        status_changed_at=timezone.now(),
        published_at=None if status == OfferStatus.DRAFT else timezone.now(),
        refreshed_at=timezone.now(),
        opens_on=today - timedelta(days=random.randint(20, 300)),
        closes_on=today + timedelta(days=random.randint(90, 500)) if place % 3 else None,
        industries=random.choice(([], [], [], ["C"], ["C", "I"], ["C", "I", "M"])),
        size_classes=["micro", "small"] if random.random() < 0.9 else ["small"],
        min_principal=Decimal(random.choice((0, 0, 100_000, 200_000, 500_000))),
        max_principal=Decimal(most),
        min_term_months=shortest,
        max_term_months=longest,
        rate_basis="lpr_1y",
        # Mostly under the ceiling; a few dearer ones show why they are not proposed.
        spread_bp=random.choice((-20, -15, -10, -5, 0, 0, 5, 10, 20, 30, 40, 80)),
        repayment_method=random.choice(METHODS),
        day_count=random.choice(("act/360", "act/365", "30/360")),
        collateral_basis=basis,
        collateral_share_percent=Decimal(50) if basis == "share_of_principal" else None,
        unappraised_limit=random.choice((None, None, Decimal(300_000), Decimal(1_000_000))),
        appraisal_fee=Decimal(3000),
        max_appraisal_age_months=random.choice((12, 24, None)),
        min_patents=random.choice((1, 1, 1, 2)),
        life_margin_months=random.choice((0, 0, 6, 12)),
        min_operating_months=random.choice((0, 12, 12, 24)),
        required_certificates=random.choice(([], [], [], [], ["high_tech"], ["tech_sme"])),
        capacity_amount=Decimal(random.choice((8, 12, 20, 30, 50)) * 1_000_000),
        capacity_count=random.choice((None, None, 20, 40)),
    )
    _parts(random, offer)
    if bank.region_id[:2] != "11" and random.random() < 0.8:
        offer.regions.add(Region.objects.get(code=f"{bank.region_id[:2]}0000"))
    elif random.random() < 0.3:
        offer.regions.add(*Region.objects.filter(code__in=PROVINCES))
    return offer


def _parts(random: Random, offer: LoanOffer) -> None:
    kinds = [
        ("invention", random.choice((30, 35, 40, 50)), random.choice((0, 0, 48, 96))),
        ("utility_model", random.choice((15, 20, 25, 30)), random.choice((0, 0, 24, 48))),
    ]
    if random.random() < 0.15:
        kinds.append(("design", 15, 24))
    AcceptedPatentKind.objects.bulk_create(
        AcceptedPatentKind(
            offer=offer,
            kind=kind,
            loan_to_value_percent=Decimal(percent),
            min_remaining_months=life,
        )
        for kind, percent, life in kinds
    )
    if offer.collateral_basis == "limit_table":
        CollateralLimit.objects.bulk_create(
            CollateralLimit(offer=offer, min_patents=count, limit_amount=Decimal(limit))
            for count, limit in ((1, 1_000_000), (2, 3_000_000), (4, 5_000_000))
        )
    fees = []
    if random.random() < 0.25:
        fees.append({"kind": "registration", "amount": Decimal(500), "timing": "upfront"})
    if random.random() < 0.12:
        fees.append({"kind": "guarantee", "percent": Decimal("0.200"), "timing": "yearly"})
    if random.random() < 0.2:
        fees.append({"kind": "insurance", "percent": Decimal("2.000"), "payer": "public"})
    LoanOfferFee.objects.bulk_create(LoanOfferFee(offer=offer, **fee) for fee in fees)


def _insurance_offers(random: Random, insurers: list[Institution], today: date) -> None:
    covers = ("enforcement", "infringement_loss", "infringement_liability", "pledge_loan_guarantee")
    for place in range(8):
        # Each cover by either insurer.
        insurer = insurers[(place + place // len(covers)) % len(insurers)]
        InsuranceOffer.objects.create(
            institution=insurer,
            name=f"专利保{'ABCDEFGH'[place]}",
            status=OfferStatus.PUBLISHED,
            status_changed_at=timezone.now(),
            published_at=timezone.now(),
            refreshed_at=timezone.now(),
            opens_on=today - timedelta(days=60),
            size_classes=["micro", "small"],
            cover_kind=covers[place % len(covers)],
            min_patents=0 if covers[place % len(covers)] in COVERS_WITHOUT_PATENTS else 1,
            base_premium=Decimal(random.choice((500, 800, 1000))),
            premium_per_patent=Decimal(random.choice((100, 200))),
            premium_rate_percent=Decimal("0.800"),
            min_premium=Decimal(860),
            min_sum_insured=Decimal(20_000),
            max_sum_insured=Decimal(1_000_000),
            accepted_kinds=["invention", "utility_model", "design"],
            capacity_amount=Decimal(50_000_000),
        )


def _guarantee_offers(
    random: Random, guarantors: list[Institution], offers: list[LoanOffer], today: date
) -> None:
    for place in range(4):
        guarantee = GuaranteeOffer.objects.create(
            institution=guarantors[place % len(guarantors)],
            name=f"知产担保{'ABCD'[place]}",
            status=OfferStatus.PUBLISHED,
            status_changed_at=timezone.now(),
            published_at=timezone.now(),
            refreshed_at=timezone.now(),
            opens_on=today - timedelta(days=60),
            size_classes=["micro", "small"],
            share_percent=Decimal(random.choice((60, 80))),
            fee_percent=Decimal("0.800"),
            loss_sharing={"guarantor": 60, "bank": 20, "insurer": 20},
        )
        guarantee.loan_offers.set(offers[place * 3 : place * 3 + 3])
