"""Yearly patent fees in yuan and the policy of relief and grace; read by annuities.

Fees: CNIPA's fee table for domestic patents (full fee, before relief), with design years 11 to 15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from businesses.rules.patent_term import PatentKind

# (last fee year of the step, yuan a year)
_STEPS: dict[PatentKind, tuple[tuple[int, int], ...]] = {
    "invention": ((3, 900), (6, 1200), (9, 2000), (12, 4000), (15, 6000), (20, 8000)),
    "utility_model": ((3, 600), (5, 900), (8, 1200), (10, 2000)),
    "design": ((3, 600), (5, 900), (8, 1200), (10, 2000), (15, 3000)),
}


@dataclass(frozen=True, slots=True)
class AnnuityPolicy:
    """What practice or a circular may change: pass the administrator's figures.

    `relief_years` counts fee years from the year of grant; `relief_income_below` is yuan of last
    year's taxable income, for each owner.
    """

    grace_months: int = 6
    free_months: int = 1
    surcharge_percent_per_month: Decimal = Decimal(5)
    relief_years: int = 10
    relief_percent_one_owner: Decimal = Decimal(85)
    relief_percent_several_owners: Decimal = Decimal(70)
    relief_income_below: Decimal = Decimal(1_000_000)
    due_soon_days: int = 90


DEFAULT_POLICY = AnnuityPolicy()


def full_fee(kind: PatentKind, year: int) -> Decimal:
    """Yuan for the fee year; ValueError outside 1 to 20, 10 or 15."""
    if year >= 1:
        for last_year, fee in _STEPS[kind]:
            if year <= last_year:
                return Decimal(fee)
    raise ValueError(f"no annuity of a {kind} for year {year}")


def relief_percent(
    taxable_incomes: Sequence[Decimal | None], policy: AnnuityPolicy = DEFAULT_POLICY
) -> Decimal:
    """Relief by the owners' taxable incomes of last year; an unknown income (None) gives none."""
    if not taxable_incomes or any(
        income is None or income >= policy.relief_income_below for income in taxable_incomes
    ):
        return Decimal(0)
    if len(taxable_incomes) == 1:
        return policy.relief_percent_one_owner
    return policy.relief_percent_several_owners
