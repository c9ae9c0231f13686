"""Request columns -> records in order of their groups; called by `packing.py`."""

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from financing.matching.columns import PPM
from financing.matching.national.calendar_months import (
    Months,
    month_tables,
    months_to_reach,
    whole_months,
)
from financing.matching.national.compiled import compiled, signed
from financing.matching.national.problem import PATENT, REQUEST, Records
from financing.matching.national.tables import (
    NO_DAY,
    Bool,
    ColumnError,
    Int32,
    Int64,
    LoanRequestColumns,
    RequestColumns,
    UInt8,
    UInt16,
)
from financing.matching.national.threads import over_parts
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import SIZE_CLASSES


def request_records(
    columns: LoanRequestColumns,
    order: Int32,
    policy: MatchingPolicy,
    limits: Int32,
    threads: int,
) -> tuple[Records, Records]:
    """Requests in this order and their patents, without those that no offer can take.

    Nothing is closed to anybody yet. ColumnError where weights leave the range of the engine.
    """
    region_lift, size_lift = lifts(columns, policy)
    price = policy.loan_coverage_value_fen
    most = PPM + int(region_lift.max(initial=0)) + int(size_lift.max(initial=0))
    most += policy.first_time_lift_ppm + policy.waiting_lift_most_ppm
    if price * most >= 2**62:
        raise ColumnError("policy.loan_coverage_value_fen: too large with its weights")
    of_policy = np.array(
        [
            price,
            policy.first_time_lift_ppm,
            policy.waiting_lift_ppm_per_day,
            policy.waiting_lift_most_ppm,
            policy.max_proposals_count,
        ],
        dtype=np.int64,
    )
    today = (policy.as_of - date(1970, 1, 1)).days
    months = month_tables()
    ends = np.append(limits, np.int32(2**31 - 1)).astype(np.int32)
    patents = columns.patents
    # Columns are read line by line and records written where they belong: of the two, a record is
    # one place in memory, a line one in each column.
    place = np.empty(len(order), dtype=np.int32)
    requests = np.empty(len(order), dtype=REQUEST)
    over_parts(lambda a, b: _invert(a, b, order, place), len(order), threads)

    def figures(start: int, stop: int) -> None:
        _put_figures(
            start,
            stop,
            place,
            columns.id,
            columns.region,
            columns.industry,
            columns.size_class,
            columns.is_first_time_borrower,
            columns.waiting_days,
            region_lift,
            size_lift,
            of_policy,
            columns.principal_fen,
            columns.least_accepted_fen,
            columns.max_apr_ppm,
            columns.established_on,
            columns.certificates,
            ends,
            columns.patents_start,
            patents.hard_grounds,
            today,
            months,
            requests,
        )

    over_parts(figures, len(order), threads)
    packed = np.empty(_put_starts(requests), dtype=PATENT)

    def patents_of(start: int, stop: int) -> None:
        _put_patents(
            start,
            stop,
            place,
            requests,
            columns.patents_start,
            columns.drawdown_on,
            patents.kind,
            patents.expires_on,
            patents.appraised_value_fen,
            patents.appraised_on,
            patents.hard_grounds,
            patents.pledgee,
            patents.released_on,
            today,
            months,
            packed,
        )

    over_parts(patents_of, len(order), threads)
    return requests, packed


def present(values: NDArray[Any], most: int) -> tuple[int, ...]:
    """The values from 0 to `most` that occur in a column, rising."""
    found = np.zeros(most + 1, dtype=np.bool_)
    _mark(values, found)
    return tuple(map(int, np.flatnonzero(found)))


def lifts(columns: RequestColumns, policy: MatchingPolicy) -> tuple[Int64, Int64]:
    """Lift by region (the finest division named counts) and by size class, in ppm."""
    by_prefix = {}
    for weight in policy.region_weights:
        code = weight.region_code
        prefix = code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
        by_prefix[prefix] = weight.lift_ppm
    region = [
        next((by_prefix[code[:n]] for n in (6, 4, 2) if code[:n] in by_prefix), 0)
        for code in columns.region_codes
    ]
    size = [
        sum(w.lift_ppm for w in policy.size_weights if w.size_class == size_class)
        for size_class in SIZE_CLASSES
    ]
    return np.array(region, dtype=np.int64), np.array(size, dtype=np.int64)


@compiled
def _mark(values: NDArray[Any], found: Bool) -> None:
    for line in range(len(values)):
        if values[line] >= 0:
            found[values[line]] = True


@compiled
def _invert(first: int, last: int, order: Int32, place: Int32) -> None:
    for i in range(first, last):
        place[order[i]] = i


@compiled
def _put_figures(
    first: int,
    last: int,
    at: Int32,
    id_: Int64,
    region: UInt16,
    industry: UInt16,
    size: UInt8,
    is_first: Bool,
    waiting: Int32,
    region_lift: Int64,
    size_lift: Int64,
    of_policy: Int64,
    principal: Int64,
    least: Int64,
    limit: Int32,
    established: Int32,
    certificates: Int64,
    limits: Int32,
    patents_start: Int64,
    hard: UInt16,
    today: int,
    months: Months,
    requests: Records,
) -> None:
    """Every field but where the patents start."""
    price, first_lift, per_day, most = of_policy[0], of_policy[1], of_policy[2], of_policy[3]
    for line in range(first, last):
        to = requests[at[line]]
        to.id = id_[line]
        to.principal = principal[line]
        to.least = least[line]
        to.certificates = certificates[line]
        weight = 1_000_000 + region_lift[region[line]] + size_lift[size[line]]
        if is_first[line]:
            weight += first_lift
        weight += min(waiting[line] * per_day, most)
        to.coverage = price * weight // 1_000_000
        to.closed = -1
        to.region = region[line]
        to.industry = industry[line]
        to.operating = min(max(whole_months(established[line], today, months), -1), 32_000)
        kept = 0
        for place in range(patents_start[line], patents_start[line + 1]):
            kept += hard[place] == 0
        to.patents_count = kept
        to.limit = 0
        if limit[line] >= 0:
            to.limit = 1 + np.searchsorted(limits, limit[line])
        to.slots = of_policy[4]
        to.is_reached = 0


@compiled
def _put_starts(requests: Records) -> int:
    """Where each request's patents start; gives how many there are in all."""
    total = signed(0)
    for i in range(len(requests)):
        requests[i].patents_start = total
        total += requests[i].patents_count
    return total


@compiled
def _put_patents(
    first: int,
    last: int,
    at: Int32,
    requests: Records,
    start: Int64,
    drawdown: Int32,
    kind: UInt8,
    expires: Int32,
    value: Int64,
    appraised: Int32,
    hard: UInt16,
    pledgee: Int32,
    released: Int32,
    today: int,
    months: Months,
    packed: Records,
) -> None:
    for line in range(first, last):
        from_day = max(today, signed(drawdown[line]))
        patent = requests[at[line]].patents_start
        for place in range(start[line], start[line + 1]):
            if hard[place]:
                continue
            to = packed[patent]
            to.kind = kind[place]
            life = -1
            if expires[place] > from_day:
                life = min(whole_months(from_day, expires[place], months), 32_000)
            to.life = life
            to.value = max(value[place], 0)
            age = -1
            if value[place] >= 0 and appraised[place] <= today:
                age = min(months_to_reach(appraised[place], today, months), 32_000)
            to.appraisal_age = age
            is_free = released[place] != NO_DAY and released[place] <= from_day
            to.pledgee = -1 if is_free else pledgee[place]
            patent += 1
