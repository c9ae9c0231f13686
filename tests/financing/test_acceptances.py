"""Accepting and declining terms: what is committed, pledged, superseded and given back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from financing.models import Match, Pledge, Proposal, Terms
from financing.services import acceptances
from financing.services.matches import MatchRefused, Reason
from financing.services.money_refusals import MoneyRefused
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.businesses import make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
)
from tests.factories.money import (
    live_pledges,
    make_accepted,
    make_completed,
    make_guarantee,
    make_rival,
    make_terms,
    owner_of,
)
from tests.financing.money_steps import booked, refusal, statuses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


def accept(terms):
    return acceptances.accept_terms(actor=owner_of(terms.match), terms=terms)


def decline(terms, reason=None):
    return acceptances.decline_terms(
        actor=owner_of(terms.match), terms=terms, reason=reason or Reason("better_alternative")
    )


def test_acceptance_commits_the_request_and_plans_the_pledges_of_the_basket():
    terms = make_terms()
    match = terms.match
    make_patent(match.business)

    accepted = accept(terms)

    assert statuses(match, match.loan_request, terms) == ["accepted", "committed", "accepted"]
    assert terms.answered_at is not None
    assert accepted == match
    [pledge] = Pledge.objects.all()
    [patent] = match.patents.all()
    assert (pledge.match, pledge.patent, pledge.status) == (match, patent, "planned")
    assert pledge.application_number == patent.application_number
    assert pledge.creditor == pledge.pledgee == match.institution
    assert booked(match) == (terms.amount, 1)
    verbs = AuditEvent.objects.filter(object_id=str(match.pk)).values_list("verb", flat=True)
    assert "match.accept" in verbs


def test_accepting_twice_is_the_same_as_once():
    terms = make_terms()
    accept(terms)
    before = AuditEvent.objects.count()

    again = accept(terms)

    assert again.status == "accepted"
    assert Pledge.objects.count() == 1
    assert AuditEvent.objects.count() == before


def test_the_completion_clock_runs_from_acceptance():
    match = accept(make_terms())

    match.refresh_from_db()
    assert match.clock_stage == "completion"
    assert match.deadline_on > timezone.localdate()


def test_other_matches_of_the_request_are_superseded_and_their_bookings_given_back():
    request = make_loan_request()
    terms = make_terms(make_match(request, make_loan_offer(), status="terms_offered"))
    others = [
        make_match(request, make_loan_offer(), status=status)
        for status in ("in_review", "returned", "referred", "in_study", "waiting")
    ]
    rival = make_terms(make_match(request, make_loan_offer(), status="terms_offered"))
    over = make_match(request, make_loan_offer(), status="declined")
    make_proposal(request, make_loan_offer())

    accept(terms)

    assert set(statuses(*others, rival.match)) == {"superseded"}
    assert statuses(over, rival) == ["declined", "ended"]
    assert booked(rival.match) == (0, 0)
    assert not Proposal.objects.filter(loan_request=request).exists()
    assert all(each.deadline_on is None for each in others)


def test_matches_of_other_businesses_that_need_the_patent_are_superseded():
    terms = make_terms()
    rival = make_terms(make_rival(list(terms.match.patents.all())))
    stranger = make_terms()

    accept(terms)

    assert statuses(rival.match, rival, rival.match.loan_request) == ["superseded", "ended", "open"]
    assert booked(rival.match) == (0, 0)
    assert statuses(stranger.match) == ["terms_offered"]
    tasks = OutboxMessage.objects.filter(task="financing.match_request")
    assert [message.payload["request_id"] for message in tasks] == [rival.match.loan_request_id]


def test_the_other_business_learns_that_its_patent_is_pledged_by_its_state_only():
    terms = make_terms()
    rival = make_terms(make_rival(list(terms.match.patents.all())))
    accept(terms)

    assert refusal(accept, rival) == "not_offered"


def test_a_patent_that_is_pledged_elsewhere_refuses_and_changes_nothing():
    first = make_terms()
    rival = make_rival(list(first.match.patents.all()))
    # Not superseded, because it needed the patent only afterwards.
    Match.objects.filter(pk=rival.pk).update(status="accepted")
    accept(first)
    Match.objects.filter(pk=rival.pk).update(status="terms_offered")
    terms = make_terms(rival)

    with pytest.raises(MoneyRefused) as refused:
        accept(terms)

    assert refused.value.code == "patent_pledged"
    assert refused.value.details == (first.match.patents.get().application_number,)
    assert statuses(rival, terms, rival.loan_request) == ["terms_offered", "offered", "open"]
    assert booked(rival) == (terms.amount, 1)
    assert Pledge.objects.count() == 1


@pytest.mark.parametrize("status", ["planned", "registered"])
def test_raw_sql_cannot_pledge_a_patent_twice(status):
    match = make_accepted()
    pledge = match.pledges.get()
    columns = "match_id, patent_id, application_number, creditor_id, pledgee_id"

    with (
        pytest.raises(IntegrityError, match="pledge_one_live_per_patent"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO financing_pledge ({columns}, status, registration_number,"
            f" registered_on, created_at) SELECT {columns}, %s, 'X', current_date, now()"
            " FROM financing_pledge WHERE id = %s",
            [status, pledge.pk],
        )


def test_raw_sql_cannot_renew_the_pledge_of_another_pledgee():
    pledge = make_completed().pledges.get()
    stranger = make_accepted().pledges.get()

    for change in ("renews_id = %s", "renews_id = %s, application_number = 'X'"):
        with (
            pytest.raises(IntegrityError, match="pledge_renews_own"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"UPDATE financing_pledge SET {change} WHERE id = %s", [pledge.pk, stranger.pk]
            )


def test_a_guarantee_company_that_takes_the_pledge_is_pledgee_and_the_lender_creditor():
    terms = make_terms()
    make_guarantee(terms.match, is_pledgee=False)
    make_guarantee(terms.match, is_pledgee=True, status="paused")
    guarantee = make_guarantee(terms.match, is_pledgee=True)

    accept(terms)

    pledge = Pledge.objects.get()
    assert pledge.pledgee == guarantee.institution
    assert pledge.creditor == terms.match.institution


def test_a_renewal_with_the_same_pledgee_waits_behind_the_registered_pledge():
    old = make_completed()
    [patent] = old.patents.all()
    request = make_loan_request(old.business, [patent])
    terms = make_terms(make_match(request, old.loan_offer, status="terms_offered"))

    match = accept(terms)

    [renewal] = match.pledges.all()
    assert renewal.renews == old.pledges.get()
    assert [pledge.match for pledge in live_pledges(patent.application_number)] == [old, match]


def test_terms_past_their_day_cannot_be_accepted():
    terms = make_terms(valid_until=timezone.localdate() - timedelta(days=1))

    assert refusal(accept, terms) == "terms_expired"
    assert statuses(terms.match, terms) == ["terms_offered", "offered"]


def test_terms_hold_on_their_last_day():
    assert accept(make_terms(valid_until=timezone.localdate())).status == "accepted"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: type(m.business).objects.update(status="suspended"), "business_suspended"),
        (
            lambda m: type(m.institution).objects.update(is_suspended=True),
            "institution_suspended",
        ),
        (lambda m: m.patents.update(status="ended", end_reason="abandoned"), "patent_ended"),
        (lambda m: Match.objects.update(status="withdrawn"), "not_offered"),
        (lambda m: Terms.objects.update(status="ended"), "not_offered"),
    ],
)
def test_what_stands_against_acceptance(change, code):
    terms = make_terms()
    change(terms.match)

    assert refusal(accept, terms) == code
    assert not Pledge.objects.exists()


def test_a_request_that_is_not_open_is_not_committed():
    terms = make_terms()
    type(terms.match.loan_request).objects.update(status="returned")

    with pytest.raises(TransitionRefused):
        accept(terms)

    assert statuses(terms.match, terms) == ["terms_offered", "offered"]
    assert not Pledge.objects.exists()


def test_declining_terms_gives_the_booking_back_and_looks_for_others():
    terms = make_terms()

    match = decline(terms)

    assert statuses(match, terms, match.loan_request) == ["declined", "ended", "open"]
    assert terms.answered_at is not None
    assert booked(match) == (0, 0)
    decision = match.decisions.get()
    assert (decision.action, decision.reason) == ("decline_terms", "better_alternative")
    assert decision.criterion_fingerprint
    assert match.deadline_on is None
    message = OutboxMessage.objects.get(task="financing.match_request")
    assert message.payload == {"request_id": match.loan_request_id}


def test_declining_twice_is_the_same_as_once():
    terms = make_terms()
    decline(terms)
    decline(terms)

    assert terms.match.decisions.count() == 1


def test_another_reason_needs_its_text():
    with pytest.raises(MatchRefused):
        decline(make_terms(), Reason("other"))


def test_what_is_accepted_is_not_declined():
    terms = make_terms()
    accept(terms)

    assert refusal(decline, terms) == "not_offered"
    assert statuses(terms.match) == ["accepted"]


def test_booked_equals_the_standing_terms_to_the_fen():
    offer = make_loan_offer()
    amounts = [Decimal("123456.78"), Decimal("500000.01"), Decimal("99999.99")]
    all_terms = [
        make_terms(make_match(make_loan_request(), offer, status="terms_offered"), amount=amount)
        for amount in amounts
    ]
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (sum(amounts), 3)

    accept(all_terms[0])
    decline(all_terms[1])

    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (amounts[0] + amounts[2], 2)
