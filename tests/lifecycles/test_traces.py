"""Random traces through the real services on PostgreSQL; after each step everything balances.

`test_traces` tries a few each time; the drill tries 2,000 (`-m drill`).
"""

from collections import Counter

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from financing.models import Match, Pledge
from sipo_portal.audit.models import AuditEvent
from tests.lifecycles.balance import CHECKS, imbalances
from tests.lifecycles.steps import STEPS, Step, take
from tests.lifecycles.world import make_world

pytestmark = pytest.mark.django_db

# The usual next step more often than others, so that traces get far.
NAMES = [*STEPS, *["go_on"] * 24, *["claim"] * 2, *["submit"] * 2, *["terms"] * 2]
TRACE = st.lists(
    st.builds(
        Step,
        action=st.sampled_from(NAMES),
        pick=st.integers(0, 7),
        variant=st.integers(0, 3),
    ),
    min_size=30,
    max_size=50,
)
# Shrinking takes minutes; the notes of a failing trace say enough. Add Phase.shrink to look closer.
PARTS = 20
PHASES = (Phase.generate,)


@pytest.fixture
def world():
    world = make_world()
    for pick in range(len(world.loan_requests())):
        assert take(world, Step("submit", pick, 0)) == "done"
    assert take(world, Step("do_waiting_work", 0, 0)) == "done"
    assert imbalances() == {}
    return world


def traces(world, number, seen, *, start=None):
    """`number` traces, each undone at its end; `seen` counts what happened.

    The same `start` gives the same traces; without one they are new each time.
    """

    @settings(
        max_examples=number,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(trace=TRACE)
    def run(trace):
        mark = transaction.savepoint()
        try:
            for place, step in enumerate(trace):
                events = AuditEvent.objects.count()
                outcome = take(world, step)
                note(f"{place}: {step} {outcome}")
                seen[step.action, outcome.split(":")[0]] += 1
                if outcome.startswith("refused"):
                    assert AuditEvent.objects.count() == events, step
                else:
                    assert imbalances() == {}, (place, step)
            seen.update(Match.objects.values_list("status", flat=True))
            seen.update(
                f"pledge {each}" for each in Pledge.objects.values_list("status", flat=True)
            )
            seen["traces"] += 1
        finally:
            transaction.savepoint_rollback(mark)

    (run if start is None else seed(start)(run))()


def test_traces(world):
    seen = Counter()

    traces(world, 8, seen)

    assert seen["accepted"] + seen["completed"] + seen["fallen_through"] > 0


@pytest.mark.drill
@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_traces(world, part):
    """In parts, so that what each leaves behind in the tables is cleared away."""
    seen = Counter()

    traces(world, 2000 // PARTS, seen, start=part)

    assert seen["traces"] >= 2000 // PARTS
    unseen = {name for name in STEPS if not seen[name, "done"]}
    assert unseen == set()
    for status in ("completed", "fallen_through", "superseded", "expired", "withdrawn", "declined"):
        assert seen[status], status
    for status in ("planned", "registered", "released", "cancelled"):
        assert seen[f"pledge {status}"], status


# --- the checks themselves ----------------------------------------------------------------------

# What each statement breaks, after one loan was paid out and another was accepted.
BREAKS = {
    "capacity of loan offers": "UPDATE financing_loanoffer SET booked_amount = booked_amount - 0.01"
    " WHERE booked_amount > 0",
    "terms and their match": "UPDATE financing_terms SET status = 'offered', drawn_amount = NULL",
    "money within the terms": "UPDATE financing_drawdown SET amount = amount + 0.01",
    "pledges and their match": "UPDATE financing_pledge SET status = 'planned'",
    "loan requests and their matches": "UPDATE financing_loanrequest SET status = 'open'",
    "the audit's last word is the match's state": "UPDATE financing_match SET status = 'declined'",
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_check_sees_what_it_is_for(world, name):
    take_far(world)
    assert imbalances() == {}

    with connection.cursor() as cursor:
        cursor.execute(BREAKS[name])

    assert name in imbalances()


def test_every_check_is_a_query_that_runs(world):
    take_far(world)

    assert imbalances() == {}
    assert len(CHECKS) == 17


def take_far(world):
    """One loan is paid out in full."""
    take(world, Step("claim", 0, 0))
    for _each in range(8):
        take(world, Step("go_on", 0, 1))
    assert Match.objects.filter(status="completed").count() == 1
