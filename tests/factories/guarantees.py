"""Guarantee offers for tests; every row is valid."""

from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from financing.models import GuaranteeOffer, Institution
from tests.factories.financing import make_institution

_numbers = count(1)


def make_guarantee_offer(institution: Institution | None = None, **fields: Any) -> GuaranteeOffer:
    """Published from today: 80 % of the principal at 1 % a year, attached to nothing."""
    values = {
        "name": f"担保{next(_numbers)}",
        "status": "published",
        "opens_on": timezone.localdate(),
        "size_classes": ["micro", "small"],
        "share_percent": Decimal(80),
        "fee_percent": Decimal(1),
    } | fields
    return GuaranteeOffer.objects.create(
        institution=institution or make_institution("guarantor"), **values
    )
