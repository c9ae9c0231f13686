"""Premiums of offers beside the standard premium of the policy's table; for pages and warnings.

The matcher works the same out in fen; a test holds both against the formula of DOMAIN 4.5.
"""

from dataclasses import dataclass
from decimal import Decimal

from businesses.rules.premiums import Tariff, premium
from financing.models.insurance_offers import InsuranceOffer
from financing.models.policies import MatchingPolicy, StandardPremium

# Beside the offer's own least and most.
EXAMPLE_SUM = Decimal(100_000)
EXAMPLE_PATENTS = (1, 3)


@dataclass(frozen=True, slots=True)
class PremiumExample:
    """Yuan a period; `standard` is None where the policy's table does not list the cover."""

    sum_insured: Decimal
    patent_count: int
    premium: Decimal
    standard: Decimal | None

    @property
    def reduction(self) -> Decimal | None:
        """Yuan below the standard premium; negative where the offer is dearer."""
        return None if self.standard is None else self.standard - self.premium

    @property
    def reduction_percent(self) -> Decimal | None:
        """The same in per cent of the standard premium."""
        if self.reduction is None or not self.standard:
            return None
        return self.reduction / self.standard * 100

    @property
    def is_dearer(self) -> bool:
        return self.reduction is not None and self.reduction < 0


def tariff_of(row: InsuranceOffer | StandardPremium) -> Tariff:
    """An offer's formula, or the table's."""
    return Tariff(
        minimum=row.min_premium,
        base=row.base_premium,
        per_patent=row.premium_per_patent,
        rate_percent=row.premium_rate_percent,
    )


def standard_premium(
    policy: MatchingPolicy, cover_kind: str, patent_count: int, sum_insured: Decimal
) -> Decimal | None:
    """By the policy's table, in yuan; None where it lists no such cover."""
    for row in policy.standard_premiums.all():
        if row.cover_kind == cover_kind:
            return premium(tariff_of(row), patent_count, sum_insured)
    return None


def premium_example(
    offer: InsuranceOffer, policy: MatchingPolicy, patent_count: int, sum_insured: Decimal
) -> PremiumExample:
    """What this much cover of so many patents costs, and what it costs by the table."""
    return PremiumExample(
        sum_insured=sum_insured,
        patent_count=patent_count,
        premium=premium(tariff_of(offer), patent_count, sum_insured),
        standard=standard_premium(policy, offer.cover_kind, patent_count, sum_insured),
    )


def premium_examples(offer: InsuranceOffer, policy: MatchingPolicy) -> list[PremiumExample]:
    """The least, a usual and the most sum insured, each for few and more patents."""
    sums = {offer.min_sum_insured, offer.max_sum_insured}
    if offer.min_sum_insured < EXAMPLE_SUM < offer.max_sum_insured:
        sums.add(EXAMPLE_SUM)
    counts = {max(offer.min_patents, count) for count in EXAMPLE_PATENTS}
    if not offer.min_patents:
        counts.add(0)
    return [
        premium_example(offer, policy, count, amount)
        for amount in sorted(sums)
        for count in sorted(counts)
    ]
