"""How demand answers prices: proposals that a slightly higher price would lose, and to whom.

Of each proposal that requests would take, what losing it would cost and who would come instead are
known from the walk. One that costs less than `reach` per fen to lose is a near tie: it says that as
much would leave the one offer for the other if their prices parted. Counted in whole numbers, so
that neither the order of lines nor of shards changes a digit. Called by `sampling.py`, `shards.py`.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.best_set import Taken
from financing.matching.national.compiled import bare
from financing.matching.national.tables import Int64

UNIT_FEN = 10_000
"""Amounts count in units of 100 yuan, so that sums over a country fit 64 bits."""


class Ties(NamedTuple):
    """By offer, in units x ppm: what would go to another offer or come from one, and what would go
    to none."""

    shared: Int64
    lone: Int64


class Bonds(NamedTuple):
    """The same between two offers: `first` < `second`, each pair once, rising."""

    first: Int64
    second: Int64
    weight: Int64


NO_BONDS = Bonds(*(np.zeros(0, dtype=np.int64) for _ in Bonds._fields))


def no_ties(offers: int) -> Ties:
    return Ties(np.zeros(offers, dtype=np.int64), np.zeros(offers, dtype=np.int64))


def add_ties(taken: Taken, reach_ppm: int, ties: Ties) -> None:
    """Of these lines, to `ties`. A tie counts the more the nearer it is."""
    none = np.zeros(0, dtype=np.int64)
    _count(taken, reach_ppm, ties, none, none)


def bonds_of(taken: Taken, reach_ppm: int, ties: Ties) -> Bonds:
    """Ties of these lines by pairs of offers; counted in `ties` as well."""
    offers = len(ties.shared)
    keys = np.full(taken.offer.size, -1, dtype=np.int64)
    weights = np.zeros(taken.offer.size, dtype=np.int64)
    _count(taken, reach_ppm, ties, keys, weights)
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    keys = keys[order]
    begin = np.flatnonzero(np.diff(keys, prepend=-1))
    if not len(begin):
        return NO_BONDS
    weight = np.add.reduceat(weights[order], begin)
    return Bonds(keys[begin] // offers, keys[begin] % offers, weight)


@bare
def _count(taken: Taken, reach: int, ties: Ties, keys: Int64, weights: Int64) -> None:
    """`keys`, `weights`: by line and place the pair of offers, where asked for."""
    offer, amount, loss, other = taken.offer, taken.amount, taken.loss, taken.other
    shared, lone = ties.shared, ties.lone
    most, offers = offer.shape[1], len(shared)
    for n in range(len(offer)):
        for y in range(most):
            j, i = offer[n, y], other[n, y]
            if j < 0 and i < 0:
                continue
            # Micro-fen per fen are ppm of price.
            far = np.int64(loss[n, y] / amount[n, y])
            if far >= reach:
                continue
            weight = amount[n, y] // UNIT_FEN * (reach - far)
            if i < 0 or j < 0:
                lone[max(i, j)] += weight
                continue
            shared[j] += weight
            shared[i] += weight
            if len(keys) > 0:
                keys[n * most + y] = min(i, j) * np.int64(offers) + max(i, j)
                weights[n * most + y] = weight
