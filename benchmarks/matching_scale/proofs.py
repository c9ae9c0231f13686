"""What `bench matching` says about how good an allocation is, worked out apart from the engine's
own figures: the certificate again on a sample, and how many businesses could be reached at all."""

import time
from typing import Any

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.candidates import open_state
from financing.matching.national.certificate import bound_fen, requests_worth_micro
from financing.matching.national.coverage_bound import coverage_bound
from financing.matching.national.engine import Allocation
from financing.matching.national.listing import Pairs, list_pairs
from financing.matching.national.orders import is_plain
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.prices import draw
from financing.matching.national.problem import Records
from financing.matching.national.walk import walk

SAMPLED_ABOVE = 100_000
SAMPLE = 10_000
"""Requests of the sampled certificate: its loop over requests is plain Python."""

Dump = dict[str, np.ndarray]


def sampled_certificate(found: Allocation, threads: int) -> dict[str, Any]:
    """The certificate's NumPy page on the dumped pairs of all requests, or of a sample above
    SAMPLED_ABOVE; every request's worth beyond the prices is compared to the micro-fen with that of
    the engine's exact pass, and its value with that of its proposals."""
    started = time.perf_counter()
    problem = found.problem
    lines = np.arange(problem.count, dtype=np.int32)
    if problem.count > SAMPLED_ABOVE:
        lines = draw(problem, lines, SAMPLE * PPM // problem.count, found.seed)
    listed = list_pairs(problem, lines)
    requests = problem.data.requests[lines]
    pairs, offers = dumped(problem, found, lines, listed)
    slots = {name: requests[name].astype(np.int64) for name in ("slots", "is_reached")}
    worth = requests_worth_micro(pairs, slots, offers)
    share = len(lines) / max(1, problem.count)
    used, counts = _use(found)
    limited = problem.room_count < NO_COUNT
    return {
        "requests": len(lines),
        "share": round(share, 6),
        "pairs": len(listed.offer),
        "worth_differences": int((worth != _engine_worth_micro(found, lines, threads)).sum()),
        "value_differences": int((_value(found, lines, pairs) != _values_of(found, lines)).sum()),
        "rooms_broken": int((used > problem.room).sum())
        + int((counts > problem.room_count)[limited].sum()),
        "bound_fen": round(bound_fen(pairs, slots, offers, share=share)),
        "seconds": round(time.perf_counter() - started, 1),
    }


def dumped(
    problem: Problem, found: Allocation, lines: np.ndarray, listed: Pairs
) -> tuple[Dump, Dump]:
    """Pairs and offers as the certificate takes them; requests by place in `lines`."""
    houses = problem.data.offers["institution"]
    pairs = {
        "request": np.searchsorted(lines, listed.request).astype(np.int64),
        "offer": listed.offer.astype(np.int64),
        "institution": houses[listed.offer].astype(np.int64),
        "amount_fen": listed.amount_fen,
        "first_fen": listed.first_fen,
        "further_fen": listed.further_fen,
    }
    offers = {
        "room_fen": problem.room,
        "room_count": np.where(problem.room_count == NO_COUNT, -1, problem.room_count),
        "price_fen_ppm": found.prices.fen_ppm,
        "price_count_fen": found.prices.count_fen,
    }
    return pairs, offers


def _engine_worth_micro(found: Allocation, lines: np.ndarray, threads: int) -> np.ndarray:
    """By line, each walked by itself."""
    state = open_state(found.problem)
    return np.array(
        [
            walk(
                found.problem,
                lines[n : n + 1],
                found.prices,
                state,
                seed=found.seed,
                listed=False,
            ).worth_micro
            for n in range(len(lines))
        ],
        dtype=np.int64,
    )


def _use(found: Allocation) -> tuple[np.ndarray, np.ndarray]:
    """Fen and pieces that all proposals take of each offer."""
    given = found.given
    used = np.zeros(len(found.problem.room), dtype=np.int64)
    counts = np.zeros(len(found.problem.room), dtype=np.int64)
    for place in range(given.offer.shape[1]):
        has = given.offer[:, place] >= 0
        np.add.at(used, given.offer[has, place], given.amount[has, place])
        np.add.at(counts, given.offer[has, place], 1)
    return used, counts


def _values_of(found: Allocation, lines: np.ndarray) -> np.ndarray:
    return np.asarray(found.worth.value_fen[lines].sum(axis=1))


def _value(found: Allocation, lines: np.ndarray, pairs: Dump) -> np.ndarray:
    """By line, its proposals looked up among the dumped pairs; -1 where one is not there."""
    offers = len(found.problem.room)
    keys = pairs["request"] * offers + pairs["offer"]
    total = np.zeros(len(lines), dtype=np.int64)
    for place in range(found.given.offer.shape[1]):
        offer = found.given.offer[lines, place]
        has = np.flatnonzero(offer >= 0)
        at = np.searchsorted(keys, has * offers + offer[has])
        at = np.minimum(at, len(keys) - 1)
        known = keys[at] == has * offers + offer[has]
        known &= pairs["amount_fen"][at] == found.given.amount[lines, place][has]
        is_first = found.worth.first[lines][has] == place
        worth = np.where(is_first, pairs["first_fen"][at], pairs["further_fen"][at])
        total[has] += np.where(known, worth, -(2**40))
    return total


def coverage(found: Allocation, threads: int) -> dict[str, Any]:
    """Businesses reached beside what bounds them.

    `bound`: no allocation reaches more, whatever it saves (`coverage_bound.py`). `bound_at_saving`:
    no allocation that saves at least as much as this one reaches more. Where every business counts
    alike and every saving in full, V reached + saving <= D for all allocations, so that reached <=
    (D - saving) / V; else it is left out.
    """
    started = time.perf_counter()
    problem = found.problem
    bound = coverage_bound(problem, seed=found.seed, threads=threads)
    reached = found.reached_count
    report: dict[str, Any] = {
        "reached": reached,
        "eligible": bound.eligible,
        "bound": bound.reached,
        "share": round(reached / max(1, bound.reached), 6),
        "seconds": round(time.perf_counter() - started, 1),
    }
    worth = counts_alike(problem.data.requests)
    if is_plain(problem) and worth:
        at_saving = (found.bound_fen - found.saving_fen) // worth
        report["bound_at_saving"] = min(bound.reached, at_saving)
        report["share_at_saving"] = round(reached / max(1, report["bound_at_saving"]), 6)
    return report


def counts_alike(requests: Records) -> int:
    """What reaching counts where that is the same for all (and nobody is reached yet); else 0."""
    worths = requests["coverage"]
    if not len(worths) or requests["is_reached"].any() or (worths != worths[0]).any():
        return 0
    return int(worths[0])
