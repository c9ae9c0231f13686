"""Random instances for the matcher's property tests: small, and full of edges."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from financing.matching.tables import (
    AcceptedPatentKind,
    LimitStep,
    LoanOfferRow,
    LoanRequestRow,
    OfferFee,
    PatentRow,
    StandingMatch,
)
from tests.matching.rows import WAN, loan_offer, loan_request, patent, policy

REGIONS = ("320505", "320582", "320100", "330106", "110108")
DIVISIONS = ("320000", "320500", "330100", "110000", "320505")
EXPIRIES = (
    date(2025, 6, 20),
    date(2026, 6, 19),
    date(2026, 6, 20),
    date(2027, 6, 20),
    date(2035, 2, 28),
)


@st.composite
def patents(draw: Any, number: int) -> PatentRow:
    value = draw(st.sampled_from((None, 10 * WAN, 99_999_999, 1_000 * WAN)))
    appraised_on = draw(st.sampled_from((date(2024, 6, 19), date(2024, 6, 20), date(2025, 6, 20))))
    return patent(
        id=f"P{number}",
        kind=draw(st.sampled_from(("invention", "utility_model", "design"))),
        expires_on=draw(st.sampled_from(EXPIRIES)),
        appraised_value_fen=value,
        appraised_on=None if value is None else appraised_on,
        hard_grounds=draw(
            st.sampled_from((frozenset(), frozenset(), {"annuity_unpaid"})).map(frozenset)
        ),
        pledgee_institution_id=draw(st.sampled_from((None, None, "I0"))),
        pledge_released_on=draw(st.sampled_from((None, date(2025, 6, 20), date(2025, 6, 21)))),
        co_owner_ids=draw(st.frozensets(st.sampled_from(("C1", "C2")))),
    )


@st.composite
def loan_requests(draw: Any, number: int) -> LoanRequestRow:
    principal = draw(st.sampled_from((20 * WAN, 100 * WAN, 150 * WAN + 55, 300 * WAN)))
    count = draw(st.integers(0, 3))
    return loan_request(
        id=f"R{number}",
        business_id=f"B{number}",
        region_code=draw(st.sampled_from(REGIONS)),
        industry_code=draw(st.sampled_from(("C3911", "C39", "I65"))),
        size_class=draw(st.sampled_from(("micro", "small"))),
        established_on=draw(
            st.sampled_from((date(2018, 1, 1), date(2023, 6, 20), date(2023, 6, 21)))
        ),
        principal_fen=principal,
        least_accepted_fen=draw(st.sampled_from((1, principal // 2, principal))),
        term_months=draw(st.sampled_from((6, 12, 24, 61))),
        certificates=draw(st.frozensets(st.sampled_from(("high_tech", "specialised")))),
        is_first_time_borrower=draw(st.booleans()),
        waiting_days=draw(st.integers(0, 100)),
        patents=tuple(draw(patents(n)) for n in range(count)),
    )


@st.composite
def loan_offers(draw: Any, number: int) -> LoanOfferRow:
    basis = draw(st.sampled_from(("appraised", "appraised", "limit_table", "share_of_principal")))
    capacity = draw(st.sampled_from((0, 150 * WAN, 400 * WAN, 3_000 * WAN)))
    steps = (LimitStep(1, 80 * WAN), LimitStep(2, 200 * WAN))
    return loan_offer(
        id=f"O{number}",
        institution_id=f"I{draw(st.integers(0, 2))}",
        status=draw(st.sampled_from(("published", "published", "published", "paused"))),
        regions=draw(st.frozensets(st.sampled_from(DIVISIONS), max_size=2)),
        industries=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"C", "I65"})))),
        size_classes=draw(st.sampled_from((frozenset(), frozenset({"micro"})))),
        principal_min_fen=draw(st.sampled_from((0, 50 * WAN))),
        principal_max_fen=draw(st.sampled_from((120 * WAN + 77, 500 * WAN))),
        term_min_months=draw(st.sampled_from((1, 12))),
        term_max_months=draw(st.sampled_from((24, 72))),
        accepted_patents=(
            AcceptedPatentKind("invention", draw(st.sampled_from((333_333, 500_000))), 0),
            *draw(st.sampled_from(((), (AcceptedPatentKind("utility_model", 200_000, 24),)))),
        ),
        margin_months=draw(st.sampled_from((0, 12))),
        min_patents_count=draw(st.sampled_from((1, 1, 2))),
        collateral_basis=basis,
        limit_table=steps if basis == "limit_table" else (),
        secured_share_ppm=500_000 if basis == "share_of_principal" else None,
        unappraised_limit_fen=draw(st.sampled_from((None, 60 * WAN))),
        appraisal_fee_fen=draw(st.sampled_from((0, 100_000))),
        appraisal_max_age_months=draw(st.sampled_from((None, 12))),
        min_operating_months=draw(st.sampled_from((0, 24))),
        required_certificates=draw(st.sampled_from((frozenset(), frozenset({"high_tech"})))),
        interest_rate_ppm=draw(st.sampled_from((25_000, 30_000, 34_800, 36_000))),
        repayment_method=draw(st.sampled_from(("interest_monthly", "equal_instalments"))),
        fees=draw(
            st.sampled_from(
                (
                    (),
                    (OfferFee("borrower", "upfront", 50_000, 1_000),),
                    (OfferFee("lender", "yearly", 9, 9),),
                )
            )
        ),
        capacity_fen=capacity,
        booked_fen=draw(st.sampled_from((0, capacity // 3))),
        held_fen=draw(st.sampled_from((0, 20 * WAN))),
        capacity_count=draw(st.sampled_from((None, None, 1, 3))),
        booked_count=draw(st.sampled_from((0, 0, 1))),
        delivery_ppm=draw(st.sampled_from((1_000_000, 700_000))),
    )


@st.composite
def instances(draw: Any, most_requests: int = 6, most_offers: int = 6) -> dict[str, Any]:
    requests = [draw(loan_requests(n)) for n in range(draw(st.integers(1, most_requests)))]
    offers = [draw(loan_offers(n)) for n in range(draw(st.integers(1, most_offers)))]
    standing = [
        StandingMatch(
            kind="loan",
            request_id=request.id,
            offer_id=offers[0].id,
            institution_id=offers[0].institution_id,
            is_within_deadline=draw(st.booleans()),
        )
        for request in requests
        if draw(st.integers(0, 4)) == 0
    ]
    return {
        "requests": requests,
        "offers": offers,
        "standing": standing,
        "policy": policy(
            max_proposals_count=draw(st.sampled_from((1, 2, 3))),
            oversubscription_ppm=draw(st.sampled_from((1_000_000, 1_500_000))),
            first_time_lift_ppm=100_000,
            waiting_lift_ppm_per_day=1_000,
            waiting_lift_most_ppm=50_000,
            ceiling_spread_ppm=draw(st.sampled_from((0, 4_800))),
        ),
    }
