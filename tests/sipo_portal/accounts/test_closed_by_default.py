"""A view without any mark is closed to visitors; gates by role answer 403."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from sipo_portal.accounts.access import public, roles_required
from sipo_portal.accounts.models import Role
from tests.factories.accounts import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
LOGIN = "/accounts/login/"


def unmarked(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


urlpatterns = [
    path("unmarked/", unmarked),
    path("marked/", public(lambda request: HttpResponse("open"))),
    path("owners/", roles_required(Role.OWNER)(unmarked)),
    path("", include("sipo_portal.accounts.urls")),
    # The frame of every page links to it.
    path("notices/", include("sipo_portal.notices.urls")),
]


def test_closed_by_default(client: Client) -> None:
    assert client.get("/unmarked/").headers["Location"] == f"{LOGIN}?next=/unmarked/"
    assert client.get("/marked/").content == b"open"
    assert client.get("/owners/").headers["Location"] == f"{LOGIN}?next=/owners/"
    client.force_login(make_user(Role.INSTITUTION_STAFF))
    assert client.get("/unmarked/").status_code == 200
    assert client.get("/owners/").status_code == 403
    client.force_login(make_user())
    assert client.get("/owners/").status_code == 200
