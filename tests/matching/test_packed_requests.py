"""Columns of requests as records: days far away, and what occurs in a column."""

from dataclasses import replace
from datetime import date

import numpy as np

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national.from_rows import request_columns
from financing.matching.national.listing import open_questions
from financing.matching.national.packed_requests import present
from financing.matching.national.packing import pack
from financing.matching.national.questions import with_answers
from tests.matching.ceilings import around_the_ceiling


def test_days_beyond_the_tables_of_months_count_as_long_ago_or_far_ahead():
    instance = make_instance("study", 200, 5)
    requests = instance.requests
    old = (date(1669, 1, 1) - date(1970, 1, 1)).days
    far = (date(2990, 1, 1) - date(1970, 1, 1)).days
    columns = replace(
        requests,
        established_on=np.full(200, old, dtype=np.int32),
        patents=replace(requests.patents, expires_on=np.full(200, far, dtype=np.int32)),
    )
    problem = pack(columns, instance.offers, instance.policy)
    assert (problem.data.requests["operating"] == (2025 - 1870) * 12 + 5).all()
    assert (problem.data.patents["life"] > 1_900).all()


def test_records_hold_what_their_lines_say_wherever_they_lie():
    instance = make_instance("product", 9_000, 20)
    requests = instance.requests
    for threads in (1, 2):
        problem = pack(requests, instance.offers, instance.policy, threads=threads)
        packed, line = problem.data.requests, problem.line
        assert sorted(line.tolist()) == list(range(9_000))
        assert (packed["id"] == requests.id[line]).all()
        assert (packed["principal"] == requests.principal_fen[line]).all()
        assert (packed["least"] == requests.least_accepted_fen[line]).all()
        assert (packed["slots"] == instance.policy.max_proposals_count).all()
        assert not packed["is_reached"].any()
        assert (packed["closed"] == -1).all()
        for n in range(0, 9_000, 7):
            mine = slice(*requests.patents_start[line[n] : line[n] + 2])
            kept = requests.patents.hard_grounds[mine] == 0
            values = np.maximum(requests.patents.appraised_value_fen[mine][kept], 0)
            start = packed["patents_start"][n]
            found = problem.data.patents[start : start + packed["patents_count"][n]]
            assert found["value"].tolist() == values.tolist()
        ends = packed["patents_start"] + packed["patents_count"]
        assert (ends[:-1] == packed["patents_start"][1:]).all()
        assert ends[-1] == len(problem.data.patents)


def test_values_that_occur():
    assert present(np.array([5, -1, 0, 5, 9], dtype=np.int32), 9) == (0, 5, 9)
    assert present(np.array([], dtype=np.int32), 9) == ()


def test_whom_the_readable_rule_must_be_asked_about_is_found_among_few_offers():
    rows, offers, policy = around_the_ceiling()
    problem = pack(request_columns(rows), offers, policy)
    lines = np.arange(problem.count, dtype=np.int32)
    asked = open_questions(problem, lines)
    assert len(asked) > 5
    for threads in (1, 2):
        known = with_answers(problem, lines, threads).data.answers
        assert ((known >> 1) == asked).all()
    beyond = problem.data._replace(offers=problem.data.offers.copy())
    # Where no amount of an offer's lies between the two, nothing is left to ask.
    beyond.offers["maximum"] = 100
    assert len(with_answers(replace(problem, data=beyond), lines).data.answers) == 0
