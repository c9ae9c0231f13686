"""Columns and offers -> what the compiled code reads; called by `engine.py`, once per run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.cost_sheet import MOST_MONTHS, CostSheet, cost_sheet
from financing.matching.national.groups import (
    group_keys,
    make_groups,
    sort_by_id,
    sorted_by_group,
)
from financing.matching.national.packed_offers import (
    cost_records,
    limit_steps,
    offer_records,
    offer_truth,
    truth_bits,
)
from financing.matching.national.packed_requests import present, request_records
from financing.matching.national.pairs import QUESTIONS
from financing.matching.national.problem import Data, Groups, Records
from financing.matching.national.sieve import Sieve, make_sieve
from financing.matching.national.tables import (
    ColumnError,
    Int32,
    Int64,
    LoanRequestColumns,
    UInt16,
)
from financing.matching.national.threads import over_parts
from financing.matching.policy import MatchingPolicy
from financing.matching.rooms import room_of
from financing.matching.savings import CostBook
from financing.matching.tables import LoanOfferRow, OfferRow

NO_COUNT = 2**62
"""Pieces left of an offer without a count."""


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """What people have settled, by place of the request in the columns (MATCHING §1).

    `institutions`, `offers`: (place, institution id) and (place, offer id) that get no proposal.
    `counted`: live matches within their deadline, one place for each.
    """

    institutions: tuple[tuple[int, str], ...] = ()
    offers: tuple[tuple[int, str], ...] = ()
    counted: tuple[int, ...] = ()


class Costs(NamedTuple):
    """The sheet of the offers' costs, and the terms (months) and limits (ppm) of its lines."""

    terms: tuple[int, ...]
    limits_ppm: tuple[int, ...]
    sheet: CostSheet


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A run's input, packed. `line`: place of each packed request in the columns given.

    `room`, `room_count`: fen and pieces (NO_COUNT = no limit) of each offer before the run.
    `sieve`: where the problem can be walked.
    `region_codes`: the columns', which the records' regions number.
    """

    data: Data
    groups: Groups
    line: Int32
    room: Int64
    room_count: Int64
    offer_rows: tuple[LoanOfferRow, ...]
    terms: tuple[int, ...]
    limits_ppm: tuple[int, ...]
    policy: MatchingPolicy
    book: CostBook
    region_codes: tuple[str, ...] = ()
    sieve: Sieve | None = None

    @property
    def count(self) -> int:
        return len(self.line)


def canonical_offers(offers: Iterable[LoanOfferRow]) -> tuple[LoanOfferRow, ...]:
    """The order of offers that breaks ties: shorter ids first, then by text."""
    return tuple(sorted(offers, key=lambda offer: (len(offer.id), offer.id)))


def pack(
    columns: LoanRequestColumns,
    offers: Sequence[LoanOfferRow],
    policy: MatchingPolicy,
    *,
    closed: Closed | None = None,
    costs: Costs | None = None,
    threads: int = 1,
) -> Problem:
    """Everything a run needs. ColumnError where figures are too large for whole arithmetic.

    `costs`: those of the same offers for every term and limit of these columns and perhaps more.
    """
    rows = canonical_offers(offers)
    if len({row.id for row in rows}) < len(rows):
        raise ColumnError("loan_offers.id: each id once")
    terms, limits_ppm, sheet = costs if costs is not None else costs_of(columns, rows, policy)
    limits = np.array(limits_ppm, dtype=np.int32)
    term_place = _places(columns.term_months, terms)
    book = CostBook(policy)
    institutions = {id_: number for number, id_ in enumerate(columns.institution_ids)}
    for row in rows:
        institutions.setdefault(row.institution_id, len(institutions))
    keys, count = group_keys(columns, term_place, len(terms))
    order, start = sorted_by_group(keys, count)

    def by_id(first: int, last: int) -> None:
        sort_by_id(first, last, start, columns.id, order)

    over_parts(by_id, len(start) - 1, threads)
    requests, patents = request_records(columns, order, policy, limits, threads)
    closed_start, closed_institution, closed_offer = apply_closed(
        requests, order, institutions, rows, closed or Closed()
    )
    groups = make_groups(order, start, columns, term_place, rows, sheet.saving_ppm, policy)
    industries, regions = offer_truth(rows, columns)
    bits, regions_from = truth_bits(industries, regions)
    records, cost_lines = offer_records(rows, columns, institutions), cost_records(sheet)
    rooms = [room_of(row, policy.oversubscription_ppm) for row in rows]
    return Problem(
        data=Data(
            requests=requests,
            patents=patents,
            offers=records,
            bits=bits,
            steps=limit_steps(rows),
            costs=cost_lines,
            answers=np.zeros(0, dtype=np.int64),
            regions_from=regions_from,
            closed_start=closed_start,
            closed_institution=closed_institution,
            closed_offer=closed_offer,
        ),
        groups=groups,
        sieve=make_sieve(
            records,
            cost_lines,
            terms,
            industries,
            regions,
            columns.industry_codes,
            columns.region_codes,
        ),
        line=order,
        room=np.array([room.fen for room in rooms], dtype=np.int64),
        room_count=np.array(
            [NO_COUNT if room.count is None else room.count for room in rooms], dtype=np.int64
        ),
        offer_rows=rows,
        terms=terms,
        limits_ppm=limits_ppm,
        policy=policy,
        book=book,
        region_codes=columns.region_codes,
    )


def costs_of(
    columns: LoanRequestColumns, rows: tuple[LoanOfferRow, ...], policy: MatchingPolicy
) -> Costs:
    """What these offers (in canonical order) cost at the terms and limits that occur."""
    terms = present(columns.term_months, MOST_MONTHS)
    limits = present(columns.max_apr_ppm, PPM)
    if len(limits) > 254:
        raise ColumnError("loan_requests.max_apr_ppm: at most 254 different limits")
    if (len(limits) + 1) * len(terms) * len(rows) * 2 >= QUESTIONS:
        raise ColumnError("loan_requests: too many different terms and limits of the yearly cost")
    return Costs(terms, limits, cost_sheet(rows, terms, limits, policy, CostBook(policy)))


def _places(values: UInt16, known: tuple[int, ...]) -> Int32:
    """Each value's place among the known ones."""
    place = np.zeros(max(known, default=0) + 1, dtype=np.int32)
    place[list(known)] = np.arange(len(known))
    return place[values]


def apply_closed(
    requests: Records,
    order: Int32,
    institutions: dict[str, int],
    rows: Sequence[OfferRow],
    closed: Closed,
) -> tuple[Int64, Int32, Int32]:
    """Slots used up and reached marked in the records; lists of institutions and offers closed,
    an institution or an offer each, -1 for the other."""
    packed_place = np.empty(len(order), dtype=np.int64)
    if closed.institutions or closed.offers or closed.counted:
        packed_place[order] = np.arange(len(order))
    for place in closed.counted:
        record = requests[packed_place[place]]
        record["is_reached"] = 1
        record["slots"] = max(int(record["slots"]) - 1, 0)
    numbers = {row.id: number for number, row in enumerate(rows)}
    lines: dict[int, list[tuple[int, int]]] = {}
    for place, institution in sorted(set(closed.institutions)):
        one = (institutions.get(institution, -1), -1)
        lines.setdefault(int(packed_place[place]), []).append(one)
    for place, offer in sorted(set(closed.offers)):
        lines.setdefault(int(packed_place[place]), []).append((-1, numbers.get(offer, -1)))
    start = np.zeros(len(lines) + 1, dtype=np.int64)
    flat: list[tuple[int, int]] = []
    for number, (at, pairs) in enumerate(sorted(lines.items())):
        requests[at]["closed"] = number
        flat += pairs
        start[number + 1] = len(flat)
    table = np.asarray(flat, dtype=np.int32).reshape(-1, 2)
    return start, np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
