"""Where a run over shards begins: prices from samples of its requests.

Samples are drawn by the ids of the requests and fit one process, whatever their number in all;
called by `at_scale.py` and by the first task of a run over several workers.

Demand is made smooth by a blur (`pairs.blurred`) that narrows round by round: a small sample while
it is wide, a larger one then. What the samples have wrong is put right by passes over all requests
(`rounds.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from financing.matching.columns import PPM
from financing.matching.national.candidates import open_state
from financing.matching.national.near_ties import Bonds, bonds_of, no_ties
from financing.matching.national.orders import Prices
from financing.matching.national.packing import Problem
from financing.matching.national.price_steps import (
    REACH,
    Demand,
    FinePrices,
    PriceSteps,
    usual_worth,
)
from financing.matching.national.prices import draw
from financing.matching.national.tables import Int32
from financing.matching.national.walk import walk

SMALL, LARGE = 400_000, 1_000_000
"""Requests sampled while the blur is wide, and from `WIDE` times its last width on."""
WIDE = 3
FIRST, LAST = 60, 7_000
"""The blur begins and ends at the usual worth of reaching a business per fen by this."""
FALLS = 0.85
CALM = 4
"""Rounds at the last width."""


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """What `Conductor.begin` starts from: prices, ties between offers, the width of the blur."""

    prices: FinePrices
    bonds: Bonds
    blur_ppm: int


def sample_ppm(count: int, most: int | None = None) -> int:
    """The share of so many requests that a sample of `most` (the large one) holds."""
    return min(PPM, (LARGE if most is None else most) * PPM // max(1, count))


def begin_on_sample(
    problem: Problem,
    lines: Int32,
    start: Prices,
    *,
    count: int,
    seed: int,
    threads: int,
    most: int | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Begin:
    """Learn on those of `lines` that the samples hold.

    `count`: requests of the whole run; `most`: requests in the large sample, and in the small one
    at most; `tell` is called before every round.
    """
    large = lines[draw(problem, lines, sample_ppm(count, most), seed)]
    small = lines[draw(problem, lines, sample_ppm(count, min(SMALL, most or SMALL)), seed)]
    usual_ppm = usual_worth(problem.data.requests[large])
    last = max(2, usual_ppm // LAST)
    prices = FinePrices.of(start)
    steps = PriceSteps.begin(problem.room, problem.room_count)
    for width in widths(usual_ppm, is_warm=bool(start.fen_ppm.any())):
        tell()
        some = small if width > WIDE * last else large
        whole, part = prices.split()
        walked = walk(
            problem,
            some,
            whole,
            open_state(problem),
            seed=seed,
            listed=True,
            blur_ppm=width,
            reach_ppm=REACH * width,
            part=part,
            threads=threads,
        )
        if walked.taken is None:
            raise AssertionError("listed walks list")
        ties = no_ties(len(problem.room))
        steps.bonds = bonds_of(walked.taken, REACH * width, ties)
        share = max(1, len(some)) / max(1, count)
        demand = Demand.of(walked.sums.fen, walked.sums.count, ties, share)
        prices = steps.moved(prices, demand, width)
    return Begin(prices, steps.bonds, last)


def widths(usual_ppm: int, *, is_warm: bool) -> list[int]:
    """Of the blur, round by round. From yesterday's prices the wide ones are left out."""
    last = max(2, usual_ppm // LAST)
    width = float(usual_ppm // FIRST) if not is_warm else float(WIDE * last)
    found = []
    while width > last:
        found.append(max(2, int(width)))
        width *= FALLS
    return [*found, *[last] * CALM]
