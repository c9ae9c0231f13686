"""Gates in front of every page: second factor, cross-site posts, accounts and posts that ended."""

import pytest
from django.test import Client

from businesses.models import BusinessMember
from financing.models import InstitutionStaff
from sipo_portal.accounts.middleware import OPEN_WITHOUT_SECOND_FACTOR
from sipo_portal.accounts.models import SECOND_FACTOR_ROLES, Role, User
from tests.access.asking import ask, may_enter, own_rows, some_rows, url_of
from tests.access.expected import PUBLIC, pages
from tests.access.world import PEOPLE, World
from tests.factories.accounts import make_coordinator, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_refusals")]
SET_UP = "/accounts/2fa/totp/activate/"
CLOSED_PUBLIC = {"account_logout", "set_language"}


@pytest.mark.parametrize("role", SECOND_FACTOR_ROLES)
def test_without_second_factor_every_page_is_its_set_up(world: World, role: Role) -> None:
    """Every closed page, the admin and unknown addresses of it included."""
    user = (
        make_coordinator(world.rows["a"]["office"], second_factor=False)
        if role == Role.COORDINATOR
        else make_user(role, second_factor=False)
    )
    client = Client()
    client.force_login(user)
    for name, page in pages():
        if name in OPEN_WITHOUT_SECOND_FACTOR:
            continue
        url = url_of(world, name, page.rows, some_rows(page)[0])
        for method in ("get", "post"):
            answer = getattr(client, method)(url)
            assert answer.status_code == 302, (method, url, answer.status_code)
            # The admin's own sign-in page goes to the portal's, which goes on to the set-up.
            assert answer.url in {SET_UP, "/accounts/login/?next=/admin/"}, (url, answer.url)


def test_pages_open_without_second_factor_show_no_row(world: World) -> None:
    rows = {name: page.rows for name, page in pages()} | {
        name: page.arguments for name, page in PUBLIC.items()
    }
    for name in OPEN_WITHOUT_SECOND_FACTOR:
        assert not rows[name], name


@pytest.mark.parametrize("person", PEOPLE)
def test_posts_without_token_are_refused(world: World, person: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients[person].cookies
    for name, page in pages():
        if may_enter(person, page):
            url = url_of(world, name, page.rows, own_rows(person, page)[0])
            assert strict.post(url).status_code == 403, url
    for name, public in PUBLIC.items():
        url = url_of(world, name, tuple(f"={each}" for each in public.arguments), public.arguments)
        assert strict.post(url).status_code == 403, url


def test_a_token_of_another_site_is_refused(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients["owner_a"].cookies
    page = strict.get("/requests/start/")
    token = page.context["csrf_token"]
    good = strict.post("/requests/start/", {"csrfmiddlewaretoken": str(token)})
    assert good.status_code == 200
    forged = strict.post(
        "/requests/start/",
        {"csrfmiddlewaretoken": str(token)},
        headers={"origin": "https://elsewhere.example"},
    )
    assert forged.status_code == 403


def statuses(world: World, person: str) -> dict[str, int]:
    """Of every page that names a row, for the own rows."""
    role = PEOPLE[person][0]
    return {
        url: ask(world, person, "get", url).status_code
        for name, page in pages()
        if may_enter(person, page) and page.rows and not page.rows[0].startswith("=")
        for url in [url_of(world, name, page.rows, own_rows(person, page)[0])]
        # What somebody was told stays theirs.
        if page.status("get", role) != 405 and not name.startswith("notices:")
    }


@pytest.mark.parametrize(
    ("person", "model"), [("owner_a", BusinessMember), ("staff_a", InstitutionStaff)]
)
def test_an_ended_membership_or_post_closes_its_rows(world: World, person: str, model) -> None:
    model.objects.filter(user=world.people[person]).update(is_active=False)
    # Without a post nobody belongs to a kind of institution: its offers are not for them.
    allowed = {404} if model is BusinessMember else {403, 404}
    assert set(statuses(world, person).values()) == allowed


def test_a_coordinator_who_moves_leaves_the_region(world: World) -> None:
    User.objects.filter(pk=world.people["coordinator_a"].pk).update(
        office=world.rows["b"]["office"]
    )
    assert set(statuses(world, "coordinator_a").values()) == {404}


@pytest.mark.parametrize("person", PEOPLE)
def test_a_closed_account_is_a_visitor(world: World, person: str) -> None:
    User.objects.filter(pk=world.people[person].pk).update(is_active=False)
    for name, page in pages():
        url = url_of(world, name, page.rows, some_rows(page)[0])
        answer = ask(world, person, "get", url)
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/accounts/login/"), url
