"""The sieve of the walks: it may keep pairs that do not fit, never leave out one that does."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import INDUSTRIES, make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national.bits import sort_up, transpose
from financing.matching.national.from_rows import request_columns
from tests.matching.test_national_rules import compiled_pairs, readable_pairs


@pytest.mark.parametrize("seed", [1, 2])
def test_more_values_than_rows_leave_no_fitting_pair_out(seed):
    """More industries, minima, limits, certificates and terms of life than rows of bits."""
    random = np.random.default_rng(seed)
    instance = make_instance("product", 200, 90, seed)
    codes = [f"K{number}" for number in range(9)]
    offers = tuple(
        replace(
            offer,
            industries=frozenset(map(str, random.choice(INDUSTRIES, 40))),
            principal_min_fen=int(random.integers(0, 2 * 10**8)),
            principal_max_fen=int(random.integers(3 * 10**8, 10**11)),
            min_operating_months=int(random.integers(0, 1_200)) // 8,
            margin_months=int(random.integers(0, 30)),
            required_certificates=frozenset(map(str, random.choice(codes, random.integers(0, 3)))),
            accepted_patents=tuple(
                replace(
                    terms,
                    min_remaining_months=int(random.integers(0, 90)),
                    loan_to_value_ppm=int(random.integers(100_000, 900_000)),
                )
                for terms in offer.accepted_patents
            ),
        )
        for offer in instance.offers
    )
    rows = [
        replace(
            row,
            certificates=frozenset(map(str, random.choice(codes, 8))),
            max_apr_ppm=int(random.integers(30_000, 60_000)) if number % 2 else None,
            patents=row.patents * int(random.integers(1, 20)) if number % 9 == 0 else row.patents,
        )
        for number, row in enumerate(request_rows(instance.requests))
    ]
    rows = [
        replace(row, patents=tuple(replace(p, id=f"P{n:03d}") for n, p in enumerate(row.patents)))
        for row in rows
    ]
    expected = readable_pairs(rows, offers, instance.policy)
    assert len(expected) > 20
    assert compiled_pairs(request_columns(rows), offers, instance.policy) == expected


def test_rows_of_bits_become_columns():
    words = np.random.default_rng(3).integers(0, 2**64, 192, dtype=np.uint64)
    before = np.unpackbits(words[64:128].view(np.uint8), bitorder="little").reshape(64, 64)
    turned = words.copy()
    transpose(turned, 64)
    after = np.unpackbits(turned[64:128].view(np.uint8), bitorder="little").reshape(64, 64)
    assert (after == before.T).all()
    assert (turned[:64] == words[:64]).all()
    assert (turned[128:] == words[128:]).all()


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 200, 1_000])
def test_words_are_put_in_order(count):
    words = np.random.default_rng(count).integers(0, 50 + 2**40, count, dtype=np.uint64)
    values = words.copy()
    sort_up(values, np.empty_like(values), count)
    assert (values == np.sort(words)).all()
