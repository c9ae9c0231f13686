"""What the institution gets before everybody consented, and after a consent was withdrawn: nothing.

Every page, notice, mail and address a clerk can reach is searched for whatever could say who it is.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.models import Match
from financing.models.person_consents import PersonConsent
from financing.models.questions import AnswerFile, Question
from financing.services import studies
from financing.services.consents import give_consent, withdraw_consent
from financing.services.person_consents import answer_person, ask_person
from financing.services.questions import FileClosed, read_file
from tests.factories.businesses import make_co_owner
from tests.factories.consents import ReferredMatch, make_referred
from tests.factories.financing import make_policy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy_and_english(db: Any) -> Any:
    make_policy()
    with translation.override("en"):
        yield


@pytest.fixture
def made() -> ReferredMatch:
    made = make_referred(
        name="绝密科技有限公司",
        legal_representative="张绝密",
        contact_name="李绝密",
        contact_phone="0512-99887766",
        address="绝密路7号",
    )
    make_co_owner(made.match.patents.get(), name="王绝密", kind="person")
    made.match.patents.update(title="绝密装置")
    return made


def secrets_of(made: ReferredMatch) -> list[str]:
    match = made.match
    assert match.loan_request is not None
    return [
        "绝密",
        "99887766",
        match.business.credit_code,
        match.patents.get().application_number,
        match.loan_request.purpose_text,
        "1,000,000",
        "5,000,000",
        "secret.example",
        made.owner.name,
        made.owner.email,
        *PersonConsent.objects.values_list("token", flat=True),
    ]


def seen_by_clerk(made: ReferredMatch, run_outbox: Callable[[], int]) -> str:
    """Everything the clerk is shown or sent, as one text with the addresses of the pages."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(made.clerk)
    run_outbox()
    seen = []
    for url in (
        reverse("admin:financing_referral_changelist"),
        reverse("admin:financing_referral_change", args=[made.match.pk]),
        f"/admin/financing/referral/{made.match.pk}/history/",
        reverse("notices:list"),
        "/admin/",
    ):
        answer = client.get(url)
        seen += [url, answer.content.decode(), str(answer.headers)]
    seen += [f"{each.kind} {each.payload} {each.path}" for each in made.clerk.notices.all()]
    seen += [
        f"{each.subject} {each.body}" for each in mail.outbox if made.clerk.email in each.to[0]
    ]
    for file in AnswerFile.objects.all():
        url = reverse("admin:financing_referral_file", args=[made.match.pk, file.pk])
        answer = client.get(url)
        assert answer.status_code in (302, 403, 404)
        seen += [answer.content.decode(), str(answer.headers)]
    return "\n".join(seen)


def leaks(made: ReferredMatch, seen: str) -> list[str]:
    return [secret for secret in secrets_of(made) if secret in seen]


def consent_of_persons(made: ReferredMatch) -> list[PersonConsent]:
    return [
        ask_person(
            actor=made.business,
            match=made.match,
            role=role,
            name=name,
            email=f"p{number}@secret.example",
        )
        for number, (role, name) in enumerate(
            [
                ("contact", "李绝密"),
                ("legal_representative", "张绝密"),
                ("co_owner", "王绝密"),
            ]
        )
    ]


def test_nothing_leaks_at_any_step_before_the_last_consent(
    made: ReferredMatch, run_outbox: Callable[[], int]
) -> None:
    assert leaks(made, seen_by_clerk(made, run_outbox)) == []
    studies.declare_interest(actor=made.lender, match=made.match)
    assert leaks(made, seen_by_clerk(made, run_outbox)) == []
    rows = consent_of_persons(made)
    give_consent(actor=made.business, match=made.match)
    for row in rows[:-1]:
        answer_person(row.token, answer="given")
        assert leaks(made, seen_by_clerk(made, run_outbox)) == []
    answer_person(rows[-1].token, answer="refused")
    assert leaks(made, seen_by_clerk(made, run_outbox)) == []

    # The proof that this looks in the right places: with the last consent it is all there.
    answer_person(rows[-1].token, answer="given")
    seen = seen_by_clerk(made, run_outbox)
    for shown in (
        "绝密科技有限公司",
        "张绝密",
        "李绝密",
        "王绝密",
        made.match.business.credit_code,
    ):
        assert shown in seen


def test_a_withdrawal_closes_page_answers_and_files(
    made: ReferredMatch, run_outbox: Callable[[], int]
) -> None:
    rows = consent_of_persons(made)
    for row in rows:
        answer_person(row.token, answer="given")
    consent = give_consent(actor=made.business, match=made.match)
    Match.objects.filter(pk=made.match.pk).update(status="in_study")
    question = Question.objects.create(
        match=made.match,
        text="Who supplies you?",
        asked_by=made.clerk,
        answer="绝密供应商",
        answered_by=made.owner,
        answered_at=timezone.now(),
    )
    file = AnswerFile.objects.create(
        question=question, name="绝密报表.pdf", media_type="application/pdf", size=1, content=b"x"
    )
    assert read_file(actor=made.lender, file=file).content == b"x"

    withdraw_consent(actor=made.business, consent=consent)
    assert leaks(made, seen_by_clerk(made, run_outbox)) == []
    with pytest.raises(FileClosed):
        read_file(actor=made.lender, file=file)

    # One person is enough to close it again.
    give_consent(actor=made.business, match=made.match)
    answer_person(rows[0].token, answer="withdrawn")
    assert leaks(made, seen_by_clerk(made, run_outbox)) == []


def test_searching_for_a_secret_finds_nothing(made: ReferredMatch) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(made.clerk)
    business = made.match.business
    for typed in (business.credit_code, business.name, made.match.patents.get().application_number):
        url = reverse("admin:financing_referral_changelist")
        page = client.get(url, {"q": typed}).content.decode()
        assert made.match.reference not in page


def test_the_institution_cannot_tell_who_is_missing_or_how_many(
    made: ReferredMatch, run_outbox: Callable[[], int]
) -> None:
    """A count of persons would tell businesses apart."""
    before = seen_by_clerk(made, run_outbox)
    rows = consent_of_persons(made)
    answer_person(rows[0].token, answer="given")
    give_consent(actor=made.business, match=made.match)
    after = seen_by_clerk(made, run_outbox)
    assert made.clerk.notices.filter(kind__startswith="consent").count() == 0
    assert len(before.splitlines()) == len(after.splitlines())
