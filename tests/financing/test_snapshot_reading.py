"""Columns of requests read in pieces by day, and records read a table at a time."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from financing.kind_rows import rows_of
from financing.models import LoanRequest, RequestMark
from financing.pair_kinds import KINDS, LOAN
from financing.snapshot import refreshing
from financing.snapshot.records import request_records
from financing.snapshot.refreshing import (
    differences,
    read_requests,
    rebuilt,
    refresh,
    refresh_most_marked,
    stored_chunks,
)
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_certificate,
    make_co_owner,
    make_encumbrance,
    make_patent,
)
from tests.factories.financing import make_loan_request, make_match, make_policy
from tests.factories.insurance import make_insurance_request
from tests.factories.money import make_accepted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    make_policy()


def test_by_day_the_chunks_with_most_changes_are_refreshed_first(monkeypatch):
    """In pieces, between changes, in any order: what a run then reads is as made from nothing."""
    monkeypatch.setattr(refreshing, "CHUNK", 2)
    monkeypatch.setattr(refreshing, "FEWEST_MARKED", 2)
    loans = [make_loan_request() for _ in range(8)]
    refresh(LOAN, timezone.localdate())
    whole = Counter(loan.pk // 2 for loan in loans).most_common(1)[0][0]
    LoanRequest.objects.exclude(pk=2 * whole).update(principal=F("principal") + 100)
    marked = _marks_by_chunk()
    assert marked[whole] == 1

    # No time, no chunk.
    done = refresh_most_marked(LOAN, timezone.localdate(), seconds=-1)
    assert (done.rebuilt_count, done.spliced_count) == (0, 0)
    LoanRequest.objects.filter(pk=loans[-1].pk).update(status="withdrawn")
    done = refresh_most_marked(LOAN, timezone.localdate(), seconds=60)
    assert done.spliced_count == sum(1 for count in marked.values() if count > 1)
    assert all(count == 1 for count in _marks_by_chunk().values())

    refresh(LOAN, timezone.localdate())
    for number, stored in stored_chunks(LOAN):
        today = timezone.localdate()
        assert differences(stored, rebuilt(LOAN, number, today), today) == []
    ids = LoanRequest.objects.in_matching().order_by("pk").values_list("pk", flat=True)
    assert read_requests(LOAN).columns.id.tolist() == list(ids)


def _marks_by_chunk():
    marks = RequestMark.objects.filter(kind="loan").values_list("request_id", flat=True)
    return Counter(pk // refreshing.CHUNK for pk in set(marks))


def test_records_say_what_models_say():
    """Read a table at a time, every fact the same: rows of both ways are equal."""
    today = timezone.localdate()
    business = make_business(region="320505")
    patent, second = make_patent(business), make_patent(business)
    make_appraisal(patent, 5_000_000, appraised_on=today - timedelta(days=90))
    make_appraisal(patent, 4_000_000)
    make_encumbrance(patent, "pledge")
    make_encumbrance(second, "preservation")
    make_co_owner(patent)
    make_certificate(business, valid_until=today + timedelta(days=100))
    make_loan_request(business, [patent, second])
    make_insurance_request(business, [second])
    make_insurance_request()
    # Another firm pledges the same patent.
    twin = make_patent(make_business(), application_number=patent.application_number)
    rival = make_loan_request(twin.business, [twin])
    make_accepted(make_match(rival, status="terms_offered"))
    for kind in KINDS:
        found = kind.requests.objects.in_matching().order_by("pk")
        models = rows_of(kind).request_rows(list(rows_of(kind).with_facts(found)), today)
        with CaptureQueriesContext(connection) as queries:
            records = request_records(kind, found)
        assert rows_of(kind).request_rows(records, today) == models
        assert len(models) == kind.requests.objects.in_matching().count() > 0
        assert len(queries) == 9
