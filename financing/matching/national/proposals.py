"""What proposals are worth, from what each saves; called by `engine.py` and `insurance_run.py`."""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import lot, scaled, twice_scaled
from financing.matching.national.problem import Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int64, UInt8
from financing.matching.national.threads import over_parts


class Worth(NamedTuple):
    """By packed request and place: saving and value in fen; by request: place of its first.

    `first`: 255 where no proposal is the one that reaches (none at all, or reached already). Which
    one it is, is chosen again for the greatest value; ties by the lottery.
    """

    saving_fen: Int64
    value_fen: Int64
    first: UInt8


def worth_of(
    problem: Problem, given: Given, saving_fen: Int64, seed: int, threads: int = 1
) -> Worth:
    """Values of all proposals. ValueError where a request has two of one institution."""
    count = len(given.offer)
    worth = Worth(
        saving_fen, np.zeros(saving_fen.shape, dtype=np.int64), np.full(count, 255, dtype=np.uint8)
    )
    share = int(problem.policy.alternative_share_ppm)

    def work(start: int, stop: int) -> int:
        return _value(
            start,
            stop,
            problem.data.requests,
            problem.data.offers,
            share,
            seed,
            given,
            worth,
        )

    wrong = sum(over_parts(work, count, threads))
    if wrong:
        raise ValueError(f"{wrong} proposals are second ones of an institution")
    return worth


@bare
def _value(
    begin: int,
    end: int,
    requests: Records,
    offers: Records,
    share: int,
    seed: int,
    given: Given,
    worth: Worth,
) -> int:
    names = given.offer
    savings, values, firsts = worth.saving_fen, worth.value_fen, worth.first
    wrong = 0
    for i in range(begin, end):
        request = requests[i]
        best = np.int64(-(2**62))
        for y in range(names.shape[1]):
            j = names[i, y]
            if j < 0:
                continue
            for z in range(y):
                other = names[i, z]
                if other >= 0 and offers[other].institution == offers[j].institution:
                    wrong += 1
            saving = savings[i, y]
            values[i, y] = twice_scaled(saving, share, offers[j].delivery)
            more = scaled(request.coverage + saving, offers[j].delivery) - values[i, y]
            if request.is_reached != 0 or more < best:
                continue
            if more == best and firsts[i] < 255:
                known = names[i, firsts[i]]
                if lot(seed, request.id, j) > lot(seed, request.id, known):
                    continue
            best = more
            firsts[i] = y
        if firsts[i] < 255:
            values[i, firsts[i]] += best
    return wrong
