"""Offering, accepting, declining and expiring at once, through the pages (QUALITY 2).

Booked stays what plain SQL sums, never above capacity; nobody waits for ever; the lender who comes
too late sees 409 and a sentence, the owner never. The long form (`run.py test -m long
tests/financing/test_capacity_races.py`) does the same many times over.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing.models import LoanOffer, Match
from financing.services.clock_runs import run_clocks
from financing.services.clocks import Stage, start_clock
from tests.factories.financing import make_loan_offer, make_staff
from tests.factories.insurance import make_insurance_policy_of_the_day
from tests.factories.money import make_terms, owner_of
from tests.factories.studies import make_referral
from tests.financing.at_once import at_once
from tests.financing.test_referral_answers import terms_data
from tests.lifecycles.balance import CHECKS

pytestmark = pytest.mark.django_db(transaction=True)
MILLION = Decimal(1_000_000)
# Room for four of the ten: three are booked before, and four more want a place.
CAPACITY = Decimal("4000000.01")
BALANCED = (
    "capacity of loan offers",
    "terms and their match",
    "money within the terms",
    "pledges and their match",
    "loan requests and their matches",
    "the audit's last word is the match's state",
)


@pytest.fixture(autouse=True)
def policy() -> Any:
    return make_insurance_policy_of_the_day()


def posting(user: Any, url: str, data: dict[str, Any]) -> Callable[[], Any]:
    browser = Client(raise_request_exception=True, headers={"accept-language": "en"})
    browser.force_login(user)
    return partial(browser.post, url, data)


def owner_posting(match: Match, name: str, **data: Any) -> Callable[[], Any]:
    url = reverse(f"financing:{name}", args=[match.pk])
    return posting(owner_of(match).user, url, data)


def offering(match: Match, place: int) -> Callable[[], Any]:
    """By one of the institution's people, each with a browser of their own."""
    people = [post.user for post in match.institution.staff.select_related("user").order_by("pk")]
    url = reverse("admin:financing_referral_step", args=[match.pk, "terms"])
    return posting(people[place % len(people)], url, terms_data(is_confirmed="1"))


def expiring(moment: Any) -> Callable[[], Any]:
    return lambda: run_clocks(now=moment)


def scene(random: Random) -> tuple[LoanOffer, dict[str, list[Match]]]:
    """An offer with four matches in study and six whose terms stand, on three millions in all."""
    offer = make_loan_offer(capacity_amount=CAPACITY)
    for _each in range(4):
        make_staff(offer.institution)
    wanting = [make_referral("in_study", is_open=True, loan_offer=offer) for _each in range(4)]
    standing = []
    for place in range(6):
        match = make_referral("terms_offered", is_open=True, loan_offer=offer)
        # The last two ran out yesterday: the clock ends them, if nobody else does before.
        days = 14 if place < 4 else 0
        valid_until = timezone.localdate() + timedelta(days=days)
        amount = Decimal(random.randint(30_000_000, 50_000_000)) / 100
        make_terms(match, amount=amount, valid_until=valid_until)
        start_clock(match, Stage.TERMS, on=timezone.localdate())
        standing.append(match)
    kinds = {"offer": wanting, "accept": standing[:2], "decline": standing[2:4]}
    return offer, kinds | {"expire": standing[4:]}


def act_at_once(random: Random, kinds: dict[str, list[Match]]) -> list[tuple[str, Any]]:
    """Everybody's post, twice each for owners, and the clock three times; what each got."""
    tomorrow = timezone.now() + timedelta(days=1)
    acts: list[tuple[str, Callable[[], Any]]] = [
        ("offer", offering(match, place)) for place, match in enumerate(kinds["offer"])
    ]
    for match in kinds["accept"]:
        data = {"terms": match.terms.get().pk, "is_confirmed": "on"}
        acts += [("accept", owner_posting(match, "terms_accept", **data)) for _each in range(2)]
    for match in kinds["decline"]:
        data = {"terms": match.terms.get().pk, "reason": "better_alternative"}
        acts += [("decline", owner_posting(match, "terms_decline", **data)) for _each in range(2)]
    acts += [("expire", expiring(tomorrow)) for _each in range(3)]
    random.shuffle(acts)
    outcomes = at_once([act for _name, act in acts])
    return [(name, outcome) for (name, _act), outcome in zip(acts, outcomes, strict=True)]


def imbalances() -> dict[str, Any]:
    found = {}
    with connection.cursor() as cursor:
        for name in BALANCED:
            cursor.execute(CHECKS[name], [])
            if rows := cursor.fetchall():
                found[name] = rows
    return found


def race(start: int) -> Counter[str]:
    """One scene, everybody at once; counts of what was answered, once all of it was looked at."""
    random = Random(start)
    offer, kinds = scene(random)
    assert imbalances() == {}
    seen: Counter[str] = Counter()

    for name, outcome in act_at_once(random, kinds):
        # A deadlock, a broken CHECK or an error of a page would stand here.
        assert not isinstance(outcome, Exception), (name, outcome)
        if name == "expire":
            assert outcome["failed"] == 0
            seen.update(f"clock: {word}" for word in outcome.elements())
            continue
        seen[f"{name}: {outcome.status_code}"] += 1
        if name == "offer" and outcome.status_code == 409:
            assert "of this offer&#x27;s capacity" in outcome.content.decode()
        else:
            assert outcome.status_code == 302, (name, outcome.status_code)

    assert imbalances() == {}
    offer.refresh_from_db()
    assert offer.booked_amount <= offer.capacity_amount
    for name, status in (("accept", "accepted"), ("decline", "declined")):
        for match in kinds[name]:
            match.refresh_from_db()
            assert match.status == status
    for match in kinds["expire"]:
        assert match.terms.get().status == "ended"
    offered = Match.objects.filter(pk__in=[match.pk for match in kinds["offer"]])
    assert offered.filter(status="terms_offered").count() == seen["offer: 302"]
    assert offered.filter(status="in_study").count() == seen["offer: 409"]
    return seen


def test_everybody_at_once_and_the_books_balance():
    seen = race(1)

    assert seen["accept: 302"] == seen["decline: 302"] == 4
    assert seen["clock: terms_lapsed"] + seen["clock: expired"] == 2
    assert seen["offer: 302"] + seen["offer: 409"] == 4
    assert seen["offer: 302"] >= 1


@pytest.mark.long
@pytest.mark.parametrize("start", range(100, 104))
def test_everybody_at_once_many_times(start):
    seen: Counter[str] = Counter()
    for number in range(25):
        seen += race(start * 1000 + number)

    print(json.dumps({"scenes": 25, **dict(sorted(seen.items()))}))
    assert seen["offer: 302"]
    assert seen["offer: 409"]


def test_twelve_lenders_for_one_place_and_eleven_are_told():
    offer = make_loan_offer(capacity_amount=MILLION)
    for _each in range(12):
        make_staff(offer.institution)
    matches = [make_referral("in_study", is_open=True, loan_offer=offer) for _each in range(12)]

    answers = at_once([offering(match, place) for place, match in enumerate(matches)])

    assert [each for each in answers if isinstance(each, Exception)] == []
    assert sorted(each.status_code for each in answers) == [302] + [409] * 11
    for late in answers:
        if late.status_code == 409:
            assert "nothing of this offer&#x27;s capacity is free" in late.content.decode()
    assert imbalances() == {}
    offer.refresh_from_db()
    assert (offer.booked_amount, offer.booked_count) == (MILLION, 1)


def test_accepting_and_the_clock_at_once_end_in_one_of_them():
    """Terms on their last day: accepted today, or ended by the clock of tomorrow."""
    seen = Counter()
    for _round in range(6):
        match = make_referral("terms_offered", is_open=True)
        terms = make_terms(match, valid_until=timezone.localdate())
        start_clock(match, Stage.TERMS, on=timezone.localdate())
        data = {"terms": terms.pk, "is_confirmed": "on"}
        tomorrow = timezone.now() + timedelta(days=1)

        answer, *rounds = at_once(
            [owner_posting(match, "terms_accept", **data), *[expiring(tomorrow)] * 2]
        )

        assert answer.status_code == 302
        match.refresh_from_db()
        terms.refresh_from_db()
        state = (match.status, terms.status)
        # Where tomorrow is a working day the match itself is over, too.
        assert state in {
            ("accepted", "accepted"),
            ("terms_offered", "ended"),
            ("expired", "ended"),
        }
        ends = sum(each["terms_lapsed"] + each["expired"] for each in rounds)
        assert ends == (terms.status == "ended")
        assert imbalances() == {}
        seen[state] += 1
    assert seen.total() == 6
