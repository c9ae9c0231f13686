"""Consent of business and persons: what it opens, what its withdrawal closes, what leaks before."""

from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from financing.consent_state import consent_state
from financing.identity_fields import CONSENT_VERSION, IDENTITY_KEYS
from financing.models import Disclosure, Match
from financing.models.consents import Consent
from financing.models.disclosures import DisclosureReading
from financing.models.person_consents import PersonConsent
from financing.services.clocks import start_clock
from financing.services.consents import (
    ConsentRefusal,
    ConsentRefused,
    disclose_identity_if_ready,
    give_consent,
    has_standing_consent,
    withdraw_consent,
)
from financing.services.person_consents import answer_person, ask_person
from financing.services.referrals import (
    IdentityClosed,
    open_identity,
    open_referral,
)
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_owner
from tests.factories.businesses import make_co_owner
from tests.factories.consents import make_referred
from tests.factories.financing import (
    make_loan_offer,
    make_match,
    make_policy,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy(db: Any) -> Any:
    return make_policy()


def referred(**business: Any) -> Match:
    """A match referred blind; its owner and a clerk of its bank hang on it."""
    made = make_referred(**business)
    made.match.owner, made.match.clerk = made.owner, made.clerk  # type: ignore[attr-defined]
    return made.match


def owner_of(match: Match) -> Actor:
    return Actor.of(match.owner)  # type: ignore[attr-defined]


def clerk_of(match: Match) -> Actor:
    return Actor.of(match.clerk)  # type: ignore[attr-defined]


def identity_of(match: Match) -> Disclosure | None:
    return Disclosure.objects.filter(match=match, stage="identity").first()


def ask(match: Match, role: str, name: str, email: str = "person@mail.example") -> PersonConsent:
    return ask_person(actor=owner_of(match), match=match, role=role, name=name, email=email)


# --- the business ---------------------------------------------------------------------------------


def test_consent_opens_the_identity_with_every_field_of_the_table_frozen() -> None:
    match = referred()
    consent = give_consent(actor=owner_of(match), match=match)

    assert (consent.version, consent.fields) == (CONSENT_VERSION, list(IDENTITY_KEYS))
    assert (consent.institution, consent.purpose) == (match.institution, "loan")
    assert consent.given_by == owner_of(match).user
    row = identity_of(match)
    assert row is not None
    assert set(row.fields) == set(IDENTITY_KEYS)
    patent = match.patents.get()
    assert row.fields["credit_code"] == match.business.credit_code
    assert row.fields["patents"][0]["number"] == patent.application_number
    assert row.fields["patents"][0]["appraised_value"] == "5000000.00"
    assert row.fields["request"]["purpose_text"] == "为新产线购买设备"

    match.business.name = "改名公司"
    match.business.save()
    row.refresh_from_db()
    assert row.fields["name"] != "改名公司"


def test_what_was_given_is_audited_without_personal_values() -> None:
    match = referred(legal_representative="张三丰")
    give_consent(actor=owner_of(match), match=match)
    event = AuditEvent.objects.get(verb="consent.given")

    assert event.data["fields"] == list(IDENTITY_KEYS)
    assert "张三丰" not in str(list(AuditEvent.objects.values()))


def test_given_twice_is_one_consent_one_disclosure_one_notice() -> None:
    match = referred()
    first = give_consent(actor=owner_of(match), match=match)
    again = give_consent(actor=owner_of(match), match=match)

    assert first == again
    assert Disclosure.objects.filter(match=match, stage="identity").count() == 1
    assert match.clerk.notices.filter(kind__startswith="consent_given").count() == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", ["in_review", "returned"])
def test_no_consent_before_approval(status: str) -> None:
    match = referred()
    Match.objects.filter(pk=match.pk).update(status=status, referred_at=None)
    with pytest.raises(ConsentRefused) as refused:
        give_consent(actor=owner_of(match), match=match)
    assert refused.value.code == ConsentRefusal.NOT_REFERRED
    assert not Consent.objects.exists()


@pytest.mark.parametrize("status", ["declined", "withdrawn", "expired", "superseded", "rejected"])
def test_no_consent_for_a_match_that_is_over(status: str) -> None:
    match = referred()
    Match.objects.filter(pk=match.pk).update(status=status)
    with pytest.raises(ConsentRefused):
        give_consent(actor=owner_of(match), match=match)
    assert identity_of(match) is None


def test_a_stranger_cannot_consent_or_withdraw_for_the_business() -> None:
    match = referred()
    stranger = Actor.of(make_owner())
    for act in (stranger, clerk_of(match), Actor.SYSTEM):
        with pytest.raises(ConsentRefused) as refused:
            give_consent(actor=act, match=match)
        assert refused.value.code == ConsentRefusal.NOT_A_MEMBER
    consent = give_consent(actor=owner_of(match), match=match)
    with pytest.raises(ConsentRefused):
        withdraw_consent(actor=stranger, consent=consent)
    assert has_standing_consent(match)


def test_consent_is_for_one_institution_only() -> None:
    match = referred()
    other = make_match(
        match.loan_request, make_loan_offer(make_staff().institution_post.institution), "referred"
    )
    give_consent(actor=owner_of(match), match=match)

    assert not has_standing_consent(other)
    assert identity_of(other) is None


def test_one_consent_covers_every_match_with_the_same_institution_and_purpose() -> None:
    match = referred()
    second = make_match(match.loan_request, make_loan_offer(match.institution), "referred")
    give_consent(actor=owner_of(match), match=match)

    assert Consent.objects.count() == 1
    assert identity_of(second) is not None


def test_the_database_refuses_a_second_standing_consent() -> None:
    match = referred()
    consent = give_consent(actor=owner_of(match), match=match)
    consent.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        consent.save(force_insert=True)


def test_a_consent_for_fewer_fields_does_not_stand_and_is_replaced() -> None:
    match = referred()
    old = give_consent(actor=owner_of(match), match=match)
    Consent.objects.filter(pk=old.pk).update(fields=["name"], version="older")

    assert not has_standing_consent(match)
    new = give_consent(actor=owner_of(match), match=match)
    old.refresh_from_db()
    assert old.withdrawn_at is not None
    assert new.pk != old.pk
    assert has_standing_consent(match)


# --- withdrawal -----------------------------------------------------------------------------------


def test_withdrawal_closes_every_match_under_it_at_once_and_may_be_given_again() -> None:
    match = referred()
    second = make_match(match.loan_request, make_loan_offer(match.institution), "in_study")
    consent = give_consent(actor=owner_of(match), match=match)
    open_identity(clerk_of(match), match)

    withdraw_consent(actor=owner_of(match), consent=consent)
    withdraw_consent(actor=owner_of(match), consent=consent)
    for each in (match, second):
        assert not has_standing_consent(each)
        with pytest.raises(IdentityClosed) as closed:
            open_identity(clerk_of(match), each)
        assert closed.value.was_open
    assert DisclosureReading.objects.filter(disclosure__stage="identity").count() == 1
    assert AuditEvent.objects.filter(verb="consent.withdrawn").count() == 1
    told = match.clerk.notices.filter(kind__startswith="consent_withdrawn")  # type: ignore[attr-defined]
    assert told.count() == 2

    give_consent(actor=owner_of(match), match=match)
    assert open_identity(clerk_of(match), match).stage == "identity"
    assert Disclosure.objects.filter(match=match, stage="identity").count() == 1


def test_the_clock_of_a_study_stands_still_while_consent_is_withdrawn() -> None:
    match = referred()
    consent = give_consent(actor=owner_of(match), match=match)
    Match.objects.filter(pk=match.pk).update(status="in_study")
    match.refresh_from_db()
    start_clock(match, "study", on=timezone.localdate())
    withdraw_consent(actor=owner_of(match), consent=consent)
    match.refresh_from_db()
    assert match.clock_stage == "consent"
    assert match.days_left_when_stopped is not None

    give_consent(actor=owner_of(match), match=match)
    match.refresh_from_db()
    assert match.clock_stage == "study"
    assert match.days_left_when_stopped is None


def test_consent_after_interest_hands_the_turn_back_to_the_institution() -> None:
    match = referred()
    match.interested_at = timezone.now()
    match.save()
    start_clock(match, "consent", on=timezone.localdate())
    give_consent(actor=owner_of(match), match=match)
    match.refresh_from_db()
    assert match.clock_stage == "study"


# --- persons --------------------------------------------------------------------------------------


def named() -> Match:
    """Contact and legal representative are the same person; a co-owner is another, one a firm."""
    match = referred(contact_name="王小明", legal_representative="王小明", contact_phone="139")
    patent = match.patents.get()
    make_co_owner(patent, name="李四", kind="person")
    make_co_owner(patent, name="某某大学", kind="organisation")
    return match


def test_every_natural_person_is_concerned_once_and_no_organisation() -> None:
    state = consent_state(named())
    assert [(each.name, each.roles) for each in state.persons] == [
        ("王小明", ("contact", "legal_representative")),
        ("李四", ("co_owner",)),
    ]


def test_identity_stays_closed_until_the_business_and_all_persons_consented() -> None:
    match = named()
    give_consent(actor=owner_of(match), match=match)
    assert identity_of(match) is None
    first = ask(match, "contact", "王小明")
    second = ask(match, "co_owner", "李四", "li@mail.example")
    answer_person(first.token, answer="given")
    assert identity_of(match) is None
    with pytest.raises(IdentityClosed) as closed:
        open_identity(clerk_of(match), match)
    assert not closed.value.was_open

    answer_person(second.token, answer="given")
    row = identity_of(match)
    assert row is not None
    assert [each["name"] for each in row.fields["co_owners"]] == ["李四", "某某大学"]


def test_persons_may_consent_before_the_business() -> None:
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    assert identity_of(match) is None
    give_consent(actor=owner_of(match), match=match)
    assert identity_of(match) is not None


def test_a_refusal_keeps_it_closed_and_may_be_changed_by_the_same_link() -> None:
    match = referred(legal_representative="张三丰")
    give_consent(actor=owner_of(match), match=match)
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="refused")
    assert identity_of(match) is None
    with pytest.raises(ConsentRefused) as refused:
        ask(match, "legal_representative", "张三丰", "other@mail.example")
    assert refused.value.code == ConsentRefusal.ANSWERED_ALREADY
    answer_person(row.token, answer="given")
    assert identity_of(match) is not None


def test_a_person_withdraws_by_the_same_link_which_ends_then() -> None:
    match = referred(legal_representative="张三丰")
    give_consent(actor=owner_of(match), match=match)
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    answer_person(row.token, answer="withdrawn")

    assert not has_standing_consent(match)
    with pytest.raises(IdentityClosed):
        open_identity(clerk_of(match), match)
    with pytest.raises(ConsentRefused):
        answer_person(row.token, answer="given")
    again = ask(match, "legal_representative", "张三丰")
    assert again.pk != row.pk
    answer_person(again.token, answer="given")
    assert open_identity(clerk_of(match), match)


def test_a_person_withdraws_even_when_the_match_is_over() -> None:
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    Match.objects.filter(pk=match.pk).update(status="declined")
    assert answer_person(row.token, answer="withdrawn").answer == "withdrawn"


def test_the_same_answer_twice_is_one() -> None:
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    answer_person(row.token, answer="given")
    assert AuditEvent.objects.filter(verb="consent.person_answered").count() == 1


def test_only_a_person_concerned_is_asked() -> None:
    match = referred(legal_representative="张三丰")
    for role, name in (("contact", "张三丰"), ("legal_representative", "李四"), ("co_owner", "")):
        with pytest.raises(ConsentRefused) as refused:
            ask(match, role, name)
        assert refused.value.code == ConsentRefusal.NOBODY_CONCERNED
    assert not PersonConsent.objects.exists()


def test_asked_twice_is_one_mail_and_another_address_ends_the_first_link(
    run_outbox: Any, settings: Any
) -> None:
    settings.PUBLIC_ADDRESS = "https://portal.example/"
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    ask(match, "legal_representative", "张三丰")
    assert OutboxMessage.objects.filter(task="financing.mail_person_consent").count() == 1
    first = row.token
    row = ask(match, "legal_representative", "张三丰", "right@mail.example")
    assert row.token != first
    with pytest.raises(PersonConsent.DoesNotExist):
        answer_person(first, answer="given")

    run_outbox()
    (sent,) = [each for each in mail.outbox if "consent" in each.body]
    assert sent.to == ["=?utf-8?b?5byg5LiJ5Liw?= <right@mail.example>"]
    assert f"https://portal.example/consent/{row.token}/" in sent.body
    assert first not in sent.body
    # Both languages in one mail: nobody knows which one the person reads.
    assert sent.body.count(f"/consent/{row.token}/") == 2


def test_the_outbox_and_the_audit_hold_neither_token_nor_address() -> None:
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    kept = str(list(OutboxMessage.objects.values())) + str(list(AuditEvent.objects.values()))
    for secret in (row.token, "person@mail.example", "张三丰"):
        assert secret not in kept


def test_a_mail_that_comes_too_late_is_not_sent(run_outbox: Any) -> None:
    match = referred(legal_representative="张三丰")
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="refused")
    run_outbox()
    assert not [each for each in mail.outbox if row.token in each.body]


def test_persons_are_those_of_the_frozen_fields_once_opened() -> None:
    match = referred(legal_representative="张三丰")
    give_consent(actor=owner_of(match), match=match)
    row = ask(match, "legal_representative", "张三丰")
    answer_person(row.token, answer="given")
    match.business.contact_name = "新来的人"
    match.business.save()
    match.refresh_from_db()
    assert has_standing_consent(match)


def test_institutions_read_neither_consents_nor_addresses() -> None:
    match = referred(legal_representative="张三丰")
    ask(match, "legal_representative", "张三丰")
    give_consent(actor=owner_of(match), match=match)
    clerk = clerk_of(match).user
    assert not PersonConsent.objects.visible_to(clerk).exists()
    assert not Consent.objects.visible_to(clerk).exists()
    assert not DisclosureReading.objects.visible_to(clerk).exists()


# --- ledger ---------------------------------------------------------------------------------------


def test_every_opening_is_in_the_ledger_and_the_audit() -> None:
    match = referred()
    give_consent(actor=owner_of(match), match=match)
    open_referral(clerk_of(match), match)
    open_referral(clerk_of(match), match)
    open_identity(clerk_of(match), match)

    stages = list(
        DisclosureReading.objects.order_by("pk").values_list("disclosure__stage", "read_by")
    )
    clerk = clerk_of(match).user.pk
    assert stages == [("blind", clerk), ("blind", clerk), ("identity", clerk)]
    assert AuditEvent.objects.filter(verb="referral.read").count() == 3


def test_nothing_is_disclosed_in_review_even_with_all_consents() -> None:
    match = referred()
    give_consent(actor=owner_of(match), match=match)
    other = make_match(match.loan_request, make_loan_offer(match.institution), "in_review")
    with transaction.atomic():
        assert disclose_identity_if_ready(other, actor=Actor.SYSTEM) is None
    assert identity_of(other) is None


def test_old_notices_of_a_day_do_not_hide_a_second_opening() -> None:
    match = referred()
    for _round in range(2):
        consent = give_consent(actor=owner_of(match), match=match)
        withdraw_consent(actor=owner_of(match), consent=consent)
    notices = match.clerk.notices  # type: ignore[attr-defined]
    assert notices.filter(kind__startswith="consent_given").count() == 2
    assert notices.filter(kind__startswith="consent_withdrawn").count() == 2
