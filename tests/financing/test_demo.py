"""The demo data: seeded once for all tests here, every stage there for the accounts that see it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from businesses.models import Business, Patent
from financing.demo.people import ACCOUNTS, PASSWORD
from financing.demo.seeding import is_seeded, seed
from financing.goal_figures import chosen_period, office_results, periods_of
from financing.models import (
    Delivery,
    GuaranteeOffer,
    InsuranceOffer,
    InsurancePolicy,
    InsuranceRequest,
    LoanRequest,
    Match,
    Pledge,
    Proposal,
    Question,
    Terms,
)
from financing.models.insurance_policies import RENEWAL_DAYS
from financing.models.matches import MatchStatus
from sipo_portal.accounts.models import SECOND_FACTOR_ROLES, User
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice

# Without the mark pytest-django makes no database of its own for these tests.
pytestmark = pytest.mark.django_db

OWNERS = ["owner1@demo.example", "owner2@demo.example"]
LENDERS = ["lender1@demo.example", "lender2@demo.example"]
INSURERS = ["insurer1@demo.example", "insurer2@demo.example"]
COORDINATORS = ["coordinator1@demo.example", "coordinator2@demo.example"]
# Neither before the referral nor ended by somebody else.
OF_LENDER = {
    "referred",
    "in_study",
    "waiting",
    "terms_offered",
    "accepted",
    "completed",
    "declined",
    "expired",
    "fallen_through",
}
OF_INSURER = {
    "referred",
    "in_study",
    "waiting",
    "terms_offered",
    "accepted",
    "completed",
    "declined",
    "withdrawn",
}


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        assert connection.settings_dict["NAME"].startswith("test_")
        seed()
        # Autovacuum does it a minute later; what is not committed it does not see, and plans made
        # for empty tables take minutes.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield
        transaction.set_rollback(True)


def seen_by(email: str) -> Any:
    return Match.objects.visible_to(User.objects.get(email=email))


def states_of(email: str) -> set[str]:
    return set(seen_by(email).values_list("status", flat=True))


def test_accounts_can_sign_in_with_the_password_the_readme_names() -> None:
    assert is_seeded()
    for account in ACCOUNTS:
        user = User.objects.get(email=account.email)
        assert user.check_password(PASSWORD)
        assert user.authenticator_set.exists() == (account.role in SECOND_FACTOR_ROLES)


@pytest.mark.parametrize("email", OWNERS)
def test_an_owner_finds_every_state(email: str) -> None:
    assert states_of(email) == set(MatchStatus.values)


@pytest.mark.parametrize("email", COORDINATORS)
def test_a_coordinator_finds_every_state(email: str) -> None:
    assert states_of(email) == set(MatchStatus.values)


@pytest.mark.parametrize("email", LENDERS)
def test_a_bank_finds_every_state_of_a_referral(email: str) -> None:
    assert states_of(email) >= OF_LENDER


@pytest.mark.parametrize("email", INSURERS)
def test_an_insurer_finds_every_state_of_a_referral(email: str) -> None:
    assert states_of(email) >= OF_INSURER


@pytest.mark.parametrize("email", LENDERS)
def test_a_bank_wants_to_know_who_it_is(email: str) -> None:
    """Blind ones without an answer, and one it said it was interested in."""
    blind = seen_by(email).filter(status="referred")
    assert blind.filter(interested_at__isnull=True).exists()
    assert blind.filter(interested_at__isnull=False, disclosures__stage="identity").count() == 0
    assert blind.filter(interested_at__isnull=False).exists()


@pytest.mark.parametrize("email", OWNERS)
def test_an_owner_has_something_to_do_at_each_step_to_the_money(email: str) -> None:
    matches = seen_by(email)
    of_them = {"match__in": matches}
    assert Terms.objects.filter(status="offered", **of_them).count() == 2
    assert Question.objects.filter(answered_at__isnull=True, **of_them).exists()
    planned = Pledge.objects.filter(status="planned", **of_them)
    assert planned.exists()
    assert planned.filter(match__status="accepted").count() == planned.count()
    in_part = [
        match
        for match in matches.filter(status="accepted", drawdowns__isnull=False)
        if 0 < sum(each.amount for each in match.drawdowns.all()) < match.terms.get().amount
    ]
    assert len(in_part) == 1
    assert set(in_part[0].pledges.values_list("status", flat=True)) == {"registered"}
    done = matches.filter(status="completed", loan_request__isnull=False)
    assert done.exists()
    assert not Delivery.objects.filter(match__in=done).exists()
    for status in ("declined", "rejected", "returned"):
        ended = matches.filter(status=status)
        assert all(match.decisions.exclude(reason="").exists() for match in ended), status


@pytest.mark.parametrize("email", OWNERS)
def test_a_cover_without_patents_is_soon_to_be_renewed(email: str) -> None:
    policies = InsurancePolicy.objects.filter(match__in=seen_by(email))
    today = timezone.localdate()
    soon = [policy for policy in policies if policy.ends_on <= today + timedelta(days=RENEWAL_DAYS)]
    assert soon
    assert soon[0].match.insurance_request.status == "covered"
    assert not soon[0].match.patents.exists()


def test_insurances_of_several_covers() -> None:
    offered = InsuranceOffer.objects.live().values_list("cover_kind", flat=True)
    asked = InsuranceRequest.objects.values_list("cover_kind", flat=True)
    assert len(set(offered)) >= 4
    assert len(set(asked)) >= 4


def test_guarantees_attach_to_loans_that_can_be_had() -> None:
    for guarantee in GuaranteeOffer.objects.live():
        assert guarantee.loan_offers.exists()
    matched = Match.objects.filter(loan_offer__guarantee_offers__isnull=False)
    assert matched.filter(status="terms_offered").exists()


@pytest.mark.parametrize("email", COORDINATORS)
def test_goals_have_progress(email: str) -> None:
    user = User.objects.get(email=email)
    assert user.office is not None
    today = timezone.localdate()
    period = chosen_period(periods_of(user, today=today), "", today=today)
    own = {
        result.product: result
        for result in office_results(user, user.office, period)
        if result.office == user.office
    }
    for product in ("loan", "insurance"):
        assert own[product].goal is not None, product
        assert own[product].figures.business_count, product
        assert own[product].figures.approved_amount, product
    assert own["loan"].figures.disbursed_amount


@pytest.mark.parametrize("email", [*OWNERS, *LENDERS, *INSURERS, *COORDINATORS])
def test_notices_wait_to_be_read(email: str) -> None:
    assert Notice.objects.filter(recipient__email=email, read_at__isnull=True).exists()


def test_proposals_wait_for_the_coordinators() -> None:
    for email in COORDINATORS:
        assert Proposal.objects.visible_to(User.objects.get(email=email)).count() > 10


def test_nobody_is_real() -> None:
    assert all("示范" in name for name in Business.objects.values_list("name", flat=True))
    codes = Business.objects.values_list("credit_code", flat=True)
    assert {code[2:8] for code in codes} == {"990000"}
    numbers = Patent.objects.values_list("application_number", flat=True)
    assert {number.replace("ZL", "")[5] for number in numbers} == {"9"}


def test_every_state_of_a_match_was_reached_by_a_step() -> None:
    """Statuses come from the lifecycle: each is the target of the last transition audited."""
    for match in Match.objects.exclude(status=MatchStatus.IN_REVIEW):
        steps = AuditEvent.objects.filter(verb__startswith="match.", object_id=str(match.pk))
        assert steps.exists(), match.status
    assert not LoanRequest.objects.filter(status="submitted").exists()
