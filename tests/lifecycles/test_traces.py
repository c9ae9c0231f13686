"""Random traces through the real services on PostgreSQL; after each step everything balances.

The short form always runs; the long one tries 2,000 (`run.py test -n0 -m long tests/lifecycles`,
in one process, which then also knows what was reached). Both are the same traces every time.
"""

import json
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from financing.models import Match, Pledge
from sipo_portal.audit.models import AuditEvent
from tests.lifecycles.balance import imbalances
from tests.lifecycles.steps import STEPS, Step, take

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
OF_SHORT = 15
PHASES = (Phase.generate,)


def traces(world, number, seen, *, start):
    """`number` traces, each undone at its end; `seen` counts what happened.

    The same `start` gives the same traces.
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
                event = last_event()
                outcome = take(world, step)
                note(f"{place}: {step} {outcome}")
                seen[step.action, outcome.split(":")[0]] += 1
                if outcome == "done":
                    assert imbalances() == {}, (place, step)
                else:
                    # Refused, or no row to do it to: nothing happened.
                    assert last_event() == event, step
            for match in Match.objects.all():
                seen["insurance" if match.loan_offer_id is None else "loan", match.status] += 1
            seen.update(("pledge", each.status) for each in Pledge.objects.all())
            seen["traces"] += 1
        finally:
            transaction.savepoint_rollback(mark)

    seed(start)(run)()


def last_event():
    return AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()


# What was seen in all parts that this process did.
ALTOGETHER = Counter()
ENDS = {
    "loan": (
        *("completed", "fallen_through", "superseded", "expired", "declined"),
        *("rejected", "withdrawn"),
    ),
    "insurance": ("completed", "fallen_through", "expired", "declined"),
    "pledge": ("planned", "registered", "released", "cancelled"),
}


def refuse_unseen(seen):
    """Every step was taken and every end reached, of loans, insurances and pledges."""
    assert {name for name in STEPS if not seen[name, "done"]} == set()
    reached = {(kind, status) for kind, statuses in ENDS.items() for status in statuses}
    assert {each for each in reached if not seen[each]} == set()


@pytest.mark.parametrize("part", range(2))
def test_traces(world, part):
    seen = Counter()

    traces(world, OF_SHORT, seen, start=part)

    assert seen["traces"] >= OF_SHORT
    for kind in ("loan", "insurance"):
        assert seen[kind, "accepted"] + seen[kind, "completed"] + seen[kind, "fallen_through"]


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_traces(world, part):
    """In parts, so that what each leaves behind in the tables is cleared away."""
    seen = Counter()

    traces(world, 2000 // PARTS, seen, start=1000 + part)

    assert seen["traces"] >= 2000 // PARTS
    print(json.dumps({str(key): number for key, number in sorted(seen.items(), key=str)}))
    ALTOGETHER.update(seen)
    if ALTOGETHER["traces"] >= 2000:
        refuse_unseen(ALTOGETHER)
