"""Every address × person × own, foreign or absent row × method gives what the table says."""

import pytest

from tests.access.addresses import every_address
from tests.access.asking import (
    ask,
    hidden_rows,
    may_enter,
    own_rows,
    refused_rows,
    some_rows,
    url_of,
)
from tests.access.entries import Open, Page
from tests.access.expected import PUBLIC, TABLE, pages
from tests.access.world import PEOPLE, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_refusals")]
METHODS = ("get", "post")
SIGN_IN = "/accounts/login/"


def test_every_address_has_an_entry_and_every_entry_an_address() -> None:
    names = [address.name for address in every_address()]
    assert len(names) == len(set(names)), "two addresses of one name"
    assert set(names) - set(TABLE) == set(), "a new page: say in tests/access/expected.py who sees"
    assert set(TABLE) - set(names) == set(), "no such page any more"


def test_only_the_pages_of_the_table_are_public() -> None:
    assert {each.name for each in every_address() if each.is_public} == set(PUBLIC)


@pytest.mark.parametrize(
    ("name", "page"), pages(), ids=[f"{name}{''.join(page.rows)}" for name, page in pages()]
)
def test_page(world: World, name: str, page: Page) -> None:
    wrong: list[str] = []

    def expect(person: str, method: str, url: str, status: int) -> None:
        answer = ask(world, person, method, url)
        if answer.status_code != status:
            wrong.append(f"{person} {method} {url}: {answer.status_code}, not {status}")
        if status in (403, 404, 405) and answer.written:
            wrong.append(f"{person} {method} {url} wrote: {answer.written}")

    for method in METHODS:
        for rows in some_rows(page):
            url = url_of(world, name, page.rows, rows)
            answer = ask(world, "visitor", method, url)
            if not (answer.status_code == 302 and answer.url.startswith(f"{SIGN_IN}?next=/")):
                wrong.append(f"visitor {method} {url}: {answer.status_code}")
        for person, (role, _tenants) in PEOPLE.items():
            if not may_enter(person, page):
                refusal = page.elsewhere if role in page.roles else 403
                for rows in refused_rows(person, method, page):
                    expect(person, method, url_of(world, name, page.rows, rows), refusal)
                continue
            status = page.status(method, role)
            for rows in own_rows(person, page):
                expect(person, method, url_of(world, name, page.rows, rows), status)
            absent = 405 if status == 405 else 404
            for rows in hidden_rows(person, page):
                expect(person, method, url_of(world, name, page.rows, rows), absent)
            for others in page.absent:
                own = own_rows(person, page)[0]
                expect(person, method, url_of(world, name, others, own), absent)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page(world: World, name: str) -> None:
    page = TABLE[name]
    assert isinstance(page, Open)
    url = url_of(world, name, tuple(f"={each}" for each in page.arguments), page.arguments)
    found = {"visitor": ask(world, "visitor", "get", url).status_code}
    assert found["visitor"] == page.visitor
    for person, (role, _tenants) in PEOPLE.items():
        assert ask(world, person, "get", url).status_code == page.status_for(role), person
    assert ask(world, "visitor", "post", url).status_code == page.post
