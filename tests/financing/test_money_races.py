"""Pledges, acceptance and drawdown at the same moment: real threads on a real PostgreSQL.

Each race is first run without its guard, which shows that it would be lost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from financing.models import Drawdown, LoanOffer, Match, Pledge
from financing.services import acceptances, completions, loan_requests
from financing.services.loan_requests import RequestRefused
from financing.services.matches import Reason
from financing.services.money_refusals import MoneyRefused
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_policy
from tests.factories.money import (
    draw,
    live_pledges,
    make_accepted,
    make_rival,
    make_terms,
    owner_of,
    register_all,
    staff_of,
)
from tests.factories.studies import booked_by_terms
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 40
FEW = 12


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


def accepting(terms):
    return partial(acceptances.accept_terms, actor=owner_of(terms.match), terms=terms)


def contenders(number):
    """Terms of so many businesses that all registered the same patent."""
    first = make_terms()
    patents = list(first.match.patents.all())
    return [first, *(make_terms(make_rival(patents)) for _each in range(number - 1))]


@contextmanager
def without_index(name: str, restore: str) -> Iterator[None]:
    """The table without one of its guards, which is put back over no rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE financing_pledge, financing_drawdown CASCADE")
            cursor.execute(restore)


def definition_of(index: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
        return str(cursor.fetchone()[0])


def failures(outcomes):
    return [each for each in outcomes if isinstance(each, Exception)]


def codes(outcomes):
    assert all(isinstance(each, MoneyRefused | Match) for each in outcomes), outcomes
    return [each.code for each in outcomes if isinstance(each, MoneyRefused)]


def booked_as_counted():
    """Booked amounts and counts of all offers against an independent sum of the terms."""
    offers = list(LoanOffer.objects.all())
    return all(
        (offer.booked_amount, offer.booked_count) == booked_by_terms(offer) for offer in offers
    )


# --- one live pledge per patent -----------------------------------------------------------------


def test_control_without_constraint_and_common_locks_a_patent_is_pledged_twice(monkeypatch):
    both = contenders(2)
    number = both[0].match.patents.get().application_number
    monkeypatch.setattr(acceptances, "_rivals", lambda match, numbers: [])
    index = "pledge_one_live_per_patent"

    with without_index(index, definition_of(index)):
        outcomes = at_once(map(accepting, both))

        assert failures(outcomes) == []
        assert len(live_pledges(number)) == 2


def test_the_constraint_alone_lets_one_of_many_pledge(monkeypatch):
    """Even where nobody sees the others' matches, as with one made this moment."""
    everybody = contenders(FEW)
    monkeypatch.setattr(acceptances, "_rivals", lambda match, numbers: [])

    outcomes = at_once(map(accepting, everybody))

    assert codes(outcomes) == ["patent_pledged"] * (FEW - 1)
    assert Pledge.objects.count() == 1
    assert Match.objects.filter(status="accepted").count() == 1
    assert Match.objects.filter(status="terms_offered").count() == FEW - 1
    assert booked_as_counted()


def test_of_many_who_accept_at_once_one_pledges_and_the_others_are_superseded():
    everybody = contenders(MANY)

    outcomes = at_once(map(accepting, everybody))

    assert codes(outcomes) == ["not_offered"] * (MANY - 1)
    winner = Match.objects.get(status="accepted")
    assert Pledge.objects.get().match == winner
    assert Match.objects.filter(status="superseded").count() == MANY - 1
    assert booked_as_counted()


# --- one accepted match per request -------------------------------------------------------------


def two_of_one_request():
    request = make_loan_request()
    return [
        make_terms(make_match(request, make_loan_offer(), status="terms_offered"))
        for _each in range(2)
    ]


def test_control_without_locks_both_matches_of_a_request_are_accepted(monkeypatch):
    both = two_of_one_request()
    meeting = Barrier(2)

    def read(pks, others=()):
        found = Match.objects.select_related("business", "institution", "loan_request")
        rows = {match.pk: match for match in found.filter(pk__in=pks)}
        meeting.wait()
        return rows

    def set_state(lifecycle, obj, action, *, actor, data=None):
        row = lifecycle.find(obj.status, action, actor.kind)
        type(obj).objects.filter(pk=obj.pk).update(status=row.target)

    monkeypatch.setattr(acceptances, "lock_matches", read)
    monkeypatch.setattr(acceptances, "advance", set_state)
    monkeypatch.setattr(acceptances, "plan_pledges", lambda **of: [])

    outcomes = at_once(map(accepting, both))

    assert failures(outcomes) == []
    assert Match.objects.filter(status="accepted").count() == 2


def test_of_two_matches_of_a_request_one_is_accepted_and_supersedes_the_other():
    for _round in range(5):
        both = two_of_one_request()

        outcomes = at_once(map(accepting, both))

        assert codes(outcomes) == ["not_offered"]
        states = Match.objects.filter(loan_request=both[0].match.loan_request)
        assert sorted(states.values_list("status", flat=True)) == ["accepted", "superseded"]
    assert booked_as_counted()


def test_accepting_and_withdrawing_at_once_ends_in_one_of_them():
    seen = set()
    for _round in range(8):
        terms = make_terms()
        request = terms.match.loan_request
        actor = owner_of(terms.match)

        outcomes = at_once(
            [
                accepting(terms),
                partial(loan_requests.withdraw, actor=actor, request=request),
            ]
        )

        [failure] = failures(outcomes)
        assert isinstance(failure, MoneyRefused | RequestRefused)
        terms.match.refresh_from_db()
        request.refresh_from_db()
        state = (terms.match.status, request.status, terms.match.pledges.count())
        assert state in {("accepted", "committed", 1), ("withdrawn", "withdrawn", 0)}
        seen.add(state)
    assert booked_as_counted()
    assert seen


def test_acceptances_that_release_the_same_offers_do_not_block_each_other():
    offers = [make_loan_offer() for _each in range(4)]
    for _round in range(3):
        accepted = []
        for order in (1, -1):
            request = make_loan_request()
            for offer in offers[::order]:
                make_terms(make_match(request, offer, status="terms_offered"))
            accepted.append(
                make_terms(make_match(request, make_loan_offer(), status="terms_offered"))
            )

        outcomes = at_once(map(accepting, accepted))

        assert failures(outcomes) == []
    assert booked_as_counted()
    assert set(
        LoanOffer.objects.filter(pk__in=[o.pk for o in offers]).values_list(
            "booked_count", flat=True
        )
    ) == {0}


# --- the same form posted again -----------------------------------------------------------------


def test_acceptance_posted_many_times_at_once_is_one():
    terms = make_terms()

    outcomes = at_once([accepting(terms)] * FEW)

    assert outcomes == [terms.match] * FEW
    assert Pledge.objects.count() == 1
    assert AuditEvent.objects.filter(verb="match.accept").count() == 1
    kinds = list(Notice.objects.values_list("kind", "recipient"))
    assert len(kinds) == len(set(kinds))


def ready_to_draw():
    match = make_accepted()
    register_all(match)
    return match, staff_of(match)


def drawing(match, actor, amount, reference):
    match = Match.objects.get(pk=match.pk)
    return partial(
        completions.record_drawdown,
        actor=actor,
        match=match,
        amount=Decimal(amount),
        drawn_on=timezone.localdate(),
        reference=reference,
    )


def without_locks(monkeypatch, number):
    """Everybody counts what was drawn before anybody adds to it."""
    meeting = Barrier(number)

    def count(match):
        total = Drawdown.objects.filter(match=match).aggregate(sum=Sum("amount"))["sum"]
        meeting.wait()
        return total or Decimal(0)

    monkeypatch.setattr(completions, "lock_match", lambda match: match)
    monkeypatch.setattr(completions, "standing_terms", lambda match: match.terms.get())
    monkeypatch.setattr(completions, "drawn_total", count)


def test_control_without_the_lock_more_goes_out_than_the_terms_say(monkeypatch):
    match, actor = ready_to_draw()
    without_locks(monkeypatch, 2)

    outcomes = at_once([drawing(match, actor, match.amount, name) for name in "AB"])

    assert failures(outcomes) == []
    assert Drawdown.objects.aggregate(sum=Sum("amount"))["sum"] == 2 * match.amount


def test_drawdowns_at_once_never_exceed_the_terms():
    match, actor = ready_to_draw()
    part = match.amount / 4

    outcomes = at_once([drawing(match, actor, part, f"D{n}") for n in range(FEW)])

    assert [each.code for each in failures(outcomes)] == ["above_terms"] * (FEW - 4)
    assert Drawdown.objects.aggregate(sum=Sum("amount"))["sum"] == match.amount


def test_control_without_constraint_and_lock_a_drawdown_is_recorded_twice(monkeypatch):
    match, actor = ready_to_draw()
    index = "drawdown_once_per_reference"
    without_locks(monkeypatch, 2)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE financing_drawdown DROP CONSTRAINT {index}")
    try:
        outcomes = at_once([drawing(match, actor, 1000, "A")] * 2)

        assert failures(outcomes) == []
        assert Drawdown.objects.count() == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE financing_drawdown")
            cursor.execute(
                f"ALTER TABLE financing_drawdown ADD CONSTRAINT {index} UNIQUE"
                " (match_id, reference)"
            )


def test_a_drawdown_posted_many_times_at_once_is_one():
    match, actor = ready_to_draw()

    outcomes = at_once([drawing(match, actor, 1000, "A")] * FEW)

    assert outcomes == [Drawdown.objects.get()] * FEW
    assert AuditEvent.objects.filter(verb="drawdown.recorded").count() == 1


# --- the end, from both sides -------------------------------------------------------------------


def test_completing_and_falling_through_at_once_ends_in_one_of_them():
    for _round in range(4):
        match, staff = ready_to_draw()
        draw(match)
        calls = [
            partial(completions.complete, actor=staff, match=match),
            partial(
                completions.fall_through,
                actor=owner_of(match),
                match=match,
                reason=Reason("business_not_ready"),
            ),
        ]

        [failure] = failures(at_once(calls))

        assert isinstance(failure, MoneyRefused | TransitionRefused)
        match.refresh_from_db()
        assert match.status == "completed"
    assert booked_as_counted()


def test_both_sides_fall_through_at_once_and_everything_is_given_back_once():
    match = make_accepted()
    reason = Reason("business_not_ready")

    outcomes = at_once(
        partial(completions.fall_through, actor=actor, match=match, reason=reason)
        for actor in (owner_of(match), staff_of(match)) * 3
    )

    assert failures(outcomes) == []
    assert AuditEvent.objects.filter(verb="match.fall_through").count() == 1
    assert match.decisions.count() == 1
    assert booked_as_counted()
