"""Micro, small, medium or large (DOMAIN 4.2); called by business services, pages and importers.

Source: 工信部联企业〔2011〕300号 as restated for GB/T 4754-2017 by 国统字〔2017〕213号.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from businesses.rules import industries
from businesses.rules.industries import UnknownIndustry
from businesses.rules.size_thresholds import ROWS, Indicator, SizeRow

__all__ = ["IndicatorTier", "SizeClass", "SizeVerdict", "Tier", "UnknownIndustry", "classify"]

Tier = Literal["micro", "small", "medium", "large"]
SizeClass = Literal["micro", "small", "medium", "large", "undetermined", "not_covered"]
Number = int | Decimal | float
_TIERS: tuple[Tier, ...] = ("micro", "small", "medium", "large")


@dataclass(frozen=True, slots=True)
class IndicatorTier:
    """One indicator of a row: lower bounds, the figure given and the tier it reaches."""

    indicator: Indicator
    small_from: int
    medium_from: int
    large_from: int
    value: Decimal | None
    tier: Tier | None


@dataclass(frozen=True, slots=True)
class SizeVerdict:
    """The class with what decided it.

    `group`: name of the table's row, None where the code spans several or none. `tiers`: its
    indicators (of the deciding row). `provisional`: "at most small", an indicator is missing.
    `is_partly_covered`: the code also holds industries that the table does not cover.
    """

    size_class: SizeClass
    indicator: Indicator | None = None
    provisional: bool = False
    group: str | None = None
    tiers: tuple[IndicatorTier, ...] = ()
    is_partly_covered: bool = False


def classify(
    industry: str,
    employees: Number | None,
    revenue_wan: Number | None,
    assets_wan: Number | None,
) -> SizeVerdict:
    """The size class by the figures of the last closed year; revenue and assets in 10,000 yuan.

    `industry`: any code from section to class. The lowest tier of the row's indicators decides; a
    code that spans rows is undetermined unless all of them agree. UnknownIndustry for a code that
    does not exist, ValueError for a figure that is negative or not a number.
    """
    figures: dict[Indicator, Decimal | None] = {
        "employees": _figure("employees", employees),
        "revenue_wan": _figure("revenue_wan", revenue_wan),
        "assets_wan": _figure("assets_wan", assets_wan),
    }
    found = {_row_of(code) for code in industries.classes(industry)}
    rows = [row for row in ROWS if row in found]
    if not rows:
        return SizeVerdict("not_covered")
    is_partly_covered = None in found
    verdicts = [_by_row(row, figures, is_partly_covered) for row in rows]
    if len(verdicts) == 1:
        return verdicts[0]
    if len({verdict.size_class for verdict in verdicts}) > 1:
        return SizeVerdict("undetermined", is_partly_covered=is_partly_covered)
    indicators = {verdict.indicator for verdict in verdicts}
    return SizeVerdict(
        verdicts[0].size_class,
        verdicts[0].indicator if len(indicators) == 1 else None,
        any(verdict.provisional for verdict in verdicts),
        is_partly_covered=is_partly_covered,
    )


def _figure(name: str, value: Number | None) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise ValueError(f"{name} must be a number, not {value!r}")
    # A float's shortest form is what was typed; its binary value is not.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number < 0:
        raise ValueError(f"{name} must be zero or more, not {value}")
    return number


def _row_of(class_code: str) -> SizeRow | None:
    """The row whose longest prefix (`C`, `G59`, `K701`, …) the class begins with."""
    for row in ROWS:
        if any(class_code.startswith(prefix) for prefix in row.codes):
            return row
    return None


def _by_row(
    row: SizeRow, figures: dict[Indicator, Decimal | None], is_partly_covered: bool
) -> SizeVerdict:
    tiers = tuple(
        IndicatorTier(
            bound.indicator,
            bound.small_from,
            bound.medium_from,
            bound.large_from,
            figures[bound.indicator],
            _tier(
                figures[bound.indicator], (bound.small_from, bound.medium_from, bound.large_from)
            ),
        )
        for bound in row.bounds
    )
    known = [(tier.tier, tier.indicator) for tier in tiers if tier.tier is not None]
    open_verdict = SizeVerdict("undetermined", None, False, row.name, tiers, is_partly_covered)
    if not known:
        return open_verdict
    lowest, indicator = min(known, key=lambda pair: _TIERS.index(pair[0]))
    is_complete = len(known) == len(tiers)
    if not is_complete and lowest not in ("micro", "small"):
        return open_verdict
    provisional = not is_complete and lowest == "small"
    return SizeVerdict(lowest, indicator, provisional, row.name, tiers, is_partly_covered)


def _tier(value: Decimal | None, lower_bounds: tuple[int, int, int]) -> Tier | None:
    if value is None:
        return None
    return _TIERS[sum(value >= bound for bound in lower_bounds)]
