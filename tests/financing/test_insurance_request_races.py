"""Requests for the same cover submitted at once; first without the guards, then with them."""

from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError, connection
from django.db.models import QuerySet

from financing import permissions
from financing.models import InsuranceRequest
from financing.permissions import ReasonCode
from financing.services import requests
from financing.services.requests import RequestRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_business, make_patent
from tests.factories.insurance import make_insurance_request
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 8
INDEX = "insurance_request_one_open_per_cover"


@pytest.fixture
def submit():
    """`submit(covers)` -> calls that submit a draft of one business for each of the covers."""
    owner = make_owner()
    business = make_business(owner=owner)
    patent = make_patent(business)

    def calls(*covers):
        drafts = [
            make_insurance_request(business, [patent], status="draft", cover_kind=cover)
            for cover in covers
        ]
        return [partial(requests.submit, actor=Actor.of(owner), request=draft) for draft in drafts]

    return calls


@pytest.fixture
def no_index():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        [definition] = cursor.fetchone()
        cursor.execute(f"DROP INDEX {INDEX}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE financing_insurancerequest CASCADE")
        cursor.execute(definition)


def look_together(monkeypatch, number):
    """Everybody has looked for another request before anybody submits: no lock holds them back."""
    meeting, look = Barrier(number), permissions.against_submitting

    def looked(request):
        found = look(request)
        meeting.wait(timeout=60)
        return found

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *args, **of: self)
    monkeypatch.setattr(permissions, "against_submitting", looked)


def submitted():
    return InsuranceRequest.objects.filter(status="submitted").count()


def test_control_without_lock_and_constraint_two_are_in_hand(monkeypatch, no_index, submit):
    calls = submit("enforcement", "enforcement")
    look_together(monkeypatch, 2)
    outcomes = at_once(calls)
    assert [type(each) for each in outcomes] == [InsuranceRequest, InsuranceRequest]
    assert submitted() == 2


def test_the_constraint_alone_lets_one_through(monkeypatch, submit):
    calls = submit(*["enforcement"] * MANY)
    look_together(monkeypatch, MANY)
    outcomes = at_once(calls)
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == MANY - 1
    assert submitted() == 1


def test_of_many_one_is_submitted_and_the_others_are_told_why(submit):
    outcomes = at_once(submit(*["enforcement"] * MANY))
    refused = [each.code for each in outcomes if isinstance(each, RequestRefused)]
    assert refused == [ReasonCode.OTHER_COVER_OPEN] * (MANY - 1)
    assert submitted() == 1
    assert OutboxMessage.objects.filter(task="financing.match_insurance_request").count() == 1


def test_other_covers_go_out_beside_it(submit):
    covers = ["enforcement", "infringement_loss", "infringement_liability", "overseas_liability"]
    outcomes = at_once(submit(*covers))
    assert [type(each) for each in outcomes] == [InsuranceRequest] * len(covers)
    assert submitted() == len(covers)
