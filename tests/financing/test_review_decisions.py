"""What a coordinator's decision does, and when it is refused."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from financing.models.disclosures import Disclosure
from financing.models.matches import MatchDecision
from financing.models.proposals import Proposal
from financing.services import incremental_runs, matches
from financing.services.matches import MatchRefused, Reason
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.offices.working_days import add_working_days
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_patent,
)
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
)
from tests.financing.reviews import refusal, verbs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]


# --- approve -------------------------------------------------------------------------------------


def test_approving_refers_the_match_blind(claimed, actor):
    matches.approve(actor=actor, match=claimed, text="合适")

    claimed.refresh_from_db()
    assert claimed.status == "referred"
    assert claimed.deadline_on == add_working_days(timezone.localdate(), 10)[0]
    assert claimed.referred_at is not None
    decision = MatchDecision.objects.get()
    assert (decision.action, decision.reason, decision.text) == ("approve", "fits", "合适")
    shown = str(Disclosure.objects.get(match=claimed).fields)
    assert claimed.business.name not in shown
    assert claimed.business.credit_code not in shown
    assert verbs(claimed) == ["match.approve", "disclosure.made"]


def test_approving_twice_changes_nothing_more(claimed, actor):
    matches.approve(actor=actor, match=claimed)

    with pytest.raises(TransitionRefused):
        matches.approve(actor=actor, match=claimed)
    assert Disclosure.objects.count() == 1
    assert MatchDecision.objects.count() == 1


@pytest.mark.parametrize("status", ["registered", "suspended"])
def test_nothing_of_a_business_that_is_not_verified_is_referred(claimed, actor, status):
    claimed.business.status = status
    claimed.business.save()

    assert refusal(matches.approve, actor=actor, match=claimed) == "business_not_verified"
    assert not Disclosure.objects.exists()
    assert not MatchDecision.objects.exists()


@pytest.mark.parametrize(
    ("age", "is_refused"), [(0, False), (30, False), (31, True), (400, True), (None, True)]
)
def test_register_extracts_are_at_most_thirty_days_old(claimed, actor, age, is_refused):
    patent = claimed.patents.get()
    patent.register_extract_on = None if age is None else timezone.localdate() - timedelta(age)
    patent.save()

    if is_refused:
        with pytest.raises(MatchRefused) as refused:
            matches.approve(actor=actor, match=claimed)
        assert refused.value.code == "register_extract_too_old"
        assert refused.value.details == (patent.application_number,)
        matches.approve(actor=actor, match=claimed, extract_checked_on=timezone.localdate())
        patent.refresh_from_db()
        assert patent.register_extract_on == timezone.localdate()
    else:
        matches.approve(actor=actor, match=claimed)
    claimed.refresh_from_db()
    assert claimed.status == "referred"


def test_comparing_verifies_the_patents_of_the_basket_and_no_other(claimed, actor):
    patent = claimed.patents.get()
    patent.status = "registered"
    patent.save()
    other = make_patent(claimed.business, status="registered")

    assert refusal(matches.approve, actor=actor, match=claimed) == "register_extract_too_old"
    matches.approve(actor=actor, match=claimed, extract_checked_on=timezone.localdate())

    patent.refresh_from_db()
    other.refresh_from_db()
    assert (patent.status, other.status) == ("verified", "registered")


def test_what_no_longer_fits_is_not_referred(claimed, actor):
    offer = claimed.loan_offer
    offer.max_term_months = 6
    offer.save()

    with pytest.raises(MatchRefused) as refused:
        matches.approve(actor=actor, match=claimed)

    assert refused.value.code == "no_longer_fits"
    assert refused.value.details == ("term_out_of_range",)


def test_a_refused_approval_leaves_the_patents_as_they_were(claimed, actor):
    patent = claimed.patents.get()
    patent.status = "registered"
    patent.save()
    claimed.loan_offer.max_term_months = 6
    claimed.loan_offer.save()

    with pytest.raises(MatchRefused):
        matches.approve(actor=actor, match=claimed, extract_checked_on=timezone.localdate())

    patent.refresh_from_db()
    assert patent.status == "registered"


@pytest.mark.django_db(transaction=True)
def test_approve_and_reject_at_once_leave_one_decision(actor):
    make_policy()
    match = make_match(claimed_by=actor.user)
    barrier, outcomes = Barrier(2), []

    def decide(step):
        try:
            barrier.wait()
            step()
            outcomes.append("done")
        except TransitionRefused as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    steps = [
        lambda: matches.approve(actor=actor, match=match),
        lambda: matches.reject(actor=actor, match=match, reason=Reason("facts_doubtful")),
    ]
    threads = [Thread(target=decide, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["done", "wrong_state"]
    assert MatchDecision.objects.count() == 1


# --- reject --------------------------------------------------------------------------------------


@pytest.fixture
def pair(actor):
    """A request and an offer that fit, proposed and claimed."""
    business = make_business()
    patent = make_patent(business)
    make_appraisal(patent, 5_000_000)
    request = make_loan_request(business, [patent])
    offer = make_loan_offer()
    incremental_runs.match_request(request.pk)
    return request, offer, matches.claim(actor=actor, proposal=Proposal.objects.get())


def proposed(request):
    incremental_runs.match_request(request.pk)
    return list(Proposal.objects.filter(loan_request=request).values_list("loan_offer", flat=True))


def test_a_rejected_pair_comes_back_only_when_the_cited_criterion_changes(pair, actor):
    request, offer, match = pair
    reason = Reason("criterion_not_met", "term_out_of_range")
    matches.reject(actor=actor, match=match, reason=reason)

    assert proposed(request) == []
    offer.capacity_amount += 1
    offer.save()
    assert proposed(request) == []
    offer.max_term_months = 48
    offer.save()
    assert proposed(request) == [offer.pk]


def test_a_copy_of_the_offer_does_not_evade_the_rejection(pair, actor):
    request, offer, match = pair
    reason = Reason("criterion_not_met", "term_out_of_range")
    matches.reject(actor=actor, match=match, reason=reason)
    make_loan_offer(offer.institution)
    other = make_loan_offer()

    assert proposed(request) == [other.pk]


def test_a_rejection_without_a_criterion_stands_for_good(pair, actor):
    request, offer, match = pair
    matches.reject(actor=actor, match=match, reason=Reason("business_not_ready"))
    offer.max_term_months = 48
    offer.save()

    assert proposed(request) == []
    assert MatchDecision.objects.get().criterion_fingerprint


def test_rejecting_looks_for_what_else_fits(pair, actor):
    request, _offer, match = pair
    OutboxMessage.objects.all().delete()

    matches.reject(actor=actor, match=match, reason=Reason("facts_doubtful", text=" wrong "))

    message = OutboxMessage.objects.get(task="financing.match_request")
    assert (message.task, message.payload) == (
        "financing.match_request",
        {"request_id": request.pk},
    )
    match.refresh_from_db()
    assert match.status == "rejected"
    assert MatchDecision.objects.get().text == "wrong"


@pytest.mark.parametrize("text", ["", "   "])
def test_another_reason_needs_a_text(claimed, actor, text):
    reason = Reason("other", text=text)

    assert refusal(matches.reject, actor=actor, match=claimed, reason=reason) == "reason_needs_text"


def test_the_audit_keeps_the_code_and_not_the_text(claimed, actor):
    matches.reject(actor=actor, match=claimed, reason=Reason("facts_doubtful", text="张三说"))

    events = AuditEvent.objects.filter(object_id=str(claimed.pk))
    assert [event.data.get("reason") for event in events] == ["facts_doubtful"]
    assert all("张三" not in str(event.data) for event in events)


# --- return and resubmit -------------------------------------------------------------------------


def test_a_returned_match_comes_back_with_the_answer(claimed, actor):
    reason = Reason("information_missing", text="请补充年费", is_shown_to_business=False)
    matches.return_to_business(actor=actor, match=claimed, reason=reason)

    claimed.refresh_from_db()
    assert claimed.status == "returned"
    assert claimed.deadline_on == add_working_days(timezone.localdate(), 10)[0]
    assert MatchDecision.objects.get().is_shown_to_business

    owner = claimed.business.members.get().user
    matches.resubmit(actor=Actor.of(owner), match=claimed, text="已补充")

    claimed.refresh_from_db()
    assert (claimed.status, claimed.claimed_by) == ("in_review", actor.user)
    assert claimed.deadline_on == add_working_days(timezone.localdate(), 5)[0]
    matches.approve(actor=actor, match=claimed)
    actions = list(MatchDecision.objects.values_list("action", flat=True))
    assert actions == ["return", "resubmit", "approve"]


def test_returning_always_needs_a_text(claimed, actor):
    reason = Reason("information_missing", text=" ")

    code = refusal(matches.return_to_business, actor=actor, match=claimed, reason=reason)

    assert code == "reason_needs_text"


def test_a_returned_match_is_not_decided(claimed, actor):
    reason = Reason("information_missing", text="more")
    matches.return_to_business(actor=actor, match=claimed, reason=reason)

    for call in (
        lambda: matches.approve(actor=actor, match=claimed),
        lambda: matches.reject(actor=actor, match=claimed, reason=Reason("facts_doubtful")),
    ):
        with pytest.raises(TransitionRefused):
            call()
