"""The greedy of `allocation.py`, compiled, as a floor under small runs; called by `engine.py`.

Where offers take a handful of loans, prices say little and whole loans decide; there the better of
both is taken. First every business that can be reached is reached, most value per fen first; then
what is left goes to further proposals, by value per fen.
"""

from heapq import heapify, heappop, heappush

import numpy as np

from financing.matching.national.best_set import Scratch, fill_beside, insert, make_scratch
from financing.matching.national.candidates import Candidates
from financing.matching.national.compiled import compiled, inlined, signed
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import lot
from financing.matching.national.problem import Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64

SMALL = 5_000
"""Up to so many requests the greedy is tried too."""


def at_least_greedy(problem: Problem, candidates: Candidates, given: Given, seed: int) -> Given:
    """`given`, or what the greedy gives where that is worth more; for small problems."""
    if problem.count > SMALL:
        return given
    other = greedy(problem, candidates, seed)
    both = [_worth(candidates, problem.data.requests, one.offer) for one in (given, other)]
    return other if both[1] > both[0] else given


def greedy(problem: Problem, candidates: Candidates, seed: int) -> Given:
    """Two-phase greedy over kept pairs of all requests."""
    most = int(problem.policy.max_proposals_count)
    given = Given(
        np.full((problem.count, most), -1, dtype=np.int32),
        np.zeros((problem.count, most), dtype=np.int64),
    )
    _greedy(
        candidates,
        problem.data.requests,
        problem.data.offers,
        problem.room.copy(),
        problem.room_count.copy(),
        seed,
        make_scratch(most),
        given.offer,
        given.amount,
    )
    return given


@inlined
def _first_fen(x: int, candidates: Candidates, coverage: int) -> int:
    """Worth as the proposal that reaches; left out of the candidates where it is the coverage
    more."""
    if len(candidates.first_fen) > 0:
        return signed(candidates.first_fen[x])
    return signed(candidates.further_fen[x] + coverage)


@compiled
def _greedy(
    candidates: Candidates,
    requests: Records,
    offers: Records,
    room: Int64,
    pieces: Int64,
    seed: int,
    scratch: Scratch,
    offer: Int32,
    amount: Int64,
) -> None:
    lines = candidates.lines
    density = np.empty(len(lines), dtype=np.float64)
    tie = np.empty(len(lines), dtype=np.int64)
    endless = np.full(len(room), 2**62, dtype=np.int64)
    for n in range(len(lines)):
        density[n] = 1.0
        tie[n] = lot(seed, requests[lines[n]].id, len(room))
        if requests[lines[n]].is_reached == 0 and requests[lines[n]].slots > 0:
            x = _best_first(n, candidates, requests, offers, endless, endless, seed, scratch)
            if x >= 0:
                worth = _first_fen(x, candidates, requests[lines[n]].coverage)
                density[n] = -float(worth) / float(max(candidates.amount[x], 1))
    by_lot = np.argsort(tie, kind="mergesort")
    for n in by_lot[np.argsort(density[by_lot], kind="mergesort")]:
        if density[n] > 0.0:
            continue
        x = _best_first(n, candidates, requests, offers, room, pieces, seed, scratch)
        if x >= 0:
            _take(lines[n], x, candidates, room, pieces, offer, amount)
    # One that fits nobody says of what the queue is.
    queue = [(0.0, signed(0), signed(0), signed(0))]
    queue.clear()
    for n in range(len(lines)):
        x = _next(n, candidates, requests, offers, room, pieces, seed, offer)
        if x >= 0:
            queue.append(_entry(n, x, candidates, requests, seed))
    heapify(queue)
    while len(queue) > 0:
        _, _, n, x = heappop(queue)
        j = candidates.offer[x]
        if candidates.amount[x] <= room[j] and pieces[j] >= 1:
            _take(lines[n], x, candidates, room, pieces, offer, amount)
        x = signed(_next(n, candidates, requests, offers, room, pieces, seed, offer))
        if x >= 0:
            heappush(queue, _entry(n, x, candidates, requests, seed))


@inlined
def _entry(
    n: int, x: int, candidates: Candidates, requests: Records, seed: int
) -> tuple[float, int, int, int]:
    """Most value per fen first, ties by the lottery."""
    density = -float(candidates.further_fen[x]) / float(max(candidates.amount[x], 1))
    tie = lot(seed, requests[candidates.lines[n]].id, candidates.offer[x])
    return density, tie, signed(n), signed(x)


@compiled
def _best_first(
    n: int,
    candidates: Candidates,
    requests: Records,
    offers: Records,
    room: Int64,
    pieces: Int64,
    seed: int,
    scratch: Scratch,
) -> int:
    """The pair that is the best first, each filled up with the best others; -1 = none fits."""
    worths, ties, names, amounts, houses = scratch
    request = requests[candidates.lines[n]]
    slots = signed(request.slots)
    size = 0
    for x in range(candidates.start[n], candidates.start[n + 1]):
        j = candidates.offer[x]
        worth = candidates.further_fen[x]
        if worth <= 0 or candidates.amount[x] > room[j] or pieces[j] < 1:
            continue
        size = insert(
            size,
            slots + 1,
            worth,
            lot(seed, request.id, j),
            j,
            candidates.amount[x],
            offers[j].institution,
            worths,
            ties,
            names,
            amounts,
            houses,
        )
    found, best, best_tie = signed(-1), signed(0), signed(0)
    for x in range(candidates.start[n], candidates.start[n + 1]):
        j = candidates.offer[x]
        if candidates.amount[x] > room[j] or pieces[j] < 1:
            continue
        total = _first_fen(x, candidates, request.coverage)
        total += fill_beside(size, slots, offers[j].institution, worths, houses)
        tie = lot(seed, request.id, j)
        if found < 0 or total > best or (total == best and tie < best_tie):
            found, best, best_tie = signed(x), total, tie
    return found


@compiled
def _next(
    n: int,
    candidates: Candidates,
    requests: Records,
    offers: Records,
    room: Int64,
    pieces: Int64,
    seed: int,
    offer: Int32,
) -> int:
    """The best further pair that fits beside what the request has; -1 = none."""
    i = candidates.lines[n]
    held = 0
    for y in range(offer.shape[1]):
        held += offer[i, y] >= 0
    found, best, best_tie = signed(-1), signed(0), signed(0)
    if held >= requests[i].slots:
        return found
    for x in range(candidates.start[n], candidates.start[n + 1]):
        j = candidates.offer[x]
        worth = candidates.further_fen[x]
        if worth <= 0 or worth < best or candidates.amount[x] > room[j] or pieces[j] < 1:
            continue
        is_held = False
        for y in range(offer.shape[1]):
            other = offer[i, y]
            if other >= 0 and offers[other].institution == offers[j].institution:
                is_held = True
        tie = lot(seed, requests[i].id, j)
        if not is_held and (worth > best or tie < best_tie):
            found, best, best_tie = signed(x), signed(worth), tie
    return found


@inlined
def _take(
    i: int,
    x: int,
    candidates: Candidates,
    room: Int64,
    pieces: Int64,
    offer: Int32,
    amount: Int64,
) -> None:
    j = candidates.offer[x]
    room[j] -= candidates.amount[x]
    pieces[j] -= 1
    y = 0
    while offer[i, y] >= 0:
        y += 1
    offer[i, y], amount[i, y] = j, candidates.amount[x]


@compiled
def _worth(candidates: Candidates, requests: Records, offer: Int32) -> int:
    """What a choice is worth, its best first counted as such, in fen."""
    total = signed(0)
    for n in range(len(candidates.lines)):
        i = candidates.lines[n]
        best = signed(0)
        for y in range(offer.shape[1]):
            if offer[i, y] < 0:
                continue
            for x in range(candidates.start[n], candidates.start[n + 1]):
                if candidates.offer[x] == offer[i, y]:
                    total += candidates.further_fen[x]
                    if requests[i].is_reached == 0:
                        more = _first_fen(x, candidates, requests[i].coverage)
                        best = max(best, more - candidates.further_fen[x])
        total += best
    return total
