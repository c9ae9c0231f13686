"""The lender's answer: every state × step, blind or open, of a loan and of an insurance."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from financing.models import LoanOffer, Match, MatchDecision, Question, Terms
from financing.models.matches import MatchStatus
from financing.services import studies
from financing.services.matches import MatchRefused, Reason
from financing.services.studies import StudyRefused
from financing.services.terms import end_terms, offer_terms
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.offices.working_days import add_working_days, is_working_day
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.financing import make_loan_offer, make_policy, make_staff
from tests.factories.studies import (
    booked_by_terms,
    consent_of_all,
    fee,
    make_insurance_referral,
    make_referral,
    offered,
    staff_of,
    withdraw_consent_of,
)

pytestmark = pytest.mark.django_db
KINDS = {"loan": make_referral, "insurance": make_insurance_referral}
NO = Reason("outside_appetite")


@pytest.fixture(autouse=True)
def _policy() -> None:
    make_policy()


def act(match: Match, step: str, **fields: Any) -> Any:
    """One step of the lender, by the institution's own staff unless said otherwise."""
    actor = Actor.of(fields.pop("by", None) or staff_of(match))
    if step == "interest":
        return studies.declare_interest(actor=actor, match=match)
    if step == "study":
        return studies.study(actor=actor, match=match)
    if step == "ask":
        return studies.ask(actor=actor, match=match, text="近三年的报表？")
    if step == "decline":
        return studies.decline(actor=actor, match=match, reason=fields.get("reason", NO))
    return offer_terms(actor=actor, match=match, offered=offered(match, **fields))


# State → steps the lender may take when the identity is open, and the state each leads to.
OPEN = {
    "referred": {"interest": "in_study", "study": "in_study", "decline": "declined"},
    "in_study": {"ask": "waiting", "terms": "terms_offered", "decline": "declined"},
    "waiting": {"decline": "declined"},
}
# The same while it is blind, or closed again.
BLIND = {
    "referred": {"interest": "referred", "decline": "declined"},
    "in_study": {"decline": "declined"},
    "waiting": {"decline": "declined"},
}
STEPS = ("interest", "study", "ask", "terms", "decline")
REFERRED_STATES = [
    state for state in MatchStatus.values if state not in ("in_review", "returned", "rejected")
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "blind"])
@pytest.mark.parametrize("state", REFERRED_STATES)
def test_every_state_and_step(state: str, is_open: bool, kind: str) -> None:
    for step in STEPS:
        match = KINDS[kind](state, is_open=is_open)
        audited = AuditEvent.objects.count()
        target = (OPEN if is_open else BLIND).get(state, {}).get(step)
        if target is not None:
            act(match, step)
            match.refresh_from_db()
            assert match.status == target, step
            assert AuditEvent.objects.count() > audited
        else:
            # A state that has no such step says so; only where the state is right the identity.
            is_right_state = step in OPEN.get(state, {})
            with pytest.raises(StudyRefused if is_right_state else TransitionRefused):
                act(match, step)
            match.refresh_from_db()
            assert match.status == state, step
            assert AuditEvent.objects.count() == audited, step


@pytest.mark.parametrize("step", STEPS)
def test_only_the_institutions_present_staff_act(step: str) -> None:
    match = make_referral("in_study" if step in ("ask", "terms") else "referred", is_open=True)
    with pytest.raises(PermissionDenied):
        act(match, step, by=make_staff())
    match.institution.staff.update(is_active=False)
    with pytest.raises(PermissionDenied):
        act(match, step)


def test_interest_before_consent_asks_the_business_and_gives_it_its_days() -> None:
    match = make_referral()
    act(match, "interest")
    match.refresh_from_db()

    assert match.interested_at is not None
    assert match.clock_stage == "consent"
    assert match.deadline_on == add_working_days(timezone.localdate(), 10)[0]
    owner = match.business.members.get().user
    assert Notice.objects.filter(recipient=owner).count() == 1

    first = match.interested_at
    act(match, "interest")
    match.refresh_from_db()
    assert match.interested_at == first
    assert Notice.objects.filter(recipient=owner).count() == 1
    assert AuditEvent.objects.filter(verb="match.interest_declared").count() == 1


def test_interest_after_consent_is_the_study() -> None:
    match = make_referral(is_open=True)
    act(match, "interest")
    match.refresh_from_db()
    assert (match.status, match.clock_stage) == ("in_study", "study")
    assert match.deadline_on == add_working_days(timezone.localdate(), 20)[0]
    assert AuditEvent.objects.filter(verb="match.interest_declared").count() == 1


def test_a_question_stops_the_clock() -> None:
    match = make_referral(is_open=True)
    act(match, "study")
    question = act(match, "ask")
    match.refresh_from_db()
    assert match.status == "waiting"
    assert (match.days_left_when_stopped, match.stage_when_stopped) == (20, "study")
    assert (question.text, question.answered_at) == ("近三年的报表？", None)
    with pytest.raises(TransitionRefused):
        act(match, "ask")
    assert Question.objects.count() == 1


def test_an_empty_question_is_refused() -> None:
    match = make_referral("in_study", is_open=True)
    with pytest.raises(StudyRefused, match="question_empty"):
        studies.ask(actor=Actor.of(staff_of(match)), match=match, text=" \n")


def test_declining_stores_the_reason_and_looks_for_other_offers() -> None:
    match = make_referral()
    reason = Reason("criterion_not_met", "term_too_long", "太长", is_shown_to_business=False)
    act(match, "decline", reason=reason)

    decision = MatchDecision.objects.get()
    assert (decision.action, decision.reason, decision.criterion, decision.text) == (
        "decline",
        "criterion_not_met",
        "term_too_long",
        "太长",
    )
    assert decision.is_shown_to_business is False
    assert decision.criterion_fingerprint
    match.refresh_from_db()
    assert (match.status, match.deadline_on) == ("declined", None)
    assert OutboxMessage.objects.filter(
        task="financing.match_request", payload={"request_id": match.loan_request_id}
    ).exists()
    event = AuditEvent.objects.get(verb="match.decline")
    assert event.data["reason"] == "criterion_not_met"
    assert "太长" not in str(event.data)


def test_another_reason_needs_its_text() -> None:
    match = make_referral()
    with pytest.raises(MatchRefused):
        act(match, "decline", reason=Reason("other", text=" "))
    match.refresh_from_db()
    assert match.status == "referred"


def test_after_a_withdrawn_consent_only_declining_is_left() -> None:
    match = make_referral("in_study", is_open=True)
    withdraw_consent_of(match)
    for step in ("ask", "terms"):
        with pytest.raises(StudyRefused, match="consent_withdrawn"):
            act(match, step)
    consent_of_all_again(match)
    act(match, "ask")


def consent_of_all_again(match: Match) -> None:
    match.person_consents.all().delete()
    consent_of_all(match)


# --- terms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_terms_are_stored_booked_and_told(kind: str) -> None:
    match = KINDS[kind]("in_study", is_open=True)
    terms = act(match, "terms", amount=Decimal("999999.99"), conditions=" 先评估 ")

    match.refresh_from_db()
    assert match.status == "terms_offered"
    assert (terms.status, terms.conditions) == ("offered", "先评估")
    assert terms.offered_by == staff_of(match)
    assert (match.clock_stage, match.deadline_on) == ("terms", terms.valid_until)
    assert match.is_deadline_provisional is False
    offer = type(match.offer).objects.get()
    assert (offer.booked_amount, offer.booked_count) == (Decimal("999999.99"), 1)
    assert booked_by_terms(offer) == (Decimal("999999.99"), 1)
    assert terms.is_at_posted_cost
    assert terms.is_in_time
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"match.offer_terms", "terms.offered", "capacity.booked", "match.deadline_set"} <= verbs
    owner = match.business.members.get().user
    assert Notice.objects.filter(recipient=owner, kind="terms_offered_owner").count() == 1


def test_fees_are_stored_as_texts() -> None:
    match = make_referral("in_study", is_open=True)
    terms = act(
        match,
        "terms",
        fees=(fee(), fee(kind="guarantee", amount=None, percent=Decimal("1.250"))),
    )
    terms.refresh_from_db()
    assert terms.fees == [
        {"kind": "service", "payer": "borrower", "timing": "upfront", "amount": "500"},
        {"kind": "guarantee", "payer": "borrower", "timing": "upfront", "percent": "1.250"},
    ]
    assert not terms.is_at_posted_cost


@pytest.mark.parametrize(
    ("fields", "is_at_posted_cost"),
    [
        ({}, True),
        ({"interest_rate_percent": Decimal("2.5")}, True),
        ({"interest_rate_percent": Decimal("3.001")}, False),
        ({"fees": (fee(amount=Decimal("0.00")),)}, True),
        ({"fees": (fee(amount=Decimal(200)),)}, False),
        ({"fees": (fee(payer="lender"),)}, True),
        # A lower rate does not hide a fee.
        ({"interest_rate_percent": Decimal("2.9"), "fees": (fee(amount=Decimal(5000)),)}, False),
    ],
)
def test_dearer_than_posted_is_known(fields: dict[str, Any], is_at_posted_cost: bool) -> None:
    match = make_referral("in_study", is_open=True)
    assert act(match, "terms", **fields).is_at_posted_cost is is_at_posted_cost


@pytest.mark.parametrize(
    ("fields", "is_at_posted_cost"),
    [
        ({}, True),
        ({"premium": Decimal("5000.01")}, False),
        ({"premium": Decimal(4000)}, True),
        ({"excess_percent": Decimal(11)}, False),
    ],
)
def test_dearer_premiums_are_known(fields: dict[str, Any], is_at_posted_cost: bool) -> None:
    match = make_insurance_referral("in_study", is_open=True)
    assert act(match, "terms", **fields).is_at_posted_cost is is_at_posted_cost


def test_terms_after_the_deadline_are_late() -> None:
    match = make_referral("in_study", is_open=True)
    yesterday = timezone.localdate() - timedelta(days=1)
    Match.objects.filter(pk=match.pk).update(deadline_on=yesterday)
    assert act(match, "terms").is_in_time is False


def working_day(days: int) -> date:
    day = timezone.localdate() + timedelta(days=days)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def weekend() -> date:
    day = timezone.localdate() + timedelta(days=5)
    while is_working_day(day):
        day += timedelta(days=1)
    return day


WRONG_LOAN: list[tuple[str, Any, str, str]] = [
    ("amount", Decimal("1000000.01"), "amount", "asked for"),
    ("amount", Decimal("499999.99"), "amount", "or more"),
    ("amount", Decimal(0), "amount", "above 0"),
    ("amount", Decimal("500000.001"), "amount", "fen"),
    ("interest_rate_percent", None, "interest_rate_percent", "interest rate"),
    ("interest_rate_percent", Decimal("36.001"), "interest_rate_percent", "36"),
    ("interest_rate_percent", Decimal("-0.001"), "interest_rate_percent", "36"),
    ("term_months", 5, "term_months", "6 to 36"),
    ("term_months", 37, "term_months", "6 to 36"),
    ("repayment_method", "never", "repayment_method", "repaid"),
    ("day_count", "", "day_count", "counted"),
    ("valid_until", lambda: timezone.localdate(), "valid_until", "after today"),
    ("valid_until", lambda: weekend(), "valid_until", "no working day"),
    ("valid_until", lambda: working_day(91), "valid_until", "earlier"),
    ("conditions", "件" * 4001, "conditions", "4000"),
    ("fees", (fee(amount=None),), "fees_0-amount", "amount or a share"),
    ("fees", (fee(percent=Decimal(1)),), "fees_0-percent", "not both"),
    ("fees", (fee(amount=Decimal(1_000_001)),), "fees_0-amount", "more than the principal"),
    ("fees", (fee(amount=None, percent=Decimal(101)),), "fees_0-percent", "100"),
]


@pytest.mark.parametrize(("name", "value", "field", "words"), WRONG_LOAN)
def test_wrong_terms_of_a_loan_are_told_at_the_field(
    name: str, value: Any, field: str, words: str
) -> None:
    match = make_referral("in_study", is_open=True)
    with pytest.raises(ValidationError) as refused:
        act(match, "terms", **{name: value() if callable(value) else value})
    assert list(refused.value.message_dict) == [field]
    assert words in refused.value.message_dict[field][0]
    assert not Terms.objects.exists()
    assert booked_by_terms(LoanOffer.objects.get()) == (0, 0)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("amount", Decimal("1000000.01"), "amount"),
        ("amount", Decimal("99999.99"), "amount"),
        ("premium", None, "premium"),
        ("premium", Decimal(0), "premium"),
        ("premium", Decimal(1_000_001), "premium"),
        ("excess_percent", None, "excess_percent"),
        ("excess_percent", Decimal(100), "excess_percent"),
        ("term_months", 0, "term_months"),
        ("term_months", 61, "term_months"),
    ],
)
def test_wrong_terms_of_an_insurance(name: str, value: Any, field: str) -> None:
    match = make_insurance_referral("in_study", is_open=True)
    with pytest.raises(ValidationError) as refused:
        act(match, "terms", **{name: value})
    assert list(refused.value.message_dict) == [field]


def test_bounds_themselves_are_allowed() -> None:
    for fields in (
        {"amount": Decimal("500000.00")},
        {"amount": Decimal("1000000.00")},
        {"interest_rate_percent": Decimal(0)},
        {"interest_rate_percent": Decimal(36)},
        {"term_months": 6},
        {"valid_until": working_day(1)},
    ):
        act(make_referral("in_study", is_open=True), "terms", **fields)


def test_the_offers_own_range_holds_where_the_request_is_wider() -> None:
    offer = make_loan_offer(min_principal=Decimal(600_000), max_principal=Decimal(800_000))
    match = make_referral("in_study", is_open=True, loan_offer=offer)
    for amount in (Decimal("599999.99"), Decimal("800000.01")):
        with pytest.raises(ValidationError) as refused:
            act(match, "terms", amount=amount)
        assert "Your offer is for" in refused.value.message_dict["amount"][0]
    act(match, "terms", amount=Decimal(800_000))


def test_a_loan_cannot_outlive_the_patents() -> None:
    match = make_referral("in_study", is_open=True)
    patent = match.patents.get()
    patent.filed_on = timezone.localdate() + timedelta(days=200) - timedelta(days=20 * 365 + 5)
    patent.save()
    with pytest.raises(ValidationError) as refused:
        act(match, "terms", term_months=12)
    assert list(refused.value.message_dict) == ["term_months"]


def test_a_suspended_institution_offers_no_terms() -> None:
    match = make_referral("in_study", is_open=True)
    match.institution.is_suspended = True
    match.institution.save()
    with pytest.raises(StudyRefused, match="institution_suspended"):
        act(match, "terms")


def test_ended_terms_give_their_capacity_back_once() -> None:
    match = make_referral("in_study", is_open=True)
    terms = act(match, "terms")
    assert end_terms(actor=Actor.CLOCK, match=match) == terms
    assert end_terms(actor=Actor.CLOCK, match=match) is None
    terms.refresh_from_db()
    offer = LoanOffer.objects.get()
    assert (terms.status, offer.booked_amount, offer.booked_count) == ("ended", 0, 0)
    assert AuditEvent.objects.filter(verb="terms.ended").count() == 1
    assert AuditEvent.objects.filter(verb="capacity.released").count() == 1


def test_accepted_terms_are_not_ended() -> None:
    match = make_referral("in_study", is_open=True)
    terms = act(match, "terms")
    Terms.objects.filter(pk=terms.pk).update(status="accepted")
    assert end_terms(actor=Actor.CLOCK, match=match) is None
    assert LoanOffer.objects.get().booked_count == 1
