"""Groups of requests and the offers that may serve them; called by `packing.py`.

A group shares province, size class and term, so that what these decide is decided once for all its
requests; within it requests lie by bands of principal, so that neighbours want alike.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.national.compiled import compiled, inlined
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
PER_OCTAVE = 2
BANDS = 2 + OCTAVES * PER_OCTAVE


def provinces(columns: RequestColumns) -> tuple[list[str], Int32]:
    codes = sorted({code[:2] for code in columns.region_codes})
    place = {code: number for number, code in enumerate(codes)}
    return codes, np.array([place[code[:2]] for code in columns.region_codes], dtype=np.int32)


def group_keys(columns: LoanRequestColumns, term_place: Int32, terms: int) -> tuple[Int32, int]:
    """By line its group and within it its band of principal, as one number below the second."""
    codes, province = provinces(columns)
    keys = np.empty(len(columns), dtype=np.int32)
    _fill_keys(
        columns.region,
        province,
        columns.size_class,
        term_place,
        columns.principal_fen,
        terms,
        keys,
    )
    return keys, len(codes) * len(SIZE_CLASSES) * terms * BANDS


@inlined
def band_of(principal: int) -> int:
    """Half octaves of the principal."""
    octave = np.log2(float(principal)) - FIRST_OCTAVE
    return int(min(max(octave * PER_OCTAVE + 1.0, 0.0), BANDS - 1.0))


@compiled
def _fill_keys(
    region: UInt16,
    province: Int32,
    size: UInt8,
    term: Int32,
    principal: Int64,
    terms: int,
    keys: Int32,
) -> None:
    for i in range(len(keys)):
        key = (int(province[region[i]]) * 6 + int(size[i])) * terms + int(term[i])
        keys[i] = key * BANDS + band_of(principal[i])


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
    order: Int32,
    start: Int64,
    columns: LoanRequestColumns,
    term_place: Int32,
    rows: tuple[LoanOfferRow, ...],
    saving_ppm: Int64,
    policy: MatchingPolicy,
) -> Groups:
    """Groups with the offers that province, size class and term leave; `start`: of their bands."""
    codes, province = provinces(columns)
    first = order[start[:-1]]
    term = term_place[first]
    where = province[columns.region[first]]
    size = columns.size_class[first]
    changes = (np.diff(where) != 0) | (np.diff(size.astype(np.int32)) != 0) | (np.diff(term) != 0)
    begins = np.flatnonzero(np.append(len(first) > 0, changes))
    start = np.append(start[begins], start[-1])
    term, where, size = term[begins], where[begins], size[begins]
    opened = np.array([is_open(row, policy) for row in rows], dtype=np.bool_)
    serves = np.zeros((len(codes), len(rows)), dtype=np.bool_)
    number = {code: place for place, code in enumerate(codes)}
    for place, row in enumerate(rows):
        named = {region[:2] for region in row.regions}
        some = [number[code] for code in named if code in number]
        serves[some if named else slice(None), place] = True
    accepts = np.array(
        [
            [not row.size_classes or size_class in row.size_classes for row in rows]
            for size_class in SIZE_CLASSES
        ],
        dtype=np.bool_,
    )
    lists = [
        np.flatnonzero(opened & serves[w] & accepts[s] & (saving_ppm[t] >= 0)).astype(np.int32)
        for w, s, t in zip(where, size, term, strict=True)
    ]
    offers_start = np.zeros(len(begins) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in lists], out=offers_start[1:])
    offer = np.concatenate(lists) if lists else np.zeros(0, dtype=np.int32)
    return Groups(start, term, where, offers_start, offer)


@inlined
def place_of(starts: Int64, i: int, from_: int) -> int:
    """The group of packed line i, at or after this one."""
    low, high = from_, len(starts) - 2
    if starts[low + 1] > i:
        return low
    while low < high:
        middle = (low + high) // 2
        if starts[middle + 1] <= i:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def lines_before(lines: Int32, end: int, from_: int) -> int:
    """How many lines (rising) lie before packed line `end`."""
    low, high = from_, len(lines)
    while low < high:
        middle = (low + high) // 2
        if lines[middle] < end:
            low = middle + 1
        else:
            high = middle
    return low


class Bands(NamedTuple):
    """Requests of one group and band of principal. `start`: one longer; `low`, `high`: least and
    greatest principal; `share`: least of least accepted over principal."""

    start: Int64
    group: Int32
    low: Int64
    high: Int64
    share: Float64


def bands_of(requests: Records, groups: Groups) -> Bands:
    """Where the bands lie in the packed requests: one pass over them."""
    count = len(groups.term) * BANDS
    bands = Bands(
        np.zeros(count + 1, dtype=np.int64),
        np.zeros(count, dtype=np.int32),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.ones(count, dtype=np.float64),
    )
    found = _find_bands(requests, groups, bands)
    bands.start[found] = len(requests)
    return Bands(
        bands.start[: found + 1],
        bands.group[:found],
        bands.low[:found],
        bands.high[:found],
        bands.share[:found],
    )


@compiled
def _find_bands(requests: Records, groups: Groups, bands: Bands) -> int:
    found = 0
    for group in range(len(groups.term)):
        last = -1
        for i in range(groups.start[group], groups.start[group + 1]):
            principal = requests[i].principal
            band = band_of(principal)
            if band != last:
                bands.start[found], bands.group[found] = i, group
                bands.low[found] = bands.high[found] = principal
                last = band
                found += 1
            at = found - 1
            bands.low[at] = min(bands.low[at], principal)
            bands.high[at] = max(bands.high[at], principal)
            bands.share[at] = min(bands.share[at], requests[i].least / principal)
    return found


def is_open(row: OfferRow, policy: MatchingPolicy) -> bool:
    """Rule not_open, which no request can change."""
    return (
        not row.is_institution_suspended
        and row.status == "published"
        and (row.opens_on is None or row.opens_on <= policy.as_of)
        and (row.closes_on is None or row.closes_on >= policy.as_of)
    )
