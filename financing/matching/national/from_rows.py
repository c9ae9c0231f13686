"""Rows of the readable matcher -> columns; used where requests come one by one, and by tests."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

from financing.matching.national.tables import (
    NO_DAY,
    InsuranceRequestColumns,
    InsuredPatentColumns,
    Int64,
    LoanRequestColumns,
    PatentColumns,
)
from financing.matching.tables import (
    COVER_KINDS,
    PATENT_KINDS,
    SIZE_CLASSES,
    InsuranceRequestRow,
    LoanRequestRow,
    PatentRow,
    RequestRow,
)

EPOCH = date(1970, 1, 1)


def request_columns(
    rows: Sequence[LoanRequestRow], ids: Sequence[int] | None = None
) -> LoanRequestColumns:
    """One line per row, in the same order. `ids`: numbers for them; their places if not given.

    Patents are numbered by their places in `patents_in_order`.
    """
    patents = patents_in_order(rows)
    regions = sorted({row.region_code for row in rows})
    industries = sorted({row.industry_code for row in rows})
    certificates = sorted(set().union(*(row.certificates for row in rows)))
    grounds = sorted(set().union(*(patent.hard_grounds for patent in patents)))
    institutions = sorted({p.pledgee_institution_id for p in patents if p.pledgee_institution_id})
    places = {code: place for codes in (regions, industries) for place, code in enumerate(codes)}
    bit = {code: place for place, code in enumerate(certificates)}
    return LoanRequestColumns(
        id=np.asarray(range(len(rows)) if ids is None else ids, dtype=np.int64),
        region=np.array([places[row.region_code] for row in rows], dtype=np.uint16),
        industry=np.array([places[row.industry_code] for row in rows], dtype=np.uint16),
        size_class=np.array([SIZE_CLASSES.index(row.size_class) for row in rows], dtype=np.uint8),
        established_on=_days([row.established_on for row in rows]),
        principal_fen=np.array([row.principal_fen for row in rows], dtype=np.int64),
        least_accepted_fen=np.array([row.least_accepted_fen for row in rows], dtype=np.int64),
        term_months=np.array([row.term_months for row in rows], dtype=np.uint16),
        max_apr_ppm=np.array(
            [-1 if row.max_apr_ppm is None else row.max_apr_ppm for row in rows], dtype=np.int32
        ),
        drawdown_on=_days([row.drawdown_on for row in rows]),
        certificates=np.array(
            [sum(1 << bit[code] for code in row.certificates) for row in rows], dtype=np.int64
        ),
        is_first_time_borrower=np.array(
            [row.is_first_time_borrower for row in rows], dtype=np.bool_
        ),
        waiting_days=np.array([row.waiting_days for row in rows], dtype=np.int32),
        patents_start=_starts(rows),
        patents=_patent_columns(patents, grounds, institutions),
        region_codes=tuple(regions),
        industry_codes=tuple(industries),
        certificate_codes=tuple(certificates),
        ground_codes=tuple(grounds),
        institution_ids=tuple(institutions),
    )


def request_numbers(rows: Sequence[RequestRow]) -> list[int]:
    """Numbers for the lottery: the ids where all are plain numbers, as primary keys are.

    Else each id's place among them in order of text, so that the order of rows plays no part.
    """
    texts = [row.id for row in rows]
    if all(re.fullmatch(r"0|[1-9][0-9]{0,17}", text, re.ASCII) for text in texts):
        return [int(text) for text in texts]
    place = {text: number for number, text in enumerate(sorted(texts))}
    return [place[text] for text in texts]


def insurance_columns(
    rows: Sequence[InsuranceRequestRow], ids: Sequence[int] | None = None
) -> InsuranceRequestColumns:
    """The same for insurance requests."""
    patents = patents_in_order(rows)
    regions = sorted({row.region_code for row in rows})
    industries = sorted({row.industry_code for row in rows})
    conditions = sorted(set().union(*(patent.insurability_failures for patent in patents)))
    places = {code: place for codes in (regions, industries) for place, code in enumerate(codes)}
    bit = {code: place for place, code in enumerate(conditions)}
    limits = [row.max_premium_fen for row in rows]
    return InsuranceRequestColumns(
        id=np.asarray(range(len(rows)) if ids is None else ids, dtype=np.int64),
        region=np.array([places[row.region_code] for row in rows], dtype=np.uint16),
        industry=np.array([places[row.industry_code] for row in rows], dtype=np.uint16),
        size_class=np.array([SIZE_CLASSES.index(row.size_class) for row in rows], dtype=np.uint8),
        cover_kind=np.array([COVER_KINDS.index(row.cover_kind) for row in rows], dtype=np.uint8),
        sum_insured_fen=np.array([row.sum_insured_fen for row in rows], dtype=np.int64),
        max_premium_fen=np.array([-1 if v is None else v for v in limits], dtype=np.int64),
        is_first_time_borrower=np.array(
            [row.is_first_time_borrower for row in rows], dtype=np.bool_
        ),
        waiting_days=np.array([row.waiting_days for row in rows], dtype=np.int32),
        patents_start=_starts(rows),
        patents=InsuredPatentColumns(
            id=np.arange(len(patents), dtype=np.int64),
            kind=np.array([PATENT_KINDS.index(p.kind) for p in patents], dtype=np.uint8),
            expires_on=_days([p.expires_on for p in patents]),
            failures=np.array(
                [sum(1 << bit[code] for code in p.insurability_failures) for p in patents],
                dtype=np.int64,
            ),
        ),
        region_codes=tuple(regions),
        industry_codes=tuple(industries),
        condition_codes=tuple(conditions),
    )


def _starts(rows: Sequence[RequestRow]) -> Int64:
    start = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row.patents) for row in rows], out=start[1:])
    return start


def patents_in_order(rows: Sequence[RequestRow]) -> list[PatentRow]:
    """The patents of all rows as they lie in the columns: by request, each one's by id."""
    return [patent for row in rows for patent in sorted(row.patents, key=lambda p: p.id)]


def _patent_columns(
    patents: Sequence[PatentRow], grounds: Sequence[str], institutions: Sequence[str]
) -> PatentColumns:
    values = [p.appraised_value_fen for p in patents]
    return PatentColumns(
        id=np.arange(len(patents), dtype=np.int64),
        kind=np.array([PATENT_KINDS.index(p.kind) for p in patents], dtype=np.uint8),
        expires_on=_days([p.expires_on for p in patents]),
        appraised_value_fen=np.array([-1 if v is None else v for v in values], dtype=np.int64),
        appraised_on=_days([p.appraised_on for p in patents]),
        hard_grounds=np.array(
            [sum(1 << grounds.index(code) for code in p.hard_grounds) for p in patents],
            dtype=np.uint16,
        ),
        pledgee=np.array(
            [
                institutions.index(p.pledgee_institution_id) if p.pledgee_institution_id else -1
                for p in patents
            ],
            dtype=np.int32,
        ),
        released_on=_days([p.pledge_released_on for p in patents]),
    )


def _days(days: Sequence[date | None]) -> np.ndarray:
    return np.array([NO_DAY if d is None else (d - EPOCH).days for d in days], dtype=np.int32)
