"""What branch offices reached in a period, beside their goals; the coordinator's page reads it.

Counted by division in a fixed number of queries and added up by office: an office answers for its
region and everything below it. Approved is what businesses accepted, disbursed what went out; the
two are never one figure (DOMAIN 1, goals).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.utils import timezone

from financing.models.drawdowns import Drawdown
from financing.models.goals import Goal, GoalProduct
from financing.models.insurance_policies import InsurancePolicy
from financing.models.matches import Match, MatchStatus
from financing.models.terms import Terms, TermsStatus
from sipo_portal.accounts.models import User
from sipo_portal.offices.models import BranchOffice

ZERO = Decimal(0)
# Where and which, of rows that hang on a match.
_PLACE = {
    "region": F("match__business__region_id"),
    "is_loan": Q(match__loan_request__isnull=False),
}


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """Both days belong to it."""

    starts_on: date
    ends_on: date

    @property
    def key(self) -> str:
        """As addresses name it."""
        return f"{self.starts_on:%Y%m%d}-{self.ends_on:%Y%m%d}"

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first moment to the one after the last, in local time."""
        zone = timezone.get_current_timezone()
        after = self.ends_on + timedelta(days=1)
        return (
            datetime.combine(self.starts_on, time.min, tzinfo=zone),
            datetime.combine(after, time.min, tzinfo=zone),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Yuan and numbers. `rated_*` and `priced_*` cover the terms that have something to compare
    with: sums of rate (in per cent) times amount, and of premiums."""

    business_count: int = 0
    approved_amount: Decimal = ZERO
    approved_count: int = 0
    disbursed_amount: Decimal = ZERO
    rated_amount: Decimal = ZERO
    rated_apr: Decimal = ZERO
    rated_benchmark: Decimal = ZERO
    premium: Decimal = ZERO
    standard_premium: Decimal = ZERO

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__slots__}
        )

    @property
    def apr_percent(self) -> Decimal | None:
        """Yearly cost of the loans approved, weighted by their amounts."""
        return self.rated_apr / self.rated_amount if self.rated_amount else None

    @property
    def benchmark_apr_percent(self) -> Decimal | None:
        """The same loans at the benchmark."""
        return self.rated_benchmark / self.rated_amount if self.rated_amount else None

    @property
    def premium_reduction_percent(self) -> Decimal | None:
        """How far premiums are below the standard ones; negative where dearer."""
        if not self.standard_premium:
            return None
        return (1 - self.premium / self.standard_premium) * 100


@dataclass(frozen=True, slots=True)
class OfficeResult:
    """One office and product in a period; `goal` is None where none was set."""

    office: BranchOffice
    product: str
    goal: Goal | None
    figures: Figures


def offices_below(office: BranchOffice) -> QuerySet[BranchOffice]:
    """The office and the open ones of its region and below, by division."""
    rows = BranchOffice.objects.select_related("region").order_by("region__code", "pk")
    if office.region is None:
        return rows.filter(Q(is_active=True) | Q(pk=office.pk))
    below = Q(region__code__startswith=office.scope_prefix, is_active=True)
    return rows.filter(below | Q(pk=office.pk))


def periods_of(user: User, *, today: date) -> list[Period]:
    """Periods in which an office the user sees has a goal, newest first; else this year."""
    rows = Goal.objects.visible_to(user).order_by("-starts_on", "-ends_on")
    found = [Period(*each) for each in rows.values_list("starts_on", "ends_on").distinct()]
    return found or [Period(date(today.year, 1, 1), date(today.year, 12, 31))]


def chosen_period(periods: list[Period], key: str, *, today: date) -> Period:
    """The one named, or the newest that today is in, or the newest."""
    named = [each for each in periods if each.key == key]
    current = [each for each in periods if each.starts_on <= today <= each.ends_on]
    return (named or current or periods)[0]


def office_results(user: User, office: BranchOffice, period: Period) -> list[OfficeResult]:
    """For the office and those below: loans, then insurance, own office first."""
    offices = list(offices_below(office))
    offices.sort(key=lambda each: each.pk != office.pk)
    goals = {
        (goal.office_id, goal.product): goal
        for goal in Goal.objects.visible_to(user).filter(
            starts_on=period.starts_on, ends_on=period.ends_on
        )
    }
    found = figures_by_region(user, period)
    return [
        OfficeResult(
            office=each,
            product=product,
            goal=goals.get((each.pk, product)),
            figures=_sum(found[product], each.scope_prefix),
        )
        for each in offices
        for product in found
    ]


def figures_by_region(user: User, period: Period) -> dict[str, dict[str, Figures]]:
    """By product and code of the division where the business is; four queries."""
    found: dict[str, dict[str, Figures]] = {str(product): {} for product in GoalProduct}
    for rows in (_reached(user, period), _approved(user, period), _disbursed(user, period)):
        for row in rows:
            of_product = found[GoalProduct.LOAN if row.pop("is_loan") else GoalProduct.INSURANCE]
            code = row.pop("region")
            values: dict[str, Any] = {name: value or 0 for name, value in row.items()}
            figures = Figures(**values)
            of_product[code] = of_product.get(code, Figures()) + figures
    return found


def _sum(of_regions: dict[str, Figures], prefix: str) -> Figures:
    inside = (figures for code, figures in of_regions.items() if code.startswith(prefix))
    return sum(inside, Figures())


def _reached(user: User, period: Period) -> Iterable[dict[str, Any]]:
    """Businesses with a completed match, each once; a business is in one division."""
    first, after = period.moments
    rows: Iterable[Any] = (
        Match.objects.visible_to(user)
        .filter(
            status=MatchStatus.COMPLETED,
            status_changed_at__gte=first,
            status_changed_at__lt=after,
        )
        .order_by()
        .values(region=F("business__region_id"), is_loan=Q(loan_request__isnull=False))
        .annotate(business_count=Count("business_id", distinct=True))
    )
    return rows


def _approved(user: User, period: Period) -> Iterable[dict[str, Any]]:
    """Terms that were accepted and did not fall through."""
    first, after = period.moments
    rated = Q(apr_percent__isnull=False, benchmark_apr_percent__isnull=False)
    priced = Q(standard_premium__isnull=False)
    rows = (
        Terms.objects.visible_to(user)
        .filter(status=TermsStatus.ACCEPTED, answered_at__gte=first, answered_at__lt=after)
        .order_by()
        .values(**_PLACE)
        .annotate(
            # The names of columns are taken: sums under names of their own, then put back.
            sum_approved_amount=Sum("amount"),
            sum_approved_count=Count("pk"),
            sum_rated_amount=Sum("amount", filter=rated),
            sum_rated_apr=Sum(_times("apr_percent"), filter=rated),
            sum_rated_benchmark=Sum(_times("benchmark_apr_percent"), filter=rated),
            sum_premium=Sum("premium", filter=priced),
            sum_standard_premium=Sum("standard_premium", filter=priced),
        )
    )
    for row in rows:
        yield {name.removeprefix("sum_"): value for name, value in row.items()}


def _disbursed(user: User, period: Period) -> Iterable[dict[str, Any]]:
    """Loans: drawn down. Insurances: sums insured under policies whose cover began."""
    days = (period.starts_on, period.ends_on)
    drawn = Drawdown.objects.visible_to(user).filter(drawn_on__range=days)
    issued = InsurancePolicy.objects.visible_to(user).filter(starts_on__range=days)
    for rows, column in ((drawn, "amount"), (issued, "sum_insured")):
        yield from rows.order_by().values(**_PLACE).annotate(disbursed_amount=Sum(column))


def _times(column: str) -> ExpressionWrapper[Any]:
    field: DecimalField[Any, Any] = DecimalField(max_digits=32, decimal_places=6)
    return ExpressionWrapper(F(column) * F("amount"), output_field=field)
