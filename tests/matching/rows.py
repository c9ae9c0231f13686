"""Rows for the matcher's tests: valid defaults, to be changed column by column."""

from datetime import date
from typing import Any

from financing.matching.policy import MatchingPolicy, StandardPremium
from financing.matching.tables import (
    AcceptedPatentKind,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    PatentRow,
)

AS_OF = date(2025, 6, 20)
YUAN = 100
WAN = 10_000 * YUAN


def patent(**changes: Any) -> PatentRow:
    values: dict[str, Any] = {
        "id": "P1",
        "kind": "invention",
        "expires_on": date(2036, 1, 1),
        "appraised_value_fen": 1_000 * WAN,
        "appraised_on": date(2025, 1, 10),
    }
    return PatentRow(**{**values, **changes})


def loan_request(**changes: Any) -> LoanRequestRow:
    values: dict[str, Any] = {
        "id": "R1",
        "business_id": "B1",
        "region_code": "320505",
        "industry_code": "C3911",
        "size_class": "micro",
        "established_on": date(2018, 3, 1),
        "principal_fen": 200 * WAN,
        "least_accepted_fen": 100 * WAN,
        "term_months": 12,
        "patents": (patent(),),
    }
    return LoanRequestRow(**{**values, **changes})


def loan_offer(**changes: Any) -> LoanOfferRow:
    values: dict[str, Any] = {
        "id": "O1",
        "institution_id": "I1",
        "status": "published",
        "is_institution_suspended": False,
        "opens_on": date(2025, 1, 1),
        "closes_on": date(2025, 12, 31),
        "regions": frozenset(),
        "industries": frozenset(),
        "size_classes": frozenset({"micro", "small"}),
        "principal_min_fen": 50 * WAN,
        "principal_max_fen": 500 * WAN,
        "term_min_months": 6,
        "term_max_months": 36,
        "accepted_patents": (
            AcceptedPatentKind("invention", 400_000, 0),
            AcceptedPatentKind("utility_model", 200_000, 0),
        ),
        "margin_months": 12,
        "min_patents_count": 1,
        "collateral_basis": "appraised",
        "interest_rate_ppm": 30_000,
        "repayment_method": "interest_monthly",
        "day_count": "30/360",
        "capacity_fen": 10_000 * WAN,
    }
    return LoanOfferRow(**{**values, **changes})


def insurance_request(**changes: Any) -> InsuranceRequestRow:
    values: dict[str, Any] = {
        "id": "R1",
        "business_id": "B1",
        "region_code": "320505",
        "industry_code": "C3911",
        "size_class": "micro",
        "cover_kind": "enforcement",
        "sum_insured_fen": 20 * WAN,
        "patents": (patent(),),
    }
    return InsuranceRequestRow(**{**values, **changes})


def insurance_offer(**changes: Any) -> InsuranceOfferRow:
    values: dict[str, Any] = {
        "id": "O1",
        "institution_id": "I9",
        "status": "published",
        "is_institution_suspended": False,
        "opens_on": None,
        "closes_on": None,
        "regions": frozenset(),
        "industries": frozenset(),
        "size_classes": frozenset(),
        "cover_kind": "enforcement",
        "sum_insured_min_fen": 5 * WAN,
        "sum_insured_max_fen": 100 * WAN,
        "accepted_kinds": frozenset({"invention", "utility_model"}),
        "min_patents_count": 1,
        "min_remaining_months": 36,
        "conditions": frozenset({"co_owner_consent_missing", "ownership_dispute"}),
        "premium_min_fen": 500 * YUAN,
        "premium_base_fen": 100 * YUAN,
        "premium_per_patent_fen": 50 * YUAN,
        "premium_rate_ppm": 20_000,
        "capacity_fen": 10_000 * WAN,
    }
    return InsuranceOfferRow(**{**values, **changes})


def policy(**changes: Any) -> MatchingPolicy:
    values: dict[str, Any] = {
        "version": "test-1",
        "as_of": AS_OF,
        "seed": "s1",
        "lpr_one_year_ppm": 30_000,
        "lpr_five_year_ppm": 35_000,
        "reference_spread_ppm": 4_800,
        "ceiling_spread_ppm": 4_800,
        "oversubscription_ppm": 1_000_000,
        "standard_premiums": (
            StandardPremium("enforcement", 800 * YUAN, 200 * YUAN, 100 * YUAN, 24_000),
        ),
    }
    return MatchingPolicy(**{**values, **changes})
