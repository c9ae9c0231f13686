"""Consent, its withdrawal and answers at the same moment: real threads on a real PostgreSQL."""

from functools import partial
from typing import Any

import pytest

from financing.consent_state import consent_state
from financing.models import Disclosure, Match
from financing.models.consents import Consent
from financing.models.person_consents import PersonConsent
from financing.models.questions import AnswerFile, Question
from financing.services.consents import give_consent, withdraw_consent
from financing.services.person_consents import answer_person, ask_person
from financing.services.questions import answer_question
from financing.services.referrals import IdentityClosed, open_identity
from sipo_portal.attachments.checking import CheckedFile
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.consents import ReferredMatch, make_referred, open_identity_of
from tests.factories.financing import make_policy
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 12


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_policy()


def giving(made: ReferredMatch) -> Any:
    return partial(give_consent, actor=made.business, match=made.match)


def errors(outcomes: list[Any]) -> list[Any]:
    return [each for each in outcomes if isinstance(each, Exception)]


def test_consent_posted_twelve_times_at_once_is_one() -> None:
    made = make_referred()
    outcomes = at_once([giving(made)] * MANY)
    assert errors(outcomes) == []
    assert len({consent.pk for consent in outcomes}) == 1
    assert Consent.objects.count() == 1
    assert Disclosure.objects.filter(stage="identity").count() == 1
    assert AuditEvent.objects.filter(verb="consent.given").count() == 1
    assert Notice.objects.filter(kind__startswith="consent_given").count() == 1


def test_the_database_keeps_one_consent_even_without_the_lock(monkeypatch: Any) -> None:
    """The control: without the locks the posts collide, and only the constraint stands."""
    monkeypatch.setattr("financing.services.consents.lock_business", lambda _pk: None)
    monkeypatch.setattr(
        "financing.services.consents.Match.objects.select_for_update",
        lambda **_options: Match.objects.all(),
    )
    made = make_referred()
    outcomes = at_once([giving(made)] * MANY)
    assert errors(outcomes)
    assert Consent.objects.filter(withdrawn_at=None).count() == 1


def test_giving_and_withdrawing_at_once_ends_in_one_clear_state() -> None:
    made = make_referred()
    consent = give_consent(actor=made.business, match=made.match)
    for _round in range(6):
        taking = partial(withdraw_consent, actor=made.business, consent=consent)
        reading = partial(open_identity, made.lender, made.match)
        outcomes = at_once([giving(made), taking, giving(made), taking, reading, reading])
        assert [each for each in errors(outcomes) if not isinstance(each, IdentityClosed)] == []
        standing = Consent.objects.filter(withdrawn_at=None)
        assert standing.count() <= 1
        assert consent_state(made.match).is_open == standing.exists()
        if not standing.exists():
            with pytest.raises(IdentityClosed):
                open_identity(made.lender, made.match)
        consent = give_consent(actor=made.business, match=made.match)
    assert Disclosure.objects.filter(stage="identity").count() == 1


def test_the_last_consents_that_come_together_open_the_identity_once() -> None:
    made = make_referred(legal_representative="张三丰", contact_name="王小明")
    rows = [
        ask_person(actor=made.business, match=made.match, role=role, name=name, email="p@x.example")
        for role, name in (("legal_representative", "张三丰"), ("contact", "王小明"))
    ]
    answers = [partial(answer_person, row.token, answer="given") for row in rows]
    outcomes = at_once([giving(made), *answers, *answers])
    assert errors(outcomes) == []
    assert Disclosure.objects.filter(stage="identity").count() == 1
    assert consent_state(made.match).is_open


def test_a_person_asked_many_times_at_once_gets_one_mail() -> None:
    made = make_referred(legal_representative="张三丰")
    asking = partial(
        ask_person,
        actor=made.business,
        match=made.match,
        role="legal_representative",
        name="张三丰",
        email="p@x.example",
    )
    assert errors(at_once([asking] * MANY)) == []
    assert PersonConsent.objects.count() == 1
    assert OutboxMessage.objects.filter(task="financing.mail_person_consent").count() == 1


def test_an_answer_posted_many_times_at_once_is_one_with_its_files_once() -> None:
    made = make_referred()
    open_identity_of(made)
    Match.objects.filter(pk=made.match.pk).update(status="waiting")
    question = Question.objects.create(match=made.match, text="?", asked_by=made.clerk)
    file = CheckedFile("a.pdf", "application/pdf", b"%PDF-1.4 %%EOF")
    answering = partial(
        answer_question, actor=made.business, question=question, text="好", files=[file]
    )
    assert errors(at_once([answering] * MANY)) == []
    assert AnswerFile.objects.count() == 1
    assert AuditEvent.objects.filter(verb="question.answered").count() == 1
    assert Notice.objects.filter(kind__startswith="question_answered").count() == 1
