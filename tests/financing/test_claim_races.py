"""Two coordinators claim the same proposal at once; first without the guards, then with them."""

from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import QuerySet

from financing.models import Match
from financing.services import matches
from financing.services.matches import MatchRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_office
from tests.factories.financing import make_policy, make_proposal
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12
INDEX = "loan_match_live_once"


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


@pytest.fixture
def claims():
    office, proposal = make_office(), make_proposal()
    actors = [Actor.of(make_coordinator(office)) for _each in range(MANY)]
    return [partial(matches.claim, actor=actor, proposal=proposal) for actor in actors]


def look_together(monkeypatch, number):
    """Everybody has looked for a match and has the proposal before anybody makes a match of it.

    No lock holds the others back. They meet after the last look, not at the first: one who is late
    would otherwise find the proposal gone.
    """
    meeting, match_of = Barrier(number), matches._match_of

    def looked(proposal, actor):
        meeting.wait(timeout=60)
        return match_of(proposal, actor)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *args, **of: self)
    monkeypatch.setattr(matches, "_match_of", looked)


@pytest.fixture
def no_index():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        [definition] = cursor.fetchone()
        cursor.execute(f"DROP INDEX {INDEX}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE financing_match CASCADE")
        cursor.execute(definition)


def test_control_without_lock_and_constraint_a_proposal_is_claimed_twice(
    monkeypatch, no_index, claims
):
    look_together(monkeypatch, 2)

    outcomes = at_once(claims[:2])

    assert [type(each) for each in outcomes] == [Match, Match]
    assert Match.objects.count() == 2


def test_the_constraint_alone_lets_one_claim(monkeypatch, claims):
    look_together(monkeypatch, MANY)

    outcomes = at_once(claims)

    refused = [each.code for each in outcomes if isinstance(each, MatchRefused)]
    assert refused == ["claimed_by_other"] * (MANY - 1)
    assert Match.objects.count() == 1


def test_of_many_coordinators_one_claims_and_the_others_are_told(claims):
    outcomes = at_once(claims)

    refused = [each.code for each in outcomes if isinstance(each, MatchRefused)]
    assert refused == ["claimed_by_other"] * (MANY - 1)
    assert Match.objects.get() in outcomes
    assert AuditEvent.objects.filter(verb="match.claimed").count() == 1
