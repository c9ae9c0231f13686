"""What a business may do to its loan requests, and what follows."""

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match
from financing.models.proposals import Proposal
from financing.services import loan_requests
from financing.services.loan_requests import RequestRefused
from financing.services.requests import COPIED_FIELDS
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_proposal,
)
from tests.factories.money import make_terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def actor(owner):
    return Actor.of(owner)


@pytest.fixture
def business(owner):
    return make_business(owner=owner)


def complete_draft(business, **fields):
    return make_loan_request(business, status="draft", **fields)


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def verbs(obj):
    return list(
        AuditEvent.objects.filter(object_id=str(obj.pk), object_type="financing.loanrequest")
        .order_by("pk")
        .values_list("verb", flat=True)
    )


def test_start_gives_one_empty_draft_however_often(actor, business):
    first = loan_requests.start_draft(actor=actor, business=business)
    again = loan_requests.start_draft(actor=actor, business=business)

    assert first == again
    assert first.status == "draft"
    assert first.created_by == actor.user
    assert verbs(first) == ["request.saved"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size_class": "medium", "size_indicator": "employees"}, "business_too_large"),
        ({"size_class": "large", "size_indicator": "employees"}, "business_too_large"),
        ({"size_class": "undetermined", "size_indicator": ""}, "size_undetermined"),
        ({"size_class": "not_covered", "size_indicator": ""}, "industry_not_covered"),
        ({"status": "suspended"}, "business_suspended"),
    ],
)
def test_a_business_that_may_not_ask_is_told_why(actor, owner, fields, code):
    business = make_business(owner=owner, **fields)

    with pytest.raises(RequestRefused) as refused:
        loan_requests.start_draft(actor=actor, business=business)

    assert refused.value.code == code
    assert not LoanRequest.objects.exists()


def test_the_deciding_indicator_is_named(actor, owner):
    business = make_business(owner=owner, size_class="medium", size_indicator="revenue_wan")

    with pytest.raises(RequestRefused) as refused:
        loan_requests.start_draft(actor=actor, business=business)

    assert dict(refused.value.reasons[0].detail) == {
        "size_class": "medium",
        "indicator": "revenue_wan",
    }


def test_a_draft_is_saved_part_by_part(actor, business):
    draft = loan_requests.start_draft(actor=actor, business=business)
    patent = make_patent(business)

    loan_requests.save_loan(
        actor=actor,
        request=draft,
        principal=Decimal(3_000_000),
        least_accepted=Decimal(1_000_000),
        term_months=12,
        max_apr_percent=Decimal("4.5"),
    )
    loan_requests.save_patents(actor=actor, request=draft, patent_ids=[patent.pk])
    loan_requests.save_purpose(actor=actor, request=draft, purpose="research", purpose_text="X")

    draft.refresh_from_db()
    assert (draft.principal, draft.least_accepted) == (3_000_000, 1_000_000)
    assert (draft.term_months, draft.max_apr_percent) == (12, Decimal("4.5"))
    assert (draft.purpose, draft.purpose_text) == ("research", "X")
    assert list(draft.patents.all()) == [patent]
    assert verbs(draft) == ["request.saved"] * 4


def test_saving_the_same_again_writes_nothing(actor, business):
    draft = complete_draft(business)
    for _time in range(2):
        loan_requests.save_purpose(actor=actor, request=draft, purpose="equipment")

    assert verbs(draft) == ["request.saved"]


def test_least_accepted_above_the_principal_is_refused(actor, business):
    draft = complete_draft(business)

    with pytest.raises(RequestRefused) as refused:
        loan_requests.save_loan(
            actor=actor,
            request=draft,
            principal=Decimal(1),
            least_accepted=Decimal(2),
            term_months=1,
        )

    assert codes(refused) == ["least_above_principal"]


@pytest.mark.parametrize("case", ["foreign", "ended", "absent"])
def test_only_live_patents_of_the_business_are_offered(actor, business, case):
    draft = complete_draft(business)
    before = set(draft.patents.all())
    wanted = {
        "foreign": lambda: make_patent().pk,
        "ended": lambda: make_patent(business, status="ended").pk,
        "absent": lambda: 0,
    }[case]()

    with pytest.raises(RequestRefused) as refused:
        loan_requests.save_patents(actor=actor, request=draft, patent_ids=[wanted])

    assert codes(refused) == ["patent_foreign"]
    assert set(draft.patents.all()) == before


@pytest.mark.parametrize("status", ["submitted", "open", "committed", "funded", "withdrawn"])
def test_what_is_submitted_is_fixed(actor, business, status):
    request = make_loan_request(business, status=status)

    for save in (
        lambda: loan_requests.save_purpose(actor=actor, request=request, purpose="other"),
        lambda: loan_requests.save_patents(actor=actor, request=request, patent_ids=[]),
        lambda: loan_requests.save_loan(
            actor=actor,
            request=request,
            principal=Decimal(2),
            least_accepted=Decimal(1),
            term_months=1,
        ),
    ):
        with pytest.raises(RequestRefused) as refused:
            save()
        assert codes(refused) == ["not_changeable"]


def test_submit_sends_the_request_to_the_matcher(actor, business):
    draft = complete_draft(business)

    sent = loan_requests.submit(actor=actor, request=draft)

    assert sent.status == "submitted"
    assert sent.submitted_at is not None
    assert sent.refreshed_at == sent.submitted_at
    message = OutboxMessage.objects.get()
    assert (message.task, message.payload) == (
        "financing.match_request",
        {"request_id": draft.pk},
    )
    assert verbs(draft) == ["request.submit"]


def test_a_second_submit_is_the_first(actor, business):
    draft = complete_draft(business)
    first = loan_requests.submit(actor=actor, request=draft)
    again = loan_requests.submit(actor=actor, request=draft)

    assert again.submitted_at == first.submitted_at
    assert OutboxMessage.objects.count() == 1
    assert verbs(draft) == ["request.submit"]


def test_everything_still_missing_is_named_at_once(actor, business):
    draft = loan_requests.start_draft(actor=actor, business=business)

    with pytest.raises(RequestRefused) as refused:
        loan_requests.submit(actor=actor, request=draft)

    assert codes(refused) == ["loan_incomplete", "no_patent", "purpose_missing"]
    draft.refresh_from_db()
    assert (draft.status, draft.submitted_at) == ("draft", None)
    assert not OutboxMessage.objects.exists()


def test_a_patent_that_ended_meanwhile_holds_the_request_back(actor, business):
    draft = complete_draft(business)
    draft.patents.update(status="ended")

    with pytest.raises(RequestRefused) as refused:
        loan_requests.submit(actor=actor, request=draft)

    assert codes(refused) == ["patent_ended"]


@pytest.mark.parametrize("status", ["submitted", "open", "returned", "committed"])
def test_one_request_of_a_business_is_in_hand(actor, business, status):
    other = make_loan_request(business, status=status)
    draft = complete_draft(business)

    with pytest.raises(RequestRefused) as refused:
        loan_requests.submit(actor=actor, request=draft)

    assert codes(refused) == ["other_request_open"]
    assert dict(refused.value.reasons[0].detail) == {"request_id": str(other.pk)}


@pytest.mark.parametrize("status", ["funded", "withdrawn", "expired"])
def test_a_request_that_is_over_does_not_stand_in_the_way(actor, business, status):
    make_loan_request(business, status=status)
    draft = complete_draft(business)

    assert loan_requests.submit(actor=actor, request=draft).status == "submitted"


def test_a_business_not_yet_verified_may_submit(actor, owner):
    draft = complete_draft(make_business(owner=owner, status="registered"))

    assert loan_requests.submit(actor=actor, request=draft).status == "submitted"


def test_a_returned_request_keeps_its_place_when_sent_again(actor, business):
    request = make_loan_request(business, status="returned", returned_reason="Which machine?")
    first_sent = request.submitted_at

    loan_requests.save_purpose(
        actor=actor, request=request, purpose="equipment", purpose_text="A lathe"
    )
    again = loan_requests.submit(actor=actor, request=request)

    assert (again.status, again.submitted_at) == ("submitted", first_sent)
    assert again.returned_reason == ""
    assert again.refreshed_at > first_sent


def test_withdrawing_takes_matches_and_proposals_along(actor, business):
    request = make_loan_request(business)
    match = make_match(request, status="referred")
    over = make_match(request, status="declined")
    make_proposal(request)
    foreign = make_proposal()

    done = loan_requests.withdraw(actor=actor, request=request)

    assert done.status == "withdrawn"
    match.refresh_from_db()
    over.refresh_from_db()
    assert (match.status, over.status) == ("withdrawn", "declined")
    assert list(Proposal.objects.all()) == [foreign]
    assert loan_requests.withdraw(actor=actor, request=request).status == "withdrawn"


def test_withdrawing_gives_booked_capacity_back(actor, business):
    request = make_loan_request(business)
    offer = make_loan_offer()
    make_terms(make_match(loan_offer=offer, status="accepted"), amount=Decimal(2_000_000))
    offered = make_match(request, offer, status="terms_offered", amount=Decimal(1_200_000))
    terms = make_terms(offered, amount=Decimal("999999.99"))
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (Decimal("2999999.99"), 2)
    held = make_loan_offer(booked_amount=Decimal(3_000_000), booked_count=2)
    make_match(request, held, status="in_study", amount=Decimal(1_000_000))

    loan_requests.withdraw(actor=actor, request=request)

    offer.refresh_from_db()
    held.refresh_from_db()
    terms.refresh_from_db()
    assert terms.status == "ended"
    assert (offer.booked_amount, offer.booked_count) == (2_000_000, 1)
    assert (held.booked_amount, held.booked_count) == (3_000_000, 2)


@pytest.mark.parametrize("status", ["draft", "committed", "funded", "expired"])
def test_what_is_not_in_hand_or_accepted_is_not_withdrawn(actor, business, status):
    request = make_loan_request(business, status=status)
    match = make_match(request, status="accepted")

    with pytest.raises(RequestRefused) as refused:
        loan_requests.withdraw(actor=actor, request=request)

    assert codes(refused) == ["not_withdrawable"]
    assert Match.objects.get(pk=match.pk).status == "accepted"


def test_a_draft_is_deleted_and_only_a_draft(actor, business):
    draft = complete_draft(business)
    sent = make_loan_request(business, status="submitted")
    pk = draft.pk

    loan_requests.delete_draft(actor=actor, request=draft)
    with pytest.raises(RequestRefused) as refused:
        loan_requests.delete_draft(actor=actor, request=sent)

    assert list(LoanRequest.objects.all()) == [sent]
    assert codes(refused) == ["not_a_draft"]
    assert AuditEvent.objects.filter(verb="request.draft_deleted", object_id=str(pk)).exists()


def test_still_wanted_starts_the_days_anew(actor, business):
    request = make_loan_request(business)
    before = request.refreshed_at

    assert loan_requests.refresh(actor=actor, request=request).refreshed_at > before
    assert verbs(request) == ["request.refreshed"]


def test_a_draft_cannot_be_said_to_be_still_wanted(actor, business):
    with pytest.raises(RequestRefused) as refused:
        loan_requests.refresh(actor=actor, request=complete_draft(business))

    assert codes(refused) == ["not_in_matching"]


def test_a_copy_takes_wishes_and_living_patents(actor, business):
    living, ended = make_patent(business), make_patent(business, status="ended")
    old = make_loan_request(
        business, [living, ended], status="withdrawn", purpose_text="A lathe", max_apr_percent=5
    )

    draft = loan_requests.copy_as_draft(actor=actor, request=old)

    assert (draft.status, draft.submitted_at) == ("draft", None)
    for name in COPIED_FIELDS[LoanRequest]:
        assert getattr(draft, name) == getattr(old, name)
    assert list(draft.patents.all()) == [living]
    assert loan_requests.copy_as_draft(actor=actor, request=old) == draft


@pytest.mark.django_db(transaction=True)
def test_of_two_drafts_sent_at_once_one_goes_out():
    owner = make_owner()
    business = make_business(owner=owner)
    drafts = [complete_draft(business) for _number in range(2)]
    barrier, outcomes = Barrier(4), []

    def send(draft):
        barrier.wait()
        try:
            outcomes.append(loan_requests.submit(actor=Actor.of(owner), request=draft).pk)
        except RequestRefused as refused:
            outcomes.append(refused.code.value)
        finally:
            connection.close()

    threads = [Thread(target=send, args=(draft,)) for draft in drafts for _time in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sent = LoanRequest.objects.get(status="submitted")
    assert sorted(map(str, outcomes)) == sorted([str(sent.pk)] * 2 + ["other_request_open"] * 2)
    assert OutboxMessage.objects.count() == 1
