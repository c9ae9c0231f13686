"""How prices move: by the sign of use - room, with a step for each offer.

A step grows while the sign holds and is halved when it flips (MATCHING §3). Called by `rounds.py`
and `prices.py`; whole numbers and plain floats only, so that any machine moves alike.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.best_set import MICRO
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT
from financing.matching.national.problem import Float64, Records
from financing.matching.national.tables import Int64

MOST_PRICE_PPM = 9_000_000_000
MOST_COUNT_PRICE_FEN = 2**52
GROW, SHRINK = 1.25, 0.5


def usual_worth(requests: Records) -> tuple[int, int]:
    """Median worth of reaching a business: per fen asked for (in ppm), and in fen."""
    if not len(requests):
        return PPM, PPM
    per_fen = np.median(requests["coverage"] / requests["principal"]) * PPM
    return max(1, int(per_fen)), max(1, int(np.median(requests["coverage"])))


def rooms_worth_micro(room_fen: Int64, room_count: Int64, prices: Prices) -> int:
    """What the prices make of the rooms: the part of the bound that is not the requests'."""
    fen = sum(int(p) * int(r) for p, r in zip(prices.fen_ppm, room_fen, strict=True) if p)
    pieces = zip(prices.count_fen, room_count, strict=True)
    return fen + sum(int(p) * MICRO * int(count) for p, count in pieces if p)


@dataclass(slots=True, eq=False)
class PriceSteps:
    """Step (ppm) and last sign by offer; `fen_per_ppm` turns a step into one of a price a piece."""

    steps: Float64
    signs: Int64
    fen_per_ppm: float

    @classmethod
    def begin(
        cls,
        room_fen: Int64,
        room_count: Int64,
        prices: Prices,
        usual_ppm: int,
        usual_fen: int,
        step_ppm: int,
    ) -> Self:
        """`step_ppm`: the first step as a share of each price, or of a usual one where that is
        less than a tenth of it."""
        base = np.maximum(prices.fen_ppm, usual_ppm / 10)
        return cls(
            np.maximum(base * (step_ppm / PPM), 2.0),
            np.zeros(len(room_fen), dtype=np.int64),
            usual_fen / usual_ppm,
        )

    def moved(
        self, room_fen: Int64, room_count: Int64, prices: Prices, fen: Int64, count: Int64
    ) -> Prices:
        """The next prices after this use of the rooms; changes the steps."""
        limited = room_count < NO_COUNT // 2
        over_fen, over_count = fen > room_fen, limited & (count > room_count)
        signs = np.where(over_fen | over_count, 1, -1)
        kept = (signs == self.signs) | (self.signs == 0)
        self.steps = np.maximum(self.steps * np.where(kept, GROW, SHRINK), 1.0)
        # A price at nothing that stays there starts afresh, not with a step grown in idleness.
        idle = (signs < 0) & (prices.fen_ppm == 0) & (prices.count_fen == 0)
        self.signs = np.where(idle, 0, signs)
        self.steps = np.where(idle, self.steps / GROW, self.steps)
        by_fen = np.where(over_fen | (signs < 0), signs * self.steps, 0.0)
        by_count = np.where(
            limited & (over_count | (signs < 0)), signs * self.steps * self.fen_per_ppm, 0.0
        )
        return Prices(
            np.clip(prices.fen_ppm + by_fen, 0, MOST_PRICE_PPM).astype(np.int64),
            np.clip(prices.count_fen + by_count, 0, MOST_COUNT_PRICE_FEN).astype(np.int64),
        )

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"fen_per_ppm": self.fen_per_ppm}, {"steps": self.steps, "signs": self.signs}

    @classmethod
    def from_state(cls, plain: dict[str, Any], arrays: dict[str, Any]) -> Self:
        return cls(arrays["steps"], arrays["signs"], plain["fen_per_ppm"])
