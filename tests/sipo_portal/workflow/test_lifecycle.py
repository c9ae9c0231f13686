"""The table itself: what it refuses to be, what it allows, how it prints."""

import itertools

import pytest

from sipo_portal.workflow.lifecycle import (
    Lifecycle,
    Refusal,
    Transition,
    TransitionRefused,
    mermaid,
)
from tests.sipo_portal.workflow.thing import LIFE

KINDS = ("owner", "coordinator", "clock", "institution_staff", "")
# Written out by hand: the oracle of the table above.
ALLOWED = {
    ("draft", "submit", "owner"): "open",
    ("draft", "drop", "owner"): "dropped",
    ("open", "drop", "owner"): "dropped",
    ("open", "close", "coordinator"): "closed",
    ("open", "close", "clock"): "closed",
    ("closed", "reopen", "coordinator"): "open",
    ("dropped", "reopen", "coordinator"): "open",
}
STATES_OF = {
    "submit": {"draft"},
    "close": {"open"},
    "reopen": {"closed", "dropped"},
    "drop": {"draft", "open"},
}


@pytest.mark.parametrize(
    ("state", "action", "kind"),
    list(itertools.product(LIFE.states, (*LIFE.actions, "unheard_of"), KINDS)),
)
def test_every_state_action_and_role(state: str, action: str, kind: str) -> None:
    if (state, action, kind) in ALLOWED:
        assert LIFE.find(state, action, kind).target == ALLOWED[state, action, kind]
        return
    with pytest.raises(TransitionRefused) as refused:
        LIFE.find(state, action, kind)
    if action not in STATES_OF:
        assert refused.value.code == Refusal.UNKNOWN_ACTION
    elif state not in STATES_OF[action]:
        assert refused.value.code == Refusal.WRONG_STATE
    else:
        assert refused.value.code == Refusal.WRONG_ROLE
    assert action not in LIFE.allowed(state, kind)


def test_allowed_lists_what_find_accepts() -> None:
    listed = {
        (state, action, kind)
        for state, kind in itertools.product(LIFE.states, KINDS)
        for action in LIFE.allowed(state, kind)
    }
    assert listed == set(ALLOWED)


@pytest.mark.parametrize(
    ("states", "initial", "rows", "words"),
    [
        (("a", "a"), "a", (), "twice"),
        (("a",), "b", (), "initial"),
        (("a", "b"), "a", (), "nothing leads"),
        (("a",), "a", (Transition("go", "a", "x", ("owner",)),), "unknown state"),
        (("a",), "a", (Transition("go", "x", "a", ("owner",)),), "unknown state"),
        (("a", "b"), "a", (Transition("go", "a", "b", ()),), "nobody"),
        (
            ("a", "b"),
            "a",
            (Transition("go", "a", "b", ("owner",)), Transition("go", "a", "a", ("clock",))),
            "there twice",
        ),
    ],
)
def test_contradictions_are_refused(
    states: tuple[str, ...], initial: str, rows: tuple[Transition, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Lifecycle("thing", states, initial, rows)


def test_final_states_and_diagram() -> None:
    table = Lifecycle("x", ("a", "b"), "a", (Transition("go", "a", "b", ("owner", "clock")),))
    assert table.final_states == ("b",)
    assert mermaid(table) == (
        "stateDiagram-v2\n    [*] --> a\n    a --> b: go (owner, clock)\n    b --> [*]\n"
    )
