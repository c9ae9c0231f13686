"""The system administrator's page of a branch office."""

import pytest
from django.test import Client
from django.urls import reverse

from sipo_portal.accounts.models import Role
from tests.factories.accounts import make_user
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "label"),
    [("en", "Jiangsu · Suzhou · Huqiu District"), ("zh-hans", "江苏省 · 苏州市 · 虎丘区")],
)
def test_divisions_are_offered_with_their_province(language, label) -> None:
    office = make_office("320505")
    client = Client(headers={"accept-language": language})
    client.force_login(make_user(Role.SYSTEM_ADMIN))

    page = client.get(reverse("admin:offices_branchoffice_change", args=[office.pk]))

    choices = dict(page.context["adminform"].form.fields["region"].choices)
    texts = {str(value): text for value, text in choices.items()}
    assert texts["320505"] == f"{label} (320505)"
