"""The study's instance as plain tables that any join can use; made once, given to every peer.

What takes calendar arithmetic (whole months of life and of operation, the saving in ppm per offer
and term) is worked out here by the readable rules and handed to all engines alike.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from benchmarks.matching_scale.instances import AS_OF, INDUSTRIES, PROVINCES, Instance
from businesses.rules.patent_term import remaining_months
from financing.matching.areas import lies_in_divisions, lies_in_industries
from financing.matching.columns import PPM
from financing.matching.policy import MatchingPolicy
from financing.matching.rooms import room_of
from financing.matching.savings import REFERENCE_FEN, CostBook
from financing.matching.tables import PATENT_KINDS, SIZE_CLASSES, LoanOfferRow

DIVISIONS = tuple(sorted({code[:3] for code in INDUSTRIES}))
SIZES = ("micro", "small")


@dataclass(frozen=True, slots=True)
class PlainTables:
    """Columns by name. `served` and `priced` are the offers opened out by their key columns."""

    requests: dict[str, np.ndarray]
    offers: dict[str, np.ndarray]
    served: dict[str, np.ndarray]
    coverage_fen: int


def plain_tables(instance: Instance) -> PlainTables:
    """ValueError where the instance has rules these tables cannot state."""
    if instance.kind != "study":
        raise ValueError("only the study's instance can be stated as plain joins")
    return PlainTables(
        _requests(instance),
        _offers(instance),
        _served(instance),
        instance.policy.loan_coverage_value_fen,
    )


def _months(days: np.ndarray, until: date | None = None) -> np.ndarray:
    """Whole months from the policy's day to each day (or from each day to `until`)."""
    distinct, place = np.unique(days, return_inverse=True)
    day = [date(1970, 1, 1) + timedelta(days=int(one)) for one in distinct]
    months = [
        remaining_months(one, AS_OF) if until is None else remaining_months(until, one)
        for one in day
    ]
    return np.asarray(months, dtype=np.int64)[place]


def _requests(instance: Instance) -> dict[str, np.ndarray]:
    asked, patents = instance.requests, instance.requests.patents
    province = np.array([PROVINCES.index(code[:2]) for code in asked.region_codes])
    division = np.array([DIVISIONS.index(code[:3]) for code in asked.industry_codes])
    return {
        "request": np.arange(len(asked), dtype=np.int64),
        "province": province[asked.region].astype(np.int64),
        "size": asked.size_class.astype(np.int64),
        "term": asked.term_months.astype(np.int64),
        "division_bit": np.left_shift(np.int64(1), division[asked.industry].astype(np.int64)),
        "operating": _months(asked.established_on, until=AS_OF),
        "principal": asked.principal_fen,
        "least": asked.least_accepted_fen,
        "kind": patents.kind.astype(np.int64),
        "life": _months(patents.expires_on),
        "appraised": patents.appraised_value_fen,
    }


def _offers(instance: Instance) -> dict[str, np.ndarray]:
    offers = instance.offers
    columns: dict[str, list[int]] = {
        "offer": list(range(len(offers))),
        "minimum": [o.principal_min_fen for o in offers],
        "maximum": [o.principal_max_fen for o in offers],
        "operating_least": [o.min_operating_months for o in offers],
        "divisions": [_division_bits(o) for o in offers],
        "room": [room_of(o, instance.policy.oversubscription_ppm).fen for o in offers],
    }
    for number, kind in enumerate(PATENT_KINDS):
        terms = [next((t for t in o.accepted_patents if t.kind == kind), None) for o in offers]
        columns[f"ltv_{number}"] = [t.loan_to_value_ppm if t else -1 for t in terms]
        columns[f"life_{number}"] = [t.min_remaining_months if t else 0 for t in terms]
    columns["margin"] = [o.margin_months for o in offers]
    return {name: np.asarray(values, dtype=np.int64) for name, values in columns.items()}


def _division_bits(offer: LoanOfferRow) -> int:
    if not offer.industries:
        return (1 << len(DIVISIONS)) - 1
    return sum(
        1 << bit
        for bit, division in enumerate(DIVISIONS)
        if lies_in_industries(division, offer.industries)
    )


def _served(instance: Instance) -> dict[str, np.ndarray]:
    """One line per offer, province, size class and term, with the saving in ppm."""
    prices = saving_rates(
        instance.offers, instance.policy, np.unique(instance.requests.term_months)
    )
    lines: list[tuple[int, int, int, int, int]] = []
    for number, offer in enumerate(instance.offers):
        provinces = [
            place
            for place, code in enumerate(PROVINCES)
            if not offer.regions or lies_in_divisions(f"{code}0101", offer.regions)
        ]
        sizes = [SIZE_CLASSES.index(s) for s in SIZES if s in (offer.size_classes or SIZES)]
        for term, ppm in prices[number].items():
            lines += [(number, p, s, term, ppm) for p in provinces for s in sizes]
    table = np.asarray(lines, dtype=np.int64).reshape(-1, 5)
    names = ("offer", "province", "size", "term", "ppm")
    return {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(names)}


def saving_rates(
    offers: tuple[LoanOfferRow, ...], policy: MatchingPolicy, terms: np.ndarray
) -> list[dict[int, int]]:
    """Per offer: term -> saving in ppm, where the offer takes the term and is not too dear."""
    book = CostBook(policy)
    known: dict[Any, int | None] = {}
    rates: list[dict[int, int]] = []
    for offer in offers:
        mine: dict[int, int] = {}
        for term in map(int, terms):
            if not offer.term_min_months <= term <= offer.term_max_months:
                continue
            key = (offer.interest_rate_ppm, offer.repayment_method, offer.day_count, term)
            if key not in known:
                dear = book.is_above_ceiling(
                    book.terms(offer, term, REFERENCE_FEN, conditional=False)
                )
                saving = book.saving_fen(offer, term, PPM, conditional=False)
                known[key] = None if dear or saving < 0 else saving
            ppm = known[key]
            if ppm is not None:
                mine[term] = ppm
        rates.append(mine)
    return rates
