"""Lifecycles as plain tables; every app's `lifecycles.py` declares its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why an action could not be done."""

    WRONG_STATE = "wrong_state"
    WRONG_ROLE = "wrong_role"
    UNKNOWN_ACTION = "unknown_action"


class TransitionRefused(Exception):
    """The table has no such step from here for this actor; nothing was changed.

    `code` is one of `Refusal`; `action` and `state` say what was tried, for the log and the page.
    """

    def __init__(self, code: Refusal, *, lifecycle: str = "", action: str = "", state: str = ""):
        super().__init__(f"{lifecycle}: {action!r} in state {state!r} refused: {code.value}")
        self.code = code
        self.lifecycle = lifecycle
        self.action = action
        self.state = state


@dataclass(frozen=True)
class Transition:
    """One row of a table: who may do `action` in any of `sources`, and the state it leads to."""

    action: str
    sources: tuple[str, ...]
    target: str
    who: tuple[str, ...]

    def __init__(self, action: str, sources: Iterable[str] | str, target: str, who: Iterable[str]):
        # Values of a TextChoices are stored as plain strings, so that printing and comparing agree.
        named = (sources,) if isinstance(sources, str) else tuple(sources)
        object.__setattr__(self, "action", str(action))
        object.__setattr__(self, "sources", tuple(str(state) for state in named))
        object.__setattr__(self, "target", str(target))
        object.__setattr__(self, "who", tuple(str(kind) for kind in who))


@dataclass(frozen=True)
class Lifecycle:
    """The life of one kind of row. The same action may have several rows with different sources.

    Raises ValueError for a table that contradicts itself: an unknown state, a state no path leads
    to, nobody allowed, or two rows for one action in one state.
    """

    name: str
    states: tuple[str, ...]
    initial: str
    transitions: tuple[Transition, ...]

    def __init__(
        self,
        name: str,
        states: Iterable[str],
        initial: str,
        transitions: Iterable[Transition],
    ):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "states", tuple(str(state) for state in states))
        object.__setattr__(self, "initial", str(initial))
        object.__setattr__(self, "transitions", tuple(transitions))
        self._refuse_contradictions()

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action once, in the order of the table."""
        return tuple(dict.fromkeys(row.action for row in self.transitions))

    @property
    def final_states(self) -> tuple[str, ...]:
        """States nothing leads out of."""
        left = {state for row in self.transitions for state in row.sources}
        return tuple(state for state in self.states if state not in left)

    def find(self, state: str, action: str, kind: str) -> Transition:
        """The row for `action` in `state` by an actor of `kind`; raises TransitionRefused."""
        rows = [row for row in self.transitions if row.action == action]
        if not rows:
            raise self._refused(Refusal.UNKNOWN_ACTION, action, state)
        here = [row for row in rows if state in row.sources]
        if not here:
            raise self._refused(Refusal.WRONG_STATE, action, state)
        if kind not in here[0].who:
            raise self._refused(Refusal.WRONG_ROLE, action, state)
        return here[0]

    def allowed(self, state: str, kind: str) -> tuple[str, ...]:
        """The actions an actor of `kind` has in `state`, in the order of the table."""
        return tuple(
            row.action for row in self.transitions if state in row.sources and kind in row.who
        )

    def _refused(self, code: Refusal, action: str, state: str) -> TransitionRefused:
        return TransitionRefused(code, lifecycle=self.name, action=action, state=state)

    def _refuse_contradictions(self) -> None:
        known = set(self.states)
        if len(known) != len(self.states):
            raise ValueError(f"{self.name}: a state is listed twice")
        if self.initial not in known:
            raise ValueError(f"{self.name}: initial state {self.initial!r} is not listed")
        taken: set[tuple[str, str]] = set()
        for row in self.transitions:
            if not row.who or not row.sources:
                raise ValueError(f"{self.name}: {row.action!r} has no sources or nobody to do it")
            for state in (*row.sources, row.target):
                if state not in known:
                    raise ValueError(f"{self.name}: {row.action!r} names unknown state {state!r}")
            for state in row.sources:
                if (row.action, state) in taken:
                    raise ValueError(f"{self.name}: {row.action!r} from {state!r} is there twice")
                taken.add((row.action, state))
        reached = {self.initial}
        while grown := {
            row.target
            for row in self.transitions
            if row.target not in reached and reached.intersection(row.sources)
        }:
            reached |= grown
        if reached != known:
            raise ValueError(f"{self.name}: nothing leads to {sorted(known - reached)}")


def mermaid(lifecycle: Lifecycle) -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {lifecycle.initial}"]
    for row in lifecycle.transitions:
        for source in row.sources:
            lines.append(f"    {source} --> {row.target}: {row.action} ({', '.join(row.who)})")
    lines += [f"    {state} --> [*]" for state in lifecycle.final_states]
    return "\n".join(lines) + "\n"
