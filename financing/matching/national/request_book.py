"""Open loan requests kept packed, so that a new or changed offer finds whom it fits at once.

Groups decide first (province, size class, term, band of principal), then every line of those left
is looked at, in parts. Benchmarks hold books of the country; whoever keeps columns can.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.national.cost_sheet import cost_sheet
from financing.matching.national.groups import Bands, bands_of, is_open
from financing.matching.national.incremental import Taken, no_figures, scan_requests
from financing.matching.national.packed_offers import (
    cost_records,
    limit_steps,
    offer_records,
    offer_truth,
    truth_bits,
)
from financing.matching.national.packing import Closed, Problem, pack
from financing.matching.national.pairs import ASK, QUESTIONS
from financing.matching.national.problem import Records, Words
from financing.matching.national.questions import answer_of
from financing.matching.national.sketches import (
    Sketch,
    Stretch,
    Wanted,
    make_sketch,
    sift,
    what_it_wants,
)
from financing.matching.national.tables import Bool, Int32, Int64, LoanRequestColumns
from financing.matching.national.threads import over_parts
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import SIZE_CLASSES, LoanOfferRow


class Takers(NamedTuple):
    """Requests an offer fits, by place in the book's columns; figures in fen.

    `worth_fen`: as the proposal that reaches the business, or as another where `is_reached`.
    """

    place: Int32
    amount_fen: Int64
    saving_fen: Int64
    worth_fen: Int64
    is_reached: Bool

    def __len__(self) -> int:
        return len(self.place)


WORTH_THREADS = 100_000
"""Fewer lines are looked at in less time than it takes to start threads."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestBook:
    """Requests in the order of their groups, with what decides for whole groups."""

    problem: Problem
    columns: LoanRequestColumns
    sketch: Sketch
    bands: Bands
    province: Int32
    provinces: tuple[str, ...]
    size_class: Int32
    institutions: dict[str, int]
    closed_institution: dict[str, Int64]
    closed_offer: dict[str, Int64]

    def __len__(self) -> int:
        return self.problem.count


def request_book(
    columns: LoanRequestColumns,
    policy: MatchingPolicy,
    *,
    closed: Closed | None = None,
    threads: int = 1,
) -> RequestBook:
    """Pack the requests; raises ColumnError as `pack` does."""
    closed = closed or Closed()
    problem = pack(columns, (), policy, closed=Closed(counted=closed.counted), threads=threads)
    first = problem.line[problem.groups.start[:-1]]
    codes = tuple(sorted({code[:2] for code in columns.region_codes}))
    number = {code: place for place, code in enumerate(codes)}
    province = np.array([number[code[:2]] for code in columns.region_codes], dtype=np.int32)
    packed_at = np.empty(len(columns), dtype=np.int64)
    packed_at[problem.line] = np.arange(len(columns))
    return RequestBook(
        problem=problem,
        columns=columns,
        sketch=make_sketch(problem.data.requests, problem.data.patents, threads),
        bands=bands_of(problem.data.requests, problem.groups),
        province=province[columns.region[first]],
        provinces=codes,
        size_class=columns.size_class[first].astype(np.int32),
        institutions={id_: place for place, id_ in enumerate(columns.institution_ids)},
        closed_institution=_by_name(closed.institutions, packed_at),
        closed_offer=_by_name(closed.offers, packed_at),
    )


class PackedOffer(NamedTuple):
    """An offer as the compiled rules read it beside one book, and the lines that may take it."""

    row: LoanOfferRow
    stretch: Stretch
    wanted: Wanted
    records: Records
    bits: Words
    regions_from: int
    steps: Int64
    costs: Records


def pack_offer(book: RequestBook, offer: LoanOfferRow) -> PackedOffer:
    """Its costs for the terms and limits of the book, and the groups it serves; ColumnError."""
    problem = book.problem
    sheet = cost_sheet((offer,), problem.terms, problem.limits_ppm, problem.policy, problem.book)
    takes = offer_truth((offer,), book.columns)
    bits, regions_from = truth_bits(*takes)
    institutions = {**book.institutions}
    institutions.setdefault(offer.institution_id, len(institutions))
    records = offer_records((offer,), book.columns, institutions)
    steps, costs = limit_steps((offer,)), cost_records(sheet)
    return PackedOffer(
        row=offer,
        stretch=_stretches(book, offer, sheet.saving_ppm[:, 0] >= 0),
        wanted=what_it_wants(records, steps, costs, problem.terms, (takes[0][0], takes[1][0])),
        records=records,
        bits=bits,
        regions_from=regions_from,
        steps=steps,
        costs=costs,
    )


def takers(book: RequestBook, offer: LoanOfferRow, *, threads: int = 1) -> Takers:
    """Every request with a free place that the offer fits, in no order; raises ColumnError.

    What is closed to the pair is left out; `already_decided` is the caller's where it is not.
    """
    return takers_of(book, pack_offer(book, offer), threads=threads)


def takers_of(book: RequestBook, packed: PackedOffer, *, threads: int = 1) -> Takers:
    """The same for an offer packed beside this book: what the matcher itself takes."""
    problem = book.problem
    term_months = np.asarray(problem.terms, dtype=np.int64)
    count = int(packed.stretch.edge[-1])

    def work(start: int, stop: int) -> Taken:
        lines = np.empty(stop - start, dtype=np.int32)
        left = sift(start, stop, packed.stretch, book.sketch, packed.wanted, lines)
        taken = no_figures(lines[:left])
        kept = scan_requests(
            problem.groups,
            term_months,
            problem.data.requests,
            problem.data.patents,
            packed.records,
            packed.bits,
            packed.steps,
            packed.costs,
            np.zeros(0, dtype=np.int64),
            packed.regions_from,
            problem.policy.alternative_share_ppm,
            taken,
        )
        return _those(taken, slice(kept))

    found = _joined(over_parts(work, count, threads if count >= WORTH_THREADS else 1))
    found = _without_closed(_answered(found, book, packed), book, packed.row)
    return Takers(problem.line[found.line], *found[1:])


def _joined(parts: list[Taken]) -> Taken:
    """What the parts kept, one after the other."""
    parts = parts or [no_figures(np.zeros(0, dtype=np.int32))]
    return Taken(
        np.concatenate([part.line for part in parts]),
        np.concatenate([part.amount for part in parts]),
        np.concatenate([part.saving for part in parts]),
        np.concatenate([part.worth for part in parts]),
        np.concatenate([part.is_reached for part in parts]),
    )


def _those(taken: Taken, where: slice | Bool) -> Taken:
    return Taken(
        taken.line[where],
        taken.amount[where],
        taken.saving[where],
        taken.worth[where],
        taken.is_reached[where],
    )


def _stretches(book: RequestBook, offer: LoanOfferRow, saves: Bool) -> Stretch:
    """Lines of the groups that province, size class, term and principal leave to the offer."""
    groups, bands, policy = book.problem.groups, book.bands, book.problem.policy
    if is_open(offer, policy):
        served = {code[:2] for code in offer.regions}
        serves = np.array([not served or code in served for code in book.provinces])
        accepts = np.array(
            [not offer.size_classes or s in offer.size_classes for s in SIZE_CLASSES]
        )
        fits = serves[book.province] & accepts[book.size_class] & saves[groups.term]
        fits = fits[bands.group]
        fits &= offer.principal_min_fen <= bands.high
        fits &= offer.principal_max_fen >= bands.share * bands.low * (1 - 1e-9) - 1
        chosen = np.flatnonzero(fits)
    else:
        chosen = np.zeros(0, dtype=np.int64)
    edge = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(bands.start[chosen + 1] - bands.start[chosen], out=edge[1:])
    return Stretch(bands.start[chosen], edge, groups.term[bands.group[chosen]])


def _answered(found: Taken, book: RequestBook, packed: PackedOffer) -> Taken:
    """Pairs near the ceiling decided by the readable rules: kept with their figures, or gone."""
    asked = np.flatnonzero(found.amount == ASK)
    if not len(asked):
        return found
    problem, costs = book.problem, packed.costs
    known = (packed.row,), problem.terms, problem.limits_ppm, problem.book
    answers = {int(key): answer_of(int(key), *known) for key in np.unique(found.saving[asked])}
    delivery, share = int(packed.records[0]["delivery"]), problem.policy.alternative_share_ppm
    stays = np.ones(len(found.line), dtype=np.bool_)
    for x in asked:
        key = int(found.saving[x])
        stays[x] = answers[key] == 1
        yuan, line = divmod(key, QUESTIONS)
        line, conditional = divmod(line, 2)
        cost = costs[line // len(problem.terms), line % len(problem.terms), 0]
        saving = yuan * 100 * int(cost["saving_ppm"]) // 10**6 - int(cost[f"fixed_{conditional}"])
        coverage = int(problem.data.requests[found.line[x]]["coverage"])
        found.amount[x], found.saving[x] = yuan * 100, saving
        found.worth[x] = (
            saving * share * delivery // 10**12
            if found.is_reached[x]
            else (coverage + saving) * delivery // 10**6
        )
    return _those(found, stays)


def _without_closed(found: Taken, book: RequestBook, offer: LoanOfferRow) -> Taken:
    nobody = np.zeros(0, dtype=np.int64)
    closed = np.concatenate(
        (
            book.closed_institution.get(offer.institution_id, nobody),
            book.closed_offer.get(offer.id, nobody),
        )
    )
    if not len(closed):
        return found
    return _those(found, ~np.isin(found.line, closed))


def _by_name(pairs: Iterable[tuple[int, str]], packed_at: Int64) -> dict[str, Int64]:
    """Packed places by institution or offer."""
    places: dict[str, list[int]] = {}
    for place, name in pairs:
        places.setdefault(name, []).append(int(packed_at[place]))
    return {name: np.array(some, dtype=np.int64) for name, some in places.items()}
