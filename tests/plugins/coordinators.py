"""A coordinator of Jiangsu and a colleague, the policy they work by, and the review's pages."""

import pytest
from django.urls import reverse
from django.utils import timezone

from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator
from tests.factories.financing import make_match, make_policy
from tests.factories.offices import make_office


@pytest.fixture
def office():
    return make_office("320000")


@pytest.fixture
def coordinator(office):
    return make_coordinator(office, language="en")


@pytest.fixture
def actor(coordinator):
    return Actor.of(coordinator)


@pytest.fixture
def colleague(office):
    """Another one of the same office."""
    return Actor.of(make_coordinator(office))


@pytest.fixture
def policy(db):
    return make_policy()


@pytest.fixture
def claimed(actor):
    """A match the coordinator works on."""
    return make_match(claimed_by=actor.user, claimed_at=timezone.now())


@pytest.fixture
def page(client, coordinator):
    """`page(name, *args, **query)` as the coordinator; `page.post(...)` posts."""
    client.force_login(coordinator)

    def get(name, *args, **query):
        return client.get(reverse(f"financing:{name}", args=args), query)

    def post(name, *args, **data):
        return client.post(reverse(f"financing:{name}", args=args), data)

    get.post = post
    return get
