"""Columns of requests read in pieces by day, and records read a table at a time."""

from collections import Counter
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from financing.kind_rows import rows_of
from financing.models import LoanRequest, RequestChunk, RequestMark
from financing.pair_kinds import KINDS, LOAN
from financing.snapshot import refreshing
from financing.snapshot.chunks import joined
from financing.snapshot.records import request_records
from financing.snapshot.refreshing import (
    differences,
    rebuilt,
    refresh,
    refresh_most_marked,
)
from financing.snapshot.stored import read_requests, stored_chunks, stored_parts
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
    monkeypatch.setattr(refreshing, "READ_AT_ONCE", 1)
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
    with monkeypatch.context() as patched:
        # Time for all chunks but the last.
        moments = iter([0] * len(marked) + [2])
        patched.setattr(refreshing, "monotonic", lambda: next(moments))
        done = refresh_most_marked(LOAN, timezone.localdate(), seconds=1)
    assert done.spliced_count == len(marked) - 1
    left = _marks_by_chunk()
    assert list(left.values()) == [1]

    refresh(LOAN, timezone.localdate())
    assert_read_as_rebuilt()


@pytest.mark.parametrize("most_newer", [0, 2, 1_000])
def test_after_any_changes_the_columns_are_as_made_from_nothing(monkeypatch, most_newer):
    """Beside the columns or put into them: changed, withdrawn, come back, new, again and again."""
    monkeypatch.setattr(refreshing, "CHUNK", 4)
    monkeypatch.setattr(refreshing, "MOST_NEWER", most_newer)
    random = Random(most_newer)
    loans = [make_loan_request().pk for _ in range(10)]
    refresh(LOAN, timezone.localdate())
    for _ in range(6):
        for pk in random.sample(loans, 3):
            changed = LoanRequest.objects.filter(pk=pk)
            changed.update(
                principal=F("principal") + 100, status=random.choice(["open", "open", "withdrawn"])
            )
            if random.random() < 0.4:
                patent = make_patent(changed.get().business)
                changed.get().patents.add(patent)
        loans.append(make_loan_request().pk)
        refresh(LOAN, timezone.localdate())
        assert_read_as_rebuilt()
    beside = [len(bytes(each.newer_ids)) // 8 for each in RequestChunk.objects.all()]
    assert max(beside) <= most_newer
    assert any(beside) == (most_newer > 0)


def test_lines_beside_the_columns_leave_these_alone():
    loan = make_loan_request()
    make_loan_request()
    refresh(LOAN, timezone.localdate())
    before = RequestChunk.objects.get(kind="loan")
    LoanRequest.objects.filter(pk=loan.pk).update(principal=F("principal") + 100)

    refresh(LOAN, timezone.localdate())

    after = RequestChunk.objects.get(kind="loan")
    assert bytes(after.columns) == bytes(before.columns)
    assert np.frombuffer(after.newer_ids, dtype=np.int64).tolist() == [loan.pk]
    assert_read_as_rebuilt()


def test_a_region_is_read_without_lines_that_hold_no_more():
    loan, other = make_loan_request(), make_loan_request()
    refresh(LOAN, timezone.localdate())
    region = loan.business.region_id
    LoanRequest.objects.filter(pk=loan.pk).update(principal=F("principal") + 100)
    LoanRequest.objects.filter(pk=other.pk).update(status="withdrawn")
    refresh(LOAN, timezone.localdate())

    found = read_requests(LOAN, region[:2])

    assert found.columns.id.tolist() == [loan.pk]
    assert found.columns.principal_fen.tolist() == [int(loan.principal * 100) + 10_000]


def assert_read_as_rebuilt():
    today = timezone.localdate()
    chunks = dict(stored_chunks(LOAN))
    for number, stored in chunks.items():
        assert differences(stored, rebuilt(LOAN, number, today), today) == []
    whole = read_requests(LOAN)
    ids = LoanRequest.objects.in_matching().order_by("pk").values_list("pk", flat=True)
    assert whole.columns.id.tolist() == list(ids)
    assert differences(whole, joined(list(chunks.values())), today) == []
    parts = [chunk.where(holds) for chunk, holds in stored_parts(LOAN)]
    assert sorted(joined(parts).columns.id.tolist()) == list(ids)


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
