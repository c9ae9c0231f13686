"""Anyone's check that no allocation can be worth much more: a page of NumPy, without the engine.

Takes dumped pairs, rooms and published prices; `bound_fen` works out the dual value again. For any
prices >= 0 no allocation of these pairs within these rooms is worth more (weak duality, bounds.py).
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.int64]

MICRO = 10**6
NOTHING = -(2**62)


def bound_fen(
    pairs: Mapping[str, Column],
    requests: Mapping[str, Column],
    offers: Mapping[str, Column],
    *,
    share: float = 1.0,
) -> float:
    """The bound in fen. `share`: of the requests that were dumped, where they are a sample.

    pairs: request, offer, institution, amount_fen, first_fen, further_fen. requests (by number):
    slots, is_reached. offers (by number): room_fen, room_count (-1 = none), price_fen_ppm,
    price_count_fen. Exact to a fen where `share` is 1; on a sample an estimate.
    """
    price = offers["price_fen_ppm"]
    limited = offers["room_count"] >= 0
    if (price < 0).any() or (offers["price_count_fen"] < 0).any():
        raise ValueError("prices are never negative")
    if offers["price_count_fen"][~limited].any():
        raise ValueError("a price per proposal needs an offer with a count")
    rooms = sum(int(p) * int(r) for p, r in zip(price, offers["room_fen"], strict=True))
    rooms += MICRO * sum(
        int(p) * int(c)
        for p, c in zip(offers["price_count_fen"], offers["room_count"], strict=True)
        if p
    )
    worth = requests_worth_micro(pairs, requests, offers)
    return rooms / MICRO + sum(map(int, worth)) / MICRO / share


def requests_worth_micro(
    pairs: Mapping[str, Column],
    requests: Mapping[str, Column],
    offers: Mapping[str, Column],
) -> Column:
    """By number of the request, in micro-fen: what its best set is worth beyond the prices."""
    j = pairs["offer"]
    amount, price = pairs["amount_fen"], offers["price_fen_ppm"][j]
    # An amount beyond the whole room can be in no allocation; a cost beyond 64 bits pays for none.
    fits = amount <= offers["room_fen"][j]
    fits &= offers["room_count"][j] != 0
    fits &= price.astype(float) * amount < 4e18
    cost = np.where(fits, price, 0) * amount + offers["price_count_fen"][j] * MICRO
    further = np.where(fits, pairs["further_fen"] * MICRO - cost, NOTHING)
    first = np.where(fits, pairs["first_fen"] * MICRO - cost, NOTHING)
    order = np.lexsort((-further, pairs["request"]))
    edges = np.flatnonzero(np.diff(pairs["request"][order], prepend=-1, append=-1))
    worth = np.zeros(len(requests["slots"]), dtype=np.int64)
    for a, b in pairwise(edges):
        mine = order[a:b]
        request = int(pairs["request"][mine[0]])
        slots = int(requests["slots"][request])
        if slots <= 0:
            continue
        # The best of each institution, in falling order; one more than fits, for the first's own.
        best: list[tuple[int, int]] = []
        for place in mine:
            house = int(pairs["institution"][place])
            if further[place] > 0 and all(house != known for _, known in best):
                best.append((int(further[place]), house))
            if len(best) > slots or further[place] <= 0:
                break
        if requests["is_reached"][request]:
            worth[request] = sum(value for value, _ in best[:slots])
            continue
        total = 0
        for place in mine[first[mine] > NOTHING]:
            house = int(pairs["institution"][place])
            others = [value for value, known in best if known != house][: slots - 1]
            total = max(total, int(first[place]) + sum(others))
        worth[request] = total
    return worth
