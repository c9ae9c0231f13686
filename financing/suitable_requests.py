"""Which requests an offer may suit, asked of the database before any patent is read.

Only what columns of requests and businesses say, and never less than the rules would let pass:
those decide afterwards (`matching.eligibility`). Runs over one offer call it.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q

from businesses.models import Certificate
from financing.match_rows import yuan
from financing.matching import tables
from financing.matching.areas import division_prefix

# A month has at least so many days: what is established later is surely too young.
SHORTEST_MONTH_DAYS = 28


def may_suit(offer: tables.OfferRow, on: date) -> Q:
    """A condition on requests of the offer's kind."""
    condition = _starts("business__region__code", map(division_prefix, offer.regions))
    condition &= _starts("business__industry", offer.industries)
    if offer.size_classes:
        condition &= Q(business__size_class__in=offer.size_classes)
    if isinstance(offer, tables.LoanOfferRow):
        return condition & _of_loan(offer, on)
    return condition & Q(
        cover_kind=offer.cover_kind,
        sum_insured__gte=yuan(offer.sum_insured_min_fen),
        sum_insured__lte=yuan(offer.sum_insured_max_fen),
    )


def _of_loan(offer: tables.LoanOfferRow, on: date) -> Q:
    condition = Q(
        principal__gte=yuan(offer.principal_min_fen),
        least_accepted__lte=yuan(offer.principal_max_fen),
        term_months__gte=offer.term_min_months,
        term_months__lte=offer.term_max_months,
    )
    if offer.min_operating_months:
        days = offer.min_operating_months * SHORTEST_MONTH_DAYS
        condition &= Q(business__established_on__lte=on - timedelta(days=days))
    for code in sorted(offer.required_certificates):
        # A subquery each: conditions on one join would ask for one certificate of two kinds.
        held = Certificate.objects.filter(business=OuterRef("business"), kind=code)
        condition &= Q(Exists(held))
    return condition


def _starts(column: str, prefixes: Iterable[str]) -> Q:
    """The column starts with one of them; none named = any."""
    condition = Q()
    for prefix in sorted(set(prefixes)):
        condition |= Q(**{f"{column}__startswith": prefix})
    return condition
