"""The small world of the traces, made once per module and rolled back after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from financing.models import Match
from tests.lifecycles.balance import imbalances
from tests.lifecycles.steps import Step, take
from tests.lifecycles.world import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    """Requests are out and matched. Tests also need `django_db`: their own writes are undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = make_world()
        for pick in range(len(world.loan_requests())):
            assert take(world, Step("submit", pick, 0)) == "done"
        assert take(world, Step("do_waiting_work", 0, 0)) == "done"
        assert take(world, Step("run_everything", 0, 0)) == "done"
        _settle()
        yield world
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def far_world(world: World, django_db_blocker: Any) -> World:
    """One loan is paid out in full, one is in study, one referred; for a module of its own."""
    with django_db_blocker.unblock():
        take(world, Step("claim", 0, 0))
        while not Match.objects.filter(status="completed").exists():
            assert take(world, Step("go_on", 0, 1)) == "done"
        assert take(world, Step("run_everything", 0, 0)) == "done"
        while world.proposals():
            assert take(world, Step("claim", 0, 0)) == "done"
            take(world, Step("approve", 0, 0))
        take(world, Step("consent", 0, 0))
        take(world, Step("study", 0, 0))
        assert Match.objects.filter(status="in_study").count() == 1
        assert Match.objects.filter(status="referred").exists()
        _settle()
    return world


def _settle() -> None:
    """All balances, and nothing is left for the end of the transaction, which does not come."""
    assert imbalances() == {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
