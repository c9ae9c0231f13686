"""A full run beside others who write proposals at the same time, on real connections."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services import full_runs, match_runs, proposal_exchange
from financing.services.writing_lock import lock_writing
from tests.factories.financing import make_policy

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_reads_only_when_nobody_is_writing_proposals(monkeypatch) -> None:
    make_policy()
    run = match_runs.request_nightly_run(on=timezone.localdate())
    writing, may_commit, read_while_writing = Event(), Event(), []

    def write() -> None:
        with transaction.atomic():
            lock_writing()
            writing.set()
            may_commit.wait(120)
        connection.close()

    def read(*args, **options):
        read_while_writing.append(not may_commit.is_set())
        return real_read(*args, **options)

    real_read = full_runs.read_full_run
    monkeypatch.setattr(full_runs, "read_full_run", read)
    writer, runner = Thread(target=write), Thread(target=_run, args=[run.pk])
    writer.start()
    assert writing.wait(120)
    runner.start()
    runner.join(1)
    assert read_while_writing == []
    may_commit.set()
    writer.join(120)
    runner.join(120)
    assert read_while_writing == [False]
    run.refresh_from_db()
    assert run.status == "done"


def _run(run_id: int) -> None:
    full_runs.run_full(run_id)
    connection.close()


def test_a_long_reader_of_proposals_delays_the_exchange_and_nothing_else(monkeypatch) -> None:
    make_policy()
    monkeypatch.setattr(proposal_exchange, "LOCK_WAIT", "200ms")
    monkeypatch.setattr(proposal_exchange, "PAUSE_S", 0.5)
    first = match_runs.request_nightly_run(on=timezone.localdate())
    _run(first.pk)
    reading, may_end = Event(), Event()

    def read() -> None:
        with transaction.atomic():
            assert Proposal.objects.count() == 0
            reading.set()
            may_end.wait(120)
        connection.close()

    run = MatchRun.objects.create(kind="full")
    reader, runner = Thread(target=read), Thread(target=_run, args=[run.pk])
    reader.start()
    assert reading.wait(120)
    runner.start()
    runner.join(3)
    may_end.set()
    reader.join(120)
    runner.join(120)
    run.refresh_from_db()
    assert run.status == "done"
    assert run.failure == ""
