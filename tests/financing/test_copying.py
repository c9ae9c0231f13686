"""Rows of a query as columns: every value of every width arrives, and nulls are refused."""

import pytest

from financing.copying import read_columns

pytestmark = pytest.mark.django_db


def test_every_value_arrives():
    query = "SELECT i::smallint, -i, i * %s FROM generate_series(1, 3000) AS i ORDER BY i"
    small, middle, large = read_columns(query, [10**12], ["i2", "i4", "i8"])
    assert (small.dtype, middle.dtype, large.dtype) == ("int16", "int32", "int64")
    assert small.tolist() == list(range(1, 3001))
    assert middle.tolist() == [-i for i in range(1, 3001)]
    assert large.tolist() == [i * 10**12 for i in range(1, 3001)]


def test_no_rows_are_empty_columns():
    found = read_columns("SELECT 1::bigint, 2::bigint WHERE false", [], ["i8", "i8"])
    assert [(each.dtype, len(each)) for each in found] == [("int64", 0)] * 2


def test_a_null_is_refused():
    query = "SELECT i, nullif(i, 2) FROM generate_series(1::bigint, 3) AS i"
    with pytest.raises(ValueError, match="nulls"):
        read_columns(query, [], ["i8", "i8"])
