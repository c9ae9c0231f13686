"""Businesses from a table: checked row by row, taken over whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.credit_codes import stored_credit_code
from businesses.identifier_texts import credit_code_fault
from businesses.models import Business, Certificate
from businesses.models.certificates import CertificateKind
from businesses.rules import industries
from businesses.rules.identifiers import IdentifierError
from businesses.services.businesses import set_size_class
from businesses.services.import_columns import assumed_fields
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region
from sipo_portal.tabular.reading import ImportRefused, Row, RowFault, RowReader
from sipo_portal.ui.fields import DayField, FigureField, PlainIntegerField

REQUIRED = ("credit_code", "name", "region_code", "industry", "established_on")
OPTIONAL = (
    "employees",
    "revenue_wan",
    "assets_wan",
    "figures_year",
    "has_low_taxable_income",
    "certificates",
    "contact_name",
    "contact_phone",
    "legal_representative",
    "address",
    "assumed",
)
# Columns whose value may be assumed rather than known, and the field each one fills.
ASSUMABLE = {
    "region_code": "region",
    "industry": "industry",
    "employees": "employee_count",
    "revenue_wan": "revenue_wan",
    "assets_wan": "assets_wan",
    "figures_year": "figures_year",
}
BATCH = 1000
YES = {"1": True, "yes": True, "true": True, "是": True}
NO = {"": False, "0": False, "no": False, "false": False, "否": False}


@dataclass(frozen=True)
class CheckedBusinesses:
    """Rows that can be taken over, with the number of their row, and the faults of the others."""

    rows: list[tuple[int, Business, list[str]]]
    faults: list[RowFault]


def check_businesses(rows: Sequence[Row], *, today: date) -> CheckedBusinesses:
    """Every row as an unsaved business with its certificates, or its faults; writes nothing."""
    regions = {region.code: region for region in Region.objects.all()}
    faults: list[RowFault] = []
    found: list[tuple[int, Business, list[str]]] = []
    seen: dict[str, int] = {}
    for row in rows:
        own: list[RowFault] = []
        cells = RowReader(row, own)
        business = _business(cells, regions, today)
        certificates = _certificates(cells)
        if business.credit_code in seen:
            cells.refuse(
                "credit_code",
                _("Row %(row)d has the same code.") % {"row": seen[business.credit_code]},
            )
        elif business.credit_code:
            seen[business.credit_code] = row.number
        faults += own
        if not own:
            found.append((row.number, business, certificates))
    taken = set(Business.objects.filter(credit_code__in=seen).values_list("credit_code", flat=True))
    faults += [
        RowFault(number, "credit_code", business.credit_code, _("This business is there already."))
        for number, business, _kinds in found
        if business.credit_code in taken
    ]
    return CheckedBusinesses([row for row in found if row[1].credit_code not in taken], faults)


def import_businesses(*, actor: Actor, rows: Sequence[Row]) -> list[Business]:
    """All rows as registered businesses without members; raises ImportRefused with every fault."""
    checked = check_businesses(rows, today=timezone.localdate())
    if checked.faults:
        raise ImportRefused(checked.faults)
    return store_businesses(actor=actor, checked=checked)


@transaction.atomic
def store_businesses(*, actor: Actor, checked: CheckedBusinesses) -> list[Business]:
    """Write the rows that can be taken over; one audit entry for the whole import."""
    businesses = Business.objects.bulk_create(
        [business for _number, business, _kinds in checked.rows], batch_size=BATCH
    )
    Certificate.objects.bulk_create(
        [
            Certificate(business=business, kind=kind)
            for _number, business, kinds in checked.rows
            for kind in kinds
        ],
        batch_size=BATCH,
    )
    record(Verb.BUSINESSES_IMPORTED, actor=actor, obj=None, data={"count": len(businesses)})
    return businesses


def _business(cells: RowReader, regions: dict[str, Region], today: date) -> Business:
    business = Business(
        credit_code=_credit_code(cells),
        name=cells.read("name", forms.CharField(max_length=200)) or "",
        region=_region(cells, regions),
        industry=_industry(cells),
        established_on=cells.read("established_on", DayField()),
        employee_count=cells.read("employees", PlainIntegerField(required=False)),
        revenue_wan=cells.read("revenue_wan", FigureField(required=False, largest=10**11)),
        assets_wan=cells.read("assets_wan", FigureField(required=False, largest=10**11)),
        figures_year=cells.read("figures_year", PlainIntegerField(required=False, largest=9999)),
        has_low_taxable_income=_flag(cells, "has_low_taxable_income"),
        contact_name=cells.read("contact_name", forms.CharField(required=False, max_length=80)),
        contact_phone=cells.read("contact_phone", forms.CharField(required=False, max_length=30)),
        legal_representative=cells.read(
            "legal_representative", forms.CharField(required=False, max_length=80)
        ),
        address=cells.read("address", forms.CharField(required=False, max_length=300)),
        assumed_fields=assumed_fields(cells, ASSUMABLE),
    )
    if business.established_on is not None and business.established_on > today:
        cells.refuse("established_on", _("The date lies in the future."))
    if business.figures_year is not None and business.figures_year >= today.year:
        cells.refuse("figures_year", _("Give the figures of a year that is closed."))
    if business.industry:
        set_size_class(business)
    return business


def _credit_code(cells: RowReader) -> str:
    try:
        return stored_credit_code(cells.text("credit_code"))
    except IdentifierError as error:
        cells.refuse("credit_code", credit_code_fault(error))
        return ""


def _region(cells: RowReader, regions: dict[str, Region]) -> Region | None:
    region = regions.get(cells.text("region_code"))
    if region is None:
        cells.refuse("region_code", _("There is no division with this code (GB/T 2260)."))
    return region


def _industry(cells: RowReader) -> str:
    try:
        return industries.normalise(cells.text("industry"))
    except industries.UnknownIndustry:
        cells.refuse("industry", _("There is no industry with this code (GB/T 4754-2017)."))
        return ""


def _flag(cells: RowReader, column: str) -> bool:
    text = cells.text(column).lower()
    if text not in YES and text not in NO:
        cells.refuse(column, _("Write yes or no."))
    return text in YES


def _certificates(cells: RowReader) -> list[str]:
    kinds = [part.strip() for part in cells.text("certificates").split(";") if part.strip()]
    for kind in kinds:
        if kind not in CertificateKind.values:
            cells.refuse(
                "certificates",
                _("There is no certificate “%(kind)s”. Known: %(known)s.")
                % {"kind": kind, "known": ", ".join(CertificateKind.values)},
            )
    return sorted(set(kinds))


def as_rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Records made by a program as rows of a table, numbered as a spreadsheet would."""
    return [
        Row(number, {name: "" if cell is None else str(cell) for name, cell in record.items()})
        for number, record in enumerate(records, start=2)
    ]
