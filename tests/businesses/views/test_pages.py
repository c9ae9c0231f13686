"""Pages of the borrower's side: who gets in, foreign and absent rows, constant queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_certificate,
    make_claim,
    make_co_owner,
    make_encumbrance,
    make_member,
    make_office,
    make_patent,
)

pytestmark = pytest.mark.django_db

OWNER_PAGES = ["list", "register", "claim"]
BUSINESS_PAGES = ["detail", "edit", "certificates", "members", "member_add", "patent_add"]
SHARED_BUSINESS_PAGES = ["patent_list"]
PATENT_PAGES = ["patent_edit", "patent_remove", "co_owners", "appraisal_add", "encumbrance_add"]
SHARED_PATENT_PAGES = ["patent_detail", "patent_end"]
OFFICE_PAGES = ["verification_list"]
OFFICE_BUSINESS_PAGES = ["verification_detail", "business_suspend", "code_accept"]
OFFICE_PATENT_PAGES = ["patent_verify"]
BUSINESS_POSTS = ["business_verify", "business_reinstate"]
ABSENT = 999_999_999


def url(name: str, *args: int) -> str:
    return reverse(f"businesses:{name}", args=args)


@pytest.fixture
def business():
    business = make_business(owner=make_owner(), name="自有公司")
    make_certificate(business)
    return business


@pytest.fixture
def owner(business):
    return business.members.get().user


@pytest.fixture
def patent(business):
    patent = make_patent(business)
    make_co_owner(patent, consent="missing")
    make_appraisal(patent)
    make_encumbrance(patent)
    return patent


@pytest.fixture
def coordinator():
    return make_coordinator(make_office("320000"))


def test_the_owner_sees_every_page_of_the_own_rows(client, owner, business, patent) -> None:
    client.force_login(owner)
    pages = [url(name) for name in OWNER_PAGES]
    pages += [url(name, business.pk) for name in BUSINESS_PAGES + SHARED_BUSINESS_PAGES]
    pages += [url(name, patent.pk) for name in PATENT_PAGES + SHARED_PATENT_PAGES]
    pages += [
        url("appraisal_remove", patent.appraisals.get().pk),
        url("encumbrance_release", patent.encumbrances.get().pk),
        url("member_remove", business.members.get().pk),
    ]
    for language in ("en", "zh-hans"):
        for page in pages:
            answer = client.get(page, headers={"Accept-Language": language})
            assert answer.status_code == 200, page


def test_the_coordinator_sees_every_page_of_the_region(
    client, coordinator, business, patent
) -> None:
    client.force_login(coordinator)
    claim = make_claim(business)
    pages = [url(name) for name in OFFICE_PAGES]
    pages += [url(name, business.pk) for name in OFFICE_BUSINESS_PAGES + SHARED_BUSINESS_PAGES]
    pages += [url(name, patent.pk) for name in OFFICE_PATENT_PAGES + SHARED_PATENT_PAGES]
    pages += [url("claim_decide", claim.pk)]
    for page in pages:
        assert client.get(page).status_code == 200, page


def test_foreign_and_absent_rows_answer_404(client, business, patent) -> None:
    client.force_login(make_owner())
    member = business.members.get()
    for name in BUSINESS_PAGES + SHARED_BUSINESS_PAGES:
        assert client.get(url(name, business.pk)).status_code == 404, name
        assert client.get(url(name, ABSENT)).status_code == 404, name
    for name in PATENT_PAGES + SHARED_PATENT_PAGES:
        assert client.get(url(name, patent.pk)).status_code == 404, name
    for name in [*PATENT_PAGES, "patent_end"]:
        assert client.post(url(name, patent.pk)).status_code == 404, name
    for name, row in [
        ("appraisal_remove", patent.appraisals.get()),
        ("encumbrance_release", patent.encumbrances.get()),
        ("member_remove", member),
        ("member_promote", member),
        ("patent_register", patent),
    ]:
        assert client.post(url(name, row.pk)).status_code == 404, name


def test_rows_of_another_region_answer_404(client, business, patent) -> None:
    client.force_login(make_coordinator(make_office("330000")))
    claim = make_claim(business)
    for name in OFFICE_BUSINESS_PAGES + SHARED_BUSINESS_PAGES:
        assert client.get(url(name, business.pk)).status_code == 404, name
    for name in OFFICE_PATENT_PAGES + SHARED_PATENT_PAGES:
        assert client.get(url(name, patent.pk)).status_code == 404, name
    for name in BUSINESS_POSTS:
        assert client.post(url(name, business.pk)).status_code == 404, name
    assert client.post(url("claim_decide", claim.pk)).status_code == 404


def test_the_wrong_role_answers_403(client, owner, coordinator, business, patent) -> None:
    client.force_login(coordinator)
    for page in [url(name) for name in OWNER_PAGES] + [
        url(name, business.pk) for name in BUSINESS_PAGES
    ]:
        assert client.get(page).status_code == 403, page
    client.force_login(owner)
    for page in [
        url("verification_list"),
        url("verification_detail", business.pk),
        url("patent_verify", patent.pk),
    ]:
        assert client.get(page).status_code == 403, page


def test_visitors_go_to_the_sign_in_page(client, business) -> None:
    for page in (url("list"), url("detail", business.pk), url("verification_list")):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["business_verify", "business_reinstate"])
def test_changes_are_posted(client, coordinator, business, name) -> None:
    client.force_login(coordinator)
    assert client.get(url(name, business.pk)).status_code == 405


def _queries(client, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200
    return len(captured)


def test_lists_need_the_same_queries_for_more_rows(client, owner, coordinator, business) -> None:
    def add_rows() -> None:
        other = make_business(owner=owner, status="registered")
        make_claim(other)
        make_claim(make_business(), claimant=owner)
        for each in (business, other):
            patent = make_patent(each)
            make_co_owner(patent)
            make_appraisal(patent)
            make_encumbrance(patent)
        make_member(business)

    pages = {
        owner: [url("list"), url("patent_list", business.pk), url("members", business.pk)],
        coordinator: [url("verification_list"), url("verification_detail", business.pk)],
    }
    add_rows()
    for person, addresses in pages.items():
        client.force_login(person)
        for page in addresses:
            _queries(client, page)
    counts = {}
    for person, addresses in pages.items():
        client.force_login(person)
        counts |= {page: _queries(client, page) for page in addresses}
    for _again in range(3):
        add_rows()
    for person, addresses in pages.items():
        client.force_login(person)
        for page in addresses:
            assert _queries(client, page) == counts[page] <= 15, page
