"""Checks the tables once, at the matcher's border; called by the engine and by `files.py`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from financing.matching.policy import MatchingPolicy
from financing.matching.tables import (
    DecidedPair,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferRow,
    PatentRow,
    PreviousProposal,
    RequestRow,
    StandingMatch,
)

TABLE_NAMES: dict[type[Any], str] = {
    PatentRow: "patents",
    LoanRequestRow: "loan_requests",
    LoanOfferRow: "loan_offers",
    InsuranceRequestRow: "insurance_requests",
    InsuranceOfferRow: "insurance_offers",
    DecidedPair: "decided",
    StandingMatch: "standing",
    PreviousProposal: "previous",
    MatchingPolicy: "policy",
}


@dataclass(frozen=True, slots=True)
class TableFault:
    """One value that is not allowed: where, what it is, and what is allowed."""

    table: str
    row_id: str
    column: str
    value: object
    allowed: str

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}: {self.column} = {self.value!r}; {self.allowed}"


class TableError(ValueError):
    """The tables hold values that are not allowed; `faults` lists all of them."""

    def __init__(self, faults: Sequence[TableFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def validate(
    requests: Iterable[RequestRow],
    offers: Iterable[OfferRow],
    policy: MatchingPolicy,
    *,
    decided: Iterable[DecidedPair] = (),
    standing: Iterable[StandingMatch] = (),
    previous: Iterable[PreviousProposal] = (),
) -> None:
    """Raise `TableError` naming every value not allowed and every id that is there twice."""
    requests, offers = tuple(requests), tuple(offers)
    faults = [fault for row in (policy, *requests, *offers) for fault in row_faults(row)]
    faults += [fault for row in (*decided, *standing, *previous) for fault in row_faults(row)]
    faults += _twice(requests) + _twice(offers)
    if faults:
        raise TableError(faults)


def row_faults(row: Any) -> list[TableFault]:
    """Everything wrong with one row and the patents inside it: each column, then across them."""
    table = TABLE_NAMES[type(row)]
    row_id = str(getattr(row, "id", getattr(row, "request_id", getattr(row, "version", ""))))
    faults = []
    for field in fields(row):
        value = getattr(row, field.name)
        if field.name == "patents":
            faults += _patents_faults(table, row_id, value)
        elif not field.metadata["allowed"].accepts(value):
            allowed = field.metadata["allowed"].allowed
            faults.append(TableFault(table, row_id, field.name, value, allowed))
    if faults:
        # Columns are compared with each other only where each is what it should be.
        return faults
    return [
        TableFault(table, row_id, column, getattr(row, column), allowed)
        for column, allowed in _across(row)
    ]


def _patents_faults(table: str, row_id: str, patents: object) -> list[TableFault]:
    if not isinstance(patents, tuple) or not all(isinstance(p, PatentRow) for p in patents):
        return [TableFault(table, row_id, "patents", patents, "tuple of PatentRow")]
    faults = [fault for patent in patents for fault in row_faults(patent)]
    twice = [id_ for id_, count in Counter(p.id for p in patents).items() if count > 1]
    return faults + [TableFault(table, row_id, "patents", id_, "each once") for id_ in twice]


def _twice(rows: Iterable[RequestRow] | Iterable[OfferRow]) -> list[TableFault]:
    counts = Counter((TABLE_NAMES[type(row)], row.id) for row in rows)
    return [
        TableFault(table, row_id, "id", row_id, "each id once in its table")
        for (table, row_id), count in sorted(counts.items())
        if count > 1
    ]


def _across(row: Any) -> list[tuple[str, str]]:
    """Columns that contradict others of the same row: (column, what is allowed)."""
    faults: list[tuple[str, str]] = []

    def need(holds: bool, column: str, allowed: str) -> None:
        if not holds:
            faults.append((column, allowed))

    if isinstance(row, PatentRow):
        need(
            (row.appraised_value_fen is None) == (row.appraised_on is None),
            "appraised_on",
            "given exactly when appraised_value_fen is",
        )
    if isinstance(row, LoanRequestRow):
        need(
            row.least_accepted_fen <= row.principal_fen,
            "least_accepted_fen",
            "at most principal_fen",
        )
    if isinstance(row, LoanOfferRow | InsuranceOfferRow):
        both = row.opens_on is not None and row.closes_on is not None
        in_order = not both or row.opens_on <= row.closes_on  # type: ignore[operator]
        need(in_order, "closes_on", "not before opens_on")
    if isinstance(row, LoanOfferRow):
        faults += _across_loan_offer(row)
    if isinstance(row, InsuranceOfferRow):
        need(
            row.sum_insured_min_fen <= row.sum_insured_max_fen,
            "sum_insured_max_fen",
            "at least sum_insured_min_fen",
        )
    if isinstance(row, MatchingPolicy):
        need(
            row.ceiling_spread_ppm <= row.reference_spread_ppm,
            "ceiling_spread_ppm",
            "at most reference_spread_ppm",
        )
        kinds = [premium.cover_kind for premium in row.standard_premiums]
        need(len(kinds) == len(set(kinds)), "standard_premiums", "each kind of cover once")
        regions = [weight.region_code for weight in row.region_weights]
        need(len(regions) == len(set(regions)), "region_weights", "each division once")
        sizes = [weight.size_class for weight in row.size_weights]
        need(len(sizes) == len(set(sizes)), "size_weights", "each size class once")
    return faults


def _across_loan_offer(row: LoanOfferRow) -> list[tuple[str, str]]:
    kinds = [terms.kind for terms in row.accepted_patents]
    steps = [step.patents_count for step in row.limit_table]
    checks = [
        (
            row.principal_min_fen <= row.principal_max_fen,
            "principal_max_fen",
            "at least principal_min_fen",
        ),
        (
            row.term_min_months <= row.term_max_months,
            "term_max_months",
            "at least term_min_months",
        ),
        (len(kinds) == len(set(kinds)), "accepted_patents", "each kind of patent once"),
        (len(steps) == len(set(steps)), "limit_table", "each number of patents once"),
        (
            bool(row.limit_table) == (row.collateral_basis == "limit_table"),
            "limit_table",
            "given exactly when collateral_basis is limit_table",
        ),
        (
            (row.secured_share_ppm is not None) == (row.collateral_basis == "share_of_principal"),
            "secured_share_ppm",
            "given exactly when collateral_basis is share_of_principal",
        ),
    ]
    return [(column, allowed) for holds, column, allowed in checks if not holds]
