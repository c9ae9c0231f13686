"""What branch offices reached in a period, beside their goals; the coordinator's page reads it.

Counted by division in a fixed number of queries and added up by office: an office answers for its
region and everything below it. Approved is what businesses accepted, disbursed what went out; the
two are never one figure (DOMAIN 1, goals).
"""

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

    def __add__(self, other: "Figures") -> "Figures":
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
    by_region = {
        str(product): figures_by_region(user, str(product), period) for product in GoalProduct
    }
    return [
        OfficeResult(
            office=each,
            product=product,
            goal=goals.get((each.pk, product)),
            figures=_sum(of_regions, each.scope_prefix),
        )
        for each in offices
        for product, of_regions in by_region.items()
    ]


def figures_by_region(user: User, product: str, period: Period) -> dict[str, Figures]:
    """By code of the division where the business is; three queries."""
    is_loan = product == GoalProduct.LOAN
    found: dict[str, Figures] = {}
    for rows in (
        _reached(user, is_loan, period),
        _approved(user, is_loan, period),
        _disbursed(user, is_loan, period),
    ):
        for row in rows:
            code = row.pop("region")
            figures = Figures(**{name: value or 0 for name, value in row.items()})
            found[code] = found.get(code, Figures()) + figures
    return found


def _sum(of_regions: dict[str, Figures], prefix: str) -> Figures:
    inside = (figures for code, figures in of_regions.items() if code.startswith(prefix))
    return sum(inside, Figures())


def _reached(user: User, is_loan: bool, period: Period) -> Iterable[dict[str, Any]]:
    """Businesses with a completed match, each once; a business is in one division."""
    first, after = period.moments
    return (
        Match.objects.visible_to(user)
        .filter(
            loan_request__isnull=not is_loan,
            status=MatchStatus.COMPLETED,
            status_changed_at__gte=first,
            status_changed_at__lt=after,
        )
        .order_by()
        .values(region=F("business__region_id"))
        .annotate(business_count=Count("business_id", distinct=True))
    )


def _approved(user: User, is_loan: bool, period: Period) -> Iterable[dict[str, Any]]:
    """Terms that were accepted and did not fall through."""
    first, after = period.moments
    rows = (
        Terms.objects.visible_to(user)
        .filter(
            match__loan_request__isnull=not is_loan,
            status=TermsStatus.ACCEPTED,
            answered_at__gte=first,
            answered_at__lt=after,
        )
        .order_by()
        .values(region=F("match__business__region_id"))
    )
    figures: dict[str, Any] = {
        "approved_amount": Sum("amount"),
        "approved_count": Count("pk"),
    }
    if is_loan:
        rated = Q(apr_percent__isnull=False, benchmark_apr_percent__isnull=False)
        figures |= {
            "rated_amount": Sum("amount", filter=rated),
            "rated_apr": Sum(_times("apr_percent"), filter=rated),
            "rated_benchmark": Sum(_times("benchmark_apr_percent"), filter=rated),
        }
    else:
        priced = Q(standard_premium__isnull=False)
        figures |= {
            "premium": Sum(F("premium"), filter=priced),
            "standard_premium": Sum(F("standard_premium"), filter=priced),
        }
    # The names are those of the columns too: sums under other names, then put back.
    named = {f"sum_{name}": figure for name, figure in figures.items()}
    for row in rows.annotate(**named):
        yield {name.removeprefix("sum_"): value for name, value in row.items()}


def _disbursed(user: User, is_loan: bool, period: Period) -> Iterable[dict[str, Any]]:
    """Loans: drawn down. Insurances: sums insured under policies whose cover began."""
    days = (period.starts_on, period.ends_on)
    if is_loan:
        drawn = Drawdown.objects.visible_to(user).filter(drawn_on__range=days)
        return _by_division(drawn, "amount")
    issued = InsurancePolicy.objects.visible_to(user).filter(starts_on__range=days)
    return _by_division(issued, "sum_insured")


def _by_division(rows: QuerySet[Any], column: str) -> Iterable[dict[str, Any]]:
    return (
        rows.order_by()
        .values(region=F("match__business__region_id"))
        .annotate(disbursed_amount=Sum(column))
    )


def _times(column: str) -> ExpressionWrapper:
    field: DecimalField[Any, Any] = DecimalField(max_digits=32, decimal_places=6)
    return ExpressionWrapper(F(column) * F("amount"), output_field=field)
