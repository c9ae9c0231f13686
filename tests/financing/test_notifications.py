"""Who is told of what in financing, that every kind has words, and that blind stays blind."""

import inspect
import re
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import translation

from financing import notice_payloads, notifications
from financing.models import Match
from financing.models.drawdowns import Drawdown
from financing.models.insurance_policies import InsurancePolicy
from financing.models.pledges import Pledge
from financing.models.questions import Question
from financing.notice_payloads import Kind
from financing.services import matches
from financing.services.clocks import Stage, start_clock
from sipo_portal.audit.actors import Actor
from sipo_portal.notices.models import Notice
from sipo_portal.notices.texts import mail_of, words
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_business, make_member
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db
EMAILS = Path(settings.BASE_DIR) / "templates" / "emails"
NAMES = {"zh-hans": "江南银行", "en": "Jiangnan Bank"}
# Every fact a payload may hold, so that every sentence is said.
FULL = {
    "business": "光电科技有限公司",
    "institution": NAMES,
    "office": {"zh-hans": "苏州办事处", "en": "Suzhou office"},
    "reason": {"zh-hans": "其他", "en": "Other"},
    "offer": "知贷一号",
    "reference": "ABCDE-23456",
    "deadline_on": "2026-03-03",
    "lapses_on": "2026-03-12",
    "closes_on": "2026-03-02",
    "ended_on": "2026-03-01",
    "amount": "3500000.00",
    "number": "ZL2020100000001",
    "title": "一种示范装置",
    "is_last": True,
    "is_as_agreed": True,
}


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


@pytest.fixture
def match():
    """A match with everybody who could be told."""
    office = make_office("320505")
    make_coordinator(office)
    business = make_business(name="秘密光电有限公司", contact_name="孙秘密")
    make_member(business)
    make_member(business, is_active=False)
    offer = make_loan_offer(make_institution(name="江南银行", name_en="Jiangnan Bank"))
    made = make_match(make_loan_request(business), offer, status="referred")
    make_staff(made.institution)
    make_staff()
    start_clock(made, Stage.FIRST_ANSWER, on=made.created_at.date())
    return made


# --- words of every kind -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_kind_has_words_in_both_languages(kind, language) -> None:
    facts = FULL | {"is_last": False, "is_as_agreed": False, "closes_on": ""}
    for payload in (FULL, facts):
        with translation.override(language):
            said = words(kind, payload)
        assert said.subject
        assert "\n" not in said.subject
        assert said.paragraphs
        text = said.subject + said.body
        assert "{" not in text
        assert "None" not in text
        assert "–" not in text  # what the formats write for a missing value
        subject, _text = mail_of(
            kind, payload, address="https://portal.example/", language=language
        )
        assert subject == said.subject


def test_no_words_without_a_kind() -> None:
    files = {path.name for path in EMAILS.glob("*.txt")} - {"frame.txt"}
    of_kinds = {f"{kind}{end}" for kind in Kind for end in ("_subject.txt", ".txt")}
    others = {name for name in files - of_kinds if re.search(r"_(owner|lender|office)\b", name)}
    assert others == set()
    assert of_kinds <= files


def test_every_kind_is_sent_by_some_event() -> None:
    source = inspect.getsource(notifications)
    assert [kind for kind in Kind if f"Kind.{kind.name}" not in source] == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.endswith("_lender")])
def test_words_to_an_institution_use_blind_facts_only(kind) -> None:
    payload = (
        notice_payloads.OfferPayload if kind.startswith("offer_") else notice_payloads.LenderPayload
    )
    allowed = set(payload.__dataclass_fields__)
    assert allowed <= {
        "reference",
        "deadline_on",
        "is_last",
        "is_as_agreed",
        "offer",
        "lapses_on",
        "closes_on",
    }
    words(kind, {name: FULL[name] for name in allowed})


# --- who is told ---------------------------------------------------------------------------------


def roles(kind: str) -> list[str]:
    return sorted(Notice.objects.filter(kind=kind).values_list("recipient__role", flat=True))


def tell_everything(match: Match) -> None:
    """Each event once; rows that matter only by their fields are stand-ins."""
    own = SimpleNamespace
    decision = own(is_shown_to_business=True, get_reason_display=lambda: "Other")
    part = {"match": match, "pk": 7, "application_number": "2020100000001", "number": "P1"}
    terms = own(_meta=None, amount=Decimal(5), valid_until=match.deadline_on, **part)
    for event in (
        notifications.match_referred,
        notifications.match_returned,
        notifications.match_resubmitted,
        notifications.consent_asked,
        notifications.interest_declared,
        notifications.match_withdrawn,
        notifications.match_restored,
        notifications.match_expired,
        notifications.match_completed,
        notifications.fallen_through,
    ):
        event(match)
    notifications.match_rejected(match, decision)
    notifications.match_declined(match, decision)
    notifications.consent_given(match, key="a")
    notifications.consent_withdrawn(match, key="b")
    notifications.delivery_confirmed(match, is_as_agreed=True)
    notifications.match_superseded(match, accepted=make_match())
    for stage in Stage:
        match.clock_stage = stage
        for which in ("half", "end"):
            notifications.reminder(match, which)
    notifications.question_asked(Question(match=match, pk=7))
    notifications.question_answered(Question(match=match, pk=7))
    for event in (notifications.pledge_registered, notifications.pledge_released):
        event(Pledge(match=match, pk=7, application_number="2020100000001"))
    notifications.drawdown_recorded(Drawdown(match=match, pk=7, amount=Decimal(5)))
    for event in (notifications.policy_issued, notifications.renewal_due):
        event(InsurancePolicy(match=match, pk=7, number="P1", ends_on=match.deadline_on))
    from_terms = notifications.Terms(
        match=match, pk=7, amount=terms.amount, valid_until=terms.valid_until
    )
    for event in (
        notifications.terms_offered,
        notifications.terms_accepted,
        notifications.terms_declined,
        notifications.terms_lapsed,
    ):
        event(from_terms)


def test_each_kind_reaches_its_readers_and_nobody_else(match) -> None:
    tell_everything(match)
    readers = {"owner": "owner", "lender": "institution_staff", "office": "coordinator"}
    for kind in set(Notice.objects.values_list("kind", flat=True)):
        assert set(roles(kind)) == {readers[kind.rpartition("_")[2]]}, kind
    # Two active members; one of the institution's own staff; one coordinator.
    assert roles("match_referred_owner") == ["owner"] * 2
    assert roles("match_referred_lender") == ["institution_staff"]
    assert roles("match_resubmitted_office") == ["coordinator"]


def test_an_institution_is_told_nothing_beyond_its_reference(match) -> None:
    """DOMAIN 2: payload, words, address and key of every notice to an institution are blind."""
    tell_everything(match)
    request, business = match.loan_request, match.business
    secrets = {
        business.name,
        business.contact_name,
        business.contact_phone,
        business.credit_code,
        str(request.principal),
        f"{request.principal / 10_000:.0f}",
        *(patent.application_number for patent in match.patents.all()),
        *(patent.title for patent in match.patents.all()),
        *(member.user.name for member in business.members.all()),
        *(member.user.email for member in business.members.all()),
    }
    to_lenders = Notice.objects.filter(recipient__role="institution_staff")
    assert to_lenders.count() >= 15
    for notice in to_lenders:
        for language in ("zh-hans", "en"):
            subject, text = mail_of(notice.kind, notice.payload, language=language)
            everything = "\n".join((subject, text, str(notice.payload), notice.path))
            assert [secret for secret in secrets if secret in everything] == []
        assert f"/requests/{request.pk}" not in notice.path
        assert str(match.pk) in notice.path
        assert set(notice.payload) == set(asdict(notice_payloads.LenderPayload("")))


def test_a_reason_kept_from_the_business_is_kept(match) -> None:
    decision = SimpleNamespace(is_shown_to_business=False, get_reason_display=lambda: "内部判断")
    notifications.match_rejected(match, decision)
    notice = Notice.objects.filter(kind="match_rejected_owner").first()
    assert notice.payload["reason"] is None


def test_a_later_name_does_not_change_an_old_notice(match) -> None:
    notifications.interest_declared(match)
    notice = Notice.objects.filter(kind="interest_declared_owner").first()
    match.institution.name_en = "Other Bank"
    match.institution.save()
    match.business.name = "改名有限公司"
    match.business.save()
    notice.refresh_from_db()
    with translation.override("en"):
        said = words(notice.kind, notice.payload)
    assert "Jiangnan Bank" in said.subject
    assert "秘密光电有限公司" in said.body


def test_an_event_told_twice_is_one_notice(match) -> None:
    for _each in range(2):
        notifications.match_expired(match)
    assert len(roles("match_expired_office")) == 1


def test_the_same_event_after_another_change_is_another(match) -> None:
    notifications.match_returned(match)
    match.status_changed_at = None
    notifications.match_returned(match)
    assert len(roles("match_returned_owner")) == 4


def test_other_businesses_learn_that_their_match_was_superseded(match) -> None:
    sibling = make_match(match.loan_request, make_loan_offer(), status="referred")
    notifications.match_superseded(sibling, accepted=match)
    assert roles("match_superseded_owner") == []
    foreign = make_match(status="in_review")
    notifications.match_superseded(foreign, accepted=match)
    assert roles("match_superseded_owner") == ["owner"]
    assert "match_superseded_lender" not in [
        notice.kind for notice in Notice.objects.filter(path__contains=str(foreign.pk))
    ]


def test_an_escalated_match_is_the_upper_offices(match) -> None:
    upper = make_office("320000")
    person = make_coordinator(upper)
    match.escalated_to = upper
    notifications.match_resubmitted(match)
    assert [notice.recipient for notice in Notice.objects.all()] == [person]


# --- wired into the review -----------------------------------------------------------------------


def test_the_review_tells_owner_lender_and_coordinator(match, monkeypatch) -> None:
    monkeypatch.setattr(matches, "rules_failing_now", lambda *args, **kwargs: ())
    coordinator = match.business.region.offices.get().coordinators.get()
    actor = Actor.of(coordinator)
    owner = Actor.of(match.business.members.get(is_manager=True).user)
    Match.objects.update(status="in_review", claimed_by=coordinator, referred_at=None)
    with transaction.atomic():
        start_clock(match, Stage.REVIEW, on=match.created_at.date())
    reason = matches.Reason("information_missing", text="请补充")
    matches.return_to_business(actor=actor, match=match, reason=reason)
    assert roles("match_returned_owner") == ["owner"] * 2
    # What was asked is on the page, behind the sign-in, not in the notice.
    assert "请补充" not in str(Notice.objects.first().payload)
    matches.resubmit(actor=owner, match=match, text="已补充")
    assert roles("match_resubmitted_office") == ["coordinator"]
    matches.approve(actor=actor, match=match)
    assert roles("match_referred_lender") == ["institution_staff"]
    assert roles("match_referred_owner") == ["owner"] * 2
