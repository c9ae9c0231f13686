"""The stored columns of requests equal those made anew from the records, whatever was changed."""

import re
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from businesses.entries import CertificateFacts, CoOwnerEntry, PatentEntry
from businesses.models import Business, Patent
from businesses.services import (
    appraisals,
    businesses,
    certificates,
    co_owners,
    encumbrances,
    patents,
)
from financing.kind_rows import rows_of
from financing.matching.national.from_rows import EPOCH
from financing.models import LoanRequest, RequestChunk, RequestMark
from financing.pair_kinds import INSURANCE, KINDS, LOAN
from financing.services import loan_requests, requests
from financing.snapshot import refreshing, stored
from financing.snapshot.refreshing import (
    differences,
    rebuilt,
    refresh,
)
from financing.snapshot.stored import read_requests, stored_chunks
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_certificate,
    make_co_owner,
    make_encumbrance,
    make_office,
    make_patent,
    make_region,
)
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_policy
from tests.factories.insurance import make_insurance_request
from tests.factories.money import make_accepted, register_all

pytestmark = pytest.mark.django_db
DAYS_AHEAD = (0, 1, 31, 200, 500, 4000)


class World:
    """A business with a loan and an insurance request on the same patents, and another firm."""

    def __init__(self):
        self.owner = make_owner()
        self.actor = Actor.of(self.owner)
        self.coordinator = Actor.of(make_coordinator(make_office("320000")))
        self.business = make_business(owner=self.owner, region="320505")
        self.patent, self.second = make_patent(self.business), make_patent(self.business)
        self.appraisal = make_appraisal(self.patent, 5_000_000)
        self.encumbrance = make_encumbrance(self.second, "preservation")
        make_certificate(self.business, valid_until=timezone.localdate() + timedelta(days=100))
        make_co_owner(self.patent)
        self.loan = make_loan_request(self.business, [self.patent, self.second])
        self.insurance = make_insurance_request(self.business, [self.patent])
        self.neighbour = make_loan_request()

    @property
    def entry(self):
        self.patent.refresh_from_db()
        names = {field.name for field in fields(PatentEntry)} - {"is_divisional"}
        return PatentEntry(**{name: getattr(self.patent, name) for name in names})


@pytest.fixture
def world():
    make_policy()
    made = World()
    for kind in KINDS:
        refresh(kind, timezone.localdate())
    return made


def assert_stored_as_rebuilt():
    today = timezone.localdate()
    for kind in KINDS:
        refresh(kind, today)
        for number, chunk in stored_chunks(kind):
            for days in DAYS_AHEAD:
                on = today + timedelta(days=days)
                # Made on the later day itself: nothing in it is older than that.
                assert differences(chunk, rebuilt(kind, number, on), on) == [], (kind, days)
        ids = kind.requests.objects.in_matching().order_by("pk").values_list("pk", flat=True)
        assert read_requests(kind).columns.id.tolist() == list(ids)
    assert not RequestMark.objects.exists()


def contents():
    return {
        (kind.name, number): (bytes(each.columns), bytes(each.newer_ids), bytes(each.newer_columns))
        for kind in KINDS
        for each in RequestChunk.objects.filter(kind=kind.name)
        for number in [each.number]
    }


def principal(world):
    # A draft may be changed; it comes into matching when it is submitted.
    requests.withdraw(actor=world.actor, request=world.loan)
    world.loan.refresh_from_db()
    draft = requests.copy_as_draft(actor=world.actor, request=world.loan)
    loan_requests.save_loan(
        actor=world.actor,
        request=draft,
        principal=Decimal(800_000),
        least_accepted=Decimal(300_000),
        term_months=24,
        max_apr_percent=Decimal("4.5"),
    )
    loan_requests.save_purpose(
        actor=world.actor, request=draft, purpose="research", purpose_text="A new line"
    )
    requests.save_patents(actor=world.actor, request=draft, patent_ids=[world.patent.pk])
    draft.refresh_from_db()
    LoanRequest.objects.filter(pk=draft.pk).update(status="submitted", submitted_at=timezone.now())


def withdrawn(world):
    requests.withdraw(actor=world.actor, request=world.insurance)


def appraised(world):
    appraisals.add_appraisal(
        actor=world.actor,
        patent=world.second,
        appraiser="Appraiser",
        appraised_on=timezone.localdate() - timedelta(days=3),
        method="income",
        appraised_value=Decimal(3_000_000),
    )


def not_appraised(world):
    appraisals.remove_appraisal(actor=world.actor, appraisal=world.appraisal)


def co_owned(world):
    entries = [CoOwnerEntry(name="Gamma", consent="missing")]
    co_owners.set_co_owners(actor=world.actor, patent=world.patent, entries=entries)


def pledged_outside(world):
    encumbrances.add_encumbrance(
        actor=world.actor,
        patent=world.patent,
        kind="pledge",
        holder="A bank",
        registered_on=timezone.localdate() - timedelta(days=30),
        releases_on=timezone.localdate() + timedelta(days=30),
    )


def released(world):
    encumbrances.release_encumbrance(
        actor=world.actor, encumbrance=world.encumbrance, released_on=timezone.localdate()
    )


def certified(world):
    until = timezone.localdate() + timedelta(days=20)
    certificates.set_certificates(
        actor=world.actor,
        business=world.business,
        certificates={"little_giant": CertificateFacts(number="1", valid_until=until)},
    )


def disputed(world):
    entry = replace(world.entry, has_ownership_dispute=True)
    patents.change_patent(actor=world.actor, patent=world.patent, entry=entry)


def annuity_known(world):
    entry = replace(world.entry, annuity_paid_through_year=2)
    patents.change_patent(actor=world.actor, patent=world.patent, entry=entry)


def ended(world):
    patents.end_patent(
        actor=world.actor,
        patent=world.patent,
        end_reason="abandoned",
        ended_on=timezone.localdate(),
    )


def moved(world):
    facts = replace(
        businesses.facts_of(world.business), region=make_region("440300"), employee_count=80
    )
    Business.objects.filter(pk=world.business.pk).update(status="registered")
    world.business.refresh_from_db()
    businesses.change_business(actor=world.actor, business=world.business, facts=facts)


def suspended(world):
    businesses.suspend_business(
        actor=world.coordinator, business=world.business, reason="To be looked at"
    )


def accepted(world):
    """Patents planned as pledges of a match: no longer free, for the twin of another firm too."""
    match = make_match(world.loan, make_loan_offer(), status="terms_offered")
    make_accepted(match)


CHANGES = [
    principal,
    withdrawn,
    appraised,
    not_appraised,
    co_owned,
    pledged_outside,
    released,
    certified,
    disputed,
    annuity_known,
    ended,
    moved,
    suspended,
    accepted,
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_in_the_columns_after_the_next_refresh(world, change):
    before = contents()

    change(world)

    assert_stored_as_rebuilt()
    assert contents() != before


def test_a_pledge_of_the_same_patent_by_another_firm_counts(world):
    """Two co-owners registered one patent: whoever pledges it, it is pledged."""
    twin = make_patent(make_business(), application_number=world.patent.application_number)
    other = make_loan_request(twin.business, [twin])
    for kind in KINDS:
        refresh(kind, timezone.localdate())
    before = contents()

    match = make_accepted(make_match(other, status="terms_offered"))
    assert_stored_as_rebuilt()
    assert contents() != before

    register_all(match)
    assert_stored_as_rebuilt()


def test_who_had_a_pledge_is_no_first_time_borrower(world):
    match = make_accepted(make_match(status="terms_offered"))
    business = match.business
    insured = make_insurance_request(business, [make_patent(business)])
    for kind in KINDS:
        refresh(kind, timezone.localdate())
    assert _first_time(insured)

    register_all(match)

    assert_stored_as_rebuilt()
    assert not _first_time(insured)


def _first_time(request):
    columns = read_requests(INSURANCE).columns
    return columns.is_first_time_borrower[columns.id.tolist().index(request.pk)]


def test_only_what_changed_is_read_again(world, monkeypatch):
    read = []
    original = refreshing.read_chunk

    def noted(kind, ids, on):
        read.extend((kind.name, pk) for pk in ids)
        return original(kind, ids, on)

    monkeypatch.setattr(refreshing, "read_chunk", noted)
    appraised(world)
    found = [refresh(kind, timezone.localdate()) for kind in KINDS]

    assert read == [("loan", world.loan.pk)]
    assert [each.rebuilt_count for each in found] == [0, 0]
    assert refresh(LOAN, timezone.localdate()).requests_count == 0


def test_other_code_makes_everything_anew(world, monkeypatch):
    for module in (refreshing, stored):
        monkeypatch.setattr(module, "code_digest", lambda: "another release")

    assert refresh(LOAN, timezone.localdate()).rebuilt_count == 1
    assert refresh(LOAN, timezone.localdate()).rebuilt_count == 0


def test_an_earlier_day_makes_everything_anew(world):
    """Columns know nothing of the days before theirs."""
    yesterday = timezone.localdate() - timedelta(days=1)

    assert refresh(LOAN, yesterday).rebuilt_count == 1
    assert_stored_as_rebuilt()


def test_an_emptied_table_makes_everything_anew(world):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE businesses_encumbrance")

    assert_stored_as_rebuilt()


def test_a_change_undone_leaves_no_mark(world):
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        Patent.objects.filter(pk=world.patent.pk).update(has_infringement_dispute=True)
        assert RequestMark.objects.exists()
        cursor.execute("ROLLBACK TO SAVEPOINT before")

    assert not RequestMark.objects.exists()


def test_the_columns_say_what_the_rows_say(world):
    """The same facts by the other way, of pages and incremental runs."""
    for ahead in DAYS_AHEAD:
        on = timezone.localdate() + timedelta(days=ahead)
        for kind in (LOAN, INSURANCE):
            columns = read_requests(kind).on(on)
            found = rows_of(kind).with_facts(kind.requests.objects.in_matching())
            rows = {int(row.id): row for row in rows_of(kind).request_rows(list(found), on)}
            for line, pk in enumerate(columns.id):
                row = rows[pk]
                assert columns.waiting_days[line] == row.waiting_days
                assert columns.region_codes[columns.region[line]] == row.region_code
                first, last = columns.patents_start[line], columns.patents_start[line + 1]
                for place in range(first, last):
                    patent = {int(p.id): p for p in row.patents}[columns.patents.id[place]]
                    assert columns.patents.expires_on[place] == (patent.expires_on - EPOCH).days
                    if kind is LOAN:
                        assert (
                            _named(columns.patents.hard_grounds[place], columns.ground_codes)
                            == patent.hard_grounds
                        )
                    else:
                        assert _named(
                            columns.patents.failures[place], columns.condition_codes
                        ) == set(patent.insurability_failures)
                if kind is LOAN:
                    held = _named(columns.certificates[line], columns.certificate_codes)
                    assert held == set(row.certificates)


def _named(bits, codes):
    return {code for number, code in enumerate(codes) if int(bits) >> number & 1}


# --- the triggers by themselves: services often touch several tables at once ------------------


MARKING = (
    "businesses_appraisal",
    "businesses_business",
    "businesses_certificate",
    "businesses_coowner",
    "businesses_encumbrance",
    "businesses_patent",
    "financing_insurancerequest",
    "financing_insurancerequest_patents",
    "financing_loanrequest",
    "financing_loanrequest_patents",
    "financing_pledge",
)
# Read for the business behind a pledge, which a match never changes.
READ_WITHOUT_MARKS = {"financing_match"}


def test_every_table_that_the_columns_are_made_from_marks(world):
    with CaptureQueriesContext(connection) as queries:
        for kind in KINDS:
            rebuilt(kind, 0, timezone.localdate())
            found = kind.requests.objects.in_matching().order_by("pk").first()
            rebuilt(kind, found.pk // refreshing.CHUNK, timezone.localdate())
    read = {
        name for query in queries for name in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])
    }

    assert read - READ_WITHOUT_MARKS == set(MARKING)


@pytest.mark.parametrize("table", MARKING)
def test_each_table_marks_by_itself_whatever_happens_to_its_rows(world, table):
    if table == "financing_pledge":
        make_accepted(make_match(make_loan_request(), status="terms_offered"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass", [table])
        names = {name for (name,) in cursor.fetchall() if name.startswith("request_mark")}
        RequestMark.objects.all().delete()
        cursor.execute(f"UPDATE {table} SET id = id")

    expected = {"added", "removed", "before", "after", "emptied"}
    assert names == {f"request_mark_{name}" for name in expected}
    assert RequestMark.objects.filter(request_id__isnull=False).exists()
