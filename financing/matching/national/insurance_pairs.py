"""All fitting pairs of insurance, figures of given pairs, baskets; called by `insurance_run.py`."""

from typing import NamedTuple

import numpy as np

from financing.matching.national.candidates import Candidates
from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.insurance_packing import InsuranceProblem
from financing.matching.national.insurance_rules import (
    InsuranceData,
    insurance_pair,
    is_insurable,
    premium_of,
)
from financing.matching.national.orders import is_plain
from financing.matching.national.pairs import is_closed, scaled, twice_scaled
from financing.matching.national.problem import Data, Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import InsuranceRequestColumns, Int32, Int64
from financing.matching.national.threads import over_parts


class _Pairs(NamedTuple):
    """By pair: offer, and figures in fen as in `listing.Pairs`."""

    offer: Int32
    amount: Int64
    further_fen: Int64
    first_fen: Int64


def _no_pairs(count: int) -> _Pairs:
    return _Pairs(*(np.zeros(count, dtype=t) for t in ("i4", "i8", "i8", "i8")))


def insurance_candidates(packed: InsuranceProblem, threads: int = 1) -> Candidates:
    """Every fitting pair, by packed request and offer."""
    problem = packed.problem
    share = int(problem.policy.alternative_share_ppm)
    start = np.zeros(problem.count + 1, dtype=np.int64)
    none = _no_pairs(0)

    def work(a: int, b: int, fills: bool, pairs: _Pairs) -> None:
        _list(a, b, packed.data, problem.data, share, start, fills, pairs)

    over_parts(lambda a, b: work(a, b, False, none), problem.count, threads)
    np.cumsum(start, out=start)
    pairs = _no_pairs(int(start[-1]))
    over_parts(lambda a, b: work(a, b, True, pairs), problem.count, threads)
    lines = np.arange(problem.count, dtype=np.int32)
    first = np.zeros(0, dtype=np.int64) if is_plain(problem) else pairs.first_fen
    return Candidates(lines, start, pairs.offer, pairs.amount, pairs.further_fen, first)


@bare
def _list(
    begin: int,
    end: int,
    data: InsuranceData,
    common: Data,
    share: int,
    starts: Int64,
    fills: bool,
    pairs: _Pairs,
) -> None:
    requests, patents, offers, bits = data.requests, data.patents, data.offers, data.bits
    for i in range(begin, end):
        closed = common.requests[i].closed
        coverage = common.requests[i].coverage
        # Only where filled: while counting, the line before writes to this very place.
        at = starts[i] if fills else np.int64(0)
        for x in range(data.offers_start[data.list_of[i]], data.offers_start[data.list_of[i] + 1]):
            j = data.offer[x]
            amount, saving, _ = insurance_pair(
                i, j, requests, patents, offers, bits, data.regions_from
            )
            if amount == 0:
                continue
            if closed >= 0 and is_closed(
                closed,
                j,
                common.offers,
                common.closed_start,
                common.closed_institution,
                common.closed_offer,
            ):
                continue
            if fills:
                delivery = common.offers[j].delivery
                pairs.offer[at], pairs.amount[at] = j, amount
                pairs.further_fen[at] = twice_scaled(saving, share, delivery)
                pairs.first_fen[at] = scaled(coverage + saving, delivery)
            at += 1
        if not fills:
            # Counted one place on: the running sum then gives where each request starts.
            starts[i + 1] = at


def insurance_figures(
    packed: InsuranceProblem, offer: Int32, threads: int = 1
) -> tuple[Int64, Int64]:
    """(sum insured, saving) of pairs by [packed request, place]; 0 where refused or no offer."""
    amount = np.zeros(offer.shape, dtype=np.int64)
    saving = np.zeros(offer.shape, dtype=np.int64)

    def work(a: int, b: int) -> None:
        _figures(a, b, packed.data, packed.problem.data, offer, amount, saving)

    over_parts(work, len(offer), threads)
    return amount, saving


def insurance_savings(packed: InsuranceProblem, given: Given, threads: int = 1) -> Int64:
    """Savings of all proposals. ValueError where one breaks a rule or states another amount."""
    amount, saving = insurance_figures(packed, given.offer, threads)
    wrong = int(((amount != given.amount) | ((amount == 0) & (given.offer >= 0))).sum())
    if wrong:
        raise ValueError(f"{wrong} proposals do not pass the rules")
    return saving


@bare
def _figures(
    begin: int,
    end: int,
    data: InsuranceData,
    common: Data,
    offer: Int32,
    amount: Int64,
    saving: Int64,
) -> None:
    for i in range(begin, end):
        closed = common.requests[i].closed
        for y in range(offer.shape[1]):
            j = offer[i, y]
            if j < 0 or not _is_listed(i, j, data):
                continue
            if closed >= 0 and is_closed(
                closed,
                j,
                common.offers,
                common.closed_start,
                common.closed_institution,
                common.closed_offer,
            ):
                continue
            amount[i, y], saving[i, y], _ = insurance_pair(
                i, j, data.requests, data.patents, data.offers, data.bits, data.regions_from
            )


@inlined
def _is_listed(i: int, j: int, data: InsuranceData) -> bool:
    """Cover, window, size class and province are settled by the lists alone."""
    for x in range(data.offers_start[data.list_of[i]], data.offers_start[data.list_of[i] + 1]):
        if data.offer[x] == j:
            return True
    return False


def insurance_baskets(
    packed: InsuranceProblem,
    columns: InsuranceRequestColumns,
    request: Int64,
    offer: Int32,
    threads: int = 1,
) -> tuple[Int64, Int64, Int64]:
    """(start of each proposal's patents, ids of the patents, premium in fen)."""
    starts = np.zeros(len(request) + 1, dtype=np.int64)
    premium = np.zeros(len(request), dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)

    def work(a: int, b: int, fills: bool, ids: Int64) -> None:
        _baskets(
            a,
            b,
            request,
            offer,
            packed.problem.line,
            packed.data.requests,
            packed.data.patents,
            packed.data.offers,
            columns.patents_start,
            columns.patents.id,
            fills,
            starts,
            premium,
            ids,
        )

    over_parts(lambda a, b: work(a, b, False, none), len(request), threads)
    np.cumsum(starts, out=starts)
    ids = np.empty(int(starts[-1]), dtype=np.int64)
    over_parts(lambda a, b: work(a, b, True, ids), len(request), threads)
    return starts, ids, premium


@bare
def _baskets(
    first: int,
    last: int,
    request: Int64,
    offer: Int32,
    line: Int32,
    requests: Records,
    patents: Records,
    offers: Records,
    patents_start: Int64,
    patent_id: Int64,
    fills: bool,
    starts: Int64,
    premium: Int64,
    ids: Int64,
) -> None:
    for n in range(first, last):
        i, j = request[n], offer[n]
        packed, given = requests[i].patents_start, patents_start[line[i]]
        at = starts[n] if fills else np.int64(0)
        kept = signed(0)
        for x in range(requests[i].patents_count):
            if is_insurable(packed + x, j, patents, offers):
                if fills:
                    ids[at + kept] = patent_id[given + x]
                kept += 1
        if not fills:
            starts[n + 1] = kept
            premium[n] = premium_of(
                offers[j].premium_min,
                offers[j].premium_base,
                offers[j].premium_patent,
                offers[j].premium_rate,
                requests[i].sum_insured,
                kept,
            )
