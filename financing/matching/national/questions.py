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
from financing.matching.national.tables import Int32, Int64
from financing.matching.savings import CostBook, percent
from financing.matching.tables import LoanOfferRow


def with_answers(problem: Problem, lines: Int32) -> Problem:
    """The problem in which every pair of these lines can be decided."""
    costs = problem.data.costs
    apart = [costs[f"passes_from_{n}"] > costs[f"fails_to_{n}"] + 1 for n in (0, 1)]
    if not (apart[0] | apart[1]).any():
        return problem
    questions = open_questions(problem, lines)
    if not len(questions):
        return problem
    answers = questions * 2 + _answers(problem, questions)
    known = np.unique(np.concatenate((problem.data.answers, answers)))
    return replace(problem, data=problem.data._replace(answers=known))


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
