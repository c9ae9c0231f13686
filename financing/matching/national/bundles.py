"""A run of loans cut into bundles of provinces that travel; called by runs over several workers.

A bundle is one large province or several small ones, packed together by whichever process holds it.
How provinces are bundled changes no digit of the result: rounds ask province by province. The frame
(offers, policy, what each offer costs) is the same for all and travels once. No database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from financing.matching.national.bundle_wire import (
    arrays_of_columns,
    codes_of_columns,
    columns_from,
    row_from_texts,
    taken,
    texts_of_row,
)
from financing.matching.national.cost_sheet import CostSheet
from financing.matching.national.packing import (
    Closed,
    Costs,
    Problem,
    canonical_offers,
    costs_of,
    pack,
)
from financing.matching.national.questions import with_answers
from financing.matching.national.repair import Given
from financing.matching.national.rounds import Answer, Question
from financing.matching.national.run_input import KindInput
from financing.matching.national.shards import Shard, answer, nothing_given, shards_of
from financing.matching.national.tables import Int32, Int64, LoanRequestColumns
from financing.matching.national.wire import from_wire, to_wire
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow

MOST_BUNDLES = 12
"""Enough for some workers to share evenly, few enough for the cost of a message not to count."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What every bundle needs. `offers` in canonical order."""

    offers: tuple[LoanOfferRow, ...]
    policy: MatchingPolicy
    costs: Costs

    @classmethod
    def of(cls, kind: KindInput, policy: MatchingPolicy) -> Self:
        rows = canonical_offers(row for row in kind.offers if isinstance(row, LoanOfferRow))
        return cls(rows, policy, costs_of(_loans(kind), rows, policy))

    def to_bytes(self) -> bytes:
        sheet = self.costs.sheet
        return to_wire(
            "frame",
            {
                "offers": [texts_of_row(row) for row in self.offers],
                "policy": texts_of_row(self.policy),
                "terms": list(self.costs.terms),
                "limits_ppm": list(self.costs.limits_ppm),
            },
            {name: getattr(sheet, name) for name in _SHEET},
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("frame", data)
        return cls(
            tuple(row_from_texts(LoanOfferRow, texts) for texts in plain["offers"]),
            row_from_texts(MatchingPolicy, plain["policy"]),
            Costs(
                tuple(plain["terms"]),
                tuple(plain["limits_ppm"]),
                CostSheet(**{name: arrays[name] for name in _SHEET}),
            ),
        )


_SHEET = ("saving_ppm", "fixed_fen", "passes_from", "fails_to")


@dataclass(frozen=True, slots=True, eq=False)
class BundleInput:
    """Requests of some provinces. `shards`: their numbers in the rounds, rising.

    `place`: of each request in the run's columns; `previous`: proposals of the run before as
    (place here, place in the frame's offers).
    """

    shards: tuple[int, ...]
    place: Int64
    requests: LoanRequestColumns
    closed: Closed
    previous: tuple[Int64, Int32]

    def to_bytes(self) -> bytes:
        closed = self.closed
        return to_wire(
            "bundle",
            {
                "shards": list(self.shards),
                "codes": codes_of_columns(self.requests),
                "institutions": [list(one) for one in closed.institutions],
                "offers": [list(one) for one in closed.offers],
                "counted": list(closed.counted),
            },
            arrays_of_columns(self.requests)
            | {
                "bundle.place": self.place,
                "bundle.previous_place": self.previous[0],
                "bundle.previous_offer": self.previous[1],
            },
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        plain, arrays = from_wire("bundle", data)
        return cls(
            tuple(plain["shards"]),
            arrays["bundle.place"],
            columns_from(plain["codes"], arrays),
            Closed(
                institutions=tuple((place, name) for place, name in plain["institutions"]),
                offers=tuple((place, name) for place, name in plain["offers"]),
                counted=tuple(plain["counted"]),
            ),
            (arrays["bundle.previous_place"], arrays["bundle.previous_offer"]),
        )


@dataclass(slots=True, eq=False)
class Bundle:
    """A bundle packed by the process that holds it. `given`: what its requests hold."""

    source: BundleInput
    frame: Frame
    problem: Problem
    shards: list[Shard]
    given: Given

    @property
    def rounds(self) -> int:
        """Number of the last question that changed what requests hold; -1 before."""
        return self.shards[0].rounds

    @property
    def bytes_held(self) -> int:
        """Memory of its large arrays, near enough to bound a cache."""
        whole = self.source.requests
        arrays = [*arrays_of_columns(whole).values(), self.given.offer, self.given.amount]
        arrays += [self.problem.data.requests, self.problem.data.patents, self.problem.data.costs]
        return sum(array.nbytes for array in arrays)


def provinces_of(columns: LoanRequestColumns) -> tuple[list[str], Int32]:
    """Codes of the provinces with requests, rising (their places number the shards), and the shard
    of every request."""
    prefixes = np.array([code[:2] for code in columns.region_codes])
    codes = sorted({str(prefixes[place]) for place in np.unique(columns.region)})
    number = {code: place for place, code in enumerate(codes)}
    of_region = np.array([number.get(str(prefix), -1) for prefix in prefixes], dtype=np.int32)
    return codes, of_region[columns.region]


def bundled(sizes: Sequence[int], most: int = MOST_BUNDLES) -> list[tuple[int, ...]]:
    """Shards in bundles of about the same size, the largest bundle first; a large one alone."""
    room = max(max(sizes), -(-sum(sizes) // most))
    bundles: list[tuple[int, list[int]]] = []
    for shard in sorted(range(len(sizes)), key=lambda shard: (-sizes[shard], shard)):
        for place, (held, members) in enumerate(bundles):
            if held + sizes[shard] <= room:
                bundles[place] = (held + sizes[shard], [*members, shard])
                break
        else:
            bundles.append((sizes[shard], [shard]))
    bundles.sort(key=lambda one: (-one[0], one[1]))
    return [tuple(sorted(members)) for _, members in bundles]


def cut(kind: KindInput, frame: Frame, most: int = MOST_BUNDLES) -> list[BundleInput]:
    """The requests of a run in bundles; every province with requests is in one."""
    columns = _loans(kind)
    codes, shard = provinces_of(columns)
    sizes = np.bincount(shard, minlength=len(codes)).tolist()
    return [
        bundle_input(kind, frame, np.flatnonzero(np.isin(shard, members)), members)
        for members in bundled(sizes, most)
    ]


def bundle_input(
    kind: KindInput, frame: Frame, lines: Int64, shards: tuple[int, ...] = ()
) -> BundleInput:
    """These places of a run's columns with all that concerns them."""
    columns = _loans(kind)
    number = {row.id: place for place, row in enumerate(frame.offers)}
    numbers = np.array([number[row.id] for row in kind.offers], dtype=np.int32)
    here = np.full(len(columns), -1, dtype=np.int64)
    here[lines] = np.arange(len(lines))
    closed = kind.closed
    requests, offers = kind.previous
    mine = here[requests] >= 0
    return BundleInput(
        shards,
        lines,
        taken(columns, lines),
        Closed(
            institutions=tuple((int(here[p]), n) for p, n in closed.institutions if here[p] >= 0),
            offers=tuple((int(here[p]), n) for p, n in closed.offers if here[p] >= 0),
            counted=tuple(int(here[p]) for p in closed.counted if here[p] >= 0),
        ),
        (here[requests[mine]], numbers[offers[mine]]),
    )


def open_bundle(source: BundleInput, frame: Frame, seed: int, threads: int = 1) -> Bundle:
    """Packed and ready to answer; nothing is given yet."""
    problem = packed(source, frame, threads)
    given = nothing_given(problem)
    shards = [
        replace(shard, number=number)
        for shard, number in zip(
            shards_of(problem, given, seed, threads), source.shards, strict=True
        )
    ]
    return Bundle(source, frame, problem, shards, given)


def packed(source: BundleInput, frame: Frame, threads: int = 1) -> Problem:
    """The requests with all offers, every pair of which can be decided."""
    problem = pack(
        source.requests,
        frame.offers,
        frame.policy,
        closed=source.closed,
        costs=frame.costs,
        threads=threads,
    )
    return with_answers(problem, np.arange(problem.count, dtype=np.int32))


def answers_of(bundle: Bundle, questions: Sequence[Question]) -> list[Answer]:
    """An answer of each province of the bundle, in their order."""
    return [
        answer(shard, question) for shard, question in zip(bundle.shards, questions, strict=True)
    ]


def state_of(bundle: Bundle) -> bytes:
    """What the bundle's requests hold, to be restored by any process."""
    return framed([shard.state_bytes() for shard in bundle.shards])


def restore(bundle: Bundle, state: bytes | None) -> None:
    """Hold what `state_of` said, or nothing."""
    if state is None:
        bundle.given.offer[:], bundle.given.amount[:] = -1, 0
        for shard in bundle.shards:
            shard.rounds, shard.worth = -1, None
        return
    for shard, data in zip(bundle.shards, unframed(state), strict=True):
        shard.restore(data)


def framed(parts: Sequence[bytes]) -> bytes:
    """Several bytes as one, each after its length."""
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)


def unframed(data: bytes) -> list[bytes]:
    """The parts that `framed` was given."""
    parts, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return parts


def _loans(kind: KindInput) -> LoanRequestColumns:
    if not isinstance(kind.requests, LoanRequestColumns):
        raise TypeError("only loans are cut into bundles")
    return kind.requests
