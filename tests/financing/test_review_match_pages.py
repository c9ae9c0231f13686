"""The page a match is decided on: what it shows, to whom, and what its forms do."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from financing.models.matches import Match, MatchDecision
from financing.models.proposals import Proposal
from sipo_portal.accounts.models import Role
from tests.factories.accounts import make_coordinator, make_owner, make_user
from tests.factories.businesses import make_appraisal, make_business, make_office, make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_run,
    make_staff,
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


# --- claim ---------------------------------------------------------------------------------------


def test_claiming_leads_to_the_match_however_often_it_is_posted(page, coordinator):
    proposal = make_proposal()
    address = (proposal.loan_request_id, proposal.loan_offer_id)
    assert "Claim for review" in text_of(page("review_proposal", *address))

    first = page.post("match_claim", *address)
    again = page.post("match_claim", *address)

    match = Match.objects.get()
    assert match.claimed_by == coordinator
    assert first.url == again.url == reverse("financing:match_detail", args=[match.pk])
    assert page("review_proposal", *address).url == first.url


def test_a_proposal_that_is_gone_says_so_and_shows_the_offer(page):
    proposal = make_proposal()
    address = (proposal.loan_request_id, proposal.loan_offer_id)
    Proposal.objects.all().delete()

    response = page.post("match_claim", *address)

    assert response.status_code == 200
    assert "A newer match run no longer proposes this offer" in text_of(response)
    assert not Match.objects.exists()


def test_a_contended_proposal_waits_and_says_what_to_do(page):
    offer = make_loan_offer(capacity_amount=Decimal(1_000_000))
    proposal = make_proposal(loan_offer=offer, is_provisional=True)
    make_proposal(loan_offer=offer, is_provisional=True)
    address = (proposal.loan_request_id, offer.pk)

    for response in (page("review_proposal", *address), page.post("match_claim", *address)):
        text = text_of(response)
        assert "Wait for the next full run" in text
        assert "More is proposed of this offer now than it has left" in text
        assert "The next full run is in the early morning of" in text
        assert reverse("financing:run_start") in text
        assert reverse("financing:review_request", args=[proposal.loan_request_id]) in text
        assert "Claim for review" not in text
    assert not Match.objects.exists()


def test_a_price_in_the_last_full_run_makes_provisional_proposals_wait(page):
    proposal = make_proposal(is_provisional=True)
    make_run(prices={str(proposal.loan_offer_id): 12})
    address = (proposal.loan_request_id, proposal.loan_offer_id)

    assert "more was asked of this offer than it can give" in text_of(
        page("review_proposal", *address)
    )
    make_run()
    assert "Claim for review" in text_of(page("review_proposal", *address))


def test_claiming_what_a_colleague_claimed_shows_the_match(page, office):
    match = make_match(claimed_by=make_coordinator(office))

    response = page.post("match_claim", match.loan_request_id, match.loan_offer_id)

    assert response.url == reverse("financing:match_detail", args=[match.pk])
    assert Match.objects.get().claimed_by != page("review_queue").wsgi_request.user


# --- one match -----------------------------------------------------------------------------------


def test_a_match_shows_all_it_is_decided_on(page, coordinator):
    business = make_business()
    patent = make_patent(business, title="一种导热薄膜", annuity_paid_through_year=None)
    make_appraisal(patent, 5_000_000)
    fee = {"kind": "service", "payer": "lender", "percent": Decimal("0.5")}
    match = make_match(
        make_loan_request(business, [patent]),
        make_loan_offer(fees=[fee], name="知贷通"),
        claimed_by=coordinator,
    )

    text = text_of(page("match_detail", match.pk))

    assert match.reference in text
    assert business.credit_code in text
    assert "C3911" in text
    assert "一种导热薄膜" in text
    assert "CNY 5\xa0million" in text or "CNY\xa05\xa0million" in text
    assert "Not recorded" in text
    assert "An annuity is not recorded as paid" in text
    assert "知贷通" in text
    assert "not counted" in text
    assert "The same loan at the benchmark" in text
    assert "cannot be approved as it stands" in text
    assert "Approve and refer" in text
    assert "Jiangsu" in text or "320000" in text


def test_the_checkbox_is_only_there_when_an_extract_is_old(page, mine):
    assert "I compared these patents" not in text_of(page("match_detail", mine.pk))
    patent = mine.patents.get()
    patent.register_extract_on = None
    patent.save()

    text = text_of(page("match_detail", mine.pk))

    assert "I compared these patents with the register today" in text
    assert f"ZL{patent.application_number}" in text


def test_queries_of_a_match_do_not_grow(page, coordinator, django_assert_max_num_queries):
    business = make_business()
    patents = [make_patent(business) for _each in range(5)]
    for patent in patents:
        make_appraisal(patent)
    request = make_loan_request(business, patents)
    match = make_match(request, claimed_by=coordinator)
    for _each in range(6):
        make_proposal(request)
        make_loan_offer(regions=["440000"])

    with django_assert_max_num_queries(34):
        page("match_detail", match.pk)


def test_approving_leads_back_to_the_queue_and_the_next_match(page, mine, coordinator):
    other = make_match(claimed_by=coordinator, deadline_on=tomorrow())

    response = page.post("match_approve", mine.pk, text="好")

    assert response.url == reverse("financing:review_queue")
    mine.refresh_from_db()
    assert mine.status == "referred"
    queue = text_of(page("review_queue"))
    assert f"Approved: {mine.reference} is referred." in queue
    assert reverse("financing:match_detail", args=[other.pk]) in queue


def test_approving_twice_goes_on_without_a_second_notice(page, mine):
    first = page.post("match_approve", mine.pk)
    again = page.post("match_approve", mine.pk)

    assert first.url == again.url == reverse("financing:review_queue")
    assert MatchDecision.objects.count() == 1
    assert text_of(page("review_queue")).count("is referred.") == 1


def test_the_comparison_has_to_be_confirmed_and_the_note_is_kept(page, mine):
    patent = mine.patents.get()
    patent.register_extract_on = None
    patent.save()

    response = page.post("match_approve", mine.pk, text="a note of mine")

    text = text_of(response)
    assert response.status_code == 200
    assert "then tick this box" in text
    assert "a note of mine" in text
    assert "<title>Error:" in text
    mine.refresh_from_db()
    assert mine.status == "in_review"
    page.post("match_approve", mine.pk, text="", has_compared="on")
    mine.refresh_from_db()
    patent.refresh_from_db()
    assert (mine.status, patent.register_extract_on) == ("referred", timezone.localdate())


def test_an_unverified_business_leads_to_its_verification(page, mine):
    mine.business.status = "registered"
    mine.business.save()

    text = text_of(page.post("match_approve", mine.pk, text="kept"))

    assert "The business is not verified yet" in text
    assert reverse("businesses:verification_detail", args=[mine.business_id]) in text
    assert "kept" in text


def test_what_no_longer_fits_says_which_criterion(page, mine):
    mine.loan_offer.max_term_months = 6
    mine.loan_offer.save()

    text = text_of(page.post("match_approve", mine.pk))

    assert "The match no longer fits the offer: Term." in text


def test_rejecting_stores_the_reason(page, mine):
    response = page.post(
        "match_reject",
        mine.pk,
        reason="criterion_not_met",
        criterion="term_out_of_range",
        text="too long",
    )

    assert response.url == reverse("financing:review_queue")
    decision = MatchDecision.objects.get()
    assert (decision.reason, decision.criterion) == ("criterion_not_met", "term_out_of_range")
    assert not decision.is_shown_to_business
    mine.refresh_from_db()
    assert mine.status == "rejected"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"reason": ""}, "Choose the reason."),
        ({"reason": "fits"}, "is not one of the available choices"),
        ({"reason": "other", "text": " "}, "Explain the reason in the text."),
        ({"reason": "criterion_not_met"}, "Name the criterion that is not met."),
        ({"reason": "facts_doubtful", "criterion": "made_up"}, "is not one of the available"),
        ({"reason": "facts_doubtful", "text": "字" * 2001}, "at most 2000 characters"),
    ],
)
def test_each_field_of_a_rejection_wrong_once(page, mine, data, message):
    response = page.post("match_reject", mine.pk, **data)

    text = text_of(response)
    assert response.status_code == 200
    assert message in text
    assert "error-summary" in text
    assert data.get("text", "") in text
    mine.refresh_from_db()
    assert mine.status == "in_review"
    assert not MatchDecision.objects.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"reason": "", "text": "add it"}, "Choose the reason."),
        ({"reason": "fits", "text": "add it"}, "is not one of the available choices"),
        ({"reason": "information_missing", "text": " "}, "Write what the business should add"),
    ],
)
def test_each_field_of_a_return_wrong_once(page, mine, data, message):
    text = text_of(page.post("match_return", mine.pk, **data))

    assert message in text
    assert data["text"].strip() in text
    mine.refresh_from_db()
    assert mine.status == "in_review"


def test_returning_asks_the_business(page, mine):
    response = page.post("match_return", mine.pk, reason="information_missing", text="年费?")

    assert response.url == reverse("financing:review_queue")
    mine.refresh_from_db()
    assert mine.status == "returned"
    assert "年费?" in text_of(page("match_detail", mine.pk))


def test_a_colleagues_match_is_taken_over_before_it_is_decided(page, office, coordinator):
    match = make_match(claimed_by=make_coordinator(office), claimed_at=timezone.now())
    text = text_of(page("match_detail", match.pk))
    assert "Take over from the colleague" in text
    assert "Approve and refer" not in text

    refused = text_of(page.post("match_approve", match.pk))
    assert "A colleague has claimed this match" in refused
    page.post("match_take_over", match.pk)

    match.refresh_from_db()
    assert match.claimed_by == coordinator
    assert page.post("match_approve", match.pk).status_code == 302


def test_a_match_that_was_referred_is_not_taken_over(page, office):
    colleague = make_coordinator(office)
    match = make_match(status="referred", claimed_by=colleague, claimed_at=timezone.now())

    page.post("match_take_over", match.pk)

    match.refresh_from_db()
    assert match.claimed_by == colleague
    assert "Take over from the colleague" not in text_of(page("match_detail", match.pk))


def test_the_loser_of_a_race_sees_the_present_state(page, mine, office):
    Match.objects.filter(pk=mine.pk).update(status="withdrawn")

    response = page.post("match_approve", mine.pk)

    assert response.url == reverse("financing:match_detail", args=[mine.pk])
    assert "Somebody has decided this match meanwhile" in text_of(page("match_detail", mine.pk))


@pytest.mark.parametrize(
    "status", ["in_review", "returned", "referred", "accepted", "rejected", "superseded", "expired"]
)
def test_a_match_in_every_state_has_its_page(page, coordinator, status):
    match = make_match(status=status, claimed_by=coordinator, claimed_at=timezone.now())

    assert page("match_detail", match.pk).status_code == 200


def test_an_address_of_a_decision_that_is_only_opened_leads_to_the_match(page, mine):
    for name in ("match_approve", "match_reject", "match_return", "match_take_over"):
        assert page(name, mine.pk).url == reverse("financing:match_detail", args=[mine.pk])


def test_without_a_policy_the_pages_say_so(page, mine, policy):
    policy.delete()

    for response in (
        page("match_detail", mine.pk),
        page("review_request", mine.loan_request_id),
        page("review_proposal", mine.loan_request_id, make_loan_offer().pk),
        page("run_start"),
    ):
        assert "Matching is not set up yet" in text_of(response)


# --- who may -------------------------------------------------------------------------------------


def addresses(match):
    pair = (match.loan_request_id, match.loan_offer_id)
    return [
        ("review_request", (match.loan_request_id,)),
        ("review_proposal", pair),
        ("match_claim", pair),
        *((name, (match.pk,)) for name in MATCH_ADDRESSES),
    ]


READ_ONLY = ("review_request", "review_proposal", "match_detail")
MATCH_ADDRESSES = (
    "match_detail",
    "match_approve",
    "match_reject",
    "match_return",
    "match_take_over",
)


def test_foreign_and_absent_rows_are_not_found(client, page, mine):
    client.force_login(make_coordinator(make_office("440000")))
    for name, args in addresses(mine):
        assert page(name, *args).status_code == 404, name
        if name not in READ_ONLY:
            assert page.post(name, *args).status_code == 404, name
    for name in MATCH_ADDRESSES:
        assert page(name, uuid4()).status_code == 404
    assert page("review_request", 999_999).status_code == 404
    mine.refresh_from_db()
    assert mine.status == "in_review"


@pytest.mark.parametrize(
    "role", [Role.OWNER, Role.INSTITUTION_STAFF, Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN]
)
def test_other_roles_are_refused(client, mine, role):
    member = mine.business.members.get().user
    users = {Role.OWNER: lambda: member, Role.INSTITUTION_STAFF: lambda: make_staff()}
    client.force_login(users.get(role, lambda: make_user(role))())

    for name, args in [("review_queue", ()), ("run_list", ()), *addresses(mine)]:
        assert client.get(reverse(f"financing:{name}", args=args)).status_code == 403, name


def test_visitors_are_sent_to_the_sign_in_page(client, mine):
    for name, args in [("review_queue", ()), *addresses(mine)]:
        address = reverse(f"financing:{name}", args=args)
        assert reverse("account_login") in client.get(address).url


def test_a_draft_is_not_shown(page):
    request = make_loan_request(make_business(owner=make_owner()), status="draft")

    assert page("review_request", request.pk).status_code == 404
