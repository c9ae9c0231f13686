"""The terms of an insurance offer as services take them, and what holds between them.

Used by `services.insurance_offers`. What one field can say alone is checked by the form.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from financing.models.insurance_offers import MOST_PERIOD_MONTHS
from financing.services.offer_terms import (
    Fault,
    capacity_faults,
    fault,
    industry_codes,
    raise_faults,
    window_faults,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceTerms:
    """Everything an insurer says of an offer; amounts in yuan, lengths in months."""

    name: str
    description: str = ""
    opens_on: date
    closes_on: date | None = None
    # Division codes; none is the whole country. Industry codes; none is all.
    regions: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    size_classes: tuple[str, ...]
    cover_kind: str
    base_premium: Decimal = Decimal(0)
    premium_per_patent: Decimal = Decimal(0)
    premium_rate_percent: Decimal = Decimal(0)
    min_premium: Decimal = Decimal(0)
    excess_percent: Decimal = Decimal(0)
    min_sum_insured: Decimal
    max_sum_insured: Decimal
    period_months: int = 12
    accepted_kinds: tuple[str, ...] = ()
    min_patents: int = 1
    min_remaining_months: int = 36
    accepts_licensee: bool = True
    needs_co_owner_consent: bool = True
    refuses_disputes: bool = True
    capacity_amount: Decimal
    capacity_count: int | None = None


def columns_of(terms: InsuranceTerms) -> dict[str, Any]:
    """The terms that are columns of the offer's own row: all but the regions."""
    values = {name: getattr(terms, name) for name in terms.__dataclass_fields__}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name != "regions"
    }


def normalised(terms: InsuranceTerms) -> InsuranceTerms:
    """Industry codes in full form, choices in order; ValidationError at `industries`."""
    return replace(
        terms,
        name=terms.name.strip(),
        industries=industry_codes(terms.industries),
        regions=tuple(sorted(set(terms.regions))),
        size_classes=tuple(sorted(set(terms.size_classes))),
        accepted_kinds=tuple(sorted(set(terms.accepted_kinds))),
    )


def validate_terms(
    terms: InsuranceTerms, *, booked_amount: Decimal = Decimal(0), booked_count: int = 0
) -> None:
    """What must hold between the fields; raises ValidationError with every fault by field."""
    raise_faults(
        [
            *window_faults(terms),
            *_of_sums(terms),
            *_of_premium(terms),
            *_of_patents(terms),
            *capacity_faults(terms, terms.min_sum_insured, booked_amount, booked_count),
        ]
    )


def _of_sums(terms: InsuranceTerms) -> Iterable[Fault]:
    if terms.min_sum_insured <= 0:
        yield fault("min_sum_insured", _("Enter an amount above 0."))
    if terms.max_sum_insured < terms.min_sum_insured:
        yield fault("max_sum_insured", _("The most cannot be below the least sum insured."))
    if not 1 <= terms.period_months <= MOST_PERIOD_MONTHS:
        yield fault("period_months", _("Enter 1 to %(most)d months."), {"most": MOST_PERIOD_MONTHS})


def _of_premium(terms: InsuranceTerms) -> Iterable[Fault]:
    parts = {
        "base_premium": terms.base_premium,
        "premium_per_patent": terms.premium_per_patent,
        "premium_rate_percent": terms.premium_rate_percent,
        "min_premium": terms.min_premium,
    }
    for name, value in parts.items():
        if value < 0:
            yield fault(name, _("Enter 0 or more."))
    if not any(parts.values()):
        yield fault("base_premium", _("Enter at least one part of the premium: it cannot be 0."))
    if not 0 <= terms.excess_percent < 100:
        yield fault("excess_percent", _("Enter 0 to below 100 per cent."))


def _of_patents(terms: InsuranceTerms) -> Iterable[Fault]:
    if terms.min_patents < 0:
        yield fault("min_patents", _("Enter 0 or more."))
    elif terms.min_patents and not terms.accepted_kinds:
        yield fault(
            "accepted_kinds",
            _("Choose the kinds you insure, or let the cover do without patents (0 below)."),
        )
