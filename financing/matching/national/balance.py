"""Prices at which every room is asked for as much as it holds; called by `in_memory.py`.

Requests in equal circumstances change their minds at one price, so that demand jumps where the
best prices are, and prices moved by its sign alone swing there for ever. Here every pair's worth is
blurred a little (`demand.py`): first widely, then less and less, while each price moves by how far
demand is from the room, with a step of its own that grows while the sign holds and is halved when
it flips. At the last width the blurred choices nearly fill the rooms, and the prices without the
blur prove a bound, which `candidates.decide` works out exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.candidates import Candidates, decide, open_state
from financing.matching.national.demand import blur_of, demand
from financing.matching.national.holdings import Board, Float32, make_board
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.price_steps import MOST_PRICE_PPM, distance
from financing.matching.national.prices import draw, room_worth_micro
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Bool, Int64

GROW, SHRINK = 1.3, 0.5
GAIN = 4.0
CALM = 0.05
"""Steps do not grow where demand is so near to the room."""
BLUR_ENDS = 1e-5
BLUR_FALLS = 0.93


@dataclass(frozen=True, slots=True)
class Phase:
    """Rounds on a share of the requests: the first blur, and the first step as a share of the
    usual worth of reaching a business per fen."""

    sample_ppm: int
    rounds: int
    blur: float
    step: float


class Balanced(NamedTuple):
    """Prices, the bound they prove in micro-fen, and the blur at which demand was balanced."""

    prices: Prices
    dual_micro: int
    blur: Float32
    width: float


def phases(count: int, *, is_warm: bool) -> tuple[Phase, ...]:
    """On a quarter of the requests first where they are many."""
    if is_warm:
        return (Phase(PPM, 40, 2e-4, 0.003),)
    if count < 50_000:
        return (Phase(PPM, 80, 1e-3, 0.05),)
    return (Phase(250_000, 45, 1e-3, 0.05), Phase(PPM, 40, 1e-4, 0.003))


def balance(
    problem: Problem,
    candidates: Candidates,
    plan: Sequence[Phase],
    start: Prices,
    *,
    seed: int,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Balanced:
    """Prices from `start` on. `progress` hears each round's bound in fen, about."""
    board = make_board(problem, candidates)
    ids = np.ascontiguousarray(problem.data.requests["id"][candidates.lines])
    blur = blur_of(board, ids, seed, threads)
    k = int(problem.policy.max_proposals_count)
    steps = Steps(problem, board, start)
    width = BLUR_ENDS
    for phase in plan:
        drawn = draw(problem, candidates.lines, phase.sample_ppm, seed)
        if not len(drawn):
            # So few requests that none is in the sample.
            continue
        active = None if phase.sample_ppm >= PPM else drawn
        share = len(drawn) / max(1, len(candidates.lines))
        steps.begin(phase.step)
        for number in range(phase.rounds):
            width = max(phase.blur * BLUR_FALLS**number, BLUR_ENDS)
            price, piece = steps.price, steps.piece
            worth, fen, pieces = demand(board, price, piece, k, active, blur, width, threads)
            if progress is not None:
                progress(worth / share + steps.rooms_worth())
            steps.move(fen / share, pieces / share, width)
    found = steps.prices()
    bound = _bound(problem, candidates, found, seed, threads)
    if start.fen_ppm.any():
        # Yesterday's prices prove a bound, too.
        before = _bound(problem, candidates, start, seed, threads)
        if before < bound:
            found, bound = start, before
    return Balanced(found, bound, blur, width)


def _bound(
    problem: Problem, candidates: Candidates, prices: Prices, seed: int, threads: int
) -> int:
    state = open_state(problem)
    taken = decide(problem, candidates, prices, state, seed=seed, listed=False, threads=threads)
    return taken.worth_micro + room_worth_micro(problem, prices)


class Steps:
    """The prices and each one's step, in value per fen (and per proposal)."""

    def __init__(self, problem: Problem, board: Board, start: Prices) -> None:
        requests = problem.data.requests
        self.price: Float64 = start.fen_ppm / PPM
        self.piece: Float64 = start.count_fen.astype(np.float64)
        self._room = board.room.astype(np.float64)
        self._limited = board.room_count < NO_COUNT // 2
        self._count = np.where(self._limited, board.room_count, 0).astype(np.float64)
        self._usual = float(np.median(requests["coverage"] / requests["principal"]))
        # A price per proposal is of the order of what a business is worth reaching.
        self._per_piece = float(np.median(requests["coverage"])) / max(self._usual, 1e-9)
        self.begin(0.0)

    def begin(self, step: float) -> None:
        """Steps as at the beginning of a phase."""
        self._steps: Float64 = np.full(len(self._room), self._usual * step)
        self._signs: Float64 = np.zeros(len(self._room))

    def move(
        self,
        fen: Float64 | Int64,
        pieces: Float64 | Int64,
        width: float,
        *,
        gain: float = GAIN,
        calm: float = CALM,
        moving: Bool | None = None,
    ) -> None:
        """By `gain` times the distance of demand from the rooms, at most a step.

        `moving`: the offers whose prices may change (all).
        """
        before = self.price, self.piece
        by_fen = distance(fen, self._room)
        by_count = np.where(self._limited, distance(pieces, self._count), -1.0)
        far = np.maximum(by_fen, by_count)
        signs = np.sign(far)
        holds = signs * self._signs >= 0
        grown = np.where(np.abs(far) > calm, self._steps * GROW, self._steps)
        self._steps = np.maximum(np.where(holds, grown, self._steps * SHRINK), width)
        # A price at nothing that stays there starts afresh, not with a step grown in idleness.
        idle = (far < 0) & (self.price == 0) & (self.piece == 0)
        self._steps = np.where(idle, np.minimum(self._steps, 10 * width), self._steps)
        self._signs = np.where(idle, 0.0, signs)
        # Each price by its own distance: a count not used up makes its price fall.
        by = self._steps * np.clip(gain * by_fen, -1, 1)
        self.price = np.clip(self.price + by, 0, MOST_PRICE_PPM / PPM)
        by = self._steps * np.clip(gain * by_count, -1, 1) * self._per_piece
        self.piece = np.where(self._limited, np.clip(self.piece + by, 0, 2**52), self.piece)
        if moving is not None:
            self.price = np.where(moving, self.price, before[0])
            self.piece = np.where(moving, self.piece, before[1])

    def rooms_worth(self) -> float:
        return float((self.price * self._room).sum() + (self.piece * self._count).sum())

    def prices(self) -> Prices:
        return Prices(
            np.rint(self.price * PPM).astype(np.int64), np.rint(self.piece).astype(np.int64)
        )
