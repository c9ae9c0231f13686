"""What comes back when an acceptance falls through, against an oracle, with everything balanced.

Each alternative is made with one known fault or none, so the oracle knows without asking a rule
which still hold: of these the newest, one of an institution, as many as the policy proposes.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from financing.models import LoanOffer, Match, Pledge
from financing.services import acceptances, completions
from financing.services.matches import Reason
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
)
from tests.factories.money import live_pledges, make_accepted, make_rival, make_terms, owner_of
from tests.lifecycles.balance import CHECKS, imbalances

pytestmark = pytest.mark.django_db
MOST = 3


def holds(match: Match) -> None:
    """Nothing is the matter with it."""


def paused(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(status="paused")


def closed(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(status="closed")


def past_its_last_day(match: Match) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    # In January the offers of the factory have not been open for a day.
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(opens_on=yesterday, closes_on=yesterday)


def suspended(match: Match) -> None:
    match.institution.is_suspended = True
    match.institution.save()


def too_dear(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(interest_rate_percent=Decimal(30))


def for_larger_loans(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(min_principal=Decimal(2_000_000))


def for_longer_loans(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(min_term_months=24)


def for_small_only(match: Match) -> None:
    LoanOffer.objects.filter(pk=match.loan_offer_id).update(size_classes=["small"])


def patent_pledged_elsewhere(match: Match) -> None:
    other = make_loan_request().patents.get()
    match.patents.add(other)
    make_accepted(make_rival([other]))


Fault = Callable[[Match], None]
FAULTS: tuple[Fault, ...] = (
    paused,
    closed,
    past_its_last_day,
    suspended,
    too_dear,
    for_larger_loans,
    for_longer_loans,
    for_small_only,
    patent_pledged_elsewhere,
)


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_policy(proposals_per_request=MOST)


def alternatives_of(random: Random, request: Any) -> list[tuple[Match, Fault]]:
    """Four to seven live matches of the request, oldest first, some of one institution."""
    institutions = [make_institution() for _each in range(5)]
    made = []
    for _each in range(random.randint(4, 7)):
        offer = make_loan_offer(random.choice(institutions))
        status = random.choice(["in_review", "referred", "in_study", "terms_offered"])
        match = make_match(request, offer, status=status)
        if status == "terms_offered":
            make_terms(match)
        fault = random.choice([holds, random.choice(FAULTS)])
        made.append((match, fault))
    return made


def expected(made: list[tuple[Match, Fault]]) -> set[Any]:
    """Newest first, one of an institution, at most k; by construction, no rule asked."""
    barred = {match.institution_id for match, fault in made if fault is suspended}
    back: dict[int, Any] = {}
    for match, fault in reversed(made):
        fits = fault is holds and match.institution_id not in barred
        if fits and match.institution_id not in back and len(back) < MOST:
            back[match.institution_id] = match.pk
    return set(back.values())


@pytest.mark.parametrize("start", range(16))
def test_what_comes_back_is_what_still_holds(start: int) -> None:
    random = Random(start)
    request = make_loan_request()
    number = request.patents.get().application_number
    made = alternatives_of(random, request)
    # Of other businesses that registered the same patent: theirs come back too.
    rivals = [make_rival(list(request.patents.all())) for _each in range(random.randint(0, 2))]
    for rival in rivals:
        make_terms(rival)
    accepted = make_accepted(make_match(request, make_loan_offer(), status="terms_offered"))
    alternatives = Match.objects.filter(pk__in=[match.pk for match, _fault in made])
    others = Match.objects.filter(pk__in=[rival.pk for rival in rivals])
    assert {match.status for match in alternatives} == {"superseded"}
    for match, fault in made:
        fault(match)
    OutboxMessage.objects.all().delete()
    Notice.objects.all().delete()

    completions.fall_through(
        actor=owner_of(accepted), match=accepted, reason=Reason("business_not_ready")
    )

    back = expected(made)
    assert {match.pk for match in alternatives.filter(status="in_review")} == back
    assert alternatives.filter(status="superseded").count() == len(made) - len(back)
    assert others.filter(status="in_review").count() == len(rivals)
    assert live_pledges(number) == []
    assert Pledge.objects.get(match=accepted).status == "cancelled"
    request.refresh_from_db()
    assert request.status == "open"
    restored = AuditEvent.objects.filter(verb="match.restore")
    assert restored.count() == len(back) + len(rivals)
    tasks = OutboxMessage.objects.filter(task="financing.match_request")
    asked = {message.payload["request_id"] for message in tasks}
    assert asked == {request.pk, *(rival.loan_request_id for rival in rivals)}
    assert balanced()


def test_what_came_back_can_be_offered_again_and_again() -> None:
    """The same alternative gives way and comes back three times, and no fen is lost."""
    request = make_loan_request()
    patient = make_match(request, make_loan_offer(), status="terms_offered")
    for _round in range(3):
        make_terms(patient)
        accepted = make_accepted(make_match(request, make_loan_offer(), status="terms_offered"))
        patient.refresh_from_db()
        assert patient.status == "superseded"
        assert balanced()
        completions.fall_through(
            actor=owner_of(accepted), match=accepted, reason=Reason("business_not_ready")
        )
        patient.refresh_from_db()
        assert patient.status == "in_review"
        assert balanced()
        Match.objects.filter(pk=patient.pk).update(status="terms_offered")
        patient.refresh_from_db()
    assert patient.terms.filter(status="ended").count() == 3
    make_terms(patient)
    acceptances.accept_terms(actor=owner_of(patient), terms=patient.terms.get(status="offered"))
    assert balanced()


def balanced() -> bool:
    """By plain SQL; left out are the checks that rows made by factories cannot meet."""
    left_out = {
        "who is awaited has a deadline, who is not has none",
        "study and terms only after the identity was opened",
        "the audit tells every state in order",
        "the audit's last word is the match's state",
    }
    found = {name: rows for name, rows in imbalances().items() if name not in left_out}
    assert set(CHECKS) > left_out
    assert found == {}
    return True
