"""A worker has the matcher and the live offers ready before it takes its first task."""

import weakref
from datetime import timedelta

import pytest
from celery.signals import worker_init
from django.db import OperationalError
from django.utils import timezone

from financing import live_offers, match_rows, request_fits, tasks, worker_start
from financing.live_offers import live_offer_rows
from financing.match_runs import current_policy
from financing.models import Proposal
from financing.pair_kinds import LOAN
from financing.services.incremental_runs import match_request
from tests.factories.financing import make_loan_offer, make_loan_request, make_policy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    monkeypatch.setattr(live_offers, "_kept", {})
    monkeypatch.setattr(request_fits, "_book", None)


def refuse(*arguments, **named):
    raise AssertionError("loaded or packed by a task")


def test_the_first_request_finds_all_offers_read_and_packed(monkeypatch):
    make_policy()
    make_loan_offer()
    request = make_loan_request(status="submitted")
    worker_start.make_ready()

    assert len(request_fits._book) == 1
    monkeypatch.setattr(request_fits, "OfferBook", refuse)
    monkeypatch.setattr(match_rows, "_loan_offer_row", refuse)
    match_request(request.pk)

    assert Proposal.objects.filter(loan_request=request).exists()


def test_without_a_policy_the_worker_starts_all_the_same():
    make_loan_offer()
    worker_start.make_ready()

    assert request_fits._book is None


def test_without_a_database_the_worker_starts_and_the_first_task_loads(monkeypatch):
    make_policy()
    make_loan_offer()
    request = make_loan_request(status="submitted")

    def away(*arguments, **named):
        raise OperationalError("connection refused")

    with monkeypatch.context() as while_away:
        while_away.setattr(worker_start, "current_policy", away)
        worker_start.make_ready()
    match_request(request.pk)

    assert Proposal.objects.filter(loan_request=request).exists()


def test_celery_asks_for_it_before_it_forks(monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "start", lambda: asked.append(True))

    # Sent by itself: Celery's own receivers would close the test's connection.
    [ours] = [each for _, ref in worker_init.receivers for each in [_receiver(ref)] if each]
    ours(sender=None)

    assert asked == [True]


def _receiver(ref):
    receiver = ref() if isinstance(ref, weakref.ref) else ref
    return receiver if getattr(receiver, "__module__", "") == tasks.__name__ else None


def test_midnight_reads_no_offer_again_while_the_reference_rates_stay(monkeypatch):
    today = timezone.localdate()
    make_policy()
    make_loan_offer(interest_rate_percent=None, rate_basis="lpr_1y", spread_bp=10)
    before = live_offer_rows(LOAN, today)
    book = request_fits.book_of(before, match_rows.policy_row(current_policy(today), today))

    tomorrow = today + timedelta(days=1)
    policy = match_rows.policy_row(current_policy(tomorrow), tomorrow)
    kept = live_offer_rows(LOAN, tomorrow)
    assert [id(row) for row in kept] == [id(row) for row in before]
    assert request_fits.book_of(kept, policy) is not book

    rates = match_rows.reference_rates(today)
    risen = (rates[0] + 1, rates[1])
    monkeypatch.setattr(live_offers, "reference_rates", lambda on: risen)
    monkeypatch.setattr(match_rows, "lpr_percent", lambda on, months: risen[0])
    assert live_offer_rows(LOAN, tomorrow)[0].interest_rate_ppm == before[0].interest_rate_ppm + (
        10_000
    )
