"""Offers -> records, bits and limit tables for the compiled rules; called by `packing.py`."""

from collections.abc import Callable, Sequence

import numpy as np

from financing.matching.areas import division_prefix
from financing.matching.columns import PPM
from financing.matching.national.cost_sheet import CostSheet
from financing.matching.national.problem import COST, MOST_STEPS, OFFER, Records, Words
from financing.matching.national.tables import (
    MOST_FEN,
    Bool,
    ColumnError,
    Int64,
    LoanRequestColumns,
    RequestColumns,
)
from financing.matching.tables import COLLATERAL_BASES, PATENT_KINDS, LoanOfferRow, OfferRow

NO_AGE_LIMIT = 32_767
NOBODY_HOLDS = 1 << 62
"""A certificate that no request of the run holds."""


def offer_records(
    rows: tuple[LoanOfferRow, ...], columns: LoanRequestColumns, institutions: dict[str, int]
) -> Records:
    """One record per offer; ColumnError where a figure leaves the range of the engine."""
    certificates = {code: bit for bit, code in enumerate(columns.certificate_codes)}
    records = np.zeros(len(rows), dtype=OFFER)
    for row, record in zip(rows, records, strict=True):
        if (row.unappraised_limit_fen or 0) > MOST_FEN:
            raise ColumnError(f"loan_offers {row.id}: unappraised_limit_fen at most {MOST_FEN}")
        record["minimum"], record["maximum"] = row.principal_min_fen, row.principal_max_fen
        for code in row.required_certificates:
            known = code in certificates
            record["certificates"] |= 1 << certificates[code] if known else NOBODY_HOLDS
        for kind in range(len(PATENT_KINDS)):
            record[f"loan_to_value_{kind}"] = -1
        for terms in row.accepted_patents:
            kind = PATENT_KINDS.index(terms.kind)
            record[f"loan_to_value_{kind}"] = terms.loan_to_value_ppm
            record[f"life_{kind}"] = terms.min_remaining_months
        record["secured_ppm"] = row.secured_share_ppm or PPM
        limit = row.unappraised_limit_fen
        record["unappraised_limit"] = -1 if limit is None else limit
        record["delivery"] = row.delivery_ppm
        record["operating"] = row.min_operating_months
        record["patents_least"] = row.min_patents_count
        record["margin"] = row.margin_months
        record["institution"] = institutions[row.institution_id]
        age = row.appraisal_max_age_months
        record["appraisal_age"] = NO_AGE_LIMIT if age is None else age
        record["basis"] = COLLATERAL_BASES.index(row.collateral_basis)
        record["serves_parts"] = any(not region.endswith("0000") for region in row.regions)
        record["accepts_some"] = bool(row.industries)
    return records


def offer_truth(rows: Sequence[OfferRow], columns: RequestColumns) -> tuple[Bool, Bool]:
    """By offer and code: industries, then regions that it takes."""
    return (
        _under(columns.industry_codes, [row.industries for row in rows], str),
        _under(columns.region_codes, [row.regions for row in rows], division_prefix),
    )


def offer_bits(rows: Sequence[OfferRow], columns: RequestColumns) -> tuple[Words, int]:
    """The same as bits, and the word in which regions start."""
    return truth_bits(*offer_truth(rows, columns))


def truth_bits(industries: Bool, regions: Bool) -> tuple[Words, int]:
    """Bits of industries and regions by offer, and the word in which regions start."""
    words = _bits(industries)
    return np.ascontiguousarray(np.hstack((words, _bits(regions)))), words.shape[1]


def limit_steps(rows: tuple[LoanOfferRow, ...]) -> Int64:
    """By offer: numbers of patents, rising, then the best limit reached with so many."""
    steps = np.zeros((len(rows), 2 * MOST_STEPS), dtype=np.int64)
    steps[:, :MOST_STEPS] = 2**31
    for line, row in enumerate(rows):
        if len(row.limit_table) > MOST_STEPS:
            raise ColumnError(f"loan_offers {row.id}: at most {MOST_STEPS} lines in limit_table")
        best = 0
        for place, step in enumerate(sorted(row.limit_table, key=lambda s: s.patents_count)):
            best = max(best, step.limit_fen)
            steps[line, place], steps[line, MOST_STEPS + place] = step.patents_count, best
    return steps


def cost_records(sheet: CostSheet) -> Records:
    """The cost sheet by limit, term and offer."""
    records = np.zeros(sheet.passes_from.shape[:3], dtype=COST)
    records["saving_ppm"] = sheet.saving_ppm
    for conditional in (0, 1):
        records[f"fixed_{conditional}"] = sheet.fixed_fen[..., conditional]
        records[f"fails_to_{conditional}"] = sheet.fails_to[..., conditional]
        records[f"passes_from_{conditional}"] = sheet.passes_from[..., conditional]
    return records


def _bits(truth: Bool) -> Words:
    """Truth by [line, column] as bits of 64-bit words."""
    padded = np.zeros((truth.shape[0], -(-truth.shape[1] // 64) * 64), dtype=np.bool_)
    padded[:, : truth.shape[1]] = truth
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _under(
    codes: tuple[str, ...], named: Sequence[frozenset[str]], prefix_of: Callable[[str], str]
) -> Bool:
    """By [offer, code]: nothing is named, or the code lies under one of those named (`areas.py`).

    Thousands of codes beside hundreds of names: the prefix is taken once for each name.
    """
    truth = np.ones((len(named), len(codes)), dtype=np.bool_)
    known: dict[str, Bool] = {}
    for line, some in enumerate(named):
        for one in some:
            if one not in known:
                prefix = prefix_of(one)
                known[one] = np.array([code.startswith(prefix) for code in codes], dtype=np.bool_)
        if some:
            truth[line] = np.logical_or.reduce([known[one] for one in some])
    return truth
