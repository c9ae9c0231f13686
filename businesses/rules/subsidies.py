"""Public subsidies of a loan or premium, shown apart from its cost (DOMAIN 4.7); called by pages.

They never enter ceiling, saving or allocation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from businesses.rules.cash_flows import CashFlow
from businesses.rules.patent_term import add_months

Base = Literal["interest", "lpr_interest", "fees", "premium"]
PayOut = Literal["with_cost", "after_end"]
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Subsidy:
    """One dated rule of a public programme.

    `percent` of the `base`: interest paid, interest as it would be at LPR ("40 % of the one-year
    LPR"), borrower's fees, or premium. `cap_per_year`: yuan for one business and calendar year. Of
    the rules in one `stacking_group` only the best counts; different groups add up. Paid out
    `pay_out_months` after each cost, or after the last one.
    """

    code: str
    base: Base
    percent: Decimal
    valid_from: date
    valid_until: date | None = None
    cap_per_year: Decimal | None = None
    stacking_group: str = ""
    pay_out: PayOut = "after_end"
    pay_out_months: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class SubsidyGrant:
    """What one rule pays for the costs of one calendar year."""

    code: str
    year: int
    amount: Decimal
    pays_out_on: date
    is_capped: bool


@dataclass(frozen=True, slots=True)
class SubsidyResult:
    """All grants, their sum in yuan, and the cost that is left."""

    grants: tuple[SubsidyGrant, ...]
    total: Decimal
    cost_after: Decimal


@dataclass(frozen=True, slots=True)
class _Cost:
    on: date
    interest: Decimal
    fees: Decimal
    premium: Decimal


def apply_subsidies(
    flows: Sequence[CashFlow],
    subsidies: Sequence[Subsidy],
    *,
    interest_rate_percent: Decimal,
    lpr_percent: Decimal,
    already_granted: Mapping[tuple[str, int], Decimal] | None = None,
) -> SubsidyResult:
    """Subsidies of a loan. A rule applies when the loan is drawn down while it is valid.

    `already_granted`: yuan the business has from (rule code, year) for other loans; it counts
    towards the cap. Each kind of cost is never subsidised beyond itself.
    """
    costs = [_Cost(flow.on, flow.interest, flow.fees, _ZERO) for flow in flows]
    at_lpr = _ZERO
    if interest_rate_percent > 0:
        at_lpr = min(Decimal(1), lpr_percent / interest_rate_percent)
    return _apply(costs, subsidies, flows[0].on, at_lpr, already_granted or {})


def apply_premium_subsidies(
    premium: Decimal,
    paid_on: date,
    subsidies: Sequence[Subsidy],
    *,
    already_granted: Mapping[tuple[str, int], Decimal] | None = None,
) -> SubsidyResult:
    """The same for a premium paid on one day."""
    costs = [_Cost(paid_on, _ZERO, _ZERO, premium)]
    return _apply(costs, subsidies, paid_on, _ZERO, already_granted or {})


def _apply(
    costs: Sequence[_Cost],
    subsidies: Sequence[Subsidy],
    starts_on: date,
    at_lpr: Decimal,
    already_granted: Mapping[tuple[str, int], Decimal],
) -> SubsidyResult:
    best: dict[str, list[SubsidyGrant]] = {}
    bases: dict[str, Base] = {}
    for rule in sorted(subsidies, key=lambda rule: rule.code):
        if rule.valid_from > starts_on or (rule.valid_until and rule.valid_until < starts_on):
            continue
        bases[rule.code] = rule.base
        grants = _grants(rule, costs, at_lpr, already_granted)
        group = rule.stacking_group or rule.code
        if group not in best or _sum(grants) > _sum(best[group]):
            best[group] = grants
    grants = _within_cost([grant for group in best.values() for grant in group], bases, costs)
    total = _sum(grants)
    cost = sum((cost.interest + cost.fees + cost.premium for cost in costs), _ZERO)
    return SubsidyResult(tuple(grants), total, cost - total)


def _grants(
    rule: Subsidy,
    costs: Sequence[_Cost],
    at_lpr: Decimal,
    already_granted: Mapping[tuple[str, int], Decimal],
) -> list[SubsidyGrant]:
    per_year: dict[int, Decimal] = {}
    last_on: dict[int, date] = {}
    for cost in costs:
        part = _part(cost, rule.base)
        if not part:
            continue
        share = part * at_lpr if rule.base == "lpr_interest" else part
        per_year[cost.on.year] = per_year.get(cost.on.year, _ZERO) + share
        last_on[cost.on.year] = cost.on
    grants = []
    for year, base in sorted(per_year.items()):
        wanted = (base * rule.percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        amount = wanted
        if rule.cap_per_year is not None:
            room = rule.cap_per_year - already_granted.get((rule.code, year), _ZERO)
            amount = max(_ZERO, min(wanted, room))
        counted_from = last_on[year] if rule.pay_out == "with_cost" else costs[-1].on
        pays_out_on = add_months(counted_from, rule.pay_out_months)
        if wanted:
            grants.append(SubsidyGrant(rule.code, year, amount, pays_out_on, amount < wanted))
    return grants


def _part(cost: _Cost, base: Base) -> Decimal:
    if base == "fees":
        return cost.fees
    return cost.premium if base == "premium" else cost.interest


def _within_cost(
    grants: Sequence[SubsidyGrant], bases: Mapping[str, Base], costs: Sequence[_Cost]
) -> list[SubsidyGrant]:
    """Cuts what several groups together would pay beyond the cost of a year, last rule first."""
    room: dict[tuple[str, int], Decimal] = {}
    for cost in costs:
        for kind, amount in (
            ("interest", cost.interest),
            ("fees", cost.fees),
            ("premium", cost.premium),
        ):
            key = (kind, cost.on.year)
            room[key] = room.get(key, _ZERO) + amount
    kept = []
    for grant in grants:
        base = bases[grant.code]
        key = ("interest" if base == "lpr_interest" else base, grant.year)
        amount = min(grant.amount, room[key])
        room[key] -= amount
        is_capped = grant.is_capped or amount < grant.amount
        kept.append(SubsidyGrant(grant.code, grant.year, amount, grant.pays_out_on, is_capped))
    return kept


def _sum(grants: Sequence[SubsidyGrant]) -> Decimal:
    return sum((grant.amount for grant in grants), _ZERO)
