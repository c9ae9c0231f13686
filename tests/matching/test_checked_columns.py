"""The check of request columns: every error names table, column, first line and what is allowed."""

from dataclasses import fields, replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national.checked_columns import check
from financing.matching.national.tables import NO_DAY, ColumnError

COUNT = 30_000
"""So many lines that several threads share them."""


@pytest.fixture(scope="module")
def columns():
    return make_instance("product", COUNT, 10).requests


def changed(table, name, lines, value):
    values = getattr(table, name).copy()
    values[lines] = value
    return replace(table, **{name: values})


def bounded(table):
    return [
        (one.name, one.metadata["allowed"])
        for one in fields(table)
        if "allowed" in one.metadata and one.metadata["allowed"].least is not None
    ]


def error_of(columns, threads):
    with pytest.raises(ColumnError) as found:
        check(columns, threads)
    return str(found.value)


@pytest.mark.parametrize("threads", [1, 2])
def test_good_columns_pass_and_keep_their_values(columns, threads):
    before = columns.principal_fen.copy()
    check(columns, threads)
    assert (columns.principal_fen == before).all()
    check(replace(columns, id=np.sort(columns.id)), threads)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_bound_is_looked_at_and_the_first_line_is_named(columns, threads):
    for table, of in (("loan_requests", columns), ("patents", columns.patents)):
        for name, allowed in bounded(of):
            wrong = []
            if allowed.dtype.startswith("int"):
                wrong.append(allowed.least - 1 if allowed.none is None else allowed.least - 2)
            if allowed.most is not None:
                wrong.append(allowed.most + 1)
            for value in wrong:
                bad = changed(of, name, [23_456, 29_000, 17_001], value)
                bad = bad if of is columns else replace(columns, patents=bad)
                text = error_of(bad, threads)
                assert text.startswith(f"{table}.{name}, line 17001: {value}; allowed: from ")
                assert (f"or {allowed.none} for nothing" in text) == (allowed.none is not None)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: replace(c, id=c.id.astype(np.int32)), "loan_requests.id: dtype int64"),
        (lambda c: replace(c, region=c.region[:-1]), "loan_requests.region: 30000 values"),
        (lambda c: replace(c, region=c.region.tolist()), "loan_requests.region: a NumPy array"),
        (lambda c: changed(c, "id", 29_999, c.id[4]), "loan_requests.id: each id once"),
        (
            lambda c: changed(replace(c, id=np.sort(c.id)), "id", 8, np.sort(c.id)[7]),
            "loan_requests.id: each id once",
        ),
        (lambda c: changed(c, "patents_start", 9, 0), "patents_start: from 0 to the number"),
        (lambda c: changed(c, "patents_start", 0, 1), "patents_start: from 0 to the number"),
        (
            lambda c: changed(c, "least_accepted_fen", 5, c.principal_fen[5] + 1),
            "least_accepted_fen: at most principal_fen",
        ),
        (lambda c: changed(c, "region", 5, len(c.region_codes)), "region: an index of its 1488"),
        (lambda c: replace(c, industry_codes=()), "loan_requests.industry: an index of its 0"),
        (
            lambda c: replace(c, patents=changed(c.patents, "pledgee", 5, 99)),
            "loan_requests.patents.pledgee: an index of its 1 codes",
        ),
        (
            lambda c: replace(
                c,
                patents=changed(
                    c.patents, "appraised_on", np.flatnonzero(c.patents.appraised_on > 0)[3], NO_DAY
                ),
            ),
            "patents.appraised_on: given exactly when appraised_value_fen is",
        ),
        (
            lambda c: replace(c, certificate_codes=tuple(map(str, range(63)))),
            "certificate_codes: at most 62",
        ),
    ],
)
def test_what_is_wrong_is_said(columns, change, text):
    assert text in error_of(change(columns), 2)


def test_nothing_at_all_passes(columns):
    none = {
        one.name: getattr(columns, one.name)[:0]
        for one in fields(columns)
        if "allowed" in one.metadata and one.name != "patents_start"
    }
    patents = {one.name: getattr(columns.patents, one.name)[:0] for one in fields(columns.patents)}
    check(
        replace(
            columns,
            **none,
            patents=replace(columns.patents, **patents),
            patents_start=np.zeros(1, dtype=np.int64),
        )
    )
