"""Offers from a file: every fault with its row and column, all rows or none."""

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from financing.models import Institution, LoanOffer
from financing.services.offer_imports import OPTIONAL, REQUIRED, check_offers, import_offers
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.tabular.reading import ImportRefused, Row, read_rows
from tests.factories.financing import make_institution, make_loan_offer
from tests.factories.offices import make_region

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
COLUMNS = (*REQUIRED, *OPTIONAL)


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def row(number: int = 2, **cells: str) -> Row:
    """A right row of a new bank in Suzhou."""
    make_region("320500")
    values = {
        "institution": "示范银行甲",
        "institution_region": "320500",
        "name": "知易贷",
        "max_principal": "5,000,000",
        "max_term_months": "36",
        "rate_basis": "lpr_1y",
        "spread_bp": "-10",
        "collateral_basis": "appraised",
        "accepted_kinds": "invention:40:96; utility_model:25",
        "capacity_amount": "100000000",
        "regions": "320000;320500",
        "industries": "39; C34",
        "fees": "service:borrower:upfront:2000; appraisal:public:upfront:0.5%",
        "assumed": "capacity_amount;spread_bp",
    }
    return Row(number, values | cells)


def test_a_row_becomes_a_draft_of_a_new_bank() -> None:
    (offer,) = import_offers(Actor.SYSTEM, [row()], today=TODAY)

    offer = LoanOffer.objects.get(pk=offer.pk)
    assert (offer.institution.name, offer.institution.kind) == ("示范银行甲", "bank")
    assert (offer.status, offer.opens_on, offer.size_classes) == (
        "draft",
        TODAY,
        ["micro", "small"],
    )
    assert offer.spread_bp == -10
    assert offer.industries == ["C39", "C34"]
    assert [
        (part.kind, part.loan_to_value_percent, part.min_remaining_months)
        for part in offer.accepted_kinds.all()
    ] == [("invention", 40, 96), ("utility_model", 25, 0)]
    assert [(fee.kind, fee.payer, fee.amount, fee.percent) for fee in offer.fees.all()] == [
        ("service", "borrower", 2000, None),
        ("appraisal", "public", None, Decimal("0.5")),
    ]
    assert sorted(region.pk for region in offer.regions.all()) == ["320000", "320500"]
    assert offer.assumed_fields == ["capacity_amount", "spread_bp"]
    event = AuditEvent.objects.get(verb="offers.imported")
    assert event.data["offers"] == [offer.pk]
    assert not OutboxMessage.objects.exists()


def test_published_imports_are_matched_and_known_banks_reused() -> None:
    bank = make_institution(name="示范银行甲")
    offers = import_offers(Actor.SYSTEM, [row(), row(3, name="知新贷")], publish=True, today=TODAY)

    assert Institution.objects.get() == bank
    assert {offer.status for offer in LoanOffer.objects.all()} == {"published"}
    assert [message.payload for message in OutboxMessage.objects.order_by("pk")] == [
        {"offer_id": offer.pk} for offer in offers
    ]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"institution": ""}, "institution", "name of the institution"),
        ({"institution_region": ""}, "institution_region", "seat"),
        ({"institution_region": "999999"}, "institution_region", "no division"),
        ({"name": ""}, "name", "required"),
        ({"max_principal": "many"}, "max_principal", "number in figures"),
        ({"max_principal": "5", "min_principal": "6"}, "max_principal", "below the least"),
        ({"max_term_months": "0"}, "max_term_months", "1 or more"),
        ({"rate_basis": "cheap"}, "rate_basis", "fixed, lpr_1y, lpr_5y"),
        ({"spread_bp": ""}, "spread_bp", "spread in basis points"),
        ({"rate_basis": "fixed"}, "interest_rate_percent", "fixed rate"),
        ({"collateral_basis": "limit_table"}, "collateral_basis", "limit table"),
        (
            {"collateral_basis": "limit_table", "limit_table": "1:300;3:200"},
            "limit_table",
            "higher limit",
        ),
        ({"limit_table": "1=300"}, "limit_table", "min_patents:limit_amount"),
        ({"accepted_kinds": ""}, "accepted_kinds", "at least one kind"),
        ({"accepted_kinds": "software:40"}, "accepted_kinds", "invention, utility_model"),
        ({"accepted_kinds": "invention:140"}, "accepted_kinds", "100 or less"),
        ({"accepted_kinds": "invention:0"}, "accepted_kinds", "more than 0"),
        ({"fees": "service:borrower:upfront"}, "fees", "kind:payer:timing"),
        ({"fees": "service:nobody:upfront:5"}, "fees", "borrower, lender, public"),
        ({"regions": "32"}, "regions", "32"),
        ({"industries": "Z1"}, "industries", "Z1"),
        ({"size_classes": "medium"}, "size_classes", "medium"),
        ({"required_certificates": "iso"}, "required_certificates", "iso"),
        ({"opens_on": "tomorrow"}, "opens_on", "year-month-day"),
        ({"opens_on": "2026-05-01", "closes_on": "2026-04-01"}, "closes_on", "first day"),
        ({"capacity_amount": "-1"}, "capacity_amount", "minus sign"),
        ({"assumed": "name"}, "assumed", "may be assumed"),
    ],
)
def test_a_fault_names_row_column_and_value(cells: dict[str, str], column: str, words: str) -> None:
    checked = check_offers([row(7, **cells)], today=TODAY)

    assert not checked.rows
    (fault,) = checked.faults
    assert (fault.row, fault.column) == (7, column)
    assert words in fault.reason, fault.reason
    assert fault.value == cells.get(column, fault.value)[:60]


def test_all_faults_at_once_and_nothing_is_written() -> None:
    bank = make_institution(name="示范银行甲")
    make_loan_offer(bank, name="知易贷")
    make_institution("insurer", name="示范保险")
    rows = [
        row(2),
        row(3, name="知新贷", max_principal="x", capacity_amount="y"),
        row(4, institution="示范保险"),
        row(5, name="好"),
        row(6, name="好"),
    ]

    with pytest.raises(ImportRefused) as refused:
        import_offers(Actor.SYSTEM, rows, today=TODAY)

    assert [(fault.row, fault.column) for fault in refused.value.faults] == [
        (2, "name"),
        (3, "max_principal"),
        (3, "capacity_amount"),
        (4, "institution"),
        (6, "name"),
    ]
    assert LoanOffer.objects.count() == 1
    assert not AuditEvent.objects.exists()


def csv_file(folder: Path, rows: list[Row], encoding: str) -> Path:
    lines = [",".join(COLUMNS)]
    for each in rows:
        cells = (each.values.get(column, "") for column in COLUMNS)
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells))
    path = folder / "offers.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_command_reads_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = csv_file(tmp_path, [row()], encoding)
    out = io.StringIO()

    call_command("import_offers", str(path), "--dry-run", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"imported": 0, "checked": 1, "faults": []}
    assert not LoanOffer.objects.exists()
    assert not Institution.objects.exists()

    call_command("import_offers", str(path), stdout=io.StringIO())
    assert LoanOffer.objects.get().institution.name == "示范银行甲"


def test_the_command_prints_the_faults_as_json(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [row(rate_basis="cheap")], "utf-8")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_offers", str(path), "--json", stdout=out)
    (fault,) = json.loads(out.getvalue())["faults"]
    assert (fault["row"], fault["column"], fault["value"]) == (2, "rate_basis", "cheap")


def test_the_columns_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
    section = text.split("## Offers")[1].split("\n## ")[0]
    for column in COLUMNS:
        assert f"| `{column}` |" in section, column


def test_many_rows_need_as_many_queries_as_few(django_assert_max_num_queries: Any) -> None:
    rows = [row(number, name=f"贷{number}") for number in range(2, 202)]
    with django_assert_max_num_queries(16):
        import_offers(Actor.SYSTEM, rows, today=TODAY)


@pytest.mark.parametrize(
    ("content", "row_number", "column", "words"),
    [
        (b"", 0, "", "empty"),
        (b"\x89PNG\x00\x00\xff\xff", 0, "", "UTF-8 or GB18030"),
        (b"a\n1\n", 1, "name", "missing"),
        (b"name,nam\n1,2\n", 1, "nam", "no such column"),
        (b"name,name\n1,2\n", 1, "name", "twice"),
        (b"name,note\n1\n", 2, "", "1 cells"),
        (b'name,note\n"1,2\n', 2, "", "quotation mark"),
        (b"name\n" + b"1\n" * 60, 0, "", "more than 20 rows"),
    ],
)
def test_unreadable_tables_are_refused(
    content: bytes, row_number: int, column: str, words: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_rows(io.BytesIO(content), required=["name"], optional=["note"], most_rows=20)
    faults = [fault for fault in refused.value.faults if words in fault.reason]
    assert (faults[0].row, faults[0].column) == (row_number, column), refused.value.faults


def test_rows_keep_the_numbers_of_the_spreadsheet() -> None:
    rows = read_rows(
        io.BytesIO('name;note\n甲;"a\nb"\n\n乙;\n'.encode()), required=["name"], optional=["note"]
    )
    assert [(each.number, each.values["name"]) for each in rows] == [(2, "甲"), (4, "乙")]
