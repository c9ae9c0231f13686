"""Loan offers from a table: checked row by row, taken over whole or not at all.

Called by `manage.py import_offers` and by the import of real products. Columns: docs/imports.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.models.institutions import Institution, InstitutionKind
from financing.models.loan_offers import LoanOffer
from financing.models.offers import OfferStatus
from financing.services.loan_offers import create_loan_offers
from financing.services.offer_cells import read_terms
from financing.services.offer_terms import OfferTerms, normalised, validate_terms
from financing.services.offers import match_again
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region
from sipo_portal.tabular.reading import ImportRefused, Row, RowFault, RowReader

REQUIRED = (
    "institution",
    "name",
    "max_principal",
    "max_term_months",
    "rate_basis",
    "collateral_basis",
    "accepted_kinds",
    "capacity_amount",
)
OPTIONAL = (
    "institution_region",
    "description",
    "opens_on",
    "closes_on",
    "regions",
    "industries",
    "size_classes",
    "min_operating_months",
    "required_certificates",
    "min_principal",
    "min_term_months",
    "interest_rate_percent",
    "spread_bp",
    "repayment_method",
    "day_count",
    "collateral_share_percent",
    "limit_table",
    "unappraised_limit",
    "appraisal_fee",
    "max_appraisal_age_months",
    "min_patents",
    "life_margin_months",
    "capacity_count",
    "fees",
    "assumed",
)
# Columns whose value may be assumed rather than known (see `assumed`).
ASSUMABLE = tuple(
    column
    for column in (*REQUIRED, *OPTIONAL)
    if column not in ("institution", "name", "description", "assumed")
)
# Names of rules' fields that are other columns of the file.
COLUMNS = {
    "": "accepted_kinds",
    NON_FIELD_ERRORS: "accepted_kinds",
    "accepted_kinds": "accepted_kinds",
    "limit_table": "limit_table",
    "fees": "fees",
}


@dataclass(frozen=True)
class CheckedOffer:
    """A row that can be taken over; `region` is the seat of an institution still to be made."""

    row: Row
    institution: str
    region: str
    terms: OfferTerms
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class CheckedOffers:
    """Rows that can be taken over, and the faults of the others."""

    rows: list[CheckedOffer]
    faults: list[RowFault]


def check_offers(
    rows: Sequence[Row], *, today: date, institution_kind: str = InstitutionKind.BANK
) -> CheckedOffers:
    """Every row as terms, or its faults; writes nothing."""
    regions = set(Region.objects.values_list("code", flat=True))
    names = {row.values.get("institution", "") for row in rows}
    institutions = {each.name: each for each in Institution.objects.filter(name__in=names)}
    open_offers = LoanOffer.objects.exclude(status=OfferStatus.CLOSED)
    taken = set(
        open_offers.filter(institution__in=institutions.values()).values_list(
            "institution__name", "name"
        )
    )
    seen: dict[tuple[str, str], int] = {}
    found, faults = [], []
    for row in rows:
        own: list[RowFault] = []
        cells = RowReader(row, own)
        _check_institution(cells, institutions, regions, institution_kind)
        _check_name(cells, taken, seen)
        terms = _terms(cells, regions, today)
        assumed = _assumed(cells)
        faults += own
        if terms is not None and not own:
            name, region = cells.text("institution"), cells.text("institution_region")
            found.append(CheckedOffer(row, name, region, terms, assumed))
    return CheckedOffers(found, faults)


def import_offers(
    actor: Actor,
    rows: Sequence[Row],
    *,
    institution_kind: str = InstitutionKind.BANK,
    publish: bool = False,
    today: date | None = None,
) -> list[LoanOffer]:
    """All rows as offers, in order: drafts, or with `publish` published and matched at once.

    Institutions are found by name; unknown ones are made, of `institution_kind`, seated in the
    division `institution_region`. `today` is the first day of offers that state none. One audit
    entry for the import. Raises ImportRefused with every fault; nothing is written then.
    """
    today = today or timezone.localdate()
    checked = check_offers(rows, today=today, institution_kind=institution_kind)
    if checked.faults:
        raise ImportRefused(checked.faults)
    return store_offers(actor, checked=checked, institution_kind=institution_kind, publish=publish)


@transaction.atomic
def store_offers(
    actor: Actor, *, checked: CheckedOffers, institution_kind: str, publish: bool
) -> list[LoanOffer]:
    """Write the rows that can be taken over, see `import_offers`."""
    seats = {row.institution: row.region for row in reversed(checked.rows) if row.region}
    known = {
        each.name: each
        for each in Institution.objects.filter(name__in=[row.institution for row in checked.rows])
    }
    new = [
        name for name in dict.fromkeys(row.institution for row in checked.rows) if name not in known
    ]
    made = Institution.objects.bulk_create(
        Institution(name=name, kind=institution_kind, region_id=seats[name]) for name in new
    )
    known |= {institution.name: institution for institution in made}
    offers = create_loan_offers(
        institution_terms=[(known[row.institution], row.terms, row.assumed) for row in checked.rows]
    )
    if publish:
        now = timezone.now()
        LoanOffer.objects.filter(pk__in=[offer.pk for offer in offers]).update(
            status=OfferStatus.PUBLISHED, status_changed_at=now, published_at=now
        )
        for offer in offers:
            offer.status, offer.status_changed_at, offer.published_at = (
                OfferStatus.PUBLISHED.value,
                now,
                now,
            )
            match_again(offer)
    record(
        Verb.OFFERS_IMPORTED,
        actor=actor,
        obj=None,
        data={
            "offers": [offer.pk for offer in offers],
            "new_institutions": [institution.pk for institution in made],
            "published": publish,
        },
    )
    return offers


def _check_institution(
    cells: RowReader, institutions: dict[str, Institution], regions: set[str], kind: str
) -> None:
    name, region = cells.text("institution"), cells.text("institution_region")
    if not name:
        cells.refuse("institution", _("Enter the name of the institution."))
    elif name in institutions:
        if institutions[name].kind != InstitutionKind.BANK:
            cells.refuse("institution", _("Only banks post loan offers."))
    elif kind != InstitutionKind.BANK:
        cells.refuse("institution", _("Only banks post loan offers."))
    elif not region:
        cells.refuse(
            "institution_region",
            _("The institution is new: enter the division code of its seat."),
        )
    if region and region not in regions:
        cells.refuse("institution_region", _("There is no division with this code."))


def _check_name(
    cells: RowReader, taken: set[tuple[str, str]], seen: dict[tuple[str, str], int]
) -> None:
    key = (cells.text("institution"), cells.text("name"))
    if not all(key):
        return
    if key in taken:
        cells.refuse("name", _("The institution has an offer of this name already."))
    elif key in seen:
        cells.refuse("name", _("Row %(row)d has the same offer.") % {"row": seen[key]})
    seen.setdefault(key, cells.row.number)


def _terms(cells: RowReader, regions: set[str], today: date) -> OfferTerms | None:
    terms = read_terms(cells, today=today)
    if terms is None:
        return None
    for code in terms.regions:
        if code not in regions:
            cells.refuse(
                "regions", _("There is no division with this code: %(codes)s.") % {"codes": code}
            )
    try:
        terms = normalised(terms)
        validate_terms(terms)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            place = name.split("-")[0]
            column = COLUMNS.get(place, place)
            for message in messages:
                cells.refuse(column, message)
        return None
    return terms


def _assumed(cells: RowReader) -> tuple[str, ...]:
    columns = [part.strip() for part in cells.text("assumed").split(";") if part.strip()]
    for column in columns:
        if column not in ASSUMABLE:
            cells.refuse(
                "assumed",
                _("“%(column)s” is not one of the columns that may be assumed: %(known)s.")
                % {"column": column, "known": ", ".join(ASSUMABLE)},
            )
    return tuple(columns)
