"""One live pledge per patent, posted by many businesses at once through the pages (QUALITY 2).

The short form always runs: 3 patents, 12 posts each. The long form (`run.py test -m long
tests/financing/test_pledge_races.py`): 40 simultaneous posts x 24 patents x 3 rounds. Before both
stands a control run in which a look takes the place of the constraint and the common locks.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from financing.models import LoanOffer, Match, Pledge, Terms
from financing.models.pledges import PLEDGE_LIVE_STATUSES
from financing.services import acceptances
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from tests.factories.businesses import make_appraisal, make_business, make_patent, patent_number
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.money import make_terms, owner_of
from tests.financing.at_once import at_once
from tests.lifecycles.balance import CHECKS

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = "pledge_one_live_per_patent"
# What must balance after a race; matches made by factories have no disclosures.
BALANCED = (
    "capacity of loan offers",
    "terms and their match",
    "one live pledge per patent",
    "pledges and their match",
    "an accepted loan pledges its whole basket",
    "loan requests and their matches",
    "the audit tells every state in order",
    "the audit's last word is the match's state",
)
COPIED = (
    "match_id, patent_id, application_number, creditor_id, pledgee_id, status,"
    " registration_number, registered_on, created_at"
)


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_policy()


@pytest.fixture
def offers() -> list[LoanOffer]:
    made = [make_loan_offer(capacity_amount=9_000_000_000) for _each in range(4)]
    for offer in made:
        make_staff(offer.institution)
    return made


def contenders(offers: list[LoanOffer], number: int) -> list[Terms]:
    """Standing terms of so many businesses that all registered the same patent."""
    application_number, made = patent_number(), []
    for place in range(number):
        patent = make_patent(make_business(), application_number=application_number)
        make_appraisal(patent, 5_000_000)
        request = make_loan_request(patent.business, [patent])
        offer = offers[place % len(offers)]
        made.append(make_terms(make_match(request, offer, status="terms_offered")))
    return made


def posting(terms: Terms) -> Callable[[], Any]:
    """The owner's confirmation, posted by a browser of their own."""
    browser = Client(raise_request_exception=True)
    browser.force_login(owner_of(terms.match).user)
    url = reverse("financing:terms_accept", args=[terms.match_id])
    return partial(browser.post, url, {"terms": terms.pk, "is_confirmed": "on"})


def winners(everybody: list[Terms], answers: list[Any]) -> int:
    """How many were told that they accepted; every other post leads back to the terms."""
    failed = [each for each in answers if isinstance(each, Exception)]
    assert failed == []
    assert {answer.status_code for answer in answers} == {302}
    pages = [answer.headers["Location"].partition("#")[2] for answer in answers]
    assert set(pages) <= {"progress", "terms"}
    return pages.count("progress")


def live(application_number: str) -> int:
    """Live pledges of the patent, counted by plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM financing_pledge WHERE application_number = %s"
            " AND status IN ('planned', 'registered')",
            [application_number],
        )
        return int(cursor.fetchone()[0])


def number_of(terms: Terms) -> str:
    number: str = terms.match.patents.get().application_number
    return number


def race(offers: list[LoanOffer], patents: int, posts: int) -> list[int]:
    """For each patent the number of winners, once posts, pledges and raw SQL were looked at."""
    found = []
    for _patent in range(patents):
        everybody = contenders(offers, posts)
        answers = at_once([posting(terms) for terms in everybody])
        won = winners(everybody, answers)
        matches = Match.objects.filter(terms__in=everybody)
        assert matches.filter(status="accepted").count() == won
        assert matches.filter(status="superseded").count() == posts - won
        assert live(number_of(everybody[0])) == won
        refuse_raw(everybody)
        found.append(won)
    assert imbalances() == {}
    return found


def refuse_raw(everybody: list[Terms]) -> None:
    """The database itself refuses a second pledge, planned or registered, new or brought back."""
    pledge = Pledge.objects.get(match__terms__in=everybody)
    loser = next(each.match for each in everybody if each.match_id != pledge.match_id)
    for statement in (
        partial(insert, loser),
        partial(insert, loser, status="registered"),
        partial(bring_back, loser),
    ):
        with pytest.raises(IntegrityError, match=INDEX), transaction.atomic():
            statement()


def insert(match: Match, status: str = "planned") -> None:
    patent = match.patents.get()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO financing_pledge ({COPIED})"
            " VALUES (%s, %s, %s, %s, %s, %s, 'Y1', now(), now())",
            [match.pk, patent.pk, patent.application_number, *[match.institution_id] * 2, status],
        )


def bring_back(match: Match) -> None:
    """A cancelled pledge, which is in nobody's way, is made a registered one."""
    insert(match, status="cancelled")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_pledge SET status = 'registered' WHERE match_id = %s", [match.pk]
        )


def imbalances() -> dict[str, Any]:
    found = {}
    with connection.cursor() as cursor:
        for name in BALANCED:
            cursor.execute(CHECKS[name], [])
            if rows := cursor.fetchall():
                found[name] = rows
    return found


@contextmanager
def looking_first(monkeypatch: pytest.MonkeyPatch, meeting: Barrier | None) -> Iterator[None]:
    """A look for live pledges, then the insert: neither constraint nor common locks.

    With a `meeting` everybody looks before anybody inserts; without one, as it happens.
    """

    def plan(*, actor: Any, match: Match) -> list[Pledge]:
        patents = list(match.patents.all())
        numbers = [patent.application_number for patent in patents]
        taken = Pledge.objects.filter(
            application_number__in=numbers, status__in=PLEDGE_LIVE_STATUSES
        ).exists()
        if meeting is not None:
            meeting.wait()
        if taken:
            raise MoneyRefused(MoneyRefusal.PATENT_PLEDGED, numbers)
        return Pledge.objects.bulk_create(
            Pledge(
                match=match,
                patent=patent,
                application_number=patent.application_number,
                creditor=match.institution,
                pledgee=match.institution,
            )
            for patent in patents
        )

    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        [definition] = cursor.fetchone()
        cursor.execute(f"DROP INDEX {INDEX}")
    try:
        with monkeypatch.context() as patched:
            patched.setattr(acceptances, "plan_pledges", plan)
            patched.setattr(acceptances, "_rivals", lambda match, numbers: [])
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE financing_pledge CASCADE")
            cursor.execute(definition)


# --- the short form -----------------------------------------------------------------------------


def test_control_a_look_before_the_insert_pledges_twice(monkeypatch, offers):
    everybody = contenders(offers, 12)

    with looking_first(monkeypatch, Barrier(12)):
        answers = at_once([posting(terms) for terms in everybody])

        assert winners(everybody, answers) == live(number_of(everybody[0])) == 12


def test_control_one_after_the_other_the_look_is_enough(monkeypatch, offers):
    """So it is the moment, not a look that sees nothing, that pledges twice."""
    everybody = contenders(offers, 3)

    with looking_first(monkeypatch, None):
        answers = [posting(terms)() for terms in everybody]

        assert winners(everybody, answers) == live(number_of(everybody[0])) == 1


def test_twelve_posts_for_each_of_three_patents_have_one_winner_each(offers):
    assert race(offers, patents=3, posts=12) == [1, 1, 1]
    assert AuditEvent.objects.filter(verb="match.accept").count() == 3
    told = Notice.objects.filter(kind="terms_accepted_lender")
    assert told.count() == 3


def test_of_raw_inserts_at_once_the_database_lets_one_through(offers):
    everybody = contenders(offers, 12)
    outcomes = at_once([partial(insert, terms.match) for terms in everybody])

    refused = [each for each in outcomes if isinstance(each, IntegrityError)]
    assert len(refused) == 11, outcomes
    assert all(INDEX in str(each) for each in refused)
    assert live(number_of(everybody[0])) == 1


# --- the long form ------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("turn", range(3))
def test_forty_posts_for_each_of_24_patents_have_one_winner_each(turn, offers):
    found = race(offers, patents=24, posts=40)

    print(json.dumps({"round": turn, "winners": found}))
    assert found == [1] * 24


@pytest.mark.long
def test_control_forty_posts_for_each_of_24_patents_without_the_guards(monkeypatch, offers):
    found = []
    with looking_first(monkeypatch, None):
        for _patent in range(24):
            everybody = contenders(offers, 40)
            answers = at_once([posting(terms) for terms in everybody])
            won = winners(everybody, answers)
            assert won == live(number_of(everybody[0]))
            found.append(won)

    print(json.dumps({"control": found, "pledged twice": sum(won > 1 for won in found)}))
    assert max(found) > 1
