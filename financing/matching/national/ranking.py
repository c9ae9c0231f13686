"""Proposals in the order in which they are stored: by request id, then rank; for `loan_run.py`.

Rank 1 is the proposal that reaches the business; the others follow by worth, ties by the lottery,
as `allocation.ranked` has it.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.pairs import lot
from financing.matching.national.problem import Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64, UInt8


class Ranked(NamedTuple):
    """One line per proposal: packed place of its request, its place in `Given`, and its rank."""

    request: Int64
    place: Int64
    rank: UInt8


def ranked(requests: Records, given: Given, worth_fen: Int64, first: UInt8, seed: int) -> Ranked:
    """`worth_fen`: by packed request and place, what orders further ones. `first`: 255 = none."""
    counts = (given.offer >= 0).sum(axis=1)
    some = np.flatnonzero(counts)
    order = some[np.argsort(requests["id"][some], kind="stable")].astype(np.int32)
    starts = np.zeros(len(order) + 1, dtype=np.int64)
    np.cumsum(counts[order], out=starts[1:])
    total = int(starts[-1])
    lines = Ranked(
        np.empty(total, dtype=np.int64),
        np.empty(total, dtype=np.int64),
        np.empty(total, dtype=np.uint8),
    )
    _rank(order, starts, requests, given.offer, worth_fen, first, seed, lines)
    return lines


@bare
def _rank(
    order: Int32,
    starts: Int64,
    requests: Records,
    offer: Int32,
    worth_fen: Int64,
    first: UInt8,
    seed: int,
    lines: Ranked,
) -> None:
    request, place, rank = lines.request, lines.place, lines.rank
    for n in range(len(order)):
        i = order[n]
        begin = starts[n]
        at = begin
        for y in range(offer.shape[1]):
            if offer[i, y] < 0:
                continue
            # Insertion among the few of this request.
            x = at
            while x > begin:
                before = place[x - 1]
                is_before = before == first[i]
                if not is_before and y != first[i]:
                    is_before = worth_fen[i, before] > worth_fen[i, y]
                    if worth_fen[i, before] == worth_fen[i, y]:
                        mine = lot(seed, requests[i].id, offer[i, y])
                        is_before = lot(seed, requests[i].id, offer[i, before]) < mine
                if is_before:
                    break
                place[x] = before
                x -= 1
            place[x] = y
            request[at] = i
            rank[at] = at - begin + 1
            at += 1
