"""Where a run over shards begins: prices, and what each province will want, from a sample.

The sample is drawn by the ids of the requests and fits one process, whatever their number in all;
called by `at_scale.py` and by the first task of a run over several workers.
"""

from dataclasses import dataclass

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.candidates import State
from financing.matching.national.near_pairs import near_pairs
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.price_steps import usual_worth
from financing.matching.national.prices import Stage, draw, learn
from financing.matching.national.reaching import reach
from financing.matching.national.repair import Given, fill
from financing.matching.national.tables import Int32, Int64

ALL = 2**31

PLAN = (
    (60_000, ALL, Stage(PPM, 60, 0.05)),
    (400_000, 32, Stage(PPM, 50, 0.006)),
)
"""Requests sampled, pairs of each that are kept, rounds and first step. Each sample is part of the
next; the noise of the last is what remains in the prices."""


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """What `Conductor.begin` starts from: prices, usual worths, wants by shard and offer."""

    prices: Prices
    usual_ppm: int
    usual_fen: int
    wanted_fen: Int64
    wanted_count: Int64


def sample_ppm(count: int) -> int:
    """The share of so many requests that the sample holds."""
    return min(PPM, PLAN[-1][0] * PPM // max(1, count))


def begin_on_sample(
    problem: Problem,
    lines: Int32,
    province: Int32,
    shards: int,
    start: Prices,
    *,
    count: int,
    seed: int,
    threads: int,
) -> Begin:
    """Learn on those of `lines` that the sample holds.

    `province`: shard of each line; `count`: requests of the whole run.
    """
    sampled = draw(problem, lines, sample_ppm(count), seed)
    lines, province = lines[sampled], province[sampled]
    usual_ppm, usual_fen = usual_worth(problem.data.requests[lines])
    prices = start
    for requests, most, stage in PLAN:
        some = lines[draw(problem, lines, min(PPM, requests * PPM // max(1, count)), seed)]
        share = len(some) / max(1, count)
        lists = near_pairs(problem, some, prices, most=most, threads=threads)
        learned = learn(
            problem, lists, (stage,), seed=seed, start=prices, threads=threads, share=share
        )
        prices = learned.prices
    held = np.full((problem.count, int(problem.policy.max_proposals_count)), -1, dtype=np.int32)
    given = Given(held, np.zeros(held.shape, dtype=np.int64))
    limited = problem.room_count < NO_COUNT // 2
    state = State(
        (problem.room * share).astype(np.int64),
        np.where(limited, problem.room_count * share, NO_COUNT).astype(np.int64),
        held,
    )
    reach(problem, lists, prices, state, given.amount, seed=seed, threads=threads)
    fill(
        problem,
        lists,
        prices,
        state,
        given,
        seed=seed,
        threads=threads,
        discounts_ppm=(PPM,),
    )
    wanted = _by_shard(given, lines, province, shards, len(problem.room))
    return Begin(prices, usual_ppm, usual_fen, *wanted)


def _by_shard(
    given: Given, lines: Int32, province: Int32, shards: int, offers: int
) -> tuple[Int64, Int64]:
    fen = np.zeros((shards, offers), dtype=np.int64)
    count = np.zeros((shards, offers), dtype=np.int64)
    n, place = np.nonzero(given.offer[lines] >= 0)
    offer, amount = given.offer[lines[n], place], given.amount[lines[n], place]
    np.add.at(fen, (province[n], offer), amount)
    np.add.at(count, (province[n], offer), 1)
    return fen, count
