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

from financing.matching.national.allotment import apportioned, as_wanted
from financing.matching.national.best_set import MICRO
from financing.matching.national.near_ties import Ties, no_ties
from financing.matching.national.orders import Prices
from financing.matching.national.price_steps import (
    Demand,
    FinePrices,
    PriceSteps,
    rooms_worth_micro,
)
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
    """Who gets room, and at which shares of the prices, one after the other."""

    is_first: bool
    """All rooms among all requests; otherwise what is left among those who are not full."""
    discounts_ppm: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question to one shard. `room_fen`, `room_count` by offer: its allotment (GIVE), what is
    left for all (ASK); empty otherwise. `turn`: to whom room is given or is to be given.
    `blur_ppm`: width of the blur, 0 = none; `part`: what prices have beyond whole ppm under it."""

    number: int
    shard: int
    phase: Phase
    prices: Prices
    turn: Turn
    room_fen: Int64
    room_count: Int64
    part: Int64
    blur_ppm: int

    def to_bytes(self) -> bytes:
        return to_wire(
            "question",
            {
                "number": self.number,
                "shard": self.shard,
                "phase": self.phase.value,
                "turn": [self.turn.is_first, list(self.turn.discounts_ppm)],
                "blur_ppm": self.blur_ppm,
            },
            {
                "price_fen": self.prices.fen_ppm,
                "price_count": self.prices.count_fen,
                "room_fen": self.room_fen,
                "room_count": self.room_count,
                "part": self.part,
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
            _turn(plain["turn"]),
            arrays["room_fen"],
            arrays["room_count"],
            arrays["part"],
            plain["blur_ppm"],
        )


NO_TIES = no_ties(0)
NO_PART = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Whole sums of one shard. `fen`, `count` by offer: wanted (PRICES, ASK) or used (GIVE);
    `ties` under a blur (PRICES), else empty.

    `worth_fen`, `worth_micro`: the shard's part of the dual (PRICES) or of the value (VALUES), in
    fen and what is beyond them in micro-fen. The last fields belong to VALUES.
    """

    number: int
    shard: int
    fen: Int64
    count: Int64
    ties: Ties = NO_TIES
    worth_fen: int = 0
    worth_micro: int = 0
    saving_fen: int = 0
    reached_count: int = 0
    proposals_count: int = 0
    digest: str = ""

    def to_bytes(self) -> bytes:
        plain = {name: getattr(self, name) for name in _PLAIN}
        arrays = {"fen": self.fen, "count": self.count} | self.ties._asdict()
        return to_wire("answer", plain, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("answer", data)
        ties = Ties(arrays["shared"], arrays["lone"])
        return cls(fen=arrays["fen"], count=arrays["count"], ties=ties, **plain)


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


def _turn(plain: list[Any]) -> Turn:
    return Turn(plain[0], tuple(plain[1]))


@dataclass(frozen=True, slots=True)
class Plan:
    """How many passes over all requests there are, and how room is given, turn by turn.

    The last pass moves no price: it says what each shard will want. One more, without blur, proves
    the bound.
    """

    passes: int = 3
    turns: tuple[Turn, ...] = (
        Turn(is_first=True, discounts_ppm=(1_000_000, 800_000)),
        Turn(is_first=False, discounts_ppm=(400_000, 0)),
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
    fine: FinePrices
    blur_ppm: int
    number: int = 0
    phase: Phase = Phase.PRICES
    turn: int = 0
    """Passes done, then turns done."""
    bound_micro: int = 0
    """At the prices: no allocation is worth more."""
    rooms: list[Int64] = field(default_factory=list)
    """What the questions of this round say: fen and count, by shard or one line for all."""
    wanted: list[Int64] = field(default_factory=list)
    """Fen and count by shard: what the last pass says each will want."""
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
        """Of so many shards, from what samples taught (`sampling.py`)."""
        return cls(
            Plan() if plan is None else plan,
            shards,
            room_fen,
            room_count,
            PriceSteps.begin(room_fen, room_count, begin.bonds),
            begin.prices,
            begin.blur_ppm,
            rooms=[np.zeros((1, 0), dtype=np.int64)] * 2,
            left=[room_fen.copy(), room_count.copy()],
        )

    @property
    def prices(self) -> Prices:
        """As they are published."""
        return self.fine.rounded()

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
        turn = Turn(is_first=False, discounts_ppm=())
        if self.phase in {Phase.GIVE, Phase.ASK}:
            turn = self.plan.turns[self.turn]
        prices, part = self.prices, NO_PART
        is_blurred = self.phase is Phase.PRICES and self.turn < self.plan.passes
        if is_blurred or (self.phase is Phase.GIVE and turn.is_first):
            prices, part = self.fine.split()
        blur_ppm = self.blur_ppm if len(part) else 0
        return Question(self.number, shard, self.phase, prices, turn, fen, count, part, blur_ppm)

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
            self._hear_prices(ordered, fen, count)
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

    def _hear_prices(self, answers: list[Answer], fen: Int64, count: Int64) -> None:
        if self.turn == self.plan.passes:
            worth = sum(a.worth_fen * MICRO + a.worth_micro for a in answers)
            rooms = rooms_worth_micro(self.room_fen, self.room_count, self.prices)
            self.bound_micro = worth + rooms
            self.turn = 0
            self.rooms = list(as_wanted(self.room_fen, self.room_count, *self.wanted))
            self.phase = Phase.GIVE
            return
        self.turn += 1
        if self.turn == self.plan.passes:
            self.wanted = [fen, count]
            return
        ties = Ties(
            np.sum([a.ties.shared for a in answers], axis=0),
            np.sum([a.ties.lone for a in answers], axis=0),
        )
        demand = Demand.of(fen.sum(axis=0), count.sum(axis=0), ties, 1.0)
        self.fine = self.steps.moved(self.fine, demand, self.blur_ppm)

    def _allot(self, fen: Int64, count: Int64) -> None:
        self.rooms = list(apportioned(self.left[0], self.left[1], fen, count))
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
        plain: dict[str, Any] = {
            "passes": self.plan.passes,
            "turns": [[turn.is_first, list(turn.discounts_ppm)] for turn in self.plan.turns],
            "shards": self.shards,
            "blur_ppm": self.blur_ppm,
            "number": self.number,
            "phase": self.phase.value,
            "turn": self.turn,
            "bound_micro": self.bound_micro,
            "totals": self.totals,
            "digests": self.digests,
            "done": self.done,
        }
        arrays = {
            "room_fen": self.room_fen,
            "room_count": self.room_count,
            "fine_ppm": self.fine.ppm,
            "fine_count": self.fine.count_fen,
        }
        for name in ("rooms", "wanted", "left"):
            for place, array in enumerate(getattr(self, name)):
                arrays[f"{name}_{place}"] = array
        return to_wire("conductor", plain, arrays | self.steps.state())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("conductor", data)
        return cls(
            Plan(plain["passes"], tuple(_turn(turn) for turn in plain["turns"])),
            plain["shards"],
            arrays["room_fen"],
            arrays["room_count"],
            PriceSteps.from_state(arrays["room_fen"], arrays["room_count"], arrays),
            FinePrices(arrays["fine_ppm"], arrays["fine_count"]),
            plain["blur_ppm"],
            number=plain["number"],
            phase=Phase(plain["phase"]),
            turn=plain["turn"],
            bound_micro=plain["bound_micro"],
            rooms=[arrays["rooms_0"], arrays["rooms_1"]],
            wanted=[arrays[name] for name in ("wanted_0", "wanted_1") if name in arrays],
            left=[arrays["left_0"], arrays["left_1"]],
            totals=plain["totals"],
            digests=plain["digests"],
            done=plain["done"],
        )
