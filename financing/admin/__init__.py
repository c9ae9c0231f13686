"""The work areas of institutions and of the system administrator; importing registers them."""

from financing.admin import (
    goals,
    guarantee_offers,
    institutions,
    insurance_offers,
    loan_offers,
    policies,
    referrals,
)

__all__ = [
    "goals",
    "guarantee_offers",
    "institutions",
    "insurance_offers",
    "loan_offers",
    "policies",
    "referrals",
]
