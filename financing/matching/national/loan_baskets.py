"""The patents each proposed loan keeps, and whether it waits for an appraisal; for `loan_run.py`.

The tests are those of `pairs.pair_amount`; only proposals are looked at, never all pairs.
"""

import numpy as np

from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Records
from financing.matching.national.tables import Bool, Int32, Int64, LoanRequestColumns, UInt16
from financing.matching.national.threads import over_parts


def loan_baskets(
    problem: Problem, columns: LoanRequestColumns, request: Int64, offer: Int32, threads: int = 1
) -> tuple[Int64, Int64, Bool]:
    """(start of each proposal's patents, ids of the patents, is it conditional).

    `request`, `offer`: packed places of the proposals; `columns` are those that were packed.
    """
    count = len(request)
    starts = np.zeros(count + 1, dtype=np.int64)
    conditional = np.zeros(count, dtype=np.bool_)
    none = np.zeros(0, dtype=np.int64)
    months = np.zeros(problem.count, dtype=np.int64)
    months[:] = columns.term_months[problem.line]

    def work(a: int, b: int, fills: bool, ids: Int64) -> None:
        _baskets(
            a,
            b,
            request,
            offer,
            problem.line,
            months,
            problem.data.requests,
            problem.data.patents,
            problem.data.offers,
            columns.patents_start,
            columns.patents.hard_grounds,
            columns.patents.id,
            fills,
            starts,
            conditional,
            ids,
        )

    over_parts(lambda a, b: work(a, b, False, none), count, threads)
    np.cumsum(starts, out=starts)
    ids = np.empty(int(starts[-1]), dtype=np.int64)
    over_parts(lambda a, b: work(a, b, True, ids), count, threads)
    return starts, ids, conditional


@inlined
def is_kept(i_patent: int, j: int, until: int, patents: Records, offers: Records) -> bool:
    """The tests of a patent of `pairs.pair_amount`: kind, life, pledge."""
    patent, offer = patents[i_patent], offers[j]
    if patent.kind == 0:
        loan_to_value, life = offer.loan_to_value_0, offer.life_0
    elif patent.kind == 1:
        loan_to_value, life = offer.loan_to_value_1, offer.life_1
    else:
        loan_to_value, life = offer.loan_to_value_2, offer.life_2
    if loan_to_value < 0 or patent.life < max(until, life):
        return False
    is_free = patent.pledgee < 0 or patent.pledgee == offer.institution
    return bool(is_free)


@bare
def _baskets(
    first: int,
    last: int,
    request: Int64,
    offer: Int32,
    line: Int32,
    months: Int64,
    requests: Records,
    patents: Records,
    offers: Records,
    patents_start: Int64,
    hard: UInt16,
    patent_id: Int64,
    fills: bool,
    starts: Int64,
    conditional: Bool,
    ids: Int64,
) -> None:
    for n in range(first, last):
        i, j = request[n], offer[n]
        until = months[i] + offers[j].margin
        packed = requests[i].patents_start
        kept, usable = signed(0), signed(0)
        whole, rest = signed(0), signed(0)
        # Only where filled: while counting, the line before writes to this very place.
        at = starts[n] if fills else np.int64(0)
        for place in range(patents_start[line[i]], patents_start[line[i] + 1]):
            if hard[place]:
                continue
            if is_kept(packed, j, until, patents, offers):
                if fills:
                    ids[at + kept] = patent_id[place]
                kept += 1
                patent = patents[packed]
                age = patent.appraisal_age
                if age >= 0 and age <= offers[j].appraisal_age:
                    usable += 1
                    loan_to_value = offers[j].loan_to_value_0
                    if patent.kind == 1:
                        loan_to_value = offers[j].loan_to_value_1
                    elif patent.kind == 2:
                        loan_to_value = offers[j].loan_to_value_2
                    whole += patent.value // 1_000_000 * loan_to_value
                    rest += patent.value % 1_000_000 * loan_to_value
            packed += 1
        if fills:
            continue
        starts[n + 1] = kept
        # As in `pair_amount`: where the limit for patents without appraisal is the better basis.
        if offers[j].basis != 1 and usable < kept:
            lends = whole + rest // 1_000_000
            if offers[j].basis == 2:
                lends = min(lends, 4_000_000_000_000) * 1_000_000 // offers[j].secured_ppm
            conditional[n] = offers[j].unappraised_limit > lends
