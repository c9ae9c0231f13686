"""Asking the portal for one page as one person: no trace is left, nothing hidden may come back."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.urls import reverse

from tests.access.entries import Page
from tests.access.world import KINDS, OTHER, PEOPLE, SHARED_ROWS, TENANTS, World

ABSENT = 8_333_000_001
WRITING = ("INSERT", "UPDATE", "DELETE")


def ask(
    world: World,
    person: str,
    method: str,
    url: str,
    data: Mapping[str, Any] | None = None,
    **headers: str,
) -> Any:
    """The answer; whatever it wrote is undone. Fails when it holds what the person may not read.

    `answer.written` has the statements that changed rows, those of the session left out.
    """
    client, written = world.clients[person], []

    def watch(execute: Callable[..., Any], sql: str, *details: Any) -> Any:
        if sql.startswith(WRITING) and "django_session" not in sql:
            written.append(sql)
        return execute(sql, *details)

    with transaction.atomic(), connection.execute_wrapper(watch):
        answer = getattr(client, method)(url, data or {}, headers=headers)
        transaction.set_rollback(True)
    answer.written = written
    leaked = leaks(world, person, answer, asked=url)
    assert not leaked, f"{person} reads {leaked} at {url}"
    return answer


def leaks(world: World, person: str, answer: Any, *, asked: str = "") -> list[str]:
    if getattr(answer, "streaming", False):
        return []
    body = answer.content.decode(answer.charset or "utf-8", "replace")
    # What the address itself says is no news to whoever asked for it.
    typed = unquote(asked)
    return [text for text in world.hidden_from(person) if text in body and text not in typed]


def url_of(world: World, name: str, rows: tuple[str, ...], tenants: tuple[str, ...]) -> str:
    """The address for the rows of the given tenants; tenant `-` is a row that does not exist."""
    if name == "admin:*":
        return "/admin/" + rows[0].removeprefix("=")
    arguments = [_argument(world, row, tenant) for row, tenant in zip(rows, tenants, strict=True)]
    return reverse(name, args=arguments)


def _argument(world: World, row: str, tenant: str) -> Any:
    if row.startswith("="):
        return row.removeprefix("=")
    existing = world.rows["a" if tenant == "-" else tenant][row].pk
    if tenant != "-":
        return existing
    return uuid4() if isinstance(existing, UUID) else ABSENT


def may_enter(person: str, page: Page) -> bool:
    return page.is_for(PEOPLE[person][0], KINDS.get(person, ""))


def own_rows(person: str, page: Page) -> list[tuple[str, ...]]:
    """The tenants of rows this person may see, one tuple per tenant."""
    tenants = PEOPLE[person][1] if page.rows else PEOPLE[person][1][0]
    return [tuple(tenant for _row in page.rows) for tenant in tenants]


def hidden_rows(person: str, page: Page) -> list[tuple[str, ...]]:
    """Combinations of tenants with a foreign or absent row among them."""
    role, tenants = PEOPLE[person]
    own = tenants[0]
    shared = SHARED_ROWS.get(role, set())
    found = []
    for place, row in enumerate(page.rows):
        if row.startswith("="):
            continue
        strangers = [OTHER[own]] if len(tenants) == 1 and row not in shared else []
        for stranger in (*strangers, "-"):
            found.append(
                tuple(stranger if each == place else own for each in range(len(page.rows)))
            )
    if len(tenants) == 1 and len(page.rows) > 1 and not page.rows[0].startswith("="):
        found.append(tuple(OTHER[own] for _row in page.rows))
    return found


def some_rows(page: Page) -> list[tuple[str, ...]]:
    """Rows for visitors: existing ones and absent ones."""
    if not page.rows:
        return [()]
    return [tuple(tenant for _row in page.rows) for tenant in (TENANTS[0], "-")]


def refused_rows(person: str, method: str, page: Page) -> list[tuple[str, ...]]:
    """Rows for people of the wrong role: nothing but the role counts, so the second and third
    person of a role only read the rows of their own tenant."""
    role, tenants = PEOPLE[person]
    is_first = next(each for each, (own, _tenants) in PEOPLE.items() if own == role) == person
    if not is_first:
        return [tuple(tenants[0] for _row in page.rows)] if method == "get" else []
    return some_rows(page) if method == "get" else some_rows(page)[:1]
