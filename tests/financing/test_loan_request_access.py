"""Who may open an owner's pages: others' rows are absent, other roles are refused."""

import uuid

import pytest
from django.urls import reverse

from financing.models.loan_requests import LoanRequest
from financing.urls import requests as request_addresses
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import make_business, make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_proposal,
    make_staff,
)

pytestmark = pytest.mark.django_db

NAMES = [pattern.name for pattern in request_addresses]
ABSENT = 10**12


def address(name, *, loan_request=ABSENT, offer=ABSENT, match=None, proposal=ABSENT):
    args = {
        "request_list": [],
        "request_start": [],
        "request_offer": [loan_request, offer],
        "request_answer": [loan_request, match or uuid.uuid4()],
        "proposal_detail": [proposal],
    }.get(name, [loan_request])
    return reverse(f"financing:{name}", args=args)


@pytest.fixture
def foreign():
    request = make_loan_request(make_business())
    match, proposal = make_match(request, status="returned"), make_proposal(request)
    return {
        "loan_request": request.pk,
        "offer": match.loan_offer_id,
        "match": match.pk,
        "proposal": proposal.pk,
    }


@pytest.mark.parametrize("name", NAMES)
def test_visitors_sign_in_first(client, foreign, name):
    response = client.post(address(name, **foreign))

    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", NAMES)
def test_other_roles_are_refused(client, foreign, name):
    for user in (make_staff(), make_coordinator(make_office())):
        client.force_login(user)
        assert client.get(address(name, **foreign)).status_code == 403


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("request_list", "request_start")])
def test_what_belongs_to_others_is_absent(client, foreign, name):
    client.force_login(make_owner())
    before = LoanRequest.objects.values().get()

    for where in (foreign, {}):
        assert client.post(address(name, **where)).status_code in (404, 405)
        assert client.get(address(name, **where)).status_code in (404, 405)
    assert 404 in {
        client.post(address(name, **foreign)).status_code,
        client.get(address(name, **foreign)).status_code,
    }

    assert LoanRequest.objects.values().get() == before


def test_an_offer_never_published_and_a_foreign_match_are_absent(client, foreign):
    owner = make_owner()
    own = make_loan_request(make_business(owner=owner))
    client.force_login(owner)
    draft = make_loan_offer(status="draft")

    assert (
        client.get(address("request_offer", loan_request=own.pk, offer=draft.pk)).status_code == 404
    )
    answer = address("request_answer", loan_request=own.pk, match=foreign["match"])
    assert client.post(answer, {"text": "x"}).status_code == 404


def test_a_coordinator_cannot_post_for_a_business(client, foreign):
    client.force_login(make_coordinator(make_office()))

    assert client.post(address("request_withdraw", **foreign)).status_code == 403
    assert LoanRequest.objects.get().status == "open"
