"""What people can make the portal say: searches, filters, links and languages show nothing foreign.

`asking.ask` compares every answer with the strings of the other tenant: names, credit codes, patent
numbers, references, addresses of people, ids.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from sipo_portal.ui.admin_site import portal_admin
from tests.access.asking import ask, may_enter, own_rows, url_of
from tests.access.expected import PUBLIC, pages
from tests.access.world import OTHER, PEOPLE, TENANTS, World

pytestmark = pytest.mark.django_db
LISTS = [
    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    for model in portal_admin._registry
]
IN_ENGLISH = {"owner_a", "staff_a", "insurer_a", "coordinator_a", "system_admin", "security_admin"}
LINK = re.compile(r'(?:href|action|hx-get|hx-post)="([^"]*)"')


@dataclass(frozen=True)
class Reading:
    """Everything a person can open, in one language: answers by address."""

    person: str
    language: str
    answers: dict[str, Any]

    def bodies(self) -> Iterator[tuple[str, str]]:
        for url, answer in self.answers.items():
            yield url, answer.content.decode()


Read = Callable[[str], list[Reading]]


@pytest.fixture(scope="module")
def read(world: World) -> Read:
    """Every page of a person, of one per role in English too; `ask` fails on a leak."""

    @cache
    def readings(person: str) -> list[Reading]:
        return [
            Reading(
                person,
                language,
                {
                    url: ask(world, person, "get", url, **{"accept-language": language})
                    for url in readable_urls(world, person)
                },
            )
            for language in ("zh-hans", "en")
            if language != "en" or person in IN_ENGLISH
        ]

    return readings


def readable_urls(world: World, person: str) -> Iterator[str]:
    role = PEOPLE[person][0]
    for name, page in pages():
        if may_enter(person, page) and page.status("get", role) != 405:
            for rows in own_rows(person, page):
                yield url_of(world, name, page.rows, rows)


@pytest.mark.parametrize("key", TENANTS)
def test_what_is_hidden_from_others_is_shown_to_its_own(world: World, read: Read, key: str) -> None:
    """Else the search for it would prove nothing."""
    # In English only the first tenant's people read, of both tenants' banks.
    everything = "".join(
        body
        for person in ("owner", "staff", "coordinator")
        for tenant in TENANTS
        for reading in read(f"{person}_{tenant}")
        for _url, body in reading.bodies()
    )
    rows = world.rows[key]
    shown = [rows[name].pk for name in ("business", "patent", "request", "offer", "draft_offer")]
    shown += [rows[name].pk for name in ("member", "claim", "invitation", "run", "match")]
    shown += [rows["business"].name, rows["business"].credit_code, rows["match"].reference]
    shown += [rows["patent"].application_number, rows["referral"].reference]
    shown += [rows["offer"].name, rows["draft_offer"].name, rows["institution"].name]
    shown += [rows["institution"].name_en, world.people[f"owner_{key}"].email]
    for text in map(str, shown):
        assert text in world.secrets, text
        assert text in everything, text


@pytest.mark.parametrize("person", PEOPLE)
def test_links_lead_where_the_person_may_go(world: World, read: Read, person: str) -> None:
    """A link to a page that answers 403 or 404 would name what is not the person's."""
    own = read(person)
    found: dict[str, str] = {}
    for reading in own:
        for page, body in reading.bodies():
            for link in LINK.findall(body):
                target = unescape(link).partition("#")[0]
                if target.startswith("/") and not target.startswith("/static/"):
                    found.setdefault(target, page)
    for target in found.keys() - own[0].answers.keys():
        status = ask(world, person, "get", target).status_code
        assert status in (200, 302, 405), f"{target} on {found[target]}: {status}"


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_the_admin(world: World, name: str) -> None:
    """Search, filters and lookups typed into the address, and actions on foreign rows."""
    url = reverse(name)
    for person, (_role, tenants) in PEOPLE.items():
        if ask(world, person, "get", url).status_code != 200:
            continue
        queries = [{"q": text} for text in ("密山", "Mishan", "20", "example", "8222")]
        queries += [{"all": ""}, {"o": "1.2.3"}, {"p": "0"}, {"e": "1"}, {"_facets": "True"}]
        queries += [{"_popup": "1", "_to_field": "id"}, {"status__exact": "draft"}]
        if len(tenants) == 1:
            foreign = world.rows[OTHER[tenants]]
            queries += [
                {lookup: foreign[row].pk}
                for row in ("offer", "draft_offer", "institution", "referral", "business")
                for lookup in ("id__exact", "pk", f"{row}__id__exact", f"loan_{row}", "q")
            ]
            # The reference itself, typed: found by its own institution only.
            queries.append({"q": foreign["referral"].reference})
        for query in queries:
            answer = ask(world, person, "get", f"{url}?{urlencode(query)}")
            assert answer.status_code in (200, 302, 400), (query, answer.status_code)
            if len(tenants) == 1 and query.get("q") in (foreign["referral"].reference,):
                assert answer.context["cl"].result_count == 0
        if len(tenants) == 1:
            chosen = [row.pk for row in foreign.values()]
            for action in ("delete_selected", "close", "send_parked_again"):
                data = {"action": action, "_selected_action": chosen, "index": "0"}
                assert not ask(world, person, "post", url, data).written, (person, action)


@pytest.mark.parametrize("person", PEOPLE)
def test_headers_of_every_page(read: Read, person: str) -> None:
    for reading in read(person):
        for url, answer in reading.answers.items():
            check_page(url, answer)


@pytest.mark.parametrize("person", ["visitor", *PEOPLE])
def test_headers_of_public_absent_and_foreign_pages(world: World, person: str) -> None:
    urls = [reverse(name) for name, page in PUBLIC.items() if not page.arguments]
    urls += ["/nowhere/", "/admin/nowhere/", "/businesses/8333000001/", "/admin"]
    # Somebody else's rows: nothing of them stands on the page that refuses.
    tenant = OTHER[PEOPLE[person][1][0]] if person in PEOPLE else TENANTS[0]
    rows = world.rows[tenant]
    urls += [
        reverse("businesses:detail", args=[rows["business"].pk]),
        reverse("financing:request_detail", args=[rows["request"].pk]),
        reverse("financing:match_detail", args=[rows["match"].pk]),
        reverse("admin:financing_loanoffer_change", args=[rows["draft_offer"].pk]),
    ]
    for url in urls:
        check_page(url, ask(world, person, "get", url))


def check_page(url: str, answer: Any) -> None:
    policy = answer.headers.get("Content-Security-Policy", "")
    if "/files/" in url and answer.status_code == 200:
        # Never shown inside the portal's pages, and nothing in it may run.
        assert policy == "sandbox; default-src 'none'", url
        assert answer.headers["Content-Disposition"].startswith("attachment"), url
        assert answer.headers["X-Content-Type-Options"] == "nosniff", url
        return
    assert "default-src 'self'" in policy, url
    assert "unsafe" not in policy, url
    assert answer.headers["X-Content-Type-Options"] == "nosniff", url
    assert answer.headers["X-Frame-Options"] == "DENY", url
    assert answer.headers["Referrer-Policy"] == "same-origin", url
    if answer.content:
        kind = answer.headers["Content-Type"].replace('"', "")
        assert kind == "application/json" or kind.endswith("charset=utf-8"), (url, kind)
    body = answer.content.decode()
    assert not re.search(r'\sstyle="|<style|\son[a-z]+="|javascript:', body), url
    assert not re.search(r"<script(?![^>]*(src=|nonce=|application/json))", body), url


def test_headers_of_errors(world: World, settings, monkeypatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("financing.views.home.owner_home", broken)
    owner = world.clients["owner_a"]
    failing = Client(raise_request_exception=False)
    failing.cookies = owner.cookies
    unmarked = Client(enforce_csrf_checks=True)
    for answer, status in [
        (failing.get("/"), 500),
        (failing.get("/", headers={"host": "elsewhere.example"}), 400),
        (unmarked.post("/language/", {"language": "en"}), 403),
        (owner.get("/requests/1/submit/"), 405),
    ]:
        assert answer.status_code == status
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"], status
        assert answer.headers["X-Content-Type-Options"] == "nosniff", status
        assert answer.headers["X-Frame-Options"] == "DENY", status
