"""Imports of businesses and patents: whole or not at all, every fault by row and column."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from businesses.models import Appraisal, Business, CoOwner, Patent
from businesses.services.business_imports import as_rows, import_businesses
from businesses.services.patent_imports import import_patents
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.tabular.reading import ImportRefused
from tests.factories.businesses import credit_code, make_business, patent_number
from tests.factories.offices import make_region

pytestmark = pytest.mark.django_db

HEADER = "credit_code,name,region_code,industry,established_on,employees,revenue_wan,assumed\n"


def business_record(**changes: object) -> dict[str, object]:
    make_region("320505")
    return {
        "credit_code": credit_code(),
        "name": "示范一",
        "region_code": "320505",
        "industry": "C3911",
        "established_on": "2015-03-31",
        "employees": "19",
        "revenue_wan": "500",
        "figures_year": "2018",
        "certificates": "high_tech; tech_sme",
        "assumed": "employees",
    } | changes


def patent_record(business: Business, **changes: object) -> dict[str, object]:
    return {
        "credit_code": business.credit_code,
        "application_number": patent_number("invention", 2018),
        "title": "一种示范装置",
        "filed_on": "2018-05-06",
        "granted_on": "2020-01-02",
        "co_owners": "示范大学; 示范研究院",
        "co_owner_consent": "given",
        "annuity_paid_through_year": "8",
        "appraised_value": "1,200,000",
        "appraised_on": "2025-01-02",
        "appraiser": "示范评估",
        "assumed": "appraised_value",
    } | changes


def faults_of(refused: pytest.ExceptionInfo[ImportRefused]) -> list[tuple[int, str]]:
    return [(fault.row, fault.column) for fault in refused.value.faults]


def test_businesses_are_taken_over_with_size_class_and_certificates():
    [business] = import_businesses(actor=Actor.SYSTEM, rows=as_rows([business_record()]))
    business.refresh_from_db()
    # 19 staff is below the small bound of 20, whatever the revenue (DOMAIN 4.2).
    assert (business.size_class, business.size_indicator) == ("micro", "employees")
    assert business.assumed_fields == ["employee_count"]
    assert sorted(c.kind for c in business.certificates.all()) == ["high_tech", "tech_sme"]
    assert business.status == "registered"
    assert AuditEvent.objects.filter(verb="businesses.imported").count() == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("credit_code", "913205050000000000"),
        ("name", ""),
        ("region_code", "999999"),
        ("industry", "C9999"),
        ("established_on", "2999-01-01"),
        ("established_on", "31.02.2015"),
        ("employees", "-1"),
        ("revenue_wan", "NaN"),
        ("revenue_wan", "1e309"),
        ("assets_wan", "-5"),
        ("figures_year", "2999"),
        ("certificates", "driving_licence"),
        ("has_low_taxable_income", "perhaps"),
        ("assumed", "name"),
    ],
)
def test_each_wrong_cell_is_named(column, value):
    with pytest.raises(ImportRefused) as refused:
        import_businesses(actor=Actor.SYSTEM, rows=as_rows([business_record(**{column: value})]))
    assert faults_of(refused) == [(2, column)]
    assert refused.value.faults[0].reason


def test_one_fault_keeps_every_row_out():
    rows = as_rows([business_record(), business_record(industry="?"), business_record(name="")])
    with pytest.raises(ImportRefused) as refused:
        import_businesses(actor=Actor.SYSTEM, rows=rows)
    assert faults_of(refused) == [(3, "industry"), (4, "name")]
    assert not Business.objects.exists()


def test_a_code_twice_in_the_file_or_already_there_is_refused():
    there = make_business()
    twice = credit_code()
    rows = as_rows(
        [
            business_record(credit_code=twice),
            business_record(credit_code=twice),
            business_record(credit_code=there.credit_code),
        ]
    )
    with pytest.raises(ImportRefused) as refused:
        import_businesses(actor=Actor.SYSTEM, rows=rows)
    assert faults_of(refused) == [(3, "credit_code"), (4, "credit_code")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_command_reads_the_usual_encodings(tmp_path, encoding):
    make_region("320505")
    file = tmp_path / "businesses.csv"
    row = f"{credit_code()},示范二,320505,39,2015-03-31,30,500,\n"
    file.write_bytes((HEADER + row).encode(encoding))
    call_command("import_businesses", str(file), stdout=io.StringIO())
    assert Business.objects.get().name == "示范二"
    assert Business.objects.get().industry == "C39"


def test_the_command_lists_faults_and_fails(tmp_path):
    file = tmp_path / "businesses.csv"
    file.write_text(HEADER + "x,,1,?,never,-1,NaN,\n", encoding="utf-8")
    said = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_businesses", str(file), stderr=said)
    for column in ("credit_code", "name", "region_code", "industry", "established_on"):
        assert f"2 · {column}" in said.getvalue()


def test_rows_of_the_wrong_shape_do_not_hide_the_faults_of_others(tmp_path):
    """Too few cells, a cell too long, a wrong value, an open quotation mark: all are named."""
    make_region("320505")
    right = f"{credit_code()},示范四,320505,C,2015-03-31,,,"
    lines = [
        right,
        "too,few,cells",
        f"{credit_code()},{'长' * 20_001},320505,C,2015-03-31,,,",
        f"{credit_code()},示范五,320505,C,never,,,",
        '"open,',
    ]
    file = tmp_path / "businesses.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    said = io.StringIO()

    with pytest.raises(CommandError, match="Nothing was imported: 4"):
        call_command("import_businesses", str(file), stderr=said)

    faults = [line.split(" · ")[:2] for line in said.getvalue().splitlines()]
    assert faults == [["3", ""], ["4", "name"], ["5", "established_on"], ["6", ""]]
    assert not Business.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_file_of_wrong_rows_alone_is_refused(tmp_path):
    file = tmp_path / "businesses.csv"
    file.write_text(HEADER + "too,few\n", encoding="utf-8")

    with pytest.raises(CommandError, match="Nothing was imported: 1"):
        call_command("import_businesses", str(file), "--dry-run", stderr=io.StringIO())


def test_a_dry_run_writes_nothing(tmp_path):
    make_region("320505")
    file = tmp_path / "businesses.csv"
    file.write_text(HEADER + f"{credit_code()},示范三,320505,C,2015-03-31,,,\n", encoding="utf-8")
    call_command("import_businesses", str(file), "--dry-run", stdout=io.StringIO())
    assert not Business.objects.exists()


def test_patents_are_taken_over_with_co_owners_and_appraisal():
    business = make_business()
    [patent] = import_patents(actor=Actor.SYSTEM, rows=as_rows([patent_record(business)]))
    patent = Patent.objects.get(pk=patent.pk)
    assert (patent.kind, patent.status, patent.business_id) == (
        "invention",
        "registered",
        business.pk,
    )
    assert [owner.name for owner in CoOwner.objects.all()] == ["示范大学", "示范研究院"]
    assert {owner.consent for owner in CoOwner.objects.all()} == {"given"}
    appraisal = Appraisal.objects.get()
    assert (appraisal.appraised_value, appraisal.appraised_on) == (
        Decimal(1_200_000),
        date(2025, 1, 2),
    )
    assert patent.assumed_fields == ["appraisals"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "registered"),
        ({"status": "draft"}, "draft"),
        ({"end_reason": "expired", "ended_on": "2024-01-01"}, "ended"),
    ],
)
def test_the_state_of_an_imported_patent(changes, status):
    record = patent_record(make_business(), **changes)
    [patent] = import_patents(actor=Actor.SYSTEM, rows=as_rows([record]))
    assert patent.status == status


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("credit_code", "91320505MA99999990"),
        ("application_number", "201810000001.0"),
        ("application_number", "CN109999999A"),
        ("title", ""),
        ("filed_on", "2017-05-06"),
        ("granted_on", "2018-01-01"),
        ("co_owner_consent", "maybe"),
        ("annuity_paid_through_year", "21"),
        ("status", "sleeping"),
        ("end_reason", "bored"),
        ("appraised_value", "0"),
        ("appraised_value", ""),
        ("appraised_on", "2999-01-01"),
        ("assumed", "title"),
    ],
)
def test_each_wrong_cell_of_a_patent_is_named(column, value):
    record = patent_record(make_business(), **{column: value})
    with pytest.raises(ImportRefused) as refused:
        import_patents(actor=Actor.SYSTEM, rows=as_rows([record]))
    assert (2, column) in faults_of(refused)
    assert not Patent.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_rows(django_assert_max_num_queries):
    business = make_business()
    records = [patent_record(business) for _each in range(40)]
    with django_assert_max_num_queries(12):
        import_patents(actor=Actor.SYSTEM, rows=as_rows(records))
    assert Patent.objects.count() == 40
