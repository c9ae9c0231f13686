"""Patents from a table: checked row by row, taken over whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.announcements import announce
from businesses.credit_codes import stored_credit_code
from businesses.identifier_texts import credit_code_fault, patent_number_fault
from businesses.models import Appraisal, Business, CoOwner, Patent
from businesses.models.appraisals import AppraisalMethod
from businesses.models.co_owners import CoOwnerConsent, CoOwnerKind
from businesses.models.patents import EndReason, PatentStatus
from businesses.rules.identifiers import IdentifierError, PatentNumber, parse_patent_number
from businesses.services.import_columns import assumed_fields
from businesses.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.tabular.reading import ImportRefused, Row, RowFault, RowReader
from sipo_portal.ui.fields import DayField, PlainIntegerField, YuanField

REQUIRED = ("credit_code", "application_number", "title", "filed_on")
OPTIONAL = (
    "granted_on",
    "publication_number",
    "ipc_main",
    "owner_name",
    "co_owners",
    "co_owner_consent",
    "annuity_paid_through_year",
    "status",
    "end_reason",
    "ended_on",
    "appraised_value",
    "appraised_on",
    "appraiser",
    "assumed",
)
ASSUMABLE = {
    "granted_on": "granted_on",
    "annuity_paid_through_year": "annuity_paid_through_year",
    "appraised_value": "appraisals",
    "co_owner_consent": "co_owners",
    "ended_on": "ended_on",
}
# What `status` may say; ended is told by `end_reason`.
STATUSES = {
    "": PatentStatus.REGISTERED,
    "registered": PatentStatus.REGISTERED,
    "draft": PatentStatus.DRAFT,
}
BATCH = 1000
APPRAISAL_COLUMNS = ("appraised_value", "appraised_on", "appraiser")


@dataclass
class CheckedPatent:
    """One row that can be taken over: the patent and what hangs on it, unsaved."""

    number: int
    patent: Patent
    co_owners: list[CoOwner] = field(default_factory=list)
    appraisal: Appraisal | None = None


@dataclass(frozen=True)
class CheckedPatents:
    """Rows that can be taken over, and the faults of the others."""

    rows: list[CheckedPatent]
    faults: list[RowFault]


def check_patents(rows: Sequence[Row], *, today: date) -> CheckedPatents:
    """Every row as unsaved records, or its faults; writes nothing."""
    businesses = _businesses_of(rows)
    there = set(
        Patent.objects.filter(business__in=businesses.values()).values_list(
            "business_id", "application_number"
        )
    )
    faults: list[RowFault] = []
    found: list[CheckedPatent] = []
    seen: dict[tuple[int | None, str], int] = {}
    for row in rows:
        own: list[RowFault] = []
        cells = RowReader(row, own)
        checked = _checked(cells, businesses, today)
        key = (checked.patent.business_id, checked.patent.application_number)
        if not own and key in there:
            cells.refuse("application_number", _("This patent is there already."))
        elif not own and key in seen:
            cells.refuse(
                "application_number", _("Row %(row)d has the same patent.") % {"row": seen[key]}
            )
        seen.setdefault(key, row.number)
        faults += own
        if not own:
            found.append(checked)
    return CheckedPatents(found, faults)


def import_patents(*, actor: Actor, rows: Sequence[Row]) -> list[Patent]:
    """All rows as registered or ended patents; raises ImportRefused with every fault."""
    checked = check_patents(rows, today=timezone.localdate())
    if checked.faults:
        raise ImportRefused(checked.faults)
    return store_patents(actor=actor, checked=checked)


@transaction.atomic
def store_patents(*, actor: Actor, checked: CheckedPatents) -> list[Patent]:
    """Write the rows that can be taken over; one audit entry for the whole import."""
    patents = Patent.objects.bulk_create([row.patent for row in checked.rows], batch_size=BATCH)
    CoOwner.objects.bulk_create(
        [owner for row in checked.rows for owner in row.co_owners], batch_size=BATCH
    )
    Appraisal.objects.bulk_create(
        [row.appraisal for row in checked.rows if row.appraisal is not None], batch_size=BATCH
    )
    record(Verb.PATENTS_IMPORTED, actor=actor, obj=None, data={"count": len(patents)})
    announce(patent.business_id for patent in patents)
    return patents


def _businesses_of(rows: Sequence[Row]) -> dict[str, Business]:
    codes = set()
    for row in rows:
        try:
            codes.add(stored_credit_code(row.values.get("credit_code", "")))
        except IdentifierError:
            continue  # reported at its row
    return {
        business.credit_code: business
        for business in Business.objects.filter(credit_code__in=codes)
    }


def _checked(cells: RowReader, businesses: dict[str, Business], today: date) -> CheckedPatent:
    number = _number(cells, today)
    filed_on = cells.read("filed_on", DayField())
    granted_on = cells.read("granted_on", DayField(required=False))
    if number is not None and filed_on is not None and filed_on.year != number.filing_year:
        cells.refuse(
            "filed_on",
            _("The number says the year %(year)d.") % {"year": number.filing_year},
        )
    if filed_on is not None and granted_on is not None and granted_on < filed_on:
        cells.refuse("granted_on", _("A patent is not granted before it is filed."))
    end_reason = cells.text("end_reason")
    if end_reason and end_reason not in EndReason.values:
        cells.refuse(
            "end_reason",
            _("Write one of %(known)s, or nothing.") % {"known": ", ".join(EndReason.values)},
        )
    if cells.text("status") not in STATUSES:
        cells.refuse("status", _("Write draft, registered or nothing."))
    live_status = STATUSES.get(cells.text("status"), PatentStatus.REGISTERED)
    patent = Patent(
        business=_business(cells, businesses),
        application_number=number.normal if number else "",
        kind=number.kind if number else "",
        title=cells.read("title", forms.CharField(max_length=300)) or "",
        filed_on=filed_on,
        granted_on=granted_on,
        publication_number=cells.read(
            "publication_number", forms.CharField(required=False, max_length=20)
        ),
        ipc_main=cells.read("ipc_main", forms.CharField(required=False, max_length=20)),
        owner_name_on_register=cells.read(
            "owner_name", forms.CharField(required=False, max_length=200)
        ),
        annuity_paid_through_year=cells.read(
            "annuity_paid_through_year", PlainIntegerField(required=False, largest=20)
        ),
        end_reason=end_reason,
        ended_on=cells.read("ended_on", DayField(required=False)),
        status=PatentStatus.ENDED if end_reason else live_status,
        status_changed_at=timezone.now(),
        assumed_fields=assumed_fields(cells, ASSUMABLE),
    )
    return CheckedPatent(
        cells.row.number, patent, _co_owners(cells, patent), _appraisal(cells, patent, today)
    )


def _number(cells: RowReader, today: date) -> PatentNumber | None:
    try:
        return parse_patent_number(cells.text("application_number"), today=today)
    except IdentifierError as error:
        cells.refuse("application_number", patent_number_fault(error))
        return None


def _business(cells: RowReader, businesses: dict[str, Business]) -> Business | None:
    try:
        business = businesses.get(stored_credit_code(cells.text("credit_code")))
    except IdentifierError as error:
        cells.refuse("credit_code", credit_code_fault(error))
        return None
    if business is None:
        cells.refuse("credit_code", _("No business with this code is registered here."))
    return business


def _co_owners(cells: RowReader, patent: Patent) -> list[CoOwner]:
    """Names separated by semicolons; their consent is one column for all of them."""
    consent = cells.text("co_owner_consent") or CoOwnerConsent.MISSING
    if consent not in CoOwnerConsent.values:
        cells.refuse(
            "co_owner_consent",
            _("Write one of %(known)s, or nothing.") % {"known": ", ".join(CoOwnerConsent.values)},
        )
    names = [part.strip() for part in cells.text("co_owners").split(";") if part.strip()]
    return [
        CoOwner(patent=patent, name=name, kind=CoOwnerKind.ORGANISATION, consent=consent)
        for name in dict.fromkeys(names)
    ]


def _appraisal(cells: RowReader, patent: Patent, today: date) -> Appraisal | None:
    """Value, day and appraiser: all three or none."""
    given = [column for column in APPRAISAL_COLUMNS if cells.text(column)]
    if not given:
        return None
    for column in APPRAISAL_COLUMNS:
        if column not in given:
            cells.refuse(column, _("An appraisal needs value, day and appraiser."))
    value = cells.read("appraised_value", YuanField(required=False))
    appraised_on = cells.read("appraised_on", DayField(required=False))
    if appraised_on is not None and appraised_on > today:
        cells.refuse("appraised_on", _("The date lies in the future."))
    if value is not None and value <= 0:
        cells.refuse("appraised_value", _("The value must be above 0."))
    return Appraisal(
        patent=patent,
        appraiser=cells.text("appraiser")[:200],
        appraised_on=appraised_on,
        method=AppraisalMethod.INCOME,
        appraised_value=value,
    )
