"""Compiles the engine once, so that no worker and no request pays for it; called at set-up.

`python -m financing.matching.national.warm` runs both kinds on a few made-up rows with the very
types of a real run; the machine code stays in the folder of `compiled.py`. The runner calls it
(`runner/matcher.py`) and leaves it out where no file of this package has changed.
"""

import sys
import time
from datetime import date
from itertools import product

import numpy as np

from financing.matching.national import engine
from financing.matching.national.from_rows import insurance_columns, request_columns
from financing.matching.national.offer_book import OfferBook
from financing.matching.national.packing import Closed, pack
from financing.matching.national.request_book import request_book, takers
from financing.matching.national.run import KindInput, RunInput, run_matching
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import (
    AcceptedPatentKind,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    PatentRow,
)

DAY = date(2025, 6, 20)


def main() -> int:
    started = time.monotonic()
    requests, offers = [_request(n) for n in range(40)], _offers()
    for share_ppm in (1_000_000, 200_000):
        policy = _policy(share_ppm)
        run = _run(requests, offers, policy)
        run_matching(run, threads=1)
        problem = pack(run.loans.requests, offers, policy)  # type: ignore[arg-type]
        engine.best_offers(problem)
        run_matching(run, threads=1, over_shards=True)
    load_incremental()
    print(f"The matcher is compiled ({time.monotonic() - started:.0f} s).")
    return 0


def load_incremental() -> None:
    """Load what one request or one offer is matched with; a worker does so when it starts."""
    requests, offers, policy = [_request(0)], _offers(), _policy(1_000_000)
    OfferBook(offers, policy).fits(requests[0])
    takers(request_book(request_columns(requests), policy), offers[0])


def _policy(share_ppm: int) -> MatchingPolicy:
    return MatchingPolicy(
        version="warm",
        as_of=DAY,
        seed="warm",
        alternative_share_ppm=share_ppm,
        lpr_one_year_ppm=30_000,
        lpr_five_year_ppm=35_000,
    )


def _run(
    requests: list[LoanRequestRow], offers: list[LoanOfferRow], policy: MatchingPolicy
) -> RunInput:
    """Both kinds, with everything that people and the run before can have settled."""
    closed = Closed(institutions=((0, "I0"),), offers=((1, "O1"),), counted=(2,))
    previous = (np.array([3, 4]), np.array([0, 1], dtype=np.int32))
    insurances = [_insurance_request(n) for n in range(40)]
    return RunInput(
        loans=KindInput(
            requests=request_columns(requests),
            offers=tuple(offers),
            closed=closed,
            previous=previous,
        ),
        insurances=KindInput(
            requests=insurance_columns(insurances),
            offers=tuple(_insurance_offer(n) for n in range(3)),
            closed=closed,
            previous=previous,
        ),
        policy=policy,
    )


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


def _insurance_request(number: int) -> InsuranceRequestRow:
    return InsuranceRequestRow(
        id=f"R{number}",
        business_id=f"B{number}",
        region_code="110105",
        industry_code="C3911",
        size_class="micro",
        cover_kind="enforcement",
        sum_insured_fen=(1 + number) * 1_000_000,
        patents=(
            PatentRow(
                id="P",
                kind="invention",
                expires_on=date(2040, 1, 1),
                appraised_value_fen=None,
                appraised_on=None,
            ),
        ),
    )


def _insurance_offer(number: int) -> InsuranceOfferRow:
    return InsuranceOfferRow(
        id=f"O{number}",
        institution_id=f"I{number}",
        status="published",
        is_institution_suspended=False,
        opens_on=None,
        closes_on=None,
        regions=frozenset(),
        industries=frozenset(),
        size_classes=frozenset(),
        cover_kind="enforcement",
        sum_insured_min_fen=0,
        sum_insured_max_fen=10**9,
        accepted_kinds=frozenset({"invention"}),
        min_patents_count=1,
        min_remaining_months=0,
        conditions=frozenset(),
        premium_min_fen=0,
        premium_base_fen=100,
        premium_per_patent_fen=100,
        premium_rate_ppm=10_000,
        capacity_fen=100_000_000,
    )


if __name__ == "__main__":
    sys.exit(main())
