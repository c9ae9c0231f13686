"""The same act by several at once: one row, one audit entry, nobody meets a server error."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from businesses.entries import BusinessFacts, PatentEntry
from businesses.models import Business, Patent
from businesses.services.businesses import register_business, verify_business
from businesses.services.claims import decide_claim
from businesses.services.members import remove_member
from businesses.services.patents import add_patent
from businesses.services.refusals import BusinessRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    credit_code,
    make_business,
    make_claim,
    make_member,
    make_office,
    make_region,
    patent_number,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Results of all acts started together; refusals as their codes."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=60)
            return act()
        except (BusinessRefused, TransitionRefused) as refused:
            return str(refused.code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def facts(code: str) -> BusinessFacts:
    return BusinessFacts(
        name="示范有限公司",
        credit_code=code,
        region=make_region(),
        industry="C39",
        established_on=date(2020, 1, 1),
    )


def test_one_form_sent_twelve_times_is_one_business() -> None:
    actor, entered = Actor.of(make_owner()), facts(credit_code())
    results = at_once([lambda: register_business(actor=actor, facts=entered)] * 12)
    assert {business.pk for business in results} == {Business.objects.get().pk}
    assert AuditEvent.objects.filter(verb="business.registered").count() == 1


def test_a_code_belongs_to_the_first() -> None:
    entered = facts(credit_code())
    actors = [Actor.of(make_owner()) for _each in range(6)]
    results = at_once(
        [lambda actor=actor: register_business(actor=actor, facts=entered) for actor in actors]
    )
    assert results.count("code_taken") == 5
    assert Business.objects.get().members.count() == 1


def test_a_patent_is_added_once() -> None:
    business = make_business()
    actor = Actor.of(business.members.get().user)
    entry = PatentEntry(
        application_number=patent_number(year=2021), title="阀门", filed_on=date(2021, 5, 3)
    )
    results = at_once([lambda: add_patent(actor=actor, business=business, entry=entry)] * 8)
    assert results == [Patent.objects.get()] * 8
    assert Patent.objects.get().status == "registered"
    assert AuditEvent.objects.filter(verb="patent.added").count() == 1
    others = [replace(entry, title=f"阀门{number}") for number in range(4)]
    refused = at_once(
        [partial(add_patent, actor=actor, business=business, entry=each) for each in others]
    )
    assert refused == ["patent_there"] * 4


def test_two_managers_cannot_remove_each_other() -> None:
    business = make_business()
    one = business.members.get()
    other = make_member(business, is_manager=True)
    at_once(
        [
            lambda: remove_member(actor=Actor.of(one.user), member=other),
            lambda: remove_member(actor=Actor.of(other.user), member=one),
        ]
    )
    assert business.members.filter(is_active=True, is_manager=True).count() == 1


def test_decisions_are_taken_once() -> None:
    business = make_business(status="registered")
    claim = make_claim(business)
    actor = Actor.of(make_coordinator(make_office("320000")))
    results = at_once([lambda: verify_business(actor=actor, business=business)] * 5)
    assert results.count("wrong_state") == 4
    results = at_once([lambda: decide_claim(actor=actor, claim=claim, is_accepted=True)] * 5)
    assert results.count("claim_decided") == 4
    assert business.members.count() == 2
