"""An owner's match page, its forms, the ledger, and what others get of them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from financing.models import Match
from financing.models.consents import Consent
from financing.models.person_consents import PersonConsent
from financing.models.questions import AnswerFile, Question
from financing.services.consents import give_consent, withdraw_consent
from financing.services.person_consents import answer_person, ask_person
from financing.services.referrals import open_identity, open_referral
from sipo_portal.accounts.models import User
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.consents import ReferredMatch, make_referred, open_identity_of
from tests.factories.financing import make_policy
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy_and_english(db: Any) -> Any:
    make_policy()
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page_of(made: ReferredMatch, user: User | None = None) -> str:
    client = signed_in(user or made.owner)
    answer = client.get(reverse("financing:owner_match", args=[made.match.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def post(made: ReferredMatch, address: str, *more: Any, **data: Any) -> Any:
    url = reverse(f"financing:{address}", args=[made.match.pk, *more])
    return signed_in(made.owner).post(url, data)


# --- consent --------------------------------------------------------------------------------------


def test_the_page_asks_for_consent_and_names_recipient_purpose_and_fields() -> None:
    made = make_referred()
    page = page_of(made)
    assert "May the institution know who you are?" in page
    assert f"share this with {made.match.institution.label}" in page
    assert "Study of a loan request" in page
    assert "Unified social credit code" in page
    # Separate from everything else: one form, its only field the protection against forgery.
    assert 'name="csrfmiddlewaretoken"' in page


def test_given_and_withdrawn_with_one_click_each() -> None:
    made = make_referred()
    assert post(made, "consent_give").url.endswith("#consent")
    assert "can read who you are" in page_of(made)
    answer = post(made, "consent_withdraw")
    assert answer.status_code == 302
    assert "A consent was withdrawn" in page_of(made)
    assert Consent.objects.get().withdrawn_at is not None
    assert post(made, "consent_withdraw").status_code == 302


def test_consent_is_posted_only() -> None:
    made = make_referred()
    for name in ("consent_give", "consent_withdraw", "person_ask"):
        url = reverse(f"financing:{name}", args=[made.match.pk])
        assert signed_in(made.owner).get(url).status_code == 405
    assert not Consent.objects.exists()


def test_other_owners_and_roles_get_nothing() -> None:
    made = make_referred()
    stranger, clerk = make_owner(), made.clerk
    for name in ("owner_match", "consent_give", "consent_withdraw", "person_ask"):
        url = reverse(f"financing:{name}", args=[made.match.pk])
        method = "get" if name == "owner_match" else "post"
        assert getattr(signed_in(stranger), method)(url).status_code == 404
        assert getattr(Client(), method)(url).status_code == 302
    assert not Consent.objects.exists()
    assert clerk.role == "institution_staff"


def test_the_owner_sees_who_is_missing_and_asks_by_mail() -> None:
    made = make_referred(legal_representative="张三丰", contact_name="王小明")
    post(made, "consent_give")
    page = page_of(made)
    assert "2 persons have not consented" in page
    assert "Not asked yet" in page
    answer = post(
        made, "person_ask", role="legal_representative", name="张三丰", email="zhang@mail.example"
    )
    assert answer.url.endswith("#persons")
    row = PersonConsent.objects.get()
    assert "Mail sent to zhang@mail.example" in page_of(made)
    answer_person(row.token, answer="given")
    assert "1 person has not consented: 王小明" in page_of(made)


def test_a_wrong_address_is_told_at_the_field_and_kept() -> None:
    made = make_referred(legal_representative="张三丰")
    answer = post(
        made, "person_ask", role="legal_representative", name="张三丰", email="not-an-address"
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "not-an-address" in page
    assert "<title>Error:" in page.replace("\n", "")
    assert not PersonConsent.objects.exists()


def test_asking_is_limited_per_account() -> None:
    made = make_referred(legal_representative="张三丰")
    for number in range(25):
        post(
            made,
            "person_ask",
            role="legal_representative",
            name="张三丰",
            email=f"person{number}@mail.example",
        )
    assert OutboxMessage.objects.filter(task="financing.mail_person_consent").count() == 20


def test_before_approval_nothing_can_be_given() -> None:
    made = make_referred()
    Match.objects.filter(pk=made.match.pk).update(status="in_review", referred_at=None)
    assert "once the branch office has approved" in page_of(made)
    post(made, "consent_give")
    assert not Consent.objects.exists()


def test_the_page_costs_the_same_number_of_queries_with_more_of_everything(
    django_assert_max_num_queries: Any,
) -> None:
    made = make_referred(legal_representative="张三丰", contact_name="王小明")
    open_identity_of(made)
    for _round in range(30):
        open_identity(made.lender, made.match)
    client = signed_in(made.owner)
    url = reverse("financing:owner_match", args=[made.match.pk])
    client.get(url)
    with django_assert_max_num_queries(22):
        client.get(url)


# --- steps on other pages -------------------------------------------------------------------------


def test_home_and_request_lead_to_the_decision() -> None:
    made = make_referred()
    link = reverse("financing:owner_match", args=[made.match.pk])
    client = signed_in(made.owner)
    for url in (
        reverse("home"),
        reverse("financing:request_detail", args=[made.match.loan_request_id]),
    ):
        assert link in client.get(url).content.decode()
    give_consent(actor=made.business, match=made.match)
    home = client.get(reverse("home")).content.decode()
    assert link not in home


def test_the_coordinator_sees_the_state_of_the_consents_without_addresses() -> None:
    made = make_referred(legal_representative="张三丰")
    ask_person(
        actor=made.business,
        match=made.match,
        role="legal_representative",
        name="张三丰",
        email="zhang@mail.example",
    )
    coordinator = make_coordinator(make_office("320000"))
    url = reverse("financing:match_detail", args=[made.match.pk])
    page = signed_in(coordinator).get(url).content.decode()
    assert "not given yet" in page
    assert "Not answered yet" in page
    assert "zhang@mail.example" not in page


# --- ledger ---------------------------------------------------------------------------------------


def test_the_ledger_shows_what_was_disclosed_and_who_opened_it_when() -> None:
    made = make_referred()
    open_referral(made.lender, made.match)
    give_consent(actor=made.business, match=made.match)
    for _round in range(3):
        open_identity(made.lender, made.match)
    other = make_referred()
    page = signed_in(made.owner).get(reverse("financing:disclosure_list")).content.decode()
    assert "Opened once." in page
    assert "Opened 3 times." in page
    assert made.clerk.name in page
    assert made.match.business.credit_code in page
    assert other.match.business.name not in page
    assert other.match.reference not in page


def test_the_ledger_stays_after_withdrawal() -> None:
    made = make_referred()
    consent = give_consent(actor=made.business, match=made.match)
    open_identity(made.lender, made.match)
    withdraw_consent(actor=made.business, consent=consent)
    page = signed_in(made.owner).get(reverse("financing:disclosure_list")).content.decode()
    assert "Identity opened with consent" in page
    assert "Opened once." in page


# --- questions ------------------------------------------------------------------------------------

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def asked(made: ReferredMatch) -> Question:
    Match.objects.filter(pk=made.match.pk).update(status="waiting")
    return Question.objects.create(
        match=made.match, text="请提供去年的财务报表", asked_by=made.clerk
    )


def test_a_question_is_answered_with_text_and_files() -> None:
    made = make_referred()
    open_identity_of(made)
    question = asked(made)
    assert "请提供去年的财务报表" in page_of(made)
    file = SimpleUploadedFile("报表.pdf", PDF, "text/html")
    answer = post(made, "question_answer", question.pk, text="见附件", files=[file])
    assert answer.status_code == 302
    made.match.refresh_from_db()
    assert made.match.status == "in_study"
    stored = AnswerFile.objects.get()
    assert (stored.name, stored.media_type, stored.size) == (
        "报表.pdf",
        "application/pdf",
        len(PDF),
    )
    assert "报表.pdf" in page_of(made)
    assert made.clerk.notices.filter(kind__startswith="question_answered").count() == 1


def test_the_answer_posted_again_is_one_answer() -> None:
    made = make_referred()
    open_identity_of(made)
    question = asked(made)
    for _round in range(3):
        file = SimpleUploadedFile("报表.pdf", PDF)
        answer = post(made, "question_answer", question.pk, text="见附件", files=[file])
        assert answer.status_code == 302
    assert AnswerFile.objects.count() == 1
    assert AuditEvent.objects.filter(verb="question.answered").count() == 1


def test_no_answer_before_consent_or_after_its_withdrawal() -> None:
    made = make_referred()
    question = asked(made)
    assert "An answer says who you are" in page_of(made)
    post(made, "question_answer", question.pk, text="我们是某公司")
    consent = give_consent(actor=made.business, match=made.match)
    withdraw_consent(actor=made.business, consent=consent)
    post(made, "question_answer", question.pk, text="我们是某公司")
    question.refresh_from_db()
    assert question.answered_at is None
    assert question.answer == ""


def test_an_empty_answer_and_a_bad_file_say_why_and_keep_the_text() -> None:
    made = make_referred()
    open_identity_of(made)
    question = asked(made)
    page = post(made, "question_answer", question.pk, text=" ").content.decode()
    assert "Write an answer or choose a file." in page
    file = SimpleUploadedFile("程序.exe", b"MZ\x90\x00")
    page = post(made, "question_answer", question.pk, text="写好的文字", files=[file])
    assert "this kind of file is not accepted" in page.content.decode()
    assert "写好的文字" in page.content.decode()
    assert not AnswerFile.objects.exists()
    many = [SimpleUploadedFile(f"{number}.pdf", PDF) for number in range(6)]
    page = post(made, "question_answer", question.pk, text="x", files=many).content.decode()
    assert "at most five files" in page
    assert not AnswerFile.objects.exists()


def stored_file(made: ReferredMatch) -> AnswerFile:
    open_identity_of(made)
    question = asked(made)
    file = SimpleUploadedFile('报 "表".pdf'.replace('"', "'"), PDF)
    post(made, "question_answer", question.pk, text="", files=[file])
    return AnswerFile.objects.get()


def test_a_file_is_an_attachment_for_entitled_people_only_and_its_reading_audited() -> None:
    made = make_referred()
    file = stored_file(made)
    url = reverse("financing:answer_file", args=[made.match.pk, file.pk])
    answer = signed_in(made.owner).get(url)
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/pdf"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert AuditEvent.objects.filter(verb="answer_file.read").count() == 1
    assert signed_in(make_owner()).get(url).status_code == 404
    assert signed_in(make_coordinator(make_office("440000"))).get(url).status_code == 404
    assert signed_in(make_coordinator(make_office("320000"))).get(url).status_code == 200
    assert Client().get(url).status_code == 302
    elsewhere = reverse("financing:answer_file", args=[make_referred().match.pk, file.pk])
    assert signed_in(made.owner).get(elsewhere).status_code == 404
    assert AuditEvent.objects.filter(verb="answer_file.read").count() == 2


def test_a_foreign_question_cannot_be_answered() -> None:
    made, other = make_referred(), make_referred()
    open_identity_of(made)
    open_identity_of(other)
    question = asked(other)
    assert post(made, "question_answer", question.pk, text="x").status_code == 404
    question.refresh_from_db()
    assert question.answered_at is None
