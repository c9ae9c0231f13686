"""Forms between the referral and the end, posted twelve times at once and once more: one act.

Terms, pledges, policies, answers and the ways out; the forms before them: `test_double_posts`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from financing.admin import referral_steps
from financing.models import (
    InsurancePolicy,
    Match,
    MatchDecision,
    Question,
    Terms,
)
from financing.models.drawdowns import Delivery
from financing.models.questions import AnswerFile
from financing.services import deliveries, insurance_policies
from financing.services.consents import give_consent
from financing.services.person_consents import ask_person
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.working_days import add_working_days
from tests.factories.consents import make_referred
from tests.factories.financing import make_match
from tests.factories.insurance import make_insurance_policy_of_the_day, make_insurance_request
from tests.factories.money import (
    make_accepted,
    make_completed,
    make_terms,
    owner_of,
    register_all,
    typed_contract,
)
from tests.factories.studies import make_insurance_referral, make_referral, rivals_for, staff_of
from tests.financing.at_once import at_once
from tests.financing.posting import (
    TIMES,
    Post,
    answered,
    browsers,
    of_match,
    refer,
    refuse_more_than_one,
    step,
)
from tests.financing.test_referral_answers import terms_data

pytestmark = pytest.mark.django_db(transaction=True)


def today() -> str:
    return timezone.localdate().isoformat()


def offering_terms() -> Post:
    """On the last of the capacity: the second post must not take the first for a rival."""
    [match] = rivals_for(1_000_000, 1)
    data = terms_data(is_confirmed="1")
    return step(match, "terms", "terms.offered", Terms.objects.all(), **data)


def offering_insurance_terms() -> Post:
    match = make_insurance_referral("in_study", is_open=True)
    data = {
        "amount": "1000000",
        "premium": "5000",
        "excess_percent": "10",
        "term_months": "12",
        "valid_until": add_working_days(timezone.localdate(), 10)[0].isoformat(),
        "is_confirmed": "1",
    }
    return step(match, "terms", "terms.offered", Terms.objects.all(), **data)


def declining_a_referral() -> Post:
    match = make_referral("in_study", is_open=True)
    made = MatchDecision.objects.all()
    return step(match, "decline", "match.decline", made, reason="outside_appetite")


def accepting_insurance_terms() -> Post:
    terms = make_terms(make_insurance_referral("terms_offered", is_open=True))
    data = {"terms": terms.pk, "is_confirmed": "on"}
    return of_match(terms.match, "terms_accept", "match.accept", **data)


def registering_a_pledge() -> Post:
    match = refer(make_accepted())
    pk = match.pledges.get().pk
    data = typed_contract(match) | {f"number_{pk}": "Y2026000001", f"registered_on_{pk}": today()}
    return step(match, "register", "pledge.register", **data)


def releasing_a_pledge() -> Post:
    match = refer(make_accepted())
    register_all(match)
    data = {f"released_on_{match.pledges.get().pk}": today()}
    return step(match, "release", "pledge.release", **data)


def drawing_all_of_it() -> Post:
    """Nothing is left for the second post, which is the same drawdown."""
    match = refer(make_accepted())
    register_all(match)
    data = {
        "amount": str(match.amount),
        "drawn_on": today(),
        "reference": "RB-1",
        "is_confirmed": "1",
    }
    return step(match, "drawdown", "drawdown.recorded", match.drawdowns.all(), **data)


def issuing_a_policy() -> Post:
    match = make_accepted(make_insurance_referral("terms_offered", is_open=True))
    data = {"number": "PIC-1", "starts_on": today(), "is_confirmed": "1"}
    made = InsurancePolicy.objects.all()
    return step(match, "policy", "insurance_policy.issued", made, **data)


def ending_as_lender() -> Post:
    match = refer(make_accepted())
    made = match.decisions.all()
    return step(match, "end", "match.fall_through", made, reason="no_longer_needed")


def ending_as_business() -> Post:
    match = make_accepted()
    data = {"reason": "no_longer_needed"}
    made = match.decisions.all()
    return of_match(match, "match_fall_through", "match.fall_through", made, **data)


def withdrawing_consent() -> Post:
    match = make_referral(is_open=True)
    return of_match(match, "consent_withdraw", "consent.withdrawn")


def answering_a_question() -> Post:
    match = make_referral("in_study", is_open=True)
    Match.objects.filter(pk=match.pk).update(status="waiting")
    question = Question.objects.create(match=match, text="?", asked_by=staff_of(match))
    url = reverse("financing:question_answer", args=[match.pk, question.pk])
    return Post(owner_of(match).user, url, "question.answered", {"text": "好"})


def asking_a_person() -> Post:
    made = make_referred(legal_representative="张三丰")
    data = {"role": "legal_representative", "name": "张三丰", "email": "p@firm.example"}
    url = reverse("financing:person_ask", args=[made.match.pk])
    rows = made.match.person_consents.all()
    return Post(made.owner, url, "consent.person_asked", data, rows)


def answering_as_a_person() -> Post:
    made = make_referred(legal_representative="张三丰")
    give_consent(actor=made.business, match=made.match)
    row = ask_person(
        actor=made.business,
        match=made.match,
        role="legal_representative",
        name="张三丰",
        email="p@firm.example",
    )
    return Post(
        None,
        reverse("financing:person_answer"),
        "consent.person_answered",
        {"answer": "given"},
        first_opens=reverse("financing:person_link", args=[row.token]),
    )


def answering_the_coordinator() -> Post:
    match = make_match(status="returned")
    url = reverse("financing:request_answer", args=[match.loan_request_id, match.pk])
    return Post(owner_of(match).user, url, "match.resubmit", {"text": "已补充"})


def submitting_an_insurance_request() -> Post:
    request = make_insurance_request(status="draft")
    url = reverse("financing:insurance_request_submit", args=[request.pk])
    return Post(request.business.members.get().user, url, "request.submit")


POSTS: tuple[Callable[[], Post], ...] = (
    offering_terms,
    offering_insurance_terms,
    declining_a_referral,
    accepting_insurance_terms,
    registering_a_pledge,
    releasing_a_pledge,
    drawing_all_of_it,
    issuing_a_policy,
    ending_as_lender,
    ending_as_business,
    withdrawing_consent,
    answering_a_question,
    asking_a_person,
    answering_as_a_person,
    answering_the_coordinator,
    submitting_an_insurance_request,
)


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_insurance_policy_of_the_day()


@pytest.mark.parametrize("make", POSTS)
def test_posted_twelve_times_at_once_and_once_more_it_is_one(make: Callable[[], Post]) -> None:
    refuse_more_than_one(make())


# --- what would happen without the guards: control runs -----------------------------------------


def without_locks(monkeypatch: pytest.MonkeyPatch, looked_at: Any) -> None:
    """Nobody waits for a lock, and both look at `looked_at` before either writes."""
    meeting, real = Barrier(2), looked_at.objects.filter

    def look(*args: Any, **lookups: Any) -> Any:
        found = real(*args, **lookups)
        if "match" in lookups:
            found = looked_at.objects.none() if not len(found) else found
            meeting.wait()
        return found

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *args, **options: self)
    monkeypatch.setattr(looked_at.objects, "filter", look)


@contextmanager
def without_unique_match(table: str) -> Iterator[None]:
    """The table without the constraint that a match has one row, which is put back over none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'u'",
            [table],
        )
        [(name, definition)] = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def test_control_without_lock_and_constraint_a_delivery_is_confirmed_twice(monkeypatch):
    match = make_completed()
    confirm = partial(
        deliveries.confirm_delivery, actor=owner_of(match), match=match, is_as_agreed=True
    )
    with without_unique_match("financing_delivery"), monkeypatch.context() as patched:
        without_locks(patched, Delivery)
        outcomes = at_once([confirm] * 2)

        assert [type(each) for each in outcomes] == [Delivery, Delivery]
        assert Delivery.objects.count() == 2


def test_control_without_lock_and_constraint_a_policy_is_issued_twice(monkeypatch):
    match = make_accepted(make_insurance_referral("terms_offered", is_open=True))
    issue = partial(
        insurance_policies.issue_policy,
        actor=Actor.of(staff_of(match)),
        match=match,
        number="PIC-1",
        starts_on=timezone.localdate(),
    )
    with without_unique_match("financing_insurancepolicy"), monkeypatch.context() as patched:
        without_locks(patched, InsurancePolicy)
        patched.setattr(insurance_policies, "complete", lambda **of: None)
        outcomes = at_once([issue] * 2)

        assert [type(each) for each in outcomes] == [InsurancePolicy, InsurancePolicy]
        assert InsurancePolicy.objects.count() == 2


# --- files, which a request body gives only once -------------------------------------------------


def test_an_answer_with_a_file_posted_many_times_at_once_is_one():
    post = answering_a_question()
    clients = browsers(post)

    def send(browser: Any) -> Any:
        file = SimpleUploadedFile("a.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")
        return browser.post(post.url, {**post.data, "files": [file]})

    answers = at_once([partial(send, each) for each in clients])

    assert len({answered(each) for each in answers}) == 1
    assert len(answers) == TIMES
    assert AnswerFile.objects.count() == 1


def test_the_second_post_of_terms_is_not_told_that_it_came_too_late(monkeypatch):
    """The first one is done between the second one's look at the row and at the capacity."""
    post = offering_terms()
    first, second, *_others = browsers(post)
    real, done = referral_steps.free_capacity, []

    def look(offer: Any) -> Any:
        if not done:
            done.append(None)
            done[0] = first.post(post.url, post.data)
        offer.refresh_from_db()
        return real(offer)

    monkeypatch.setattr(referral_steps, "free_capacity", look)

    again = second.post(post.url, post.data)

    assert answered(again) == answered(done[0])
    assert again.status_code == 302
    assert Terms.objects.count() == 1
