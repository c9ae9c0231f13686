"""Account, error and start pages in the portal's look, in both languages."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from tests.factories.accounts import PASSWORD, make_owner, make_user

LANGUAGES = ["zh-hans", "en"]
PUBLIC = ["login/", "signup/", "password/reset/", "password/reset/done/"]
OWN = ["logout/", "email/", "password/change/", "2fa/", "2fa/totp/activate/"]


def portal_page(text: str, language: str) -> None:
    assert f'<html lang="{"zh-Hans" if language == "zh-hans" else "en"}"' in text
    assert 'class="site-header"' in text
    assert 'class="skip-link"' in text
    assert text.count("<h1") == 1
    assert " style=" not in text
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*src=)(?![^>]*application/json)", text)


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PUBLIC)
def test_pages_for_everybody(page: str, language: str) -> None:
    answer = Client(HTTP_ACCEPT_LANGUAGE=language).get(f"/accounts/{page}")
    assert answer.status_code == 200
    portal_page(answer.content.decode(), language)


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", OWN)
def test_pages_of_an_account(page: str, language: str) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    user = make_owner()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    answer = client.get(f"/accounts/{page}")
    assert answer.status_code == 200
    portal_page(answer.content.decode(), language)
    assert user.name in answer.content.decode()


@pytest.mark.django_db
def test_recovery_codes_and_the_code_at_sign_in() -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    user = make_user("institution_staff")
    answer = client.post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD}, follow=True
    )
    text = answer.content.decode()
    portal_page(text, "en")
    assert 'autocomplete="one-time-code"' in text


@pytest.mark.django_db
def test_a_wrong_sign_in_is_said_in_title_and_summary_and_keeps_the_address() -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    text = client.post(
        "/accounts/login/", {"login": "nobody@example.org", "password": "x"}
    ).content.decode()
    assert "<title>Error:" in text
    assert 'class="error-summary"' in text
    assert 'value="nobody@example.org"' in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "home/landing"])
def test_error_pages_and_start_page(name: str, language: str) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    with translation.override(language):
        portal_page(render_to_string(f"{name}.html", {}, request), language)


def test_the_page_for_a_broken_server_needs_nothing() -> None:
    text = render_to_string("500.html")
    assert "系统出错" in text
    assert "Something went wrong" in text
