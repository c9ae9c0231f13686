"""The nightly run comes although Redis may lose what beat sends, and once a night."""

from datetime import timedelta

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from financing.models import MatchRun
from financing.services import match_runs
from financing.tasks import nightly_matching
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.financing import make_run

pytestmark = pytest.mark.django_db


def test_beat_asks_several_times_within_one_night() -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["nightly-matching"]["schedule"]
    assert isinstance(schedule, crontab)
    assert len(schedule.hour) * len(schedule.minute) > 4
    # All on one day, whose date names the run; before people come to work.
    assert max(schedule.hour) < 7


def test_asked_again_it_is_the_same_run() -> None:
    for _each in range(3):
        nightly_matching()
    run = MatchRun.objects.get()
    assert run.nightly_of == timezone.localdate()
    assert OutboxMessage.objects.get().payload == {"run_id": run.pk}


def test_nightly_run_whose_workers_were_lost_is_ended_by_the_next_night() -> None:
    today, ago = timezone.localdate(), timezone.now() - timedelta(hours=24)
    unfinished = {"status": "running", "finished_at": None, "started_at": ago}
    lost = make_run(nightly_of=today - timedelta(days=1), start_count=3, **unfinished)
    alive = make_run(nightly_of=today - timedelta(days=2), start_count=1, **unfinished)
    match_runs.request_nightly_run(on=today)
    lost.refresh_from_db()
    alive.refresh_from_db()
    assert (lost.status, alive.status) == ("failed", "running")
    assert lost.finished_at is not None
