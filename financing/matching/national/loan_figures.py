"""Amount and saving of given loan pairs, by the rules again; called by `engine.py`."""

import numpy as np

from financing.matching.national.compiled import bare
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import is_closed, pair_amount
from financing.matching.national.problem import Data, Groups
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts


def loan_figures(problem: Problem, offer: Int32, threads: int = 1) -> tuple[Int64, Int64]:
    """(financeable amount, saving) in fen by [packed request, place]; 0 where refused or no offer.

    Nothing is asked: `with_answers` comes first.
    """
    amount = np.zeros(offer.shape, dtype=np.int64)
    return amount, _over_all(problem, offer, amount, True, threads)[0]


def loan_savings(problem: Problem, given: Given, threads: int = 1) -> Int64:
    """Savings of all proposals. ValueError where one breaks a rule or states another amount."""
    saving, wrong = _over_all(problem, given.offer, given.amount, False, threads)
    if wrong:
        raise ValueError(f"{wrong} proposals do not pass the rules")
    return saving


def _over_all(
    problem: Problem, offer: Int32, amount: Int64, fills: bool, threads: int
) -> tuple[Int64, int]:
    saving = np.zeros(offer.shape, dtype=np.int64)
    terms = np.asarray(problem.terms, dtype=np.int64)

    def work(a: int, b: int) -> int:
        return _figures(a, b, problem.data, problem.groups, terms, offer, fills, amount, saving)

    return saving, sum(over_parts(work, len(offer), threads))


@bare
def _figures(
    begin: int,
    end: int,
    data: Data,
    groups: Groups,
    terms: Int64,
    offer: Int32,
    fills: bool,
    amount: Int64,
    saving: Int64,
) -> int:
    """Fills amounts, or compares them (a second table is too much); gives how many are wrong."""
    group = 0
    wrong = 0
    for i in range(begin, end):
        while groups.start[group + 1] <= i:
            group += 1
        term = groups.term[group]
        closed = data.requests[i].closed
        for y in range(offer.shape[1]):
            j = offer[i, y]
            if j < 0:
                continue
            # Window, size class and province are settled by the group's list alone.
            low, high = groups.offers_start[group], groups.offers_start[group + 1]
            end_of_list = high
            while low < high:
                middle = (low + high) // 2
                if groups.offer[middle] < j:
                    low = middle + 1
                else:
                    high = middle
            if low == end_of_list or groups.offer[low] != j:
                wrong += 1
                continue
            if closed >= 0 and is_closed(
                closed,
                j,
                data.offers,
                data.closed_start,
                data.closed_institution,
                data.closed_offer,
            ):
                wrong += 1
                continue
            fen, saved = pair_amount(
                i,
                j,
                term,
                terms[term],
                data.requests,
                data.patents,
                data.offers,
                data.bits,
                data.steps,
                data.costs,
                data.answers,
                data.regions_from,
            )
            if fen <= 0:
                wrong += 1
                continue
            saving[i, y] = saved
            if fills:
                amount[i, y] = fen
            else:
                wrong += amount[i, y] != fen
    return wrong
