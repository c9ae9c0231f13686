"""Groups of requests and the offers that may serve them; called by `packing.py`.

A group shares province, size class, term and a band of principal, so that what these decide is
decided once for all its requests.
"""

import numpy as np

from financing.matching.national.compiled import compiled
from financing.matching.national.problem import Float64, Groups, Records
from financing.matching.national.tables import (
    Int32,
    Int64,
    LoanRequestColumns,
    RequestColumns,
    UInt8,
    UInt16,
)
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import SIZE_CLASSES, LoanOfferRow, OfferRow

FIRST_OCTAVE = 22  # 42,000 yuan
OCTAVES = 16
SHARES = 4
FINE_FROM = 2_000_000
"""From so many requests on, groups are finer: their bounds are tighter, and there is enough in each
to make up for the longer lists."""


def _bands_per_octave(count: int) -> int:
    return 2 if count >= FINE_FROM else 1


def provinces(columns: RequestColumns) -> tuple[list[str], Int32]:
    codes = sorted({code[:2] for code in columns.region_codes})
    place = {code: number for number, code in enumerate(codes)}
    return codes, np.array([place[code[:2]] for code in columns.region_codes], dtype=np.int32)


def group_keys(columns: LoanRequestColumns, term_place: Int32, terms: int) -> tuple[Int32, int]:
    codes, province = provinces(columns)
    per_octave = _bands_per_octave(len(columns))
    keys = np.empty(len(columns), dtype=np.int32)
    _fill_keys(
        columns.region,
        province,
        columns.size_class,
        term_place,
        columns.principal_fen,
        columns.least_accepted_fen,
        terms,
        per_octave,
        keys,
    )
    return keys, len(codes) * len(SIZE_CLASSES) * terms * (2 + OCTAVES * per_octave) * SHARES


@compiled
def _fill_keys(
    region: UInt16,
    province: Int32,
    size: UInt8,
    term: Int32,
    principal: Int64,
    least: Int64,
    terms: int,
    per_octave: int,
    keys: Int32,
) -> None:
    bands = 2 + OCTAVES * per_octave
    for i in range(len(keys)):
        octave = np.log2(float(principal[i])) - FIRST_OCTAVE
        band = int(min(max(octave * per_octave + 1.0, 0.0), bands - 1.0))
        share = least[i] / principal[i]
        # Finer parts are worth their longer lists only where requests are many.
        part = 0 if share < 0.7 else 2
        if per_octave > 1:
            part = 0 if share < 0.4 else 1 if share < 0.7 else 2 if share < 0.95 else 3
        key = (int(province[region[i]]) * 6 + int(size[i])) * terms + int(term[i])
        keys[i] = (key * bands + band) * SHARES + part


@compiled
def sorted_by_group(keys: Int32, count: int) -> tuple[Int32, Int64]:
    """Lines in order of their group, and where each group present starts."""
    start = np.zeros(count + 1, dtype=np.int64)
    for i in range(len(keys)):
        start[keys[i] + 1] += 1
    present = 0
    for group in range(count):
        if start[group + 1] > 0:
            present += 1
        start[group + 1] += start[group]
    edges = np.zeros(present + 1, dtype=np.int64)
    place = 0
    for group in range(count):
        if start[group + 1] > start[group]:
            place += 1
            edges[place] = start[group + 1]
    order = np.empty(len(keys), dtype=np.int32)
    for i in range(len(keys)):
        order[start[keys[i]]] = i
        start[keys[i]] += 1
    return order, edges


@compiled
def sort_by_id(first: int, last: int, start: Int64, ids: Int64, order: Int32) -> None:
    """The lines of these groups in order of their ids: the order of rows then plays no part."""
    for group in range(first, last):
        a, b = start[group], start[group + 1]
        mine = np.empty(b - a, dtype=np.int64)
        for x in range(a, b):
            mine[x - a] = ids[order[x]]
        order[a:b] = order[a:b][np.argsort(mine)]


def make_groups(
    requests: Records,
    order: Int32,
    start: Int64,
    columns: LoanRequestColumns,
    term_place: Int32,
    rows: tuple[LoanOfferRow, ...],
    saving_ppm: Int64,
    policy: MatchingPolicy,
) -> Groups:
    """Groups with the offers that the province, size class, term and principal leave."""
    codes, province = provinces(columns)
    first = order[start[:-1]]
    low, high, share = _extremes(requests, start)
    term = term_place[first]
    where = province[columns.region[first]]
    size = columns.size_class[first]
    opened = np.array([is_open(row, policy) for row in rows], dtype=np.bool_)
    serves = np.array(
        [
            [not row.regions or any(r[:2] == code for r in row.regions) for row in rows]
            for code in codes
        ],
        dtype=np.bool_,
    )
    accepts = np.array(
        [
            [not row.size_classes or size_class in row.size_classes for row in rows]
            for size_class in SIZE_CLASSES
        ],
        dtype=np.bool_,
    )
    minimum = np.array([row.principal_min_fen for row in rows], dtype=np.int64)
    maximum = np.array([row.principal_max_fen for row in rows], dtype=np.int64)
    known: dict[tuple[int, int, int], Int32] = {}
    lists = []
    for group in range(len(first)):
        key = (int(where[group]), int(size[group]), int(term[group]))
        if key not in known:
            fits = opened & serves[key[0]] & accepts[key[1]] & (saving_ppm[key[2]] >= 0)
            known[key] = np.flatnonzero(fits).astype(np.int32)
        some = known[key]
        useful = (minimum[some] <= high[group]) & (
            maximum[some] >= share[group] * low[group] * (1 - 1e-9) - 1
        )
        lists.append(some[useful])
    offers_start = np.zeros(len(first) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in lists], out=offers_start[1:])
    offer = np.concatenate(lists) if lists else np.zeros(0, dtype=np.int32)
    return Groups(start, term, low, high, share, offers_start, offer)


@compiled
def _extremes(requests: Records, start: Int64) -> tuple[Int64, Int64, Float64]:
    count = len(start) - 1
    low, high = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    share = np.empty(count, dtype=np.float64)
    for group in range(count):
        a = start[group]
        low[group] = high[group] = requests[a].principal
        share[group] = 1.0
        for i in range(a, start[group + 1]):
            principal = requests[i].principal
            low[group] = min(low[group], principal)
            high[group] = max(high[group], principal)
            share[group] = min(share[group], requests[i].least / principal)
    return low, high, share


def is_open(row: OfferRow, policy: MatchingPolicy) -> bool:
    """Rule not_open, which no request can change."""
    return (
        not row.is_institution_suspended
        and row.status == "published"
        and (row.opens_on is None or row.opens_on <= policy.as_of)
        and (row.closes_on is None or row.closes_on >= policy.as_of)
    )
