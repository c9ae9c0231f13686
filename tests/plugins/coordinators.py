"""A coordinator of Jiangsu, signed in, and a short way to the review's pages."""

import pytest
from django.urls import reverse

from tests.factories.accounts import make_coordinator
from tests.factories.offices import make_office


@pytest.fixture
def office():
    return make_office("320000")


@pytest.fixture
def coordinator(office):
    return make_coordinator(office, language="en")


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
