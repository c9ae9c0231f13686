"""One row of an offers file as terms of a loan offer; called by `services.offer_imports`.

The columns are documented in docs/imports.md. Amounts are yuan. Lists use semicolons; the parts of
one entry colons: ``invention:40:96; utility_model:25``.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from businesses.models.certificates import CertificateKind
from businesses.models.patents import PatentKind
from financing.models.loan_offers import (
    CollateralBasis,
    DayCount,
    FeeKind,
    FeePayer,
    FeeTiming,
    LoanOffer,
    RateBasis,
    RepaymentMethod,
)
from financing.models.offers import REQUESTING_SIZE_CLASSES
from financing.services.offer_terms import FeeTerms, KindTerms, LimitTerms, OfferTerms
from sipo_portal.tabular.reading import RowReader
from sipo_portal.ui.fields import (
    DayField,
    FigureField,
    PercentField,
    PlainIntegerField,
    SignedIntegerField,
    YuanField,
)

SIZE_CODES = [code for code, _label in REQUESTING_SIZE_CLASSES]
LONGEST_NAME = LoanOffer._meta.get_field("name").max_length
# What an empty cell of an optional column means.
DEFAULTS: dict[str, Any] = {
    "min_principal": Decimal(0),
    "min_term_months": 1,
    "repayment_method": RepaymentMethod.INTEREST_MONTHLY.value,
    "day_count": DayCount.ACT_360.value,
    "appraisal_fee": Decimal(0),
    "min_patents": 1,
    "life_margin_months": 0,
    "min_operating_months": 0,
}


def read_terms(cells: RowReader, *, today: date) -> OfferTerms | None:
    """The terms of a row; None when a cell is faulty, after noting every fault of the row."""
    before = len(cells.faults)
    values = {column: cells.read(column, field) for column, field in _fields().items()}
    values = {
        column: DEFAULTS.get(column) if value in (None, "") else value
        for column, value in values.items()
    }
    kinds = _entries(cells, "accepted_kinds", 2, 3, _kind)
    limits = _entries(cells, "limit_table", 2, 2, _limit)
    fees = _entries(cells, "fees", 4, 4, _fee)
    sizes = _codes(cells, "size_classes", SIZE_CODES) or tuple(SIZE_CODES)
    certificates = _codes(cells, "required_certificates", CertificateKind.values)
    if len(cells.faults) > before:
        return None
    return OfferTerms(
        **{**values, "opens_on": values["opens_on"] or today},
        description=cells.text("description"),
        regions=_parts(cells, "regions"),
        industries=_parts(cells, "industries"),
        size_classes=sizes,
        required_certificates=certificates,
        accepted_kinds=tuple(kinds),
        limits=tuple(limits),
        fees=tuple(fees),
    )


def _fields() -> dict[str, forms.Field]:
    """How each column of a single value is read."""
    return {
        "name": forms.CharField(max_length=LONGEST_NAME),
        "opens_on": DayField(required=False),
        "closes_on": DayField(required=False),
        "min_principal": YuanField(required=False),
        "max_principal": YuanField(),
        "min_term_months": PlainIntegerField(required=False, smallest=1, largest=360),
        "max_term_months": PlainIntegerField(smallest=1, largest=360),
        "rate_basis": _choice(RateBasis.values),
        "interest_rate_percent": PercentField(required=False),
        "spread_bp": SignedIntegerField(required=False, min_value=-2000, max_value=2000),
        "repayment_method": _choice(RepaymentMethod.values, required=False),
        "day_count": _choice(DayCount.values, required=False),
        "collateral_basis": _choice(CollateralBasis.values),
        "collateral_share_percent": PercentField(required=False),
        "unappraised_limit": YuanField(required=False),
        "appraisal_fee": YuanField(required=False),
        "max_appraisal_age_months": PlainIntegerField(required=False, smallest=1, largest=120),
        "min_patents": PlainIntegerField(required=False, smallest=1, largest=1000),
        "life_margin_months": PlainIntegerField(required=False, largest=240),
        "min_operating_months": PlainIntegerField(required=False, largest=1200),
        "capacity_amount": YuanField(),
        "capacity_count": PlainIntegerField(required=False, smallest=1),
    }


def _choice(codes: Sequence[str], *, required: bool = True) -> forms.Field:
    message = _("Enter one of: %(codes)s.") % {"codes": ", ".join(codes)}
    return forms.ChoiceField(
        choices=[(code, code) for code in codes],
        required=required,
        error_messages={"invalid_choice": message, "required": message},
    )


def _parts(cells: RowReader, column: str) -> tuple[str, ...]:
    text = cells.text(column).replace("；", ";")
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _codes(cells: RowReader, column: str, known: Sequence[str]) -> tuple[str, ...]:
    codes = _parts(cells, column)
    for code in codes:
        if code not in known:
            cells.refuse(
                column,
                _("“%(code)s” is not one of: %(known)s.")
                % {"code": code, "known": ", ".join(known)},
            )
    return codes


def _entries(cells: RowReader, column: str, least: int, most: int, read: Any) -> list[Any]:
    """Every entry of a list as `read` makes it of its parts; faulty ones are noted."""
    found = []
    for entry in _parts(cells, column):
        parts = [part.strip() for part in entry.replace("：", ":").split(":")]
        if not least <= len(parts) <= most:
            shapes = {
                "accepted_kinds": "kind:loan_to_value_percent[:min_remaining_months]",
                "limit_table": "min_patents:limit_amount",
                "fees": "kind:payer:timing:amount or percent%",
            }
            cells.refuse(
                column,
                _("“%(entry)s” does not have the form %(form)s.")
                % {"entry": entry, "form": shapes[column]},
            )
            continue
        try:
            found.append(read(parts))
        except ValidationError as error:
            for message in error.messages:
                cells.refuse(column, f"{entry}: {message}")
    return found


def _kind(parts: list[str]) -> KindTerms:
    months = parts[2] if len(parts) > 2 else ""
    return KindTerms(
        kind=_choice(PatentKind.values).clean(parts[0]),
        loan_to_value_percent=PercentField().clean(parts[1]),
        min_remaining_months=PlainIntegerField(required=False, largest=240).clean(months) or 0,
    )


def _limit(parts: list[str]) -> LimitTerms:
    return LimitTerms(
        min_patents=PlainIntegerField(smallest=1, largest=1000).clean(parts[0]),
        limit_amount=YuanField().clean(parts[1]),
        place="limit_table",
    )


def _fee(parts: list[str]) -> FeeTerms:
    figure = parts[3]
    is_share = figure.endswith(("%", "％"))
    field: FigureField = PercentField() if is_share else YuanField()
    value = field.clean(figure)
    return FeeTerms(
        kind=_choice(FeeKind.values).clean(parts[0]),
        payer=_choice(FeePayer.values).clean(parts[1]),
        timing=_choice(FeeTiming.values).clean(parts[2]),
        amount=None if is_share else value,
        percent=value if is_share else None,
    )
