"""Asks the readable rules where the fen decides whether a loan is too dear; called by `engine.py`.

Flows are rounded to the fen, so close to the ceiling (within yuan) the sheet of costs cannot
tell. Such pairs are rare; each distinct question is put once.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from financing.matching.national.listing import open_questions
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import QUESTIONS
from financing.matching.national.tables import Bool, Int32, Int64
from financing.matching.national.threads import over_parts
from financing.matching.savings import CostBook, percent
from financing.matching.tables import LoanOfferRow


def with_answers(problem: Problem, lines: Int32, threads: int = 1) -> Problem:
    """The problem in which every pair of these lines can be decided."""
    doubtful = _doubtful(problem)
    if not doubtful.any():
        return problem
    narrowed = _only(problem, doubtful)
    found = over_parts(lambda a, b: open_questions(narrowed, lines[a:b]), len(lines), threads)
    questions = np.unique(np.concatenate([problem.data.answers[:0], *found]))
    if not len(questions):
        return problem
    answers = questions * 2 + _answers(problem, questions)
    known = np.unique(np.concatenate((problem.data.answers, answers)))
    return replace(problem, data=problem.data._replace(answers=known))


def _doubtful(problem: Problem) -> Bool:
    """By term and offer: some amount of the offer's lies where the sheet cannot tell."""
    costs, offers = problem.data.costs, problem.data.offers
    found = np.zeros(costs.shape[1:], dtype=np.bool_)
    for n in (0, 1):
        fails_to, passes_from = costs[f"fails_to_{n}"], costs[f"passes_from_{n}"]
        apart = passes_from > fails_to + 1
        apart &= (fails_to < offers["maximum"]) & (passes_from > offers["minimum"])
        found |= apart.any(axis=0)
    return found


def _only(problem: Problem, wanted: Bool) -> Problem:
    """The problem with these offers (by term and offer) alone in its groups."""
    groups = problem.groups
    group = np.repeat(np.arange(len(groups.term)), np.diff(groups.offers_start))
    kept = wanted[groups.term[group], groups.offer]
    before: Int64 = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(kept, out=before[1:])
    return replace(
        problem,
        groups=groups._replace(offers_start=before[groups.offers_start], offer=groups.offer[kept]),
    )


def _answers(problem: Problem, questions: Int64) -> Int64:
    known = problem.offer_rows, problem.terms, problem.limits_ppm, problem.book
    return np.array([answer_of(int(key), *known) for key in questions], dtype=np.int64)


def answer_of(
    key: int,
    offers: Sequence[LoanOfferRow],
    terms: Sequence[int],
    limits_ppm: Sequence[int],
    book: CostBook,
) -> int:
    """Rules above_rate_ceiling and above_borrowers_rate for one question of `pairs.ask_key`.

    1 = passes. The key counts places in these offers, terms and limits.
    """
    yuan, line = divmod(key, QUESTIONS)
    line, conditional = divmod(line, 2)
    line, number = divmod(line, len(offers))
    limit, term = divmod(line, len(terms))
    cash = book.terms(offers[number], terms[term], yuan * 100, conditional=bool(conditional))
    if book.is_above_ceiling(cash):
        return 0
    if limit == 0:
        return 1
    apr = book.apr(cash)
    return int(apr is not None and apr <= percent(limits_ppm[limit - 1]))
