"""Who passes the rules of at least one offer; the first line of a run's fairness table.

Whatever the rooms and whatever is held already; called by `loan_run.py`.
"""

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import is_closed, pair_amount
from financing.matching.national.problem import Data, Groups
from financing.matching.national.tables import Bool, Int64
from financing.matching.national.threads import over_parts


def eligible_requests(problem: Problem, threads: int = 1) -> Bool:
    """By packed place; offers and institutions closed to a request do not count."""
    found = np.zeros(problem.count, dtype=np.bool_)
    terms = np.asarray(problem.terms, dtype=np.int64)
    over_parts(
        lambda a, b: _some_offer(a, b, problem.data, problem.groups, terms, found),
        problem.count,
        threads,
    )
    return found


@bare
def _some_offer(
    begin: int, end: int, data: Data, groups: Groups, terms: Int64, found: Bool
) -> None:
    requests, patents, offers = data.requests, data.patents, data.offers
    bits, steps, costs, answers = data.bits, data.steps, data.costs, data.answers
    regions_from = data.regions_from
    group = 0
    for i in range(begin, end):
        while groups.start[group + 1] <= i:
            group += 1
        term = groups.term[group]
        closed = requests[i].closed
        for x in range(groups.offers_start[group], groups.offers_start[group + 1]):
            j = groups.offer[x]
            amount, _ = pair_amount(
                i,
                j,
                term,
                terms[term],
                requests,
                patents,
                offers,
                bits,
                steps,
                costs,
                answers,
                regions_from,
            )
            if amount <= 0:
                continue
            if closed >= 0 and is_closed(
                closed,
                j,
                offers,
                data.closed_start,
                data.closed_institution,
                data.closed_offer,
            ):
                continue
            found[i] = True
            break
