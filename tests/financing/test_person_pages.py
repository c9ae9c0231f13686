"""A person's page: reached by a link of their own, without an account; the link stays secret."""

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from financing.models import Disclosure
from financing.models.person_consents import PersonConsent
from financing.services.consents import give_consent
from financing.services.person_consents import ask_person
from sipo_portal.access_log import AccessLog, WithoutSecrets, without_secrets
from tests.factories.consents import ReferredMatch, make_referred
from tests.factories.financing import make_policy

pytestmark = pytest.mark.django_db
ANSWER = "/consent/"


@pytest.fixture(autouse=True)
def _policy_and_english(db: Any) -> Any:
    make_policy()
    with translation.override("en"):
        yield


@pytest.fixture
def made() -> ReferredMatch:
    return make_referred(legal_representative="张三丰")


def ask(made: ReferredMatch, email: str = "zhang@mail.example") -> PersonConsent:
    return ask_person(
        actor=made.business,
        match=made.match,
        role="legal_representative",
        name="张三丰",
        email=email,
    )


def opened(row: PersonConsent, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    answer = client.get(reverse("financing:person_link", args=[row.token]))
    assert (answer.status_code, answer.url) == (302, ANSWER)
    return client


def test_the_page_names_who_what_and_for_what_in_both_languages(made: ReferredMatch) -> None:
    row = ask(made)
    page = opened(row).get(ANSWER).content.decode()
    assert "张三丰" in page
    assert made.match.business.name in page
    assert made.match.institution.name_en in page
    assert "Legal representative" in page
    assert "I consent" in page
    # The secret is not on the page, and nothing of the match but what the person must know.
    assert row.token not in page
    for hidden in (made.match.reference, made.match.business.credit_code, str(made.match.pk)):
        assert hidden not in page
    assert made.match.institution.name in opened(row, "zh-hans").get(ANSWER).content.decode()


def test_consent_refuse_and_withdraw_by_the_same_link(made: ReferredMatch) -> None:
    give_consent(actor=made.business, match=made.match)
    row = ask(made)
    client = opened(row)
    for answer, text in (
        ("refused", "You have refused"),
        ("given", "You have consented"),
        ("withdrawn", "You have withdrawn"),
    ):
        assert client.post(ANSWER, {"answer": answer}).url == ANSWER
        assert text in client.get(ANSWER).content.decode()
        row.refresh_from_db()
        assert row.answer == answer
    assert Disclosure.objects.filter(match=made.match, stage="identity").count() == 1


def test_a_click_on_the_link_alone_decides_nothing(made: ReferredMatch) -> None:
    row = ask(made)
    opened(row).get(ANSWER)
    row.refresh_from_db()
    assert row.answer == "open"


def test_nonsense_is_no_answer(made: ReferredMatch) -> None:
    row = ask(made)
    client = opened(row)
    for answer in ("", "open", "yes"):
        assert client.post(ANSWER, {"answer": answer}).status_code == 302
    row.refresh_from_db()
    assert row.answer == "open"


def test_an_unknown_link_and_no_link_say_so_without_the_secret_in_the_address() -> None:
    client = Client()
    answer = client.get("/consent/" + "x" * 43 + "/")
    assert (answer.status_code, answer.url) == (302, ANSWER)
    assert client.get(ANSWER).status_code == 404
    assert Client().post(ANSWER, {"answer": "given"}).status_code == 404


def test_a_newer_link_ends_the_older_one_even_where_it_is_open(made: ReferredMatch) -> None:
    row = ask(made, "wrong@mail.example")
    client = opened(row)
    ask(made, "right@mail.example")
    assert client.get(ANSWER).status_code == 404
    assert client.post(ANSWER, {"answer": "given"}).status_code == 404
    row.refresh_from_db()
    assert row.answer == "open"


def test_tries_are_limited(made: ReferredMatch) -> None:
    row = ask(made)
    client = opened(row)
    found = [client.get(ANSWER).status_code for _round in range(40)]
    assert found.count(200) == 30
    assert found[-1] == 429
    fresh = Client()
    for _round in range(40):
        fresh.get("/consent/" + "y" * 43 + "/")
    # The link is not looked up any more either.
    fresh.get(reverse("financing:person_link", args=[row.token]))
    assert "person_consent" not in fresh.session


def test_the_page_is_not_kept_by_caches(made: ReferredMatch) -> None:
    answer = opened(ask(made)).get(ANSWER)
    assert "no-store" in answer["Cache-Control"]


def test_logs_hold_no_link(made: ReferredMatch, caplog: Any) -> None:
    row = ask(made)
    with caplog.at_level(logging.DEBUG):
        client = opened(row)
        client.post(ANSWER, {"answer": "given"})
        Client().get("/consent/" + "x" * 43 + "/")
    assert row.token not in caplog.text
    assert "x" * 43 not in caplog.text
    line = f"GET /consent/{row.token}/ HTTP/1.1"
    assert without_secrets(line) == "GET /consent/…/ HTTP/1.1"
    record = logging.LogRecord("r", 30, "", 1, "%s: %s", ("Gone", f"/consent/{row.token}/"), None)
    WithoutSecrets().filter(record)
    assert record.getMessage() == "Gone: /consent/…/"


def test_gunicorns_lines_hold_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    atoms = {"r": "GET /consent/abc/ HTTP/1.1", "U": "/consent/abc/", "f": "-", "s": 200}
    monkeypatch.setattr("gunicorn.glogging.Logger.atoms", lambda *_args: atoms)
    cleaned = AccessLog.atoms(AccessLog.__new__(AccessLog))
    assert "abc" not in str(cleaned)
    assert cleaned["s"] == 200
