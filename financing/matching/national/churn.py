"""Proposals of the run before weigh more, so that they do not change for little; for `engine.py`.

A pair proposed before counts as if it saved `policy.churn_margin_ppm` more, and a fen more in any
case, so that it wins ties. Only the choice among pairs looks at that: prices are learned and the
bound is proved on the true worths, and a run's value is the true one. So the certified gap also
holds what steadiness costs, at most the sum of the bonuses of what was kept.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.candidates import Candidates
from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import scaled, twice_scaled
from financing.matching.national.problem import Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64

Previous = tuple[Int64, Int32]
"""Places of requests in the columns, and of offers among those given."""


class Kept(NamedTuple):
    """By packed request and place: an offer proposed before (-1 = none), its worth with the bonus.

    Worth in fen as a further proposal and as the first; -1 where the pair passes no longer.
    """

    offer: Int32
    further_fen: Int64
    first_fen: Int64


def kept_offers(problem: Problem, numbers: Int32, previous: Previous) -> Int32:
    """`numbers`: number in the problem by place among the offers given; one column at least."""
    packed = np.empty(problem.count, dtype=np.int64)
    packed[problem.line] = np.arange(problem.count)
    # Each pair once.
    pairs = np.unique(np.stack((packed[previous[0]], numbers[previous[1]]), axis=1), axis=0)
    if not len(pairs):
        return np.full((problem.count, 1), -1, dtype=np.int32)
    request = pairs[:, 0]
    column = np.arange(len(request)) - np.searchsorted(request, request)
    offer = np.full((problem.count, int(column.max()) + 1), -1, dtype=np.int32)
    offer[request, column] = pairs[:, 1]
    return offer


def kept_worths(problem: Problem, offer: Int32, amount: Int64, saving: Int64) -> Kept:
    """`amount`, `saving`: what the rules find now for each of these pairs, amount 0 = refused."""
    policy = problem.policy
    kept = Kept(offer, np.full(offer.shape, -1), np.full(offer.shape, -1))
    _worths(
        offer,
        amount,
        saving,
        PPM + policy.churn_margin_ppm,
        int(policy.alternative_share_ppm),
        problem.data.requests,
        problem.data.offers,
        kept,
    )
    return kept


@bare
def _worths(
    offer: Int32,
    amount: Int64,
    saving: Int64,
    times_ppm: int,
    share: int,
    requests: Records,
    offers: Records,
    kept: Kept,
) -> None:
    for i in range(offer.shape[0]):
        for y in range(offer.shape[1]):
            if offer[i, y] < 0 or amount[i, y] <= 0:
                continue
            delivery = offers[offer[i, y]].delivery
            more = scaled(saving[i, y], times_ppm)
            plain = twice_scaled(saving[i, y], share, delivery) + 1
            kept.further_fen[i, y] = max(twice_scaled(more, share, delivery), plain)
            plain = scaled(requests[i].coverage + saving[i, y], delivery) + 1
            kept.first_fen[i, y] = max(scaled(requests[i].coverage + more, delivery), plain)


def with_bonus(candidates: Candidates, kept: Kept) -> Candidates:
    """The same pairs with the worths by which they are chosen."""
    changed = candidates._replace(
        further_fen=candidates.further_fen.copy(), first_fen=candidates.first_fen.copy()
    )
    _raise(changed, kept)
    return changed


@bare
def _raise(candidates: Candidates, kept: Kept) -> None:
    lines, start, names = candidates.lines, candidates.start, candidates.offer
    further, first = candidates.further_fen, candidates.first_fen
    for n in range(len(lines)):
        i = lines[n]
        for y in range(kept.offer.shape[1]):
            if kept.further_fen[i, y] < 0:
                continue
            for x in range(start[n], start[n + 1]):
                if names[x] == kept.offer[i, y]:
                    further[x] = kept.further_fen[i, y]
                    if len(first) > 0:
                        first[x] = kept.first_fen[i, y]


def ranking_worths(given: Given, worth_fen: Int64, kept: Kept) -> Int64:
    """What orders the further proposals of a request: their worth, with the bonus of those kept."""
    worths = worth_fen.copy()
    for y in range(kept.offer.shape[1]):
        same = given.offer == kept.offer[:, y : y + 1]
        same &= (kept.further_fen[:, y] >= 0)[:, np.newaxis] & (given.offer >= 0)
        worths[same] = np.broadcast_to(kept.further_fen[:, y : y + 1], worths.shape)[same]
    return worths
