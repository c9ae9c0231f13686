"""Posting what a page did not ask for: foreign ids, columns of the row, matches of one's own."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client

from businesses.models import Business, BusinessClaim, Patent
from financing.models import LoanOffer, LoanRequest, Match
from financing.models.institutions import InstitutionStaff
from tests.access.asking import may_enter, own_rows, url_of
from tests.access.entries import Page
from tests.access.expected import pages
from tests.access.world import OTHER, PEOPLE, World
from tests.factories.businesses import make_member

pytestmark = pytest.mark.django_db
PEOPLE_OF_FORMS = (
    *("owner_a", "staff_a", "insurer_a", "guarantor_a"),
    *("coordinator_a", "system_admin", "security_admin"),
)
FORMS = [
    (person, name, page)
    for person in PEOPLE_OF_FORMS
    for name, page in pages()
    if may_enter(person, page)
    and page.status("get", PEOPLE[person][0]) == 200
    and page.status("post", PEOPLE[person][0]) in (200, 302)
    and not name.startswith(("account_", "mfa_"))
]
# Columns no form of the portal may set; a service sets some of them as a part of its own act.
FIXED = (
    *("business_id", "institution_id", "loan_offer_id", "loan_request_id", "created_by_id"),
    *("claimed_by_id", "user_id", "claimant_id", "pseudonym", "password", "is_manager"),
    *("booked_amount", "booked_count", "size_class", "assumed_fields", "reference", "amount"),
    *("saving", "referred_at", "published_at", "credit_code_exception_reason", "submitted_at"),
)
# What the page itself is for.
MEANT = {
    "financing:request_withdraw": {"status"},
    "financing:request_change": {"status"},
    "financing:terms_accept": {"status"},
    "financing:insurance_request_withdraw": {"status"},
    "financing:insurance_request_change": {"status"},
    "admin:financing_referral_step": {"status", "booked_amount", "booked_count"},
    "admin:financing_loanoffer_step": {"status", "published_at"},
    "admin:financing_insuranceoffer_step": {"status", "published_at"},
    "admin:financing_guaranteeoffer_step": {"status"},
    "admin:financing_institution_step": {"is_suspended"},
    "businesses:member_remove": {"is_active"},
    # A verified patent that was changed waits to be compared with the register again.
    "businesses:patent_edit": {"status"},
    "businesses:patent_verify": {"status"},
}


def _is_sent(given: dict[str, str]) -> bool:
    kind = given.get("type")
    if kind in ("checkbox", "radio"):
        return "checked" in given
    return kind not in ("submit", "button", "image")


class Controls(HTMLParser):
    """The values a browser would send for the forms of a page, the ones in the header left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = self._textarea = ""
        self.feed(page.partition("<main")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.values.setdefault(self._select, []).append(value)
        elif tag == "textarea":
            self._textarea = name
        elif tag == "input" and name and _is_sent(given):
            missing = "on" if given.get("type") == "checkbox" else ""
            self.values.setdefault(name, []).append(value or missing)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] = [data.lstrip("\n")]
            self._textarea = ""


def evil(world: World, tenant: str) -> dict[str, Any]:
    """Every column name of the portal's models with a foreign id or a value that would pay."""
    foreign = world.rows[OTHER[tenant]]
    ids = {
        "business": foreign["business"],
        "patent": foreign["patent"],
        "patents": foreign["patent"],
        "institution": foreign["institution"],
        "loan_request": foreign["request"],
        "loan_offer": foreign["offer"],
        "offer": foreign["draft_offer"],
        "match": foreign["match"],
        "proposal": foreign["proposal"],
        "user": world.people[f"owner_{OTHER[tenant]}"],
        "claimant": world.people[f"owner_{OTHER[tenant]}"],
        "created_by": world.people[f"owner_{OTHER[tenant]}"],
        "claimed_by": world.people[f"coordinator_{OTHER[tenant]}"],
    }
    data: dict[str, Any] = {}
    for name, row in ids.items():
        data |= {name: row.pk, f"{name}_id": row.pk}
    return data | {
        "id": foreign["business"].pk,
        "pk": foreign["business"].pk,
        "status": "verified",
        "size_class": "micro",
        "is_manager": "on",
        "is_suspended": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "password": "x" * 20,
        "pseudonym": "00000000-0000-4000-8000-000000000000",
        "booked_amount": "1",
        "booked_count": "1",
        "amount": "1",
        "saving": "999999999",
        "reference": "AAAAA-AAAAA",
        "published_at": "2020-01-01",
        "submitted_at": "2020-01-01",
        "referred_at": "2020-01-01",
        "assumed_fields": "[]",
        "credit_code_exception_reason": "because",
    }


def models() -> list[type[Model]]:
    return [
        model
        for label in ("businesses", "financing", "accounts", "offices")
        for model in apps.get_app_config(label).get_models()
        if not model._meta.proxy and model._meta.model_name != "region"
    ]


def snapshot() -> dict[tuple[str, Any], dict[str, Any]]:
    """Every row of the portal by model and id."""
    return {
        (model.__name__, row[model._meta.pk.attname]): row
        for model in models()
        for row in model._default_manager.values()
    }


def changed(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[tuple[Any, str]]:
    for key, row in before.items():
        now = after.get(key)
        for column in row:
            if now is not None and now[column] != row[column]:
                yield key, column


def keys_of(world: World, tenant: str) -> set[tuple[str, Any]]:
    """The rows of one tenant and not of the other, as `snapshot` names them."""
    own, other = world.rows[tenant].values(), world.rows[OTHER[tenant]].values()
    people = [user for name, user in world.people.items() if name.endswith(f"_{tenant}")]
    return {_key(row) for row in (*own, *people)} - {_key(row) for row in other}


def _key(row: Model) -> tuple[str, Any]:
    return row._meta.concrete_model.__name__, row.pk


def pointing(key: tuple[str, Any], row: dict[str, Any]) -> set[tuple[str, Any]]:
    """The rows that a row's fixed columns point to."""
    model = next(each for each in models() if each.__name__ == key[0])
    return {
        (field.related_model._meta.concrete_model.__name__, row[field.attname])
        for field in model._meta.concrete_fields
        if field.is_relation and field.attname in FIXED and row[field.attname] is not None
    }


@pytest.mark.parametrize(
    ("person", "name", "page"), FORMS, ids=[f"{person}-{name}" for person, name, _page in FORMS]
)
def test_a_form_posted_again_with_more(world: World, person: str, name: str, page: Page) -> None:
    """The page's own values with everything it did not ask for: the rest stays as it was."""
    (tenant, *_rest) = PEOPLE[person][1]
    url = url_of(world, name, page.rows, own_rows(person, page)[0])
    client = Client()
    client.cookies = world.clients[person].cookies
    own = Controls(client.get(url).content.decode()).values
    before = snapshot()
    client.post(url, evil(world, tenant) | own)
    after = snapshot()
    foreign = keys_of(world, OTHER[tenant])
    meant = MEANT.get(name, set())
    for (model, pk), column in changed(before, after):
        assert (model, pk) not in foreign, f"{model} {pk} of somebody else: {column} changed"
        assert column in meant or column not in (*FIXED, "status"), f"{model} {pk}: {column}"
    assert not {key for key in before.keys() - after.keys() if key in foreign}
    for key in after.keys() - before.keys():
        public = {_key(world.rows[OTHER[tenant]]["institution"])} if key[0] == "Match" else set()
        found = (pointing(key, after[key]) - public) & foreign
        assert not found, f"a new {key[0]} points to somebody else's row: {found}"


def test_an_owner_cannot_offer_a_foreign_patent(world: World) -> None:
    rows, foreign = world.rows["a"], world.rows["b"]["patent"]
    url = f"/requests/{rows['draft_request'].pk}/patents/"
    answer = world.clients["owner_a"].post(url, {"patents": [rows["patent"].pk, foreign.pk]})
    assert answer.status_code == 200
    assert answer.context["form"].errors["patents"]
    request = LoanRequest.objects.get(pk=rows["draft_request"].pk)
    assert list(request.patents.all()) == [rows["patent"]]


def test_an_owner_cannot_start_for_a_foreign_business(world: World) -> None:
    before = set(LoanRequest.objects.values_list("pk", flat=True))
    for business in (world.rows["b"]["business"], world.rows["a"]["suspended_business"]):
        answer = world.clients["owner_a"].post("/requests/start/", {"business": business.pk})
        assert answer.context["form"].errors["business"]
    assert set(LoanRequest.objects.values_list("pk", flat=True)) == before
    own = world.rows["a"]["second_business"]
    world.clients["owner_a"].post("/requests/start/", {"business": own.pk})
    assert LoanRequest.objects.exclude(pk__in=before).get().business == own


def test_staff_post_offers_of_their_own_institution_only(world: World) -> None:
    client, rows = world.clients["staff_a"], world.rows["a"]
    url = f"/admin/financing/loanoffer/{rows['draft_offer'].pk}/change/"
    own = Controls(client.get(url).content.decode()).values
    foreign = world.rows["b"]
    more = {"institution": foreign["institution"].pk, "status": "published", "booked_amount": 9}
    # The same as a new offer: its child rows are new too.
    new = {name: value for name, value in own.items() if not name.endswith(("-id", "-offer"))}
    new |= {name: "0" for name in own if name.endswith("-INITIAL_FORMS")}
    # The same draft posted again would be the same draft.
    new |= {"name": "密山a新贷"}
    for where, values in ((url, own), ("/admin/financing/loanoffer/add/", new)):
        answer = client.post(where, values | more)
        assert answer.status_code == 302, answer.context["errors"]
    newest = LoanOffer.objects.exclude(pk__gte=8_000_000_000).latest("pk")
    for offer in (LoanOffer.objects.get(pk=rows["draft_offer"].pk), newest):
        assert offer.institution == rows["institution"]
        assert (offer.status, offer.booked_amount) == ("draft", 0)
    # Child rows: ids of another offer's rows in the hidden inputs of the table.
    kind = foreign["draft_offer"].accepted_kinds.first()
    stolen = own | {"accepted_kinds-0-id": kind.pk, "accepted_kinds-0-offer": kind.offer_id}
    client.post(url, stolen)
    kind.refresh_from_db()
    assert kind.offer == foreign["draft_offer"]


OWN_INTEREST = [
    ("/review/matches/{match}/approve/", {"has_compared": "on"}),
    ("/review/matches/{match}/reject/", {"reason": "facts_doubtful", "text": "x"}),
    ("/review/matches/{match}/return/", {"reason": "information_missing", "text": "x"}),
    ("/review/matches/{match}/take-over/", {}),
    ("/review/requests/{request}/offers/{offer}/claim/", {}),
    ("/businesses/verification/{waiting_business}/verify/", {}),
    ("/businesses/verification/{business}/suspend/", {"reason": "x"}),
    ("/businesses/verification/{suspended_business}/reinstate/", {}),
    ("/businesses/verification/{business}/code/", {"reason": "x"}),
    ("/businesses/patents/{registered_patent}/verify/", {"register_extract_on": "2026-01-05"}),
    ("/businesses/claims/{claim}/", {"decision": "accept", "reason": "x"}),
]


@pytest.mark.parametrize("person", ["coordinator_a", "coordinator_above_a"])
@pytest.mark.parametrize("address", [address for address, _data in OWN_INTEREST])
def test_nobody_decides_about_a_business_they_belong_to(
    world: World, person: str, address: str
) -> None:
    """A former member too: an account may have been an owner before it became a coordinator."""
    rows = world.rows["a"]
    for name in ("business", "waiting_business", "suspended_business"):
        make_member(rows[name], world.people[person], is_active=False)
    before = snapshot()
    url = address.format(**{name: row.pk for name, row in rows.items()})
    world.clients[person].post(url, dict(OWN_INTEREST)[address])
    after = snapshot()
    assert not list(changed(before, after))
    assert after.keys() == before.keys()


@pytest.mark.parametrize("address", [address for address, _data in OWN_INTEREST[:5]])
def test_nobody_decides_about_a_match_of_their_institution(world: World, address: str) -> None:
    rows = world.rows["a"]
    InstitutionStaff.objects.create(
        user=world.people["coordinator_a"], institution=rows["institution"], is_active=False
    )
    before = snapshot()
    url = address.format(**{name: row.pk for name, row in rows.items()})
    world.clients["coordinator_a"].post(url, dict(OWN_INTEREST)[address])
    after = snapshot()
    assert not list(changed(before, after))
    assert after.keys() == before.keys()


def test_the_same_posts_work_for_others(world: World) -> None:
    """Else the refusals above would prove nothing."""
    rows = world.rows["a"]
    for address, data in OWN_INTEREST[4:]:
        if address.endswith("/code/"):
            continue  # the code is a good one
        url = address.format(**{name: row.pk for name, row in rows.items()})
        assert world.clients["coordinator_a"].post(url, data).status_code == 302, url
    assert Match.objects.filter(loan_offer=rows["offer"], loan_request=rows["request"]).exists()
    assert Business.objects.get(pk=rows["waiting_business"].pk).status == "verified"
    assert Patent.objects.get(pk=rows["registered_patent"].pk).status == "verified"
    assert BusinessClaim.objects.get(pk=rows["claim"].pk).status == "accepted"
    rejecting = OWN_INTEREST[1]
    world.clients["coordinator_a"].post(rejecting[0].format(match=rows["match"].pk), rejecting[1])
    assert Match.objects.get(pk=rows["match"].pk).status == "rejected"
