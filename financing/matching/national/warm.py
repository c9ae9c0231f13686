"""Compiles the engine once, so that no worker and no request pays for it; called at set-up.

`python -m financing.matching.national.warm` runs both kinds of problem on a few made-up rows with
the very types of a real run; the machine code stays in the folder of `compiled.py`.
"""

import sys
import time
from datetime import date
from itertools import product

from financing.matching.national import engine
from financing.matching.national.from_rows import request_columns
from financing.matching.national.packing import Closed, pack
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import (
    AcceptedPatentKind,
    LoanOfferRow,
    LoanRequestRow,
    PatentRow,
)

DAY = date(2025, 6, 20)


def main() -> int:
    started = time.monotonic()
    for share_ppm in (1_000_000, 200_000):
        policy = MatchingPolicy(
            version="warm",
            as_of=DAY,
            seed="warm",
            alternative_share_ppm=share_ppm,
            lpr_one_year_ppm=30_000,
            lpr_five_year_ppm=35_000,
        )
        columns, offers = request_columns([_request(n) for n in range(40)]), _offers()
        closed = Closed(institutions=((0, "I0"),), offers=((1, "O1"),), counted=(2,))
        problem = pack(columns, offers, policy, closed=closed)
        engine.best_offers(problem)
        for keeps in (engine.KEEP_ALL, 0):
            before, engine.KEEP_ALL = engine.KEEP_ALL, keeps
            try:
                engine.allocate_loans(columns, offers, policy, closed=closed, threads=1)
            finally:
                engine.KEEP_ALL = before
    print(f"The matcher is compiled ({time.monotonic() - started:.0f} s).")
    return 0


def _request(number: int) -> LoanRequestRow:
    principal = (1 + number) * 10_000_000
    return LoanRequestRow(
        id=f"R{number}",
        business_id=f"B{number}",
        region_code="110105",
        industry_code="C3911",
        size_class="micro",
        established_on=date(2015, 1, 1),
        principal_fen=principal,
        least_accepted_fen=principal // 2,
        term_months=12,
        patents=(
            PatentRow(
                id="P",
                kind="invention",
                expires_on=date(2040, 1, 1),
                appraised_value_fen=principal * 4,
                appraised_on=DAY,
            ),
        ),
    )


def _offers() -> list[LoanOfferRow]:
    return [
        LoanOfferRow(
            id=f"O{number}",
            institution_id=f"I{number}",
            status="published",
            is_institution_suspended=False,
            opens_on=None,
            closes_on=None,
            regions=frozenset(),
            industries=frozenset(),
            size_classes=frozenset(),
            principal_min_fen=0,
            principal_max_fen=10**9,
            term_min_months=1,
            term_max_months=36,
            accepted_patents=(AcceptedPatentKind("invention", 500_000),),
            margin_months=0,
            min_patents_count=1,
            collateral_basis="appraised",
            interest_rate_ppm=rate,
            repayment_method=method,
            day_count="30/360",
            capacity_fen=300_000_000,
        )
        for number, (rate, method) in enumerate(
            product((30_000, 31_000), ("interest_monthly", "equal_instalments"))
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
