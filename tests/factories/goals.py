"""Goals, and loans and insurances that count towards them, for tests."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from financing.models import Drawdown, Goal, InsurancePolicy, Match, Terms
from sipo_portal.offices.models import BranchOffice
from tests.factories.businesses import make_business
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_staff
from tests.factories.insurance import make_insurance_match, make_insurance_request

THIS_YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def make_goal(office: BranchOffice, product: str = "loan", **fields: Any) -> Goal:
    """Ten businesses and 10 million yuan in 2026."""
    fields = {
        "starts_on": THIS_YEAR[0],
        "ends_on": THIS_YEAR[1],
        "business_count": 10,
        "amount": Decimal(10_000_000),
    } | fields
    return Goal.objects.create(office=office, product=product, **fields)


def make_paid_loan(
    region: str = "320505",
    *,
    amount: Decimal | int = 1_000_000,
    drawn: Decimal | int | None = None,
    on: date = date(2026, 5, 4),
    status: str = "completed",
    **fields: Any,
) -> Match:
    """Terms accepted on the day `on` and drawn down then, all of them unless `drawn` says less.

    3 % a year where the benchmark is 3.5 %, unless `fields` of the terms say otherwise.
    """
    business = fields.pop("business", None) or make_business(region=region)
    amount = Decimal(amount)
    request = make_loan_request(business, status="funded", principal=max(amount, Decimal(500_000)))
    match = make_match(request, make_loan_offer(), status=status, amount=amount)
    values: dict[str, Any] = {
        "interest_rate_percent": Decimal(3),
        "repayment_method": "interest_monthly",
        "day_count": "act/360",
        "apr_percent": Decimal("3.0000"),
        "benchmark_apr_percent": Decimal("3.5000"),
    }
    _accept(match, amount, on, values | fields)
    drawn = amount if drawn is None else Decimal(drawn)
    if drawn:
        Drawdown.objects.create(
            match=match,
            amount=drawn,
            drawn_on=on,
            reference="D1",
            recorded_by=make_staff(match.institution),
        )
    return match


def make_issued_cover(
    region: str = "320505",
    *,
    amount: Decimal | int = 100_000,
    on: date = date(2026, 5, 4),
    **fields: Any,
) -> Match:
    """A policy whose cover begins on the day `on`: premium 800 where the standard one is 1,000."""
    business = make_business(region=region)
    amount = Decimal(amount)
    request = make_insurance_request(business, status="covered", sum_insured=amount)
    match = make_insurance_match(request, status="completed", amount=amount)
    values = {"premium": Decimal(800), "standard_premium": Decimal(1000)} | fields
    _accept(match, amount, on, values)
    InsurancePolicy.objects.create(
        match=match,
        number="P1",
        starts_on=on,
        ends_on=date(on.year + 1, on.month, on.day),
        premium=values["premium"],
        sum_insured=amount,
    )
    return match


def _accept(match: Match, amount: Decimal, on: date, values: dict[str, Any]) -> None:
    # Noon in Beijing.
    moment = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    fields = {
        "status": "accepted" if match.status in ("accepted", "completed") else "ended",
        "term_months": 12,
        "valid_until": on,
        "answered_at": moment,
        "offered_by": make_staff(match.institution),
    } | values
    Terms.objects.create(match=match, amount=amount, **fields)
    Match.objects.filter(pk=match.pk).update(status_changed_at=moment)
