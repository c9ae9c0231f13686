"""Request columns -> records in order of their groups; called by `packing.py`."""

from datetime import date

import numpy as np

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
    today = (policy.as_of - date(1970, 1, 1)).days
    months = month_tables()
    requests = np.zeros(len(order), dtype=REQUEST)
    requests["slots"] = policy.max_proposals_count
    requests["closed"] = -1
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
        ],
        dtype=np.int64,
    )
    ends = np.append(limits, np.int32(2**31 - 1)).astype(np.int32)
    patents = columns.patents

    def figures(start: int, stop: int) -> None:
        _gather_codes(
            columns.id,
            columns.region,
            columns.industry,
            columns.size_class,
            columns.is_first_time_borrower,
            columns.waiting_days,
            region_lift,
            size_lift,
            of_policy,
            order[start:stop],
            requests[start:stop],
        )
        _gather_figures(
            columns.principal_fen,
            columns.least_accepted_fen,
            columns.max_apr_ppm,
            columns.established_on,
            columns.certificates,
            ends,
            columns.patents_start,
            patents.hard_grounds,
            order[start:stop],
            today,
            months,
            requests[start:stop],
        )

    over_parts(figures, len(order), threads)
    counts = np.cumsum(requests["patents_count"], dtype=np.int64)
    requests["patents_start"][1:] = counts[:-1]
    packed = np.zeros(int(counts[-1]) if len(counts) else 0, dtype=PATENT)

    def patents_of(start: int, stop: int) -> None:
        _gather_patents(
            order[start:stop],
            requests[start:stop],
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
def _gather_codes(
    id_: Int64,
    region: UInt16,
    industry: UInt16,
    size: UInt8,
    is_first: Bool,
    waiting: Int32,
    region_lift: Int64,
    size_lift: Int64,
    lifts: Int64,
    order: Int32,
    requests: Records,
) -> None:
    price, first_lift, per_day, most = lifts[0], lifts[1], lifts[2], lifts[3]
    for i in range(len(order)):
        line = order[i]
        to = requests[i]
        to.id = id_[line]
        to.region = region[line]
        to.industry = industry[line]
        weight = 1_000_000 + region_lift[region[line]] + size_lift[size[line]]
        if is_first[line]:
            weight += first_lift
        weight += min(waiting[line] * per_day, most)
        to.coverage = price * weight // 1_000_000


@compiled
def _gather_figures(
    principal: Int64,
    least: Int64,
    limit: Int32,
    established: Int32,
    certificates: Int64,
    limits: Int32,
    patents_start: Int64,
    hard: UInt16,
    order: Int32,
    today: int,
    months: Months,
    requests: Records,
) -> None:
    for i in range(len(order)):
        line = order[i]
        to = requests[i]
        to.principal = principal[line]
        to.least = least[line]
        to.certificates = certificates[line]
        to.limit = 0
        if limit[line] >= 0:
            to.limit = 1 + np.searchsorted(limits, limit[line])
        to.operating = min(max(whole_months(established[line], today, months), -1), 32_000)
        kept = 0
        for place in range(patents_start[line], patents_start[line + 1]):
            kept += hard[place] == 0
        to.patents_count = kept


@compiled
def _gather_patents(
    order: Int32,
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
    for i in range(len(order)):
        line = order[i]
        from_day = max(today, signed(drawdown[line]))
        at = requests[i].patents_start
        for place in range(start[line], start[line + 1]):
            if hard[place]:
                continue
            to = packed[at]
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
            at += 1
