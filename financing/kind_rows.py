"""How records of each kind become the matcher's rows; `match_runs` and `run_inputs` ask here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from financing import insurance_rows, match_rows
from financing.matching import tables
from financing.pair_kinds import PairKind


@dataclass(frozen=True)
class KindRows:
    """`with_facts`, `with_criteria`: read what the row functions need, in few queries.

    `request_heads`: request rows without patents, read `with_business`; enough for `may_pass`.
    """

    with_facts: Callable[[Any], QuerySet[Any]]
    with_criteria: Callable[[Any], QuerySet[Any]]
    with_business: Callable[[Any], QuerySet[Any]]
    request_heads: Callable[[Any, date], Sequence[tables.RequestRow]]
    request_rows: Callable[[Any, date], Sequence[tables.RequestRow]]
    offer_rows: Callable[[Any, date], Sequence[tables.OfferRow]]


ROWS = {
    "loan": KindRows(
        with_facts=match_rows.with_matching_facts,
        with_criteria=match_rows.with_criteria,
        with_business=match_rows.with_business,
        request_heads=match_rows.loan_request_heads,
        request_rows=match_rows.loan_request_rows,
        offer_rows=match_rows.loan_offer_rows,
    ),
    "insurance": KindRows(
        with_facts=insurance_rows.with_insured_facts,
        with_criteria=insurance_rows.with_conditions,
        with_business=insurance_rows.with_business,
        request_heads=insurance_rows.insurance_request_heads,
        request_rows=insurance_rows.insurance_request_rows,
        offer_rows=insurance_rows.insurance_offer_rows,
    ),
}


def rows_of(kind: PairKind) -> KindRows:
    return ROWS[kind.name]
