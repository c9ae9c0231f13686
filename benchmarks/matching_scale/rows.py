"""Columns of requests as rows of the readable matcher; used by benchmarks and tests."""

from datetime import date, timedelta

import numpy as np

from financing.matching.national.tables import NO_DAY, LoanRequestColumns
from financing.matching.tables import PATENT_KINDS, SIZE_CLASSES, LoanRequestRow, PatentRow


def request_rows(requests: LoanRequestColumns) -> list[LoanRequestRow]:
    """One row per line, in the same order; id R<id>."""
    return [_request(requests, line) for line in range(len(requests))]


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def _day_or_none(number: np.int32) -> date | None:
    return None if number == NO_DAY else _day(int(number))


def _request(columns: LoanRequestColumns, line: int) -> LoanRequestRow:
    first, last = columns.patents_start[line], columns.patents_start[line + 1]
    held = int(columns.certificates[line])
    limit = int(columns.max_apr_ppm[line])
    return LoanRequestRow(
        id=f"R{columns.id[line]}",
        business_id=f"B{columns.id[line]}",
        region_code=columns.region_codes[columns.region[line]],
        industry_code=columns.industry_codes[columns.industry[line]],
        size_class=SIZE_CLASSES[columns.size_class[line]],
        established_on=_day(int(columns.established_on[line])),
        principal_fen=int(columns.principal_fen[line]),
        least_accepted_fen=int(columns.least_accepted_fen[line]),
        term_months=int(columns.term_months[line]),
        max_apr_ppm=None if limit < 0 else limit,
        drawdown_on=_day_or_none(columns.drawdown_on[line]),
        certificates=frozenset(
            code for bit, code in enumerate(columns.certificate_codes) if held >> bit & 1
        ),
        is_first_time_borrower=bool(columns.is_first_time_borrower[line]),
        waiting_days=int(columns.waiting_days[line]),
        patents=tuple(_patent(columns, place, place - first) for place in range(first, last)),
    )


def _patent(columns: LoanRequestColumns, place: int, number: int) -> PatentRow:
    patents = columns.patents
    pledgee = int(patents.pledgee[place])
    value = int(patents.appraised_value_fen[place])
    return PatentRow(
        id=f"P{number:02d}",
        kind=PATENT_KINDS[patents.kind[place]],
        expires_on=_day(int(patents.expires_on[place])),
        appraised_value_fen=None if value < 0 else value,
        appraised_on=_day_or_none(patents.appraised_on[place]),
        hard_grounds=frozenset(columns.ground_codes if patents.hard_grounds[place] else ()),
        pledgee_institution_id=None if pledgee < 0 else columns.institution_ids[pledgee],
        pledge_released_on=_day_or_none(patents.released_on[place]),
    )
