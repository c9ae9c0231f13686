"""Notices: once per person and event, frozen, read by their own people, mailed in their words."""

from datetime import date

import pytest
from django.core import mail
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.test import Client, override_settings
from django.urls import reverse

from sipo_portal.notices.mails import send_notice_mail
from sipo_portal.notices.models import Notice
from sipo_portal.notices.services import mark_read, notify
from sipo_portal.notices.texts import words
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.financing.at_once import at_once

pytestmark = pytest.mark.django_db
PAYLOAD = {
    "business": "光电科技有限公司",
    "institution": {"zh-hans": "江南银行", "en": "Jiangnan Bank"},
    "offer": "知贷 <1>",
    "deadline_on": "2026-03-03",
}


def tell(*people, key="event-1", kind="interest_declared_owner", **fields):
    with transaction.atomic():
        return notify(
            recipients=people, kind=kind, payload=PAYLOAD, event_key=key, **({"path": "/"} | fields)
        )


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- once per person and event -------------------------------------------------------------------


def test_one_notice_and_one_mail_per_person_and_event() -> None:
    first, second = make_owner(), make_owner()
    assert len(tell(first)) == 1
    assert [notice.recipient for notice in tell(first, second)] == [second]
    assert tell(first, second) == []
    tell(first, key="event-2")
    assert Notice.objects.filter(recipient=first).count() == 2
    assert OutboxMessage.objects.filter(task="notices.send_mail").count() == 3


def test_closed_accounts_are_left_out() -> None:
    assert tell(make_owner(is_active=False)) == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nobody_is_told() -> None:
    with pytest.raises(TransactionManagementError):
        notify(recipients=[], kind="x", payload={}, event_key="x")


@pytest.mark.django_db(transaction=True)
def test_told_by_eight_at_once_there_is_one_notice_and_one_mail(run_outbox) -> None:
    person = make_owner()
    outcomes = at_once([lambda: tell(person)] * 8)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert Notice.objects.count() == 1
    run_outbox()
    assert len(mail.outbox) == 1


def test_the_act_taken_back_takes_the_notice_back() -> None:
    person = make_owner()
    with transaction.atomic():
        tell(person)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not OutboxMessage.objects.exists()


# --- words ---------------------------------------------------------------------------------------


def test_words_are_in_the_readers_language_and_not_escaped() -> None:
    person = make_owner(language="en")
    tell(person, path="")
    page = client_of(person).get(reverse("notices:list"), headers={"accept-language": "en"})
    text = page.content.decode()
    assert "Jiangnan Bank is interested" in text
    # Escaped once, by the page, and not a second time by the words.
    assert "知贷 &lt;1&gt;" in text
    assert "&amp;lt;" not in text
    assert "3 March 2026" in text


def test_paragraphs_without_their_fact_are_left_out() -> None:
    said = words("interest_declared_owner", PAYLOAD | {"deadline_on": ""})
    assert len(said.paragraphs) == 1
    assert len(words("interest_declared_owner", PAYLOAD).paragraphs) == 2


# --- mail ----------------------------------------------------------------------------------------


@override_settings(PUBLIC_ADDRESS="https://portal.example/")
def test_the_mail_is_in_the_recipients_language_with_the_way_back(run_outbox) -> None:
    english, chinese = make_owner(language="en"), make_owner(language="zh-hans")
    notices = {notice.recipient: notice for notice in tell(english, chinese, path="/requests/1/")}
    run_outbox()
    by_person = {message.to[0]: message for message in mail.outbox}
    sent = by_person[english.email]
    assert sent.subject == "Jiangnan Bank is interested"
    assert "知贷 <1>" in sent.body
    assert f"https://portal.example/notices/{notices[english].pk}/open/" in sent.body
    assert "江南银行" in by_person[chinese.email].subject
    assert sent.alternatives == []


def test_a_mail_is_not_sent_a_second_time() -> None:
    (notice,) = tell(make_owner())
    send_notice_mail(notice.pk)
    send_notice_mail(notice.pk)
    assert len(mail.outbox) == 1
    notice.refresh_from_db()
    assert notice.mailed_at is not None


def test_no_mail_of_a_notice_that_is_gone_or_to_a_closed_account() -> None:
    person = make_owner()
    (notice,) = tell(person)
    person.is_active = False
    person.save()
    send_notice_mail(notice.pk)
    send_notice_mail(0)
    assert mail.outbox == []


# --- pages ---------------------------------------------------------------------------------------


def test_people_read_their_own_only() -> None:
    mine, theirs = make_owner(), make_owner()
    tell(mine)
    (foreign,) = tell(theirs, key="other", kind="match_expired_owner")
    client = client_of(mine)
    page = client.get(reverse("notices:list"))
    assert len(page.context["rows"]) == 1
    assert client.get(reverse("notices:open", args=[foreign.pk])).status_code == 404
    assert client.post(reverse("notices:read", args=[foreign.pk])).status_code == 404
    client.post(reverse("notices:read_all"))
    foreign.refresh_from_db()
    assert foreign.read_at is None
    assert mark_read(recipient=mine, notice_ids=[foreign.pk]) == 0


def test_opening_reads_and_leads_on() -> None:
    person = make_owner()
    (notice,) = tell(person, path="/requests/")
    response = client_of(person).get(reverse("notices:open", args=[notice.pk]))
    assert (response.status_code, response.url) == (302, "/requests/")
    notice.refresh_from_db()
    assert notice.read_at is not None


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example/", ""])
def test_a_notice_never_leads_out_of_the_portal(path) -> None:
    person = make_owner()
    (notice,) = tell(person, path=path)
    response = client_of(person).get(reverse("notices:open", args=[notice.pk]))
    assert response.url == reverse("notices:list")


def test_the_header_counts_what_is_unread_in_one_query(django_assert_num_queries) -> None:
    person = make_owner()
    for number in range(3):
        tell(person, key=f"event-{number}")
    client = client_of(person)
    page = client.get(reverse("notices:list")).content.decode()
    assert page.count("notice-count") == 1
    assert page.count("notice-entry") == 3

    client.post(reverse("notices:read", args=[Notice.objects.first().pk]))
    assert mark_read(recipient=person) == 2
    # Session and account, the list's number and rows, and the count once for header and page.
    with django_assert_num_queries(5) as queries:
        page = client.get(reverse("notices:list")).content.decode()
    unread = [each for each in queries.captured_queries if '"read_at" IS NULL' in each["sql"]]
    assert len(unread) == 1
    assert "notice-count" not in page


def test_queries_do_not_grow_with_notices(django_assert_max_num_queries) -> None:
    person = make_owner()
    for number in range(30):
        tell(person, key=f"event-{number}")
    client = client_of(person)
    with django_assert_max_num_queries(6):
        page = client.get(reverse("notices:list"))
    assert len(page.context["rows"]) == 20


def test_old_notices_keep_what_was_frozen() -> None:
    person = make_owner()
    payload = dict(PAYLOAD)
    with transaction.atomic():
        notify(
            recipients=[person], kind="interest_declared_owner", payload=payload, event_key="frozen"
        )
    payload["institution"]["en"] = PAYLOAD["institution"]["en"]
    assert Notice.objects.get().payload == PAYLOAD
    assert date.fromisoformat(Notice.objects.get().payload["deadline_on"])
