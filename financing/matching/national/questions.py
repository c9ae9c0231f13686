"""Asks the readable rules where the fen decides whether a loan is too dear; called by `engine.py`.

Flows are rounded to the fen, so close to the ceiling (within yuan) the sheet of costs cannot
tell. Such pairs are rare; each distinct question is put once.
"""

from dataclasses import replace

import numpy as np

from financing.matching.national.listing import open_questions
from financing.matching.national.packing import Problem
from financing.matching.national.pairs import QUESTIONS
from financing.matching.national.tables import Int32, Int64
from financing.matching.savings import percent


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
    return np.array([_answer(problem, int(key)) for key in questions], dtype=np.int64)


def _answer(problem: Problem, key: int) -> int:
    """Rules above_rate_ceiling and above_borrowers_rate for one question of `pairs.ask_key`."""
    yuan, line = divmod(key, QUESTIONS)
    line, conditional = divmod(line, 2)
    line, number = divmod(line, len(problem.offer_rows))
    limit, term = divmod(line, len(problem.terms))
    offer = problem.offer_rows[number]
    terms = problem.book.terms(
        offer, problem.terms[term], yuan * 100, conditional=bool(conditional)
    )
    if problem.book.is_above_ceiling(terms):
        return 0
    if limit == 0:
        return 1
    apr = problem.book.apr(terms)
    return int(apr is not None and apr <= percent(problem.limits_ppm[limit - 1]))
