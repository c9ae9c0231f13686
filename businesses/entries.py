"""What people enter: forms and imports make these, services take them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from businesses.models.co_owners import CoOwnerConsent, CoOwnerKind
from sipo_portal.offices.models import Region


@dataclass(frozen=True, kw_only=True)
class BusinessFacts:
    """What its owner says of a business; revenue and assets in 10,000 yuan, unknown ones None."""

    name: str
    credit_code: str
    region: Region
    industry: str
    established_on: date
    address: str = ""
    employee_count: int | None = None
    revenue_wan: Decimal | None = None
    assets_wan: Decimal | None = None
    figures_year: int | None = None
    has_low_taxable_income: bool = False
    contact_name: str = ""
    contact_phone: str = ""
    legal_representative: str = ""


@dataclass(frozen=True, kw_only=True)
class CertificateFacts:
    """Number and last day of one certificate; both may be unknown."""

    number: str = ""
    valid_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class PatentEntry:
    """What its business says of a patent; the kind is read from the number.

    `is_divisional`: a divisional application keeps the filing date of its parent, so its number
    names a later year; it is not stored.
    """

    application_number: str
    title: str
    filed_on: date
    granted_on: date | None = None
    publication_number: str = ""
    ipc_main: str = ""
    has_overseas_family: bool = False
    is_licensed_in: bool = False
    owner_name_on_register: str = ""
    annuity_paid_through_year: int | None = None
    annuity_relief_percent: Decimal = Decimal(0)
    compensation_days: int = 0
    has_ownership_dispute: bool = False
    has_infringement_dispute: bool = False
    has_same_day_invention_filing: bool = False
    is_invalidation_pending: bool = False
    is_divisional: bool = False


@dataclass(frozen=True, kw_only=True)
class CoOwnerEntry:
    """One co-owner as the register names it."""

    name: str
    kind: str = CoOwnerKind.ORGANISATION
    consent: str = CoOwnerConsent.MISSING
    consented_on: date | None = None
