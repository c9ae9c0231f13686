"""Offers that the staff of the demo's institutions post themselves, for `stages`."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from financing.models import LoanOffer
from financing.models.institutions import Institution
from financing.services import guarantee_offers, insurance_offers, loan_offers, offers
from financing.services.guarantee_offers import GuaranteeTerms
from financing.services.insurance_terms import InsuranceTerms
from financing.services.offer_terms import FeeTerms, KindTerms, OfferTerms
from sipo_portal.audit.actors import Actor

SIZES = ("micro", "small")


@dataclass(frozen=True)
class Posted:
    """Name, points over the LPR, service fee in yuan: the cheapest is proposed first."""

    name: str
    spread_bp: int
    fee: int = 0


LOANS = (
    Posted("智权快贷", -30),
    Posted("智权优贷", -28),
    Posted("智权信贷", -25, fee=300),
)
# (name, cover, fewest patents)
COVERS = (
    ("专利维权无忧", "enforcement", 1),
    ("侵权损失保障", "infringement_loss", 1),
    ("侵权责任保障", "infringement_liability", 0),
    ("海外参展责任（单次展会）", "overseas_liability", 0),
)


def post_loans(actor: Actor, region: str, today: date) -> list[LoanOffer]:
    """Three published loans of the actor's bank for one city, in the order of `LOANS`."""
    institution = loan_offers.institution_of(actor)
    return [_post_loan(actor, institution, each, region, today) for each in LOANS]


def post_covers(actor: Actor, today: date) -> None:
    """The actor's insurer offers each cover of `COVERS`, in the whole country."""
    institution = offers.institution_of(actor)
    for name, cover, fewest in COVERS:
        is_abroad = cover == "overseas_liability"
        terms = InsuranceTerms(
            name=name,
            description="按专利件数与保险金额计费，保费低于标准保费。",
            opens_on=today - timedelta(days=40),
            size_classes=SIZES,
            cover_kind=cover,
            base_premium=Decimal(400),
            premium_per_patent=Decimal(80 if fewest else 0),
            premium_rate_percent=Decimal("1.600") if is_abroad else Decimal("0.600"),
            min_premium=Decimal(800),
            excess_percent=Decimal(10),
            min_sum_insured=Decimal(50_000),
            max_sum_insured=Decimal(2_000_000),
            # A trade fair lasts days: its cover is soon to be renewed.
            period_months=1 if is_abroad else 12,
            accepted_kinds=("invention", "utility_model", "design"),
            min_patents=fewest,
            capacity_amount=Decimal(60_000_000),
        )
        offer = insurance_offers.save_insurance_offer(actor, institution=institution, terms=terms)
        offers.publish(actor, offer=offer)


def post_guarantee(actor: Actor, loans: list[LoanOffer], today: date) -> None:
    """A guarantee beside these loans; the guarantee company leaves the pledge to the bank."""
    terms = GuaranteeTerms(
        name="知产共担保",
        description="担保机构、银行与保险机构按六比二比二分担损失。",
        opens_on=today - timedelta(days=40),
        size_classes=SIZES,
        share_percent=Decimal(80),
        fee_percent=Decimal("0.500"),
        loss_sharing=(
            ("guarantor", Decimal(60)),
            ("bank", Decimal(20)),
            ("insurer", Decimal(20)),
        ),
        loan_offers=tuple(loan.pk for loan in loans),
    )
    offer = guarantee_offers.save_guarantee_offer(
        actor, institution=offers.institution_of(actor), terms=terms
    )
    guarantee_offers.publish(actor, offer=offer)


def _post_loan(
    actor: Actor, institution: Institution, posted: Posted, region: str, today: date
) -> LoanOffer:
    terms = OfferTerms(
        name=posted.name,
        description="面向本市小微企业的专利质押贷款，按月付息，到期还本。",
        opens_on=today - timedelta(days=40),
        regions=(region,),
        size_classes=SIZES,
        min_principal=Decimal(200_000),
        max_principal=Decimal(5_000_000),
        min_term_months=6,
        max_term_months=36,
        rate_basis="lpr_1y",
        spread_bp=posted.spread_bp,
        repayment_method="interest_monthly",
        day_count="30/360",
        collateral_basis="appraised",
        unappraised_limit=Decimal(500_000),
        appraisal_fee=Decimal(3000),
        max_appraisal_age_months=24,
        min_operating_months=12,
        capacity_amount=Decimal(40_000_000),
        accepted_kinds=(
            KindTerms(kind="invention", loan_to_value_percent=Decimal(45), min_remaining_months=48),
            KindTerms(
                kind="utility_model", loan_to_value_percent=Decimal(25), min_remaining_months=24
            ),
        ),
        fees=(
            FeeTerms(
                kind="service", payer="borrower", timing="upfront", amount=Decimal(posted.fee)
            ),
        )
        if posted.fee
        else (),
    )
    offer = loan_offers.save_loan_offer(actor, institution=institution, terms=terms)
    return loan_offers.publish(actor, offer=offer)
