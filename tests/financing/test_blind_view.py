"""Before the consent nothing an institution gets to see says who the business is, or how much.

Pages, addresses, headers, counts, searches, notices and mails, in both languages, of a loan and of
an insurance; after the consent the same search finds the same facts.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing import notifications
from financing.models import AnswerFile, Match, Question
from financing.services import studies
from financing.services.referrals import refer_blind
from sipo_portal.audit.actors import Actor
from sipo_portal.notices.mails import send_notice_mail
from sipo_portal.notices.models import Notice
from tests.factories.businesses import make_appraisal, make_business, make_co_owner, make_patent
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.insurance import (
    make_insurance_match,
    make_insurance_offer,
    make_insurance_request,
)
from tests.factories.studies import consent_of_all, staff_of, withdraw_consent_of

pytestmark = pytest.mark.django_db
AMOUNT = Decimal("2345600.00")
# In yuan, in ten thousands and in millions; a bare 235 might be the number of any row.
AMOUNTS = ("2345600", "2,345,600", "234.56", "2.3456", "2.35", "235万", "235 万", "235\u00a0万")
# None of them is an example in the help of a form.
PLACES = ("330106", "330100", "西湖", "杭州", "Xihu", "Hangzhou")
_ids = count(7_345_000_001)


@pytest.fixture(autouse=True)
def policy(settings):
    settings.PUBLIC_ADDRESS = "https://portal.example"
    return make_policy()


def business_with_patent() -> tuple[Any, Any]:
    business = make_business(
        id=next(_ids),
        name="绝密科技有限公司",
        legal_representative="张绝密",
        contact_name="李绝密",
        contact_phone="0512-77700077",
        address="绝密路7号",
        region="330106",
        industry="C3569",
    )
    patent = make_patent(business, id=next(_ids), title="绝密装置")
    make_co_owner(patent, name="绝密共有公司", consent="given")
    make_appraisal(patent, Decimal("7654321.09"), appraiser="绝密评估")
    return business, patent


def loan_match() -> Match:
    business, patent = business_with_patent()
    request = make_loan_request(
        business, [patent], id=next(_ids), principal=AMOUNT, purpose_text="绝密用途"
    )
    offer = make_loan_offer(make_staff().institution_post.institution)
    return make_match(request, offer, status="referred", amount=AMOUNT)


def insurance_match() -> Match:
    business, patent = business_with_patent()
    request = make_insurance_request(business, [patent], id=next(_ids), sum_insured=AMOUNT)
    insurer = make_staff(make_institution("insurer")).institution_post.institution
    return make_insurance_match(request, make_insurance_offer(insurer), status="referred")


@pytest.fixture(params=[loan_match, insurance_match], ids=["loan", "insurance"])
def match(request) -> Match:
    """Referred, with the notices of the approval and of a file that waits for the consent."""
    match: Match = request.param()
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
        notifications.match_referred(match)
    return match


def secrets_of(match: Match) -> list[str]:
    business = match.business
    return [
        "绝密",
        business.credit_code,
        "77700077",
        business.industry,
        *PLACES,
        *(each.application_number for each in match.patents.all()),
        *(str(row.pk) for row in (business, match.request, *match.patents.all())),
        *AMOUNTS,
        "7654321",
        "7,654,321",
        "765.43",
    ]


def ask_and_answer(match: Match) -> AnswerFile:
    """As though it had been asked and answered while an earlier consent stood."""
    question = Question.objects.create(
        match=match,
        text="报表？",
        answer="绝密回答",
        asked_by=staff_of(match),
        answered_by=match.business.members.get().user,
        answered_at=timezone.now(),
    )
    return AnswerFile.objects.create(
        question=question,
        name="绝密报表.pdf",
        media_type="application/pdf",
        size=4,
        sha256="0" * 64,
        content="绝密内容".encode(),
    )


def addresses(match: Match, file: AnswerFile) -> Iterator[str]:
    """Every page of the institution, with the searches and filters of the inbox."""
    inbox = reverse("admin:financing_referral_changelist")
    offers = "loanoffer" if match.loan_offer_id is not None else "insuranceoffer"
    offer = match.offer
    yield from (reverse("admin:index"), reverse("notices:list"), inbox)
    yield from (f"{inbox}?stage={stage}" for stage in ("new", "study", "agreed", "over"))
    yield from (f"{inbox}?turn={turn}" for turn in ("near", "late", "ours", "theirs"))
    yield from (f"{inbox}?o={column}" for column in range(1, 8))
    yield reverse("admin:financing_referral_change", args=[match.pk])
    yield from (
        reverse("admin:financing_referral_step", args=[match.pk, step])
        for step in ("interest", "decline", "ask", "terms", "study", "register", "drawdown")
    )
    yield reverse("admin:financing_referral_file", args=[match.pk, file.pk])
    yield reverse(f"admin:financing_{offers}_changelist")
    yield reverse(f"admin:financing_{offers}_change", args=[offer.pk])
    yield from (
        reverse(f"admin:financing_{offers}_step", args=[offer.pk, step])
        for step in ("pause", "close")
    )
    yield from (
        reverse("notices:open", args=[notice.pk])
        for notice in Notice.objects.filter(recipient=staff_of(match))
    )


def read(
    match: Match, file: AnswerFile, languages: tuple[str, ...] = ("zh-hans", "en")
) -> Iterator[tuple[str, str]]:
    """Address and everything that comes back: addresses passed through, headers, the page."""
    for language in languages:
        client = Client(headers={"accept-language": language})
        client.force_login(staff_of(match))
        for address in addresses(match, file):
            answer = client.get(address, follow=True)
            assert answer.status_code == 200, address
            passed = [url for url, _status in answer.redirect_chain]
            headers = [f"{name}: {value}" for name, value in answer.headers.items()]
            # Nonces and tokens are random, and may hold any figure.
            body = without_random(answer)
            yield address, "\n".join([*passed, *headers, body])


def without_random(answer: Any) -> str:
    body = answer.content.decode(errors="replace")
    tokens = {str(answer.context[name]) for name in ("csrf_token",) if answer.context}
    for token in tokens:
        body = body.replace(token, "")
    return body


def found_in(match: Match, text: str) -> list[str]:
    return [secret for secret in secrets_of(match) if secret in text]


def test_nothing_on_any_page_before_the_consent(match) -> None:
    file = ask_and_answer(match)
    pages = dict(read(match, file))

    assert {url: found for url, text in pages.items() if (found := found_in(match, text))} == {}
    inbox = pages[reverse("admin:financing_referral_changelist")]
    assert match.reference in inbox


def test_nor_after_interest_or_a_consent_that_was_withdrawn(match) -> None:
    studies.declare_interest(actor=Actor.of(staff_of(match)), match=match)
    file = ask_and_answer(match)
    # Each of them in one language: both were read above, where the pages are the same.
    for url, text in read(match, file, ("en",)):
        assert found_in(match, text) == [], url
    consent_of_all(match)
    withdraw_consent_of(match)

    for url, text in read(match, file, ("zh-hans",)):
        assert found_in(match, text) == [], url


def test_what_is_hidden_is_there_once_everybody_consented(match) -> None:
    """Else the search would prove nothing."""
    file = ask_and_answer(match)
    consent_of_all(match)

    text = "\n".join(text for _url, text in read(match, file, ("zh-hans",)))

    business = match.business
    for fact in ("绝密科技", business.credit_code, "77700077", "2,345,600", "绝密报表.pdf"):
        assert fact in text, fact
    for patent in match.patents.all():
        assert patent.application_number in text


def test_searches_find_the_reference_and_nothing_else(match) -> None:
    client = Client()
    client.force_login(staff_of(match))
    inbox = reverse("admin:financing_referral_changelist")

    def count_of(**query: Any) -> int:
        answer = client.get(inbox, query, follow=True)
        return int(answer.context["cl"].result_count)

    assert count_of(q=match.reference) == 1
    for secret in secrets_of(match):
        assert count_of(q=secret) == 0, secret
    # Columns of the business are no filters: a lookup typed into the address is not followed.
    for lookup in ("business__name__startswith", "business__region_id", "amount__gte"):
        answer = client.get(inbox, {lookup: "绝"})
        assert answer.status_code in (302, 400), lookup


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_nothing_in_notices_and_mails(match, language) -> None:
    """Of every event an institution is told about before the consent."""
    staff = staff_of(match)
    staff.language = language
    staff.save()
    with transaction.atomic():
        for which in ("half", "end"):
            notifications.reminder(match, which)
        notifications.match_withdrawn(match)
        notifications.match_expired(match)
        notifications.consent_withdrawn(match, key="1")
    notices = list(Notice.objects.filter(recipient=staff))
    assert len(notices) >= 4

    for notice in notices:
        with transaction.atomic():
            send_notice_mail(notice.pk)
        assert found_in(match, f"{notice.payload} {notice.path} {notice.event_key}") == []

    assert len(mail.outbox) == len(notices)
    for each in mail.outbox:
        assert found_in(match, f"{each.subject}\n{each.body}") == [], each.subject
    assert match.reference in mail.outbox[0].body


def test_counts_of_an_institution_that_was_sent_nothing_are_empty(match) -> None:
    other = make_staff(make_institution(match.institution.kind))
    client = Client()
    client.force_login(other)

    inbox = client.get(reverse("admin:financing_referral_changelist"))

    assert inbox.context["cl"].result_count == 0
    assert match.reference not in inbox.content.decode()
