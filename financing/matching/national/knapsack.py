"""The best set of bids for one room: branch and bound within a limit of steps; for `refill.py`."""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare, compiled
from financing.matching.national.problem import Float64
from financing.matching.national.tables import Int32, Int64, UInt8

MOST_STEPS = 2_000
MOST_LOOKS = 2_000_000
"""Steps times requests bidding, for one room."""


class Bids(NamedTuple):
    """Who holds a room (`inside`) or asks for it, and what they gain by it; `best` marks those who
    get it, by place in order. The rest are places to work in."""

    pair: Int64
    line: Int32
    gain: Float64
    size: Float64
    inside: UInt8
    best: UInt8
    gains: Float64
    sizes: Float64
    smallest: Float64


@compiled
def make_bids(most: int) -> Bids:
    return Bids(
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.int32),
        np.empty(most),
        np.empty(most),
        np.zeros(most, dtype=np.uint8),
        np.zeros(most, dtype=np.uint8),
        np.empty(most + 1),
        np.empty(most + 1),
        np.empty(most + 1),
    )


@bare
def best_set_of(order: Int64, room: float, pieces: int, known: float, bids: Bids) -> float:
    """Branch and bound; `bids.best`, by place in `order`, marks the best set above `known`."""
    count = len(order)
    gain, size, inside = bids.gain, bids.size, bids.inside
    gains, sizes = bids.gains, bids.sizes
    gains[0] = sizes[0] = 0.0
    for at in range(count):
        inside[at] = 0
        gains[at + 1] = gains[at] + gain[order[at]]
        sizes[at + 1] = sizes[at] + size[order[at]]
    # From each place on the smallest: below that nothing more goes in.
    smallest = bids.smallest
    smallest[count] = 1e300
    for at in range(count - 1, -1, -1):
        smallest[at] = min(smallest[at + 1], size[order[at]])
    best, value, left, taken = known, 0.0, room, 0
    at, steps = 0, 0
    limit = min(MOST_STEPS, MOST_LOOKS // max(count, 1))
    while steps < limit:
        steps += 1
        # What could still come of it: the rest in order, the last one in part.
        low, high = at, count
        while low < high:
            middle = (low + high + 1) // 2
            if sizes[middle] - sizes[at] <= left:
                low = middle
            else:
                high = middle - 1
        bound = value + gains[low] - gains[at]
        if low < count:
            one = order[low]
            bound += gain[one] * (left - (sizes[low] - sizes[at])) / size[one]
        if bound > best + 1.0:
            while left >= smallest[at] and taken < pieces:
                one = order[at]
                if size[one] <= left and gain[one] > 0:
                    inside[at] = 1
                    left -= size[one]
                    value += gain[one]
                    taken += 1
                at += 1
            if value > best:
                best = value
                for b in range(count):
                    bids.best[b] = inside[b]
        # Back to the last one inside, and on without it.
        at -= 1
        while at >= 0 and inside[at] == 0:
            at -= 1
        if at < 0:
            break
        one = order[at]
        inside[at] = 0
        left += size[one]
        value -= gain[one]
        taken -= 1
        at += 1
    return best
