"""Checks columns of requests once at the border, before a run; called by `run.py`, `engine.py`,
`offer_book.py` and the services of runs over several workers.

A national run has a billion values: every column is passed over once, by all threads and without
arrays beside it. What a column may hold stands with it (`tables.py`).
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from financing.matching.national.compiled import compiled, signed
from financing.matching.national.tables import (
    NO_DAY,
    Allowed,
    ColumnError,
    Int32,
    Int64,
    LoanRequestColumns,
    RequestColumns,
)
from financing.matching.national.threads import FEWEST_LINES, default_threads, over_parts

Column = NDArray[Any]

UNBOUND = 2**62
"""Beyond every value of a column: bounds that are not there."""


def check(requests: RequestColumns, threads: int | None = None) -> None:
    """Raise `ColumnError` at the first column that is not as documented.

    The text names table, column, the first line that is wrong and what is allowed.
    """
    threads = default_threads() if threads is None else threads
    if isinstance(requests, LoanRequestColumns):
        _check_common("loan_requests", requests, threads)
        _check_loans(requests, threads)
    else:
        _check_common("insurance_requests", requests, threads)
        _need(
            len(requests.condition_codes) <= 62,
            "insurance_requests.condition_codes: at most 62 different conditions",
        )


def _check_common(table: str, requests: RequestColumns, threads: int) -> None:
    count = len(requests)
    _check_table(table, requests, count, threads)
    _check_table("patents", requests.patents, len(requests.patents), threads)
    start = requests.patents_start
    is_whole = start[0] == 0 and start[-1] == len(requests.patents)
    _need(
        bool(is_whole) and _first(lambda a, b: _falls(a, b, start), count, threads) < 0,
        f"{table}.patents_start: from 0 to the number of patents, never falling",
    )
    _need(_are_different(requests.id, threads), f"{table}.id: each id once")
    _check_index(f"{table}.region", requests.region_codes, requests.region, threads)
    _check_index(f"{table}.industry", requests.industry_codes, requests.industry, threads)


def _check_loans(requests: LoanRequestColumns, threads: int) -> None:
    patents = requests.patents
    least, principal = requests.least_accepted_fen, requests.principal_fen
    _need(
        _first(lambda a, b: _greater(a, b, least, principal), len(least), threads) < 0,
        "loan_requests.least_accepted_fen: at most principal_fen",
    )
    _need(
        len(requests.ground_codes) <= 16,
        "loan_requests.ground_codes: at most 16 different grounds",
    )
    _check_index(
        "loan_requests.patents.pledgee", requests.institution_ids, patents.pledgee, threads
    )
    _need(
        len(requests.certificate_codes) <= 62,
        "loan_requests.certificate_codes: at most 62 different certificates",
    )
    value, day = patents.appraised_value_fen, patents.appraised_on
    _need(
        _first(lambda a, b: _half_given(a, b, value, day), len(value), threads) < 0,
        "patents.appraised_on: given exactly when appraised_value_fen is",
    )


def _check_table(table: str, columns: Any, count: int, threads: int) -> None:
    for one in fields(columns):
        allowed = one.metadata.get("allowed")
        if allowed is None:
            continue
        values = getattr(columns, one.name)
        where = f"{table}.{one.name}"
        _need(isinstance(values, np.ndarray), f"{where}: a NumPy array")
        _need(values.dtype == np.dtype(allowed.dtype), f"{where}: dtype {allowed.dtype}")
        expected = count + 1 if one.name == "patents_start" else count
        _need(values.shape == (expected,), f"{where}: {expected} values in one dimension")
        _check_range(where, values, allowed, threads)


def _check_range(where: str, values: Column, allowed: Allowed, threads: int) -> None:
    if allowed.least is None:
        return
    most = UNBOUND if allowed.most is None else allowed.most
    none = allowed.least if allowed.none is None else allowed.none
    row = _first(
        lambda a, b: _outside(a, b, values, allowed.least or 0, most, none), len(values), threads
    )
    if row >= 0:
        bounds = f"from {allowed.least}" + ("" if allowed.most is None else f" to {most}")
        nothing = "" if allowed.none is None else f", or {allowed.none} for nothing"
        raise ColumnError(f"{where}, line {row}: {values[row]}; allowed: {bounds}{nothing}")


def _check_index(where: str, codes: tuple[str, ...], column: Column, threads: int) -> None:
    wrong = _first(
        lambda a, b: _outside(a, b, column, -1, len(codes) - 1, -1), len(column), threads
    )
    _need(wrong < 0, f"{where}: an index of its {len(codes)} codes")


def _are_different(ids: Int64, threads: int) -> bool:
    """Sorted only where ids do not rise, as those of rows from a database do."""
    pairs = max(0, len(ids) - 1)
    if _first(lambda a, b: _repeats_or_falls(a, b, ids), pairs, threads) < 0:
        return True
    rising = np.sort(ids)
    return _first(lambda a, b: _repeats_or_falls(a, b, rising), pairs, threads) < 0


def _need(holds: bool, text: str) -> None:
    if not holds:
        raise ColumnError(text)


def _first(look: Callable[[int, int], int], count: int, threads: int) -> int:
    """The first line that a pass over parts of the lines finds; -1: none."""
    if count < FEWEST_LINES:
        # One request is checked while another thread would only begin.
        return look(0, count)
    found = [line for line in over_parts(look, count, threads) if line >= 0]
    return min(found, default=-1)


@compiled
def _outside(first: int, last: int, values: Column, least: int, most: int, none: int) -> int:
    low, high = np.int64(least), np.int64(most)
    for line in range(first, last):
        value = signed(values[line])
        if (value < low or value > high) and value != none:
            return line
    return -1


@compiled
def _falls(first: int, last: int, values: Int64) -> int:
    for line in range(first, last):
        if values[line + 1] < values[line]:
            return line
    return -1


@compiled
def _repeats_or_falls(first: int, last: int, values: Int64) -> int:
    for line in range(first, last):
        if values[line + 1] <= values[line]:
            return line
    return -1


@compiled
def _greater(first: int, last: int, values: Int64, most: Int64) -> int:
    for line in range(first, last):
        if values[line] > most[line]:
            return line
    return -1


@compiled
def _half_given(first: int, last: int, value: Int64, day: Int32) -> int:
    for line in range(first, last):
        if (value[line] < 0) != (day[line] == NO_DAY):
            return line
    return -1
