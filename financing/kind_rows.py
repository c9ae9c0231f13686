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

    `offer_criteria`: offer rows without what is held and how they deliver.
    """

    with_facts: Callable[[Any], QuerySet[Any]]
    with_criteria: Callable[[Any], QuerySet[Any]]
    request_rows: Callable[[Any, date], Sequence[tables.RequestRow]]
    offer_rows: Callable[[Any, date], Sequence[tables.OfferRow]]
    offer_criteria: Callable[[Any, date], Sequence[tables.OfferRow]]


ROWS = {
    "loan": KindRows(
        with_facts=match_rows.with_matching_facts,
        with_criteria=match_rows.with_criteria,
        request_rows=match_rows.loan_request_rows,
        offer_rows=match_rows.loan_offer_rows,
        offer_criteria=match_rows.loan_offer_criteria,
    ),
    "insurance": KindRows(
        with_facts=insurance_rows.with_insured_facts,
        with_criteria=insurance_rows.with_conditions,
        request_rows=insurance_rows.insurance_request_rows,
        offer_rows=insurance_rows.insurance_offer_rows,
        offer_criteria=insurance_rows.insurance_offer_criteria,
    ),
}


def rows_of(kind: PairKind) -> KindRows:
    return ROWS[kind.name]
