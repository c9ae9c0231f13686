"""A run over shards as questions and answers: only prices, rooms and whole sums travel.

A shard is the requests of one province, however many workers there are. The conductor asks every
shard the same kind of question, hears all answers and asks on: passes that move the prices, then
rounds that give room (each shard within its allotment) and hand out again what was left over, and
last what came of it. Whoever runs it (`at_scale.py` in one process, Celery tasks over several)
carries questions and answers; neither the order of arrival nor the number of workers changes a
digit. `shards.py` answers.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

import numpy as np

from financing.matching.national.allotment import LOANS_PER_PART, apportioned
from financing.matching.national.best_set import MICRO
from financing.matching.national.orders import Prices
from financing.matching.national.price_steps import PriceSteps, rooms_worth_micro
from financing.matching.national.sampling import Begin
from financing.matching.national.tables import Int64
from financing.matching.national.wire import from_wire, to_wire


class Phase(StrEnum):
    """What a question is about."""

    PRICES = "prices"
    """What would the requests take at these prices, and what is that worth?"""
    GIVE = "give"
    """Give your requests what your allotment allows; how much was used?"""
    ASK = "ask"
    """What would who is not full still take of the room that is left?"""
    VALUES = "values"
    """What is it all worth?"""


class Turn(NamedTuple):
    """Who gets room, and at which share of the prices."""

    is_first: bool
    """First proposals, by auction; otherwise whatever still fits."""
    discount_ppm: int
    is_wide: bool = False
    """Beyond the short lists: candidates are looked for again, among offers with room."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question to one shard. `room_fen`, `room_count` by offer: its allotment (GIVE), what is
    left for all (ASK); empty otherwise. `turn`: to whom room is given or is to be given."""

    number: int
    shard: int
    phase: Phase
    prices: Prices
    turn: Turn
    room_fen: Int64
    room_count: Int64

    def to_bytes(self) -> bytes:
        return to_wire(
            "question",
            {
                "number": self.number,
                "shard": self.shard,
                "phase": self.phase.value,
                "turn": list(self.turn),
            },
            {
                "price_fen": self.prices.fen_ppm,
                "price_count": self.prices.count_fen,
                "room_fen": self.room_fen,
                "room_count": self.room_count,
            },
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("question", data)
        return cls(
            plain["number"],
            plain["shard"],
            Phase(plain["phase"]),
            Prices(arrays["price_fen"], arrays["price_count"]),
            Turn(*plain["turn"]),
            arrays["room_fen"],
            arrays["room_count"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Whole sums of one shard. `fen`, `count` by offer: wanted (PRICES, ASK) or used (GIVE).

    `worth_fen`, `worth_micro`: the shard's part of the dual (PRICES) or of the value (VALUES), in
    fen and what is beyond them in micro-fen. The last fields belong to VALUES.
    """

    number: int
    shard: int
    fen: Int64
    count: Int64
    worth_fen: int = 0
    worth_micro: int = 0
    saving_fen: int = 0
    reached_count: int = 0
    proposals_count: int = 0
    digest: str = ""

    def to_bytes(self) -> bytes:
        plain = {name: getattr(self, name) for name in _PLAIN}
        return to_wire("answer", plain, {"fen": self.fen, "count": self.count})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("answer", data)
        return cls(fen=arrays["fen"], count=arrays["count"], **plain)


_PLAIN = (
    "number",
    "shard",
    "worth_fen",
    "worth_micro",
    "saving_fen",
    "reached_count",
    "proposals_count",
    "digest",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many passes over all requests, the first step of a price (share of itself), and how
    room is given, turn by turn."""

    passes: int = 1
    step_ppm: int = 4_000
    turns: tuple[Turn, ...] = (
        Turn(is_first=True, discount_ppm=1_000_000),
        Turn(is_first=True, discount_ppm=1_000_000, is_wide=True),
        Turn(is_first=True, discount_ppm=1_000_000, is_wide=True),
        Turn(is_first=False, discount_ppm=1_000_000, is_wide=True),
        Turn(is_first=False, discount_ppm=600_000, is_wide=True),
        Turn(is_first=False, discount_ppm=0, is_wide=True),
    )


@dataclass(slots=True, eq=False)
class Conductor:
    """Moves the prices, hands out the rooms, adds up. Make one with `begin`.

    `question_for(shard)` until `done`, each time followed by one `tell` with an answer of every
    shard. Its state fits `to_bytes` between any two rounds.
    """

    plan: Plan
    shards: int
    room_fen: Int64
    room_count: Int64
    steps: PriceSteps
    prices: Prices
    number: int = 0
    phase: Phase = Phase.PRICES
    turn: int = 0
    """Passes done, then turns done."""
    best: Prices | None = None
    bound_micro: int = 0
    """Of the best prices: no allocation is worth more."""
    rooms: list[Int64] = field(default_factory=list)
    """What the questions of this round say: fen and count, by shard or one line for all."""
    wanted: list[Int64] = field(default_factory=list)
    """Fen and count by shard: what the sample says each will want."""
    left: list[Int64] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    done: bool = False

    @classmethod
    def begin(
        cls,
        shards: int,
        room_fen: Int64,
        room_count: Int64,
        begin: Begin,
        plan: Plan | None = None,
    ) -> Self:
        """Of so many shards, with what a sample says of prices and wants (`sampling.py`)."""
        plan = Plan() if plan is None else plan
        steps = PriceSteps.begin(
            room_fen, room_count, begin.prices, begin.usual_ppm, begin.usual_fen, plan.step_ppm
        )
        return cls(
            plan,
            shards,
            room_fen,
            room_count,
            steps,
            begin.prices,
            rooms=[np.zeros((1, 0), dtype=np.int64)] * 2,
            wanted=[begin.wanted_fen, begin.wanted_count],
            left=[room_fen.copy(), room_count.copy()],
        )

    @property
    def stage(self) -> str:
        """For progress: the phase and which time it is."""
        return f"{self.phase.value} {self.turn + 1}"

    @property
    def bound_fen(self) -> int:
        return -(-self.bound_micro // MICRO)

    @property
    def value_fen(self) -> int:
        return self.totals.get("worth_fen", 0)

    def digest(self) -> str:
        """Over the shards' proposals, prices, value and bound; once done."""
        if not self.done:
            raise ValueError("the run is not done")
        hasher = hashlib.sha256("\n".join(self.digests).encode())
        for part in (self.prices.fen_ppm, self.prices.count_fen):
            hasher.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
        hasher.update(f"{self.value_fen},{self.bound_fen}".encode())
        return hasher.hexdigest()

    def question_for(self, shard: int) -> Question:
        """ValueError once the run is done."""
        if self.done:
            raise ValueError("the run is done")
        fen, count = (rooms[min(shard, len(rooms) - 1)] for rooms in self.rooms)
        turn = Turn(is_first=False, discount_ppm=1_000_000)
        if self.phase in {Phase.GIVE, Phase.ASK}:
            turn = self.plan.turns[self.turn]
        return Question(self.number, shard, self.phase, self.prices, turn, fen, count)

    def tell(self, answers: Sequence[Answer]) -> None:
        """Hear one answer of every shard, in any order. ValueError where one is missing, twice or
        of another round."""
        ordered = sorted(answers, key=lambda answer: answer.shard)
        if [answer.shard for answer in ordered] != list(range(self.shards)) or any(
            answer.number != self.number for answer in ordered
        ):
            raise ValueError(f"round {self.number} needs one answer of each shard")
        fen = np.stack([answer.fen for answer in ordered])
        count = np.stack([answer.count for answer in ordered])
        if self.phase is Phase.PRICES:
            self._move_prices(ordered, fen, count)
        elif self.phase is Phase.GIVE:
            self._take_stock(fen, count)
        elif self.phase is Phase.ASK:
            self._allot(fen, count)
        else:
            for name in ("worth_fen", "saving_fen", "reached_count", "proposals_count"):
                self.totals[name] = sum(getattr(answer, name) for answer in ordered)
            self.digests = [answer.digest for answer in ordered]
            self.done = True
        self.number += 1

    def _move_prices(self, answers: list[Answer], fen: Int64, count: Int64) -> None:
        worth = sum(a.worth_fen * MICRO + a.worth_micro for a in answers)
        bound = worth + rooms_worth_micro(self.room_fen, self.room_count, self.prices)
        if self.best is None or bound < self.bound_micro:
            self.best, self.bound_micro = self.prices, bound
        self.turn += 1
        if self.turn < self.plan.passes:
            self.prices = self.steps.moved(
                self.room_fen, self.room_count, self.prices, fen.sum(axis=0), count.sum(axis=0)
            )
            return
        self.prices = self.best
        self.turn = 0
        self._allot(*self.wanted, loans_per_part=0)

    def _allot(self, fen: Int64, count: Int64, *, loans_per_part: int = LOANS_PER_PART) -> None:
        self.rooms = list(
            apportioned(self.left[0], self.left[1], fen, count, loans_per_part=loans_per_part)
        )
        self.phase = Phase.GIVE

    def _take_stock(self, fen: Int64, count: Int64) -> None:
        self.left = [self.left[0] - fen.sum(axis=0), self.left[1] - count.sum(axis=0)]
        if (self.left[0] < 0).any() or (self.left[1] < 0).any():
            raise ValueError("a shard has used more than its allotment")
        self.turn += 1
        self.phase = Phase.ASK if self.turn < len(self.plan.turns) else Phase.VALUES
        self.rooms = [self.left[0][None], self.left[1][None]]

    # --- between two rounds

    def to_bytes(self) -> bytes:
        best = self.best if self.best is not None else self.prices
        plain: dict[str, Any] = {
            "plan": [self.plan.passes, self.plan.step_ppm, list(map(list, self.plan.turns))],
            "shards": self.shards,
            "number": self.number,
            "phase": self.phase.value,
            "turn": self.turn,
            "has_best": self.best is not None,
            "bound_micro": self.bound_micro,
            "totals": self.totals,
            "digests": self.digests,
            "done": self.done,
        }
        arrays = {
            "room_fen": self.room_fen,
            "room_count": self.room_count,
            "price_fen": self.prices.fen_ppm,
            "price_count": self.prices.count_fen,
            "best_fen": best.fen_ppm,
            "best_count": best.count_fen,
        }
        for name in ("rooms", "wanted", "left"):
            for place, array in enumerate(getattr(self, name)):
                arrays[f"{name}_{place}"] = array
        more_plain, more_arrays = self.steps.state()
        return to_wire("conductor", plain | more_plain, arrays | more_arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("conductor", data)
        passes, step_ppm, turns = plain["plan"]
        return cls(
            Plan(passes, step_ppm, tuple(Turn(*turn) for turn in turns)),
            plain["shards"],
            arrays["room_fen"],
            arrays["room_count"],
            PriceSteps.from_state(plain, arrays),
            Prices(arrays["price_fen"], arrays["price_count"]),
            number=plain["number"],
            phase=Phase(plain["phase"]),
            turn=plain["turn"],
            best=Prices(arrays["best_fen"], arrays["best_count"]) if plain["has_best"] else None,
            bound_micro=plain["bound_micro"],
            rooms=[arrays["rooms_0"], arrays["rooms_1"]],
            wanted=[arrays["wanted_0"], arrays["wanted_1"]],
            left=[arrays["left_0"], arrays["left_1"]],
            totals=plain["totals"],
            digests=plain["digests"],
            done=plain["done"],
        )
