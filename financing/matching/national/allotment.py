"""Rooms of offers divided among shards by what they ask for; called by `rounds.py`."""

import numpy as np

from financing.matching.national.packing import NO_COUNT
from financing.matching.national.tables import Int64

LOANS_PER_PART = 2
"""What is left is cut into parts of some usual loans: crumbs are of no use to anybody."""


def apportioned(
    room_fen: Int64,
    room_count: Int64,
    asked_fen: Int64,
    asked_count: Int64,
) -> tuple[Int64, Int64]:
    """By shard (line) and offer: parts of the room in proportion to what is asked, in whole fen
    and pieces by largest remainder; together all of it where anybody asks.

    Parts hold LOANS_PER_PART usual loans at least; those who ask for most come first
    where the room is too small for all. An offer without a count
    (NO_COUNT) has none for any shard.
    """
    fen = np.zeros_like(asked_fen)
    count = np.zeros_like(asked_count)
    unlimited = room_count >= NO_COUNT // 2
    count[:, unlimited] = NO_COUNT
    asking = (asked_fen > 0).sum(axis=0)
    open_ = (room_fen > 0) & (room_count > 0)
    # Most offers serve one province: its shard gets all.
    alone = np.flatnonzero((asking == 1) & open_)
    who = np.argmax(asked_fen[:, alone] > 0, axis=0)
    fen[who, alone] = room_fen[alone]
    count[who, alone] = room_count[alone]
    for offer in np.flatnonzero((asking > 1) & open_):
        wishes = [int(one) for one in asked_fen[:, offer]]
        usual = max(1, sum(wishes) // max(1, int(asked_count[:, offer].sum())))
        most = max(1, int(room_fen[offer]) // (LOANS_PER_PART * usual))
        if not unlimited[offer]:
            most = max(1, min(most, int(room_count[offer])))
        order = sorted(range(len(wishes)), key=lambda shard: (-wishes[shard], shard))
        for shard in order[most:]:
            wishes[shard] = 0
        fen[:, offer] = largest_remainder(int(room_fen[offer]), wishes)
        if not unlimited[offer]:
            pieces = [
                int(n) if w else 0 for n, w in zip(asked_count[:, offer], wishes, strict=True)
            ]
            count[:, offer] = largest_remainder(int(room_count[offer]), pieces)
    return fen, count


def as_wanted(
    room_fen: Int64, room_count: Int64, wanted_fen: Int64, wanted_count: Int64
) -> tuple[Int64, Int64]:
    """By shard (line) and offer: what each wants, and the rest of the room to who wants most.

    What is wanted too much is cut from those who want most: among many requests the loans that fit
    what is left are found at least loss.
    """
    order = np.argsort(wanted_fen, axis=0, kind="stable")
    unlimited = room_count >= NO_COUNT // 2
    fen = _smallest_first(room_fen, wanted_fen, order)
    count = _smallest_first(room_count, wanted_count, order)
    fen[:, ~wanted_fen.any(axis=0)] = 0
    count[:, unlimited] = NO_COUNT
    return fen, count


def _smallest_first(room: Int64, wanted: Int64, order: Int64) -> Int64:
    rising = np.take_along_axis(wanted, order, axis=0)
    before = np.cumsum(rising, axis=0) - rising
    given = np.minimum(rising, np.maximum(room - before, 0))
    given[-1] = np.maximum(room - before[-1], 0)
    found = np.empty_like(wanted)
    np.put_along_axis(found, order, given, axis=0)
    return found


def largest_remainder(room: int, wishes: list[int]) -> list[int]:
    """`room` in proportion to the wishes, whole, all of it; the earlier one where parts tie."""
    total = sum(wishes)
    if total == 0:
        return [0] * len(wishes)
    parts = [room * wish // total for wish in wishes]
    rest = [room * wish % total for wish in wishes]
    order = sorted(range(len(wishes)), key=lambda shard: (-rest[shard], shard))
    for shard in order[: room - sum(parts)]:
        parts[shard] += 1
    return parts
