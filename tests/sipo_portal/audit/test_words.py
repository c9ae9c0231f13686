"""Every act, actor and kind of object that is recorded has a word; outbox tasks have one too."""

import importlib
from enum import EnumMeta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.audit.words import ACTORS, ACTS, act_word, actor_word, object_word
from sipo_portal.outbox.labels import LABELS
from sipo_portal.outbox.models import OutboxMessage
from sipo_portal.workflow.lifecycle import Lifecycle
from tests.factories.accounts import make_user
from tests.factories.offices import make_office

VERBS = ("businesses", "financing", "sipo_portal.accounts", "sipo_portal.offices")
LIFECYCLES = ("businesses.lifecycles", "financing.lifecycles")


def recorded_verbs() -> set[str]:
    found: set[str] = set()
    for package in (*VERBS, "sipo_portal.outbox"):
        module = importlib.import_module(f"{package}.verbs")
        for each in vars(module).values():
            if isinstance(each, EnumMeta) and each.__module__ == module.__name__:
                found |= {str(verb.value) for verb in each}  # type: ignore[attr-defined]
    for name in LIFECYCLES:
        for each in vars(importlib.import_module(name)).values():
            if isinstance(each, Lifecycle):
                found |= {f"{each.name}.{step.action}" for step in each.transitions}
    return found


def test_every_verb_has_a_word_and_every_word_a_verb() -> None:
    used = {verb if verb in ACTS else verb.partition(".")[2] for verb in recorded_verbs()}
    assert used == set(ACTS)


def test_every_actor_has_a_word() -> None:
    kinds = {Actor.CLOCK.kind, Actor.MATCHER.kind, Actor.SYSTEM.kind}
    assert set(ACTORS) == set(Role.values) | kinds


def test_words() -> None:
    with translation.override("en"):
        assert act_word("match.approve") == "approved"
        assert actor_word("owner") == "Business owner"
        assert object_word("financing.match") == "Match"
        assert (act_word("gone"), actor_word("gone"), object_word("gone")) == ("gone",) * 3


def test_django_keeps_its_own_words() -> None:
    """The portal's catalogue comes first: an entry named as one of Django's would replace it."""
    with translation.override("zh-hans"):
        words = {each: translation.gettext(each) for each in ("Yes", "No", "All", "Unknown")}
    assert words == {"Yes": "是", "No": "否", "All": "全部", "Unknown": "未知"}


@pytest.mark.django_db
def test_the_lists_show_words() -> None:
    record("office.created", actor=Actor.SYSTEM, obj=make_office("320500"))
    OutboxMessage.objects.create(task="financing.run_clocks", payload={})
    for role, address, words in (
        (Role.AUDIT_ADMIN, "admin:audit_auditevent_changelist", ("created", "Branch office")),
        (Role.SYSTEM_ADMIN, "admin:outbox_outboxmessage_changelist", ("Round of the clocks",)),
    ):
        client = Client(headers={"accept-language": "en"})
        client.force_login(make_user(role))
        page = client.get(reverse(address)).content.decode()
        table = page.partition('id="result_list"')[2]
        for word in words:
            assert word in table
        for code in ("office.created", "financing.run_clocks"):
            assert f">{code}<" not in table
    assert not [name for name, label in LABELS.items() if label == name and "test" not in name]


@pytest.mark.django_db
def test_the_filter_by_role() -> None:
    record("office.created", actor=Actor.SYSTEM, obj=make_office("320500"))
    client = Client()
    client.force_login(make_user(Role.AUDIT_ADMIN))
    address = reverse("admin:audit_auditevent_changelist")

    def count_of(kind: str) -> int:
        answer = client.get(address, {"actor_kind": kind})
        return int(answer.context["cl"].result_count)

    assert (count_of("system"), count_of("clock")) == (1, 0)
