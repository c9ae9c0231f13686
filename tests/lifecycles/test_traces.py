"""Random traces through the real services on PostgreSQL; after each step everything balances.

The short form always runs; the long one tries 2,000 (`run.py test -n0 -m long tests/lifecycles`,
in one process, which then also knows what was reached). Both are the same traces every time.
"""

import json
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
SHORT = 60
PHASES = (Phase.generate,)


@pytest.fixture
def world():
    world = make_world()
    for pick in range(len(world.loan_requests())):
        assert take(world, Step("submit", pick, 0)) == "done"
    assert take(world, Step("do_waiting_work", 0, 0)) == "done"
    assert take(world, Step("run_everything", 0, 0)) == "done"
    assert imbalances() == {}
    return world


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


@pytest.mark.parametrize("part", range(4))
def test_traces(world, part):
    seen = Counter()

    traces(world, SHORT // 4, seen, start=part)

    assert seen["traces"] >= SHORT // 4
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


# --- the checks themselves ----------------------------------------------------------------------

# What each statement breaks, after one loan was paid out and another is being offered terms.
A_PLEDGE_TWICE = (
    "DROP INDEX pledge_one_live_per_patent; INSERT INTO financing_pledge (match_id, patent_id,"
    " application_number, creditor_id, pledgee_id, status, registration_number, registered_on,"
    " created_at) SELECT match_id, patent_id, application_number, creditor_id, pledgee_id, status,"
    " 'Y2', registered_on, created_at FROM financing_pledge WHERE status = 'registered'"
)
BREAKS = {
    "capacity of loan offers": "UPDATE financing_loanoffer SET booked_amount = booked_amount - 0.01"
    " WHERE booked_amount > 0",
    "capacity of insurance offers": "UPDATE financing_insuranceoffer"
    " SET booked_amount = booked_amount + 0.01",
    "terms and their match": "UPDATE financing_terms SET status = 'offered', drawn_amount = NULL",
    "money within the terms": "UPDATE financing_drawdown SET amount = amount + 0.01",
    "a policy is its terms, and a completed insurance has one": "UPDATE financing_match SET"
    " insurance_offer_id = (SELECT min(id) FROM financing_insuranceoffer), loan_offer_id = NULL,"
    " insurance_request_id = (SELECT min(id) FROM financing_insurancerequest),"
    " loan_request_id = NULL WHERE status = 'completed'",
    "one live pledge per patent": A_PLEDGE_TWICE,
    "pledges and their match": "UPDATE financing_pledge SET status = 'planned'",
    "an accepted loan pledges its whole basket": "UPDATE financing_pledge SET status = 'cancelled';"
    " UPDATE financing_match SET status = 'accepted' WHERE status = 'completed'",
    "no money before the register": "UPDATE financing_pledge SET status = 'planned'",
    "nothing referred on a patent somebody else pledged": "UPDATE financing_pledge"
    " SET application_number = (SELECT t.application_number FROM businesses_patent t"
    " JOIN financing_match_patents p ON p.patent_id = t.id JOIN financing_match m"
    " ON m.id = p.match_id WHERE m.status = 'in_study'), pledgee_id = (SELECT min(i.id)"
    " FROM financing_institution i WHERE i.id NOT IN (SELECT institution_id FROM financing_match"
    " WHERE status = 'in_study'))",
    "loan requests and their matches": "UPDATE financing_loanrequest SET status = 'open'",
    "insurance requests and their matches": "UPDATE financing_insurancerequest"
    " SET status = 'covered'",
    "who is awaited has a deadline, who is not has none": "UPDATE financing_match"
    " SET deadline_on = now()",
    "study and terms only after the identity was opened": "UPDATE financing_match"
    " SET status = 'in_study' WHERE status = 'referred'",
    "questions and the wait for their answers": "UPDATE financing_match SET status = 'waiting'",
    "the audit's last word is the match's state": "UPDATE financing_match SET status = 'declined'",
}
# Held by a constraint that no single statement can get around here, or told by the audit alone.
NOT_BROKEN = {"one live match per request and offer", "the audit tells every state in order"}


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
    assert set(CHECKS) == set(BREAKS) | NOT_BROKEN


def take_far(world):
    """One loan is paid out in full, one is in study and one is referred."""
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
