"""The work areas of institutions and of the system administrator; importing registers them."""

from financing.admin import institutions, loan_offers, policies, referrals

__all__ = ["institutions", "loan_offers", "policies", "referrals"]
