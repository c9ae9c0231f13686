"""The requests of one province: answers a conductor's questions and holds what they are given.

Called by `at_scale.py` and by the tasks of a run over several workers. An answer to PRICES depends
on the question alone; GIVE changes what the requests hold, and `state_bytes` keeps that, so that a
worker which is lost costs its shard one round.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from financing.matching.national.best_set import MICRO, no_sums
from financing.matching.national.candidates import State, open_state
from financing.matching.national.giving import discounted, first_come, not_full, outbid
from financing.matching.national.loan_figures import loan_savings
from financing.matching.national.near_ties import add_ties, no_ties
from financing.matching.national.packing import Problem
from financing.matching.national.price_steps import REACH
from financing.matching.national.proposals import Worth, worth_of
from financing.matching.national.repair import Given
from financing.matching.national.rounds import Answer, Phase, Question
from financing.matching.national.tables import Int64
from financing.matching.national.walk import walk
from financing.matching.national.wire import from_wire, to_wire

PORTION = 250_000
"""Requests whose proposals are listed at once."""


@dataclass(slots=True, eq=False)
class Shard:
    """One province. `problem`: its requests alone, packed, with all offers and their whole rooms.

    `given`: what each packed request holds; `rounds`: number of the last question that changed it.
    """

    number: int
    problem: Problem
    given: Given
    seed: int
    threads: int = 1
    rounds: int = -1
    worth: Worth | None = None

    def state_bytes(self) -> bytes:
        """What the requests hold, in order of their ids, whatever their places here."""
        order = np.argsort(self.problem.data.requests["id"])
        offer, amount = self.given.offer[order], self.given.amount[order]
        return to_wire(
            "shard",
            {"number": self.number, "rounds": self.rounds},
            {"offer": offer, "amount": amount[offer >= 0]},
        )

    def restore(self, data: bytes) -> None:
        """Hold what `state_bytes` says, on a shard made afresh from the same requests."""
        plain, arrays = from_wire("shard", data)
        if plain["number"] != self.number or len(arrays["offer"]) != self.problem.count:
            raise ValueError("the state of another shard")
        order = np.argsort(self.problem.data.requests["id"])
        offer = arrays["offer"]
        amount = np.zeros(offer.shape, dtype=np.int64)
        amount[offer >= 0] = arrays["amount"]
        self.given.offer[order], self.given.amount[order] = offer, amount
        self.rounds = plain["rounds"]


def province_edges(problem: Problem) -> list[tuple[str, int, int]]:
    """Province code and first and last + 1 packed line of each province with requests."""
    first = problem.groups.start[:-1]
    region = problem.data.requests["region"][first]
    codes = np.array([code[:2] for code in problem.region_codes])[region]
    found: list[tuple[str, int, int]] = []
    for code, start, stop in zip(codes, first, problem.groups.start[1:], strict=True):
        if found and found[-1][0] == code:
            found[-1] = (str(code), found[-1][1], int(stop))
        else:
            found.append((str(code), int(start), int(stop)))
    return found


def shards_of(problem: Problem, given: Given, seed: int, threads: int = 1) -> list[Shard]:
    """The provinces of a problem packed whole, without copies; they fill their part of `given`."""
    return [
        Shard(
            number,
            part_of(problem, start, stop),
            Given(given.offer[start:stop], given.amount[start:stop]),
            seed,
            threads,
        )
        for number, (_, start, stop) in enumerate(province_edges(problem))
    ]


def lone_shard(number: int, problem: Problem, seed: int, threads: int = 1) -> Shard:
    """A province packed by itself. `number`: its place among the provinces' codes, rising."""
    if len({code for code, _, _ in province_edges(problem)}) > 1:
        raise ValueError("a shard holds requests of one province")
    return Shard(number, problem, nothing_given(problem), seed, threads)


def nothing_given(problem: Problem) -> Given:
    shape = (problem.count, int(problem.policy.max_proposals_count))
    return Given(np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=np.int64))


def part_of(problem: Problem, start: int, stop: int) -> Problem:
    """Packed lines `start` to `stop` (edges of groups) as a problem of their own; views only."""
    groups = problem.groups
    first, last = np.searchsorted(groups.start, (start, stop))
    offers = slice(groups.offers_start[first], groups.offers_start[last])
    return replace(
        problem,
        data=problem.data._replace(requests=problem.data.requests[start:stop]),
        groups=groups._replace(
            start=groups.start[first : last + 1] - start,
            term=groups.term[first:last],
            province=groups.province[first:last],
            offers_start=groups.offers_start[first : last + 1] - groups.offers_start[first],
            offer=groups.offer[offers],
        ),
        line=problem.line[start:stop],
    )


def answer(shard: Shard, question: Question) -> Answer:
    """The sums a question asks for. A question that gives room changes what the shard holds.

    ValueError where the question is for another shard, or gives what was given already.
    """
    if question.shard != shard.number:
        raise ValueError(f"a question for shard {question.shard} put to shard {shard.number}")
    if question.phase is Phase.VALUES:
        return _values(shard, question)
    if question.phase is Phase.GIVE:
        return _give(shard, question)
    if question.phase is Phase.ASK:
        return _ask(shard, question)
    return _prices(shard, question)


def _prices(shard: Shard, question: Question) -> Answer:
    problem, is_blurred = shard.problem, question.blur_ppm > 0
    offers = len(problem.room)
    ties, sums = no_ties(offers if is_blurred else 0), no_sums(offers)
    for start in range(0, problem.count, PORTION):
        walked = walk(
            problem,
            np.arange(start, min(start + PORTION, problem.count), dtype=np.int32),
            question.prices,
            open_state(problem),
            seed=shard.seed,
            listed=is_blurred,
            blur_ppm=question.blur_ppm,
            reach_ppm=REACH * question.blur_ppm,
            part=question.part if is_blurred else None,
            threads=shard.threads,
        )
        if walked.taken is not None:
            add_ties(walked.taken, REACH * question.blur_ppm, ties)
        for total, more in zip(sums, walked.sums, strict=True):
            total += more
    fen, micro = (int(one) for one in sums.totals[:2])
    return Answer(
        question.number,
        shard.number,
        sums.fen,
        sums.count,
        ties,
        worth_fen=fen + micro // MICRO,
        worth_micro=micro % MICRO,
    )


def _ask(shard: Shard, question: Question) -> Answer:
    problem, given = shard.problem, shard.given
    sums = walk(
        problem,
        not_full(problem, given),
        discounted(question.prices, min(question.turn.discounts_ppm)),
        State(question.room_fen, question.room_count, given.offer),
        seed=shard.seed,
        listed=False,
        threads=shard.threads,
    ).sums
    return Answer(question.number, shard.number, sums.fen, sums.count)


def _give(shard: Shard, question: Question) -> Answer:
    if question.number <= shard.rounds:
        raise ValueError(f"round {question.number} was given already")
    problem, given = shard.problem, shard.given
    state = State(question.room_fen.copy(), question.room_count.copy(), given.offer)
    if question.turn.is_first:
        outbid(
            problem,
            question.prices,
            state,
            given,
            part=question.part,
            blur_ppm=question.blur_ppm,
            seed=shard.seed,
            threads=shard.threads,
        )
    for discount in question.turn.discounts_ppm:
        first_come(problem, discounted(question.prices, discount), state, given, seed=shard.seed)
    shard.rounds = question.number
    return Answer(
        question.number,
        shard.number,
        question.room_fen - state.room,
        question.room_count - state.room_count,
    )


def _values(shard: Shard, question: Question) -> Answer:
    problem, given = shard.problem, shard.given
    worth = worth_of(
        problem,
        given,
        loan_savings(problem, given, shard.threads),
        shard.seed,
        shard.threads,
    )
    shard.worth = worth
    line, place = np.nonzero(given.offer >= 0)
    none = np.zeros(0, dtype=np.int64)
    return Answer(
        question.number,
        shard.number,
        none,
        none,
        worth_fen=int(worth.value_fen.sum()),
        saving_fen=int(worth.saving_fen.sum()),
        reached_count=int((worth.first < 255).sum()),
        proposals_count=len(line),
        digest=_digest(problem, given, worth, line, place),
    )


def _digest(problem: Problem, given: Given, worth: Worth, line: Int64, place: Int64) -> str:
    """SHA-256 over the shard's proposals in order of request and offer."""
    table = np.stack(
        (
            problem.data.requests["id"][line],
            given.offer[line, place].astype(np.int64),
            given.amount[line, place],
            worth.value_fen[line, place],
        ),
        axis=1,
    )
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    return hashlib.sha256(np.ascontiguousarray(table, dtype="<i8").tobytes()).hexdigest()
