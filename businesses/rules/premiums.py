"""The premium of a policy by a tariff (DOMAIN 4.5); called by insurance services and match_runs."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Yuan for `minimum`, `base` and `per_patent`; `rate_percent` of the sum insured."""

    minimum: Decimal = _ZERO
    base: Decimal = _ZERO
    per_patent: Decimal = _ZERO
    rate_percent: Decimal = _ZERO


def premium(tariff: Tariff, patent_count: int, sum_insured: Decimal) -> Decimal:
    """Yuan to the fen: max(minimum, base + per patent x n + rate x sum insured)."""
    if patent_count < 0 or not sum_insured.is_finite() or sum_insured < 0:
        raise ValueError("the number of patents and the sum insured cannot be negative")
    priced = tariff.base + tariff.per_patent * patent_count
    priced += tariff.rate_percent / 100 * sum_insured
    return max(tariff.minimum, priced).quantize(Decimal("0.01"), ROUND_HALF_UP)


def reduction(
    standard: Tariff, offered: Tariff, patent_count: int, sum_insured: Decimal
) -> Decimal:
    """Yuan below the standard premium of the policy's table; negative where dearer."""
    return premium(standard, patent_count, sum_insured) - premium(
        offered, patent_count, sum_insured
    )
