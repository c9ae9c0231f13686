"""How prices move: all together, to where demand is expected to equal the rooms.

Offers compete: who is dearer loses requests to its neighbours, and a price by itself says little.
Near ties (`near_ties.py`) say how much goes from whom to whom per ppm of price; that is a network
with a weight on every bond, and Newton's step solves it for the prices at which nothing is asked
for too much or too little. The bonds are those of a sample; they are scaled to what the requests
asked say of each offer. Sequential sums only, so that any machine moves alike. Called by
`rounds.py`, `sampling.py`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import MICRO
from financing.matching.national.compiled import bare
from financing.matching.national.near_ties import NO_BONDS, UNIT_FEN, Bonds, Ties
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT
from financing.matching.national.problem import Float64, Records
from financing.matching.national.tables import Bool, Int64

MOST_PRICE_PPM = 9_000_000_000
MOST_COUNT_PRICE_FEN = 2.0**52
PART = 1 << 29
"""Parts of a ppm that a walk knows (`pairs.blurred`)."""
REACH = 3
"""Ties are near within so many widths of the blur."""
DAMPED = 0.8
LONGEST = 4.0
"""A move is so many widths of the blur at most; twice as many each time it went that far before,
the same way: few compete with some offers, and their prices have far to go."""
MOST_MOVE = 0.25
"""Of the highest price."""
STIFF = 5e-4
"""Share of its room that every offer loses per reach of price at least."""
SCALINGS, SOLVING = 20, 60


def usual_worth(requests: Records) -> int:
    """Median worth of reaching a business per fen asked for, in ppm."""
    if not len(requests):
        return PPM
    return max(1, int(np.median(requests["coverage"] / requests["principal"]) * PPM))


def rooms_worth_micro(room_fen: Int64, room_count: Int64, prices: Prices) -> int:
    """What the prices make of the rooms: the part of the bound that is not the requests'."""
    fen = sum(int(p) * int(r) for p, r in zip(prices.fen_ppm, room_fen, strict=True) if p)
    pieces = zip(prices.count_fen, room_count, strict=True)
    return fen + sum(int(p) * MICRO * int(count) for p, count in pieces if p)


class FinePrices(NamedTuple):
    """Prices while they are learned: per fen in ppm with what is beyond whole ones, and per
    proposal in fen."""

    ppm: Float64
    count_fen: Float64

    @classmethod
    def of(cls, prices: Prices) -> Self:
        return cls(prices.fen_ppm.astype(np.float64), prices.count_fen.astype(np.float64))

    def rounded(self) -> Prices:
        """As they are published."""
        return Prices(np.rint(self.ppm).astype(np.int64), np.rint(self.count_fen).astype(np.int64))

    def split(self) -> tuple[Prices, Int64]:
        """Whole ppm, and parts beyond them, as a blurred walk takes them."""
        whole = np.floor(self.ppm)
        count = np.rint(self.count_fen).astype(np.int64)
        return Prices(whole.astype(np.int64), count), ((self.ppm - whole) * PART).astype(np.int64)


class Demand(NamedTuple):
    """What requests would take under a blur, by offer, in proportion to all requests."""

    fen: Float64
    count: Float64  # type: ignore[assignment]
    shared: Float64
    lone: Float64

    @classmethod
    def of(cls, fen: Int64, count: Int64, ties: Ties, share: float) -> Self:
        """From sums over this share of the requests."""
        return cls(fen / share, count / share, ties.shared / share, ties.lone / share)


@dataclass(slots=True, eq=False)
class PriceSteps:
    """Moves the prices of these rooms. `bonds`: of a sample; `far`: the last moves, with their
    signs, where they went as far as they might."""

    room_fen: Int64
    room_count: Int64
    bonds: Bonds
    far: Float64

    @classmethod
    def begin(cls, room_fen: Int64, room_count: Int64, bonds: Bonds = NO_BONDS) -> Self:
        return cls(room_fen, room_count, bonds, np.zeros(len(room_fen)))

    def moved(self, prices: FinePrices, demand: Demand, blur_ppm: int) -> FinePrices:
        """The next prices after this demand at a blur so wide."""
        limited = self.room_count < NO_COUNT // 2
        pieces = np.where(limited, self.room_count, 0).astype(np.float64)
        usual_fen = demand.fen / np.maximum(demand.count, 1.0)
        over = demand.fen - self.room_fen
        over_pieces = np.where(limited, demand.count - pieces, 0.0)
        # What lacks most has its price moved; where nothing lacks, what has one.
        by_count = distance(demand.count, np.where(limited, self.room_count, 1))
        lacks = (over > 0) | (over_pieces > 0)
        by_count_first = np.where(lacks, by_count > distance(demand.fen, self.room_fen), True)
        in_pieces = limited & by_count_first & ((prices.count_fen > 0) | (over_pieces > 0))
        excess = np.where(in_pieces, over_pieces * usual_fen, over)
        priced = np.where(in_pieces, prices.count_fen, prices.ppm) > 0
        step = self._solved(excess, priced | (excess > 0), demand, blur_ppm)
        step *= DAMPED
        same = np.sign(step) == np.sign(self.far)
        most = np.maximum(np.where(same, 2 * np.abs(self.far), 0.0), LONGEST * blur_ppm)
        most = np.minimum(most, MOST_MOVE * prices.ppm.max(initial=0.0) + LONGEST * blur_ppm)
        self.far = np.where(np.abs(step) > most, np.sign(step) * most, 0.0)
        step = np.clip(step, -most, most)
        ppm = np.where(in_pieces, prices.ppm, prices.ppm + step)
        count_fen = prices.count_fen + np.where(in_pieces, step * usual_fen / PPM, 0.0)
        # Where both have a price and one alone lacks, the other's goes over to it.
        both = limited & (prices.ppm > 0) & (prices.count_fen > 0)
        to_fen = np.where(both & (over > 0) & (over_pieces < 0), prices.count_fen / 2, 0.0)
        to_pieces = np.where(both & (over_pieces > 0) & (over < 0), prices.ppm / 2, 0.0)
        ppm += to_fen * PPM / np.maximum(usual_fen, 1.0) - to_pieces
        count_fen += to_pieces * usual_fen / PPM - to_fen
        return FinePrices(
            np.clip(ppm, 0.0, MOST_PRICE_PPM),
            np.clip(count_fen, 0.0, MOST_COUNT_PRICE_FEN),
        )

    def _solved(self, excess: Float64, live: Bool, demand: Demand, blur_ppm: int) -> Float64:
        """By how many ppm each price of `live` must rise for its excess to go."""
        reach = REACH * blur_ppm
        # Ties thin out towards the reach as a triangle does: twice their mean is the density.
        per_ppm = 2.0 * UNIT_FEN / reach**2
        shared, lone = demand.shared * per_ppm, demand.lone * per_ppm
        first, second, weight = self.bonds
        bonds = weight.astype(np.float64)
        scale = np.ones(len(shared))
        sums = np.empty(len(shared))
        _scale(first, second, bonds, shared, scale, sums)
        bonds *= scale[first] * scale[second]
        found, *work = (np.zeros(len(shared)) for _ in range(5))
        diagonal = np.maximum(shared, sums) + lone + self.room_fen * (STIFF / reach) + 1e-9
        _solve(first, second, bonds, diagonal, live, excess, found, *work)
        return found

    def state(self) -> dict[str, Any]:
        """Arrays that say it all beside the rooms."""
        bonds = {f"bonds_{name}": array for name, array in self.bonds._asdict().items()}
        return bonds | {"far": self.far}

    @classmethod
    def from_state(cls, room_fen: Int64, room_count: Int64, arrays: dict[str, Any]) -> Self:
        bonds = Bonds(*(arrays[f"bonds_{name}"] for name in Bonds._fields))
        return cls(room_fen, room_count, bonds, arrays["far"])


def distance(asked: Float64 | Int64, room: Float64 | Int64) -> Float64:
    """0 where as much is asked for as there is, -2 where nothing is, up to 2 where far more is."""
    both = asked + room
    return np.asarray(2 * (asked - room) / np.where(both > 0, both, 1.0), dtype=np.float64)


@bare
def _scale(
    first: Int64, second: Int64, bonds: Float64, wanted: Float64, scale: Float64, sums: Float64
) -> None:
    """`scale` by offer: bonds times that of both ends add up to `wanted` at each offer (Sinkhorn);
    `sums`: to what they add up."""
    for _ in range(SCALINGS):
        for j in range(len(scale)):
            sums[j] = 0.0
        for x in range(len(bonds)):
            sums[first[x]] += bonds[x] * scale[second[x]]
            sums[second[x]] += bonds[x] * scale[first[x]]
        for j in range(len(scale)):
            if sums[j] > 0:
                scale[j] = np.sqrt(scale[j] * wanted[j] / sums[j])
    for j in range(len(scale)):
        sums[j] = 0.0
    for x in range(len(bonds)):
        both = bonds[x] * scale[first[x]] * scale[second[x]]
        sums[first[x]] += both
        sums[second[x]] += both


@bare
def _solve(
    first: Int64,
    second: Int64,
    bonds: Float64,
    diagonal: Float64,
    live: Bool,
    excess: Float64,
    found: Float64,
    rest: Float64,
    way: Float64,
    image: Float64,
    scaled: Float64,
) -> None:
    """Conjugate gradients, each unknown in proportion to its diagonal; offers that are not `live`
    keep their prices."""
    before, goal = 0.0, 0.0
    for j in range(len(found)):
        if live[j]:
            rest[j] = excess[j]
            scaled[j] = excess[j] / diagonal[j]
            way[j] = scaled[j]
            before += rest[j] * scaled[j]
    goal = before * 1e-4
    for _ in range(SOLVING):
        if before <= goal:
            break
        for j in range(len(found)):
            image[j] = diagonal[j] * way[j]
        for x in range(len(bonds)):
            i, j = first[x], second[x]
            image[i] -= bonds[x] * way[j]
            image[j] -= bonds[x] * way[i]
        along = 0.0
        for j in range(len(found)):
            if live[j]:
                along += way[j] * image[j]
        if along <= 0:
            break
        length, after = before / along, 0.0
        for j in range(len(found)):
            if live[j]:
                found[j] += length * way[j]
                rest[j] -= length * image[j]
                scaled[j] = rest[j] / diagonal[j]
                after += rest[j] * scaled[j]
        for j in range(len(found)):
            if live[j]:
                way[j] = scaled[j] + after / before * way[j]
        before = after
