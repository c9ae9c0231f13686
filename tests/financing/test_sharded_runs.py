"""A run cut into bundles: the result of one process, cancelled, failed, and given back."""

from datetime import UTC, datetime
from random import Random

import pytest

from financing.matching.national import bundles
from financing.models import BundleRound, MatchingPolicy, MatchRun, RunBundle, ShardedRun
from financing.run_archive import load_run
from financing.services import full_runs, sharded_runs
from financing.services.match_runs import cancel_run
from financing.services.sharded_endings import NotAllAnswered, collected
from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_user
from tests.factories.insurance import (
    make_insurance_offer,
    make_insurance_policy_of_the_day,
    make_insurance_request,
)
from tests.financing.sharded import (
    ask_for_run,
    deliver_all,
    deliver_waiting,
    digest_of_one_process,
    make_market,
    proposals,
)

EARLIER, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def several(settings, monkeypatch):
    settings.MATCHING_SHARDED_FROM = 1
    monkeypatch.setattr(bundles, "MOST_BUNDLES", 4)
    monkeypatch.setattr(sharded_runs, "PROCESS", sharded_runs._Process())


@pytest.fixture
def market(transactional_db):
    make_market()


def test_cut_into_bundles_a_run_is_what_it_is_in_one_process(market):
    expected = digest_of_one_process()
    run = ask_for_run()
    messages = deliver_all()
    run.refresh_from_db()
    assert (run.status, run.is_sharded) == ("done", True)
    assert run.result_digest == expected
    assert len(proposals(run=run)) == run.proposal_count > 42
    assert run.gap is not None
    # One message asks for the run, one for each bundle and round, one ends it.
    assert messages == OutboxMessage.objects.count()
    assert not OutboxMessage.objects.waiting().exists()
    assert not ShardedRun.objects.exists()
    assert full_runs.replay(run).is_same_result


def test_every_round_in_another_process(market, monkeypatch):
    """Nothing is in memory from one message to the next: the rows alone carry the run."""
    expected = digest_of_one_process()
    run = ask_for_run()
    deliver_waiting()
    rounds = set()
    while deliver_waiting():
        rounds |= set(BundleRound.objects.values_list("number", flat=True))
        monkeypatch.setattr(sharded_runs, "PROCESS", sharded_runs._Process())
    run.refresh_from_db()
    assert run.result_digest == expected
    assert len(rounds) > 5


def test_a_bundle_that_another_process_took_on_is_restored(market, monkeypatch):
    """Of two processes one takes every third message: bundles wander between them."""
    expected = digest_of_one_process()
    run = ask_for_run()
    processes = [sharded_runs._Process(), sharded_runs._Process()]
    deliver_waiting()
    turn, random = 0, Random(1)
    while waiting := list(OutboxMessage.objects.waiting().order_by("pk")):
        message = random.choice(waiting)
        monkeypatch.setattr(sharded_runs, "PROCESS", processes[turn % 3 == 2])
        OutboxMessage.objects.waiting().exclude(pk=message.pk).update(available_at=LATER)
        deliver_waiting()
        OutboxMessage.objects.waiting().update(available_at=EARLIER)
        turn += 1
    run.refresh_from_db()
    assert (run.status, run.result_digest) == ("done", expected)


def test_insurances_go_along_in_one_bundle(market):
    MatchingPolicy.objects.all().delete()
    make_insurance_policy_of_the_day()
    make_insurance_offer()
    make_insurance_request()
    expected = digest_of_one_process()
    run = ask_for_run()
    deliver_waiting()
    assert set(RunBundle.objects.values_list("kind", flat=True)) == {"loan", "insurance"}
    deliver_all()
    run.refresh_from_db()
    assert run.result_digest == expected
    assert run.proposals.filter(insurance_request__isnull=False).exists()


def test_cancelled_between_two_rounds(market):
    run = ask_for_run()
    deliver_waiting()
    deliver_waiting()
    cancel_run(actor=Actor.of(make_user("coordinator", office=run.office)), run=run)
    deliver_all()
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not proposals()
    assert not ShardedRun.objects.exists()


def test_a_bundle_that_cannot_be_answered_fails_the_run_visibly(market, monkeypatch):
    run = ask_for_run()
    deliver_waiting()

    def broken(*_args):
        raise ArithmeticError("somebody's figures")

    monkeypatch.setattr(bundles, "answers_of", broken)
    for _ in range(4):
        deliver_waiting()
        OutboxMessage.objects.waiting().update(available_at=EARLIER)
    deliver_all()
    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "ArithmeticError")
    assert OutboxMessage.objects.filter(parked_at__isnull=False).exists()
    # What is left of it goes with the next run.
    monkeypatch.undo()


def test_lost_workers_are_named_as_such(market):
    run = ask_for_run()
    deliver_waiting()
    message = OutboxMessage.objects.filter(task=sharded_runs.ANSWER_TASK, done_at=None).first()
    OutboxMessage.objects.filter(pk=message.pk).update(attempt_count=3)
    OutboxMessage.objects.waiting().exclude(pk=message.pk).update(available_at=LATER)
    deliver_all()
    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "WorkerLost")


def test_begun_twice_is_begun_once(market):
    run = ask_for_run()
    deliver_waiting()
    before = ShardedRun.objects.values_list("created_at").get()
    full_runs.run_full(run.pk)
    assert ShardedRun.objects.values_list("created_at").get() == before
    assert MatchRun.objects.get(pk=run.pk).start_count == 1
    with pytest.raises(NotAllAnswered):
        collected(MatchRun.objects.get(pk=run.pk))


def test_what_changes_after_the_start_is_not_seen(market):
    expected = digest_of_one_process()
    run = ask_for_run()
    deliver_waiting()
    run.refresh_from_db()
    ids = load_run(run).run.loans.requests.id
    make_market(requests=5)
    deliver_all()
    run.refresh_from_db()
    assert run.result_digest == expected
    assert run.request_count == len(ids) == 42


def test_small_runs_are_done_by_one_worker(market, settings):
    settings.MATCHING_SHARDED_FROM = 43
    run = ask_for_run()
    deliver_waiting()
    run.refresh_from_db()
    assert (run.status, run.is_sharded) == ("done", False)
