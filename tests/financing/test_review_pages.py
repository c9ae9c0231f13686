"""The coordinator's queue and request page: what they show, to whom, in how many queries."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_business
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy()


@pytest.fixture
def mine(coordinator):
    return make_match(claimed_by=coordinator, claimed_at=timezone.now(), deadline_on=tomorrow())


def tomorrow():
    return timezone.localdate() + timedelta(days=1)


def text_of(response):
    return response.content.decode()


# --- the queue -----------------------------------------------------------------------------------


def test_the_queue_shows_what_is_to_be_claimed_and_decided(page, mine):
    proposal = make_proposal(is_provisional=True)

    response = page("review_queue")

    text = text_of(response)
    assert response.status_code == 200
    assert mine.business.name in text
    assert proposal.business.name in text
    assert "1 match waits for your decision" in text
    assert reverse("financing:match_detail", args=[mine.pk]) in text
    assert "Provisional" in text


def test_the_queue_shows_nothing_of_other_regions(page):
    foreign = make_business(region="440305", name="岭南外地有限公司")
    request = make_loan_request(foreign)
    make_proposal(request)
    make_match(request)

    for shown in ("todo", "to_claim", "mine", "in_review", "decided"):
        assert "岭南外地" not in text_of(page("review_queue", show=shown))
    assert "Nothing waits for you" in text_of(page("review_queue"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("to_claim", {"proposed"}),
        ("mine", {"mine"}),
        ("todo", {"proposed", "mine"}),
        ("in_review", {"mine", "colleagues", "returned"}),
        ("decided", {"referred", "rejected"}),
        ("nonsense", {"proposed", "mine"}),
    ],
)
def test_each_part_of_the_queue_holds_its_requests(page, coordinator, office, shown, expected):
    def request_of(name):
        return make_loan_request(make_business(name=name))

    make_proposal(request_of("proposed"))
    make_match(request_of("mine"), claimed_by=coordinator)
    make_match(request_of("colleagues"), claimed_by=make_coordinator(office))
    make_match(request_of("returned"), status="returned", claimed_by=coordinator)
    make_match(request_of("referred"), status="referred", claimed_by=coordinator)
    make_match(request_of("rejected"), status="rejected", claimed_by=coordinator)

    response = page("review_queue", show=shown)

    assert {entry["business"].name for entry in response.context["entries"]} == expected


def test_the_nearest_deadline_comes_first_then_who_waits_longest(page, coordinator):
    now = timezone.now()

    def request_of(name, days):
        return make_loan_request(make_business(name=name), submitted_at=now - timedelta(days=days))

    make_proposal(request_of("new", 1))
    make_proposal(request_of("waiting", 50))
    later, soon = timezone.localdate() + timedelta(days=9), tomorrow()
    make_match(request_of("later", 5), claimed_by=coordinator, deadline_on=later)
    make_match(request_of("soon", 2), claimed_by=coordinator, deadline_on=soon)

    entries = page("review_queue").context["entries"]

    names = [entry["business"].name for entry in entries]
    assert names == ["soon", "later", "waiting", "new"]
    assert entries[2]["waiting"] == "for 50 days"


def test_a_colleagues_deadline_does_not_move_my_queue(page, coordinator, office):
    request = make_loan_request(make_business(name="colleagues"))
    make_proposal(request)
    late = timezone.localdate() - timedelta(days=9)
    make_match(request, claimed_by=make_coordinator(office), deadline_on=late)
    make_match(
        make_loan_request(make_business(name="mine")),
        claimed_by=coordinator,
        deadline_on=tomorrow(),
    )

    def names(shown):
        entries = page("review_queue", show=shown).context["entries"]
        return [entry["business"].name for entry in entries]

    assert names("todo") == ["mine", "colleagues"]
    assert names("in_review") == ["colleagues", "mine"]


def test_filters_by_region_size_and_name(page):
    suzhou = make_business(region="320505", name="苏州甲有限公司")
    nanjing = make_business(region="320102", name="南京乙有限公司", size_class="small")
    for business in (suzhou, nanjing):
        make_proposal(make_loan_request(business))

    def names(**query):
        entries = page("review_queue", **query).context["entries"]
        return [entry["business"].name for entry in entries]

    assert names(region="3205") == ["苏州甲有限公司"]
    assert names(size_class="small") == ["南京乙有限公司"]
    assert names(search="乙有限") == ["南京乙有限公司"]
    assert names(search="丙") == []
    # Regions of others and nonsense are no filter: the form refuses them.
    assert len(names(region="44")) == 2
    assert len(names(size_class="giant")) == 2


def test_overdue_matches_are_marked_and_counted(page, coordinator):
    make_match(claimed_by=coordinator, deadline_on=timezone.localdate() - timedelta(days=30))

    response = page("review_queue")

    assert response.context["counts"].overdue == 1
    assert "overdue by" in text_of(response)


def test_businesses_to_verify_are_marked_and_lead_there(page):
    business = make_business(status="registered")
    make_proposal(make_loan_request(business))

    text = text_of(page("review_queue"))

    assert reverse("businesses:verification_detail", args=[business.pk]) in text
    assert page("review_queue").context["counts"].to_verify == 1


def test_queries_of_the_queue_do_not_grow(page, coordinator, django_assert_max_num_queries):
    def fill(count):
        for _each in range(count):
            request = make_loan_request()
            make_proposal(request)
            make_proposal(request)
            make_match(request, claimed_by=coordinator)

    fill(1)
    with django_assert_max_num_queries(18):
        page("review_queue")
    fill(8)
    with django_assert_max_num_queries(18):
        assert len(page("review_queue").context["entries"]) == 9
    with django_assert_max_num_queries(18):
        page("review_queue", show="in_review")


def test_the_queue_is_in_pages(page):
    for _each in range(21):
        make_proposal(make_loan_request())

    assert len(page("review_queue").context["entries"]) == 20
    assert len(page("review_queue", page="2").context["entries"]) == 1


# --- one request ---------------------------------------------------------------------------------


def test_a_request_shows_every_offer_with_its_outcome(page, coordinator):
    request = make_loan_request()
    proposed = make_proposal(request)
    over = make_match(request, status="rejected", claimed_by=coordinator)
    short = make_loan_offer(name="短期", max_term_months=6, min_term_months=1)
    elsewhere = make_loan_offer(name="外省", regions=["440000"])

    response = page("review_request", request.pk)

    text = text_of(response)
    assert proposed.loan_offer.name in text
    assert over.loan_offer.name in text
    groups = {each.offer: each.group for each in response.context["candidates"]}
    assert groups[short] == "near"
    assert groups[elsewhere] == "refused"
    assert "Region" in text


def test_queries_of_a_request_do_not_grow(page, django_assert_max_num_queries):
    request = make_loan_request()
    for _each in range(6):
        make_proposal(request)
        make_match(request, status="rejected")
        make_loan_offer(regions=["440000"])

    with django_assert_max_num_queries(34):
        page("review_request", request.pk)
