"""The bands a blind referral speaks in: amounts and years of life, as data, in one place.

Called by `services.referrals` when a referral is made and by the lender's inbox to show it. Only
codes are frozen, so a band may be given another label but never another meaning: a changed bound
gets a new code.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Band:
    """From `least` on, up to the next band's `least` (exclusive)."""

    code: str
    least: Decimal
    label: str | Promise


# Yuan; DOMAIN 4.6: loans mostly under 10 million, median 3.5 million.
AMOUNT_BANDS = (
    Band("under_500k", Decimal(0), _("under 500,000 yuan")),
    Band("500k_1m", Decimal(500_000), _("500,000 to 1 million yuan")),
    Band("1m_3m", Decimal(1_000_000), _("1 to 3 million yuan")),
    Band("3m_5m", Decimal(3_000_000), _("3 to 5 million yuan")),
    Band("5m_10m", Decimal(5_000_000), _("5 to 10 million yuan")),
    Band("from_10m", Decimal(10_000_000), _("10 million yuan and more")),
)
# Whole years; the bounds that offers usually ask for are 4 and 8 years.
LIFE_BANDS = (
    Band("under_3y", Decimal(0), _("under 3 years")),
    Band("3y_5y", Decimal(3), _("3 to 5 years")),
    Band("5y_8y", Decimal(5), _("5 to 8 years")),
    Band("8y_12y", Decimal(8), _("8 to 12 years")),
    Band("from_12y", Decimal(12), _("12 years and more")),
)


def band_code(bands: tuple[Band, ...], value: Decimal | int) -> str:
    """The code of the band `value` lies in; what is below the first belongs to the first."""
    return max(
        (band for band in bands[1:] if value >= band.least), default=bands[0], key=_least
    ).code


def band_label(bands: tuple[Band, ...], code: str) -> str:
    """The label of a frozen code; the code itself when it is no longer in the table."""
    return next((str(band.label) for band in bands if band.code == code), code)


def _least(band: Band) -> Decimal:
    return band.least
