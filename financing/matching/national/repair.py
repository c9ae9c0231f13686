"""From prices to proposals that fit every room; called by `engine.py`.

Rounds of bids, the same whatever the order of rows and the number of threads: every request not
yet served bids for its best set at the prices; an offer asked for more than its room keeps the bids
whose loss would cost most per fen, then smaller ones that still fit; who was refused bids again for
what is left. Then prices fall step by step, so that no room stays empty that somebody could use.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.best_set import Taken
from financing.matching.national.candidates import Candidates, State, decide, open_state
from financing.matching.national.compiled import compiled, signed
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.prices import Mover
from financing.matching.national.problem import Float64, Records
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.threads import over_parts

DISCOUNTS_PPM = (1_000_000, 900_000, 600_000, 300_000, 0)
MOST_ROUNDS = 60
SURE_SHARES: tuple[float, ...] = ()
"""How much of what is left is given before prices are learned again for the rest."""
LEARN_ROUNDS = 8
LEARN_STEP = 0.003


class Given(NamedTuple):
    """What each packed request gets: offers (-1 = none) and amounts in fen, by place."""

    offer: Int32
    amount: Int64


def repair(
    problem: Problem, candidates: Candidates, prices: Prices, *, seed: int, threads: int = 1
) -> Given:
    """Whole proposals within rooms, institutions and k, guided by the prices."""
    state = open_state(problem, keeps=True)
    given = Given(state.held, np.zeros(state.held.shape, dtype=np.int64))
    for share in SURE_SHARES:
        mover = Mover(problem, LEARN_STEP, (state.room, state.room_count))
        for _ in range(LEARN_ROUNDS):
            found = decide(
                problem, candidates, prices, state, seed=seed, listed=False, threads=threads
            )
            prices = mover.moved(prices, found.sums)
        bids = decide(problem, candidates, prices, state, seed=seed, listed=True, threads=threads)
        if bids.taken is not None:
            accept(problem, candidates, None, bids.taken, state, given, threads, share)
    fill(problem, candidates, prices, state, given, seed=seed, threads=threads)
    return given


def fill(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    state: State,
    given: Given,
    *,
    seed: int,
    threads: int = 1,
    discounts_ppm: tuple[int, ...] = DISCOUNTS_PPM,
) -> None:
    """Give what rooms are left, at the prices and then below them; changes `state`, `given`."""
    for discount in discounts_ppm:
        lowered = Prices(
            prices.fen_ppm * discount // 1_000_000, prices.count_fen * discount // 1_000_000
        )
        # Firsts before further ones: whoever is worth reaching at these prices shall find room.
        for firsts_only in (True, False):
            active: Int32 | None = None
            for _ in range(MOST_ROUNDS):
                bids = decide(
                    problem,
                    candidates,
                    lowered,
                    state,
                    seed=seed,
                    listed=True,
                    active=active,
                    firsts_only=firsts_only,
                    threads=threads,
                )
                if bids.taken is None or not int(bids.sums.totals[2]):
                    break
                active = accept(problem, candidates, active, bids.taken, state, given, threads)
                if not len(active):
                    break


def accept(
    problem: Problem,
    candidates: Candidates,
    active: Int32 | None,
    bids: Taken,
    state: State,
    given: Given,
    threads: int,
    share: float = 1.0,
) -> Int32:
    """Give what fits in a share of what is left; gives the places that were refused something."""
    places = np.arange(len(candidates.lines), dtype=np.int32) if active is None else active
    start, bidder = _by_offer(bids.offer, len(problem.room))
    wins = np.zeros(len(bidder), dtype=np.bool_)

    def work(first: int, last: int) -> None:
        _choose(
            first,
            last,
            start,
            bidder,
            bids.amount.reshape(-1),
            bids.loss.reshape(-1),
            problem.data.requests,
            candidates.lines,
            places,
            bids.offer.shape[1],
            state.room,
            state.room_count,
            share,
            wins,
        )

    over_parts(work, len(problem.room), threads)
    refused = np.zeros(len(places), dtype=np.bool_)
    _hand_out(
        bidder,
        wins,
        bids.offer.reshape(-1),
        bids.amount.reshape(-1),
        bids.offer.shape[1],
        candidates.lines,
        places,
        given.offer,
        given.amount,
        refused,
    )
    return places[refused]


@compiled
def _by_offer(offer: Int32, offers: int) -> tuple[Int64, Int64]:
    """Places of the bids (line x k + place) by offer, and where each offer's begin."""
    start = np.zeros(offers + 1, dtype=np.int64)
    lines, k = offer.shape
    for n in range(lines):
        for y in range(k):
            if offer[n, y] >= 0:
                start[offer[n, y] + 1] += 1
    for j in range(offers):
        start[j + 1] += start[j]
    at = start[:-1].copy()
    bidder = np.empty(start[offers], dtype=np.int64)
    for n in range(lines):
        for y in range(k):
            j = offer[n, y]
            if j >= 0:
                bidder[at[j]] = n * k + y
                at[j] += 1
    return start, bidder


@compiled
def _choose(
    first: int,
    last: int,
    start: Int64,
    bidder: Int64,
    amount: Int64,
    loss: Float64,
    requests: Records,
    lines: Int32,
    places: Int32,
    k: int,
    room: Int64,
    room_count: Int64,
    share: float,
    wins: Bool,
) -> None:
    """Per offer: all where all fit, else by loss per fen while they fit; ids break ties."""
    for j in range(first, last):
        a, b = start[j], start[j + 1]
        if a == b:
            continue
        asked = signed(0)
        for x in range(a, b):
            asked += amount[bidder[x]]
        kept = signed(room[j] * (1.0 - share))
        if asked <= room[j] - kept and b - a <= room_count[j] * share:
            room[j] -= asked
            room_count[j] -= b - a
            wins[a:b] = True
            continue
        # By id first, then stably by loss per fen: the order of rows plays no part.
        ids = np.empty(b - a, dtype=np.int64)
        for x in range(a, b):
            ids[x - a] = requests[lines[places[bidder[x] // k]]].id
        by_id = np.argsort(ids, kind="mergesort")
        density = np.empty(b - a, dtype=np.float64)
        for y in range(b - a):
            bid = bidder[a + by_id[y]]
            density[y] = -loss[bid] / float(amount[bid])
        order = np.argsort(density, kind="mergesort")
        for y in range(b - a):
            x = a + by_id[order[y]]
            fen = amount[bidder[x]]
            if fen <= room[j] - kept and room_count[j] >= 1:
                room[j] -= fen
                room_count[j] -= 1
                wins[x] = True


@compiled
def _hand_out(
    bidder: Int64,
    wins: Bool,
    offer: Int32,
    amount: Int64,
    k: int,
    lines: Int32,
    places: Int32,
    given_offer: Int32,
    given_amount: Int64,
    refused: Bool,
) -> None:
    for x in range(len(bidder)):
        bid = bidder[x]
        n = bid // k
        if not wins[x]:
            refused[n] = True
            continue
        i = lines[places[n]]
        for y in range(given_offer.shape[1]):
            if given_offer[i, y] < 0:
                given_offer[i, y] = offer[bid]
                given_amount[i, y] = amount[bid]
                break
