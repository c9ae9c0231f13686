"""Arrays of ids in conditions have their column's type: only then are they looked up by hash."""

import pytest
from django.db import connection

from financing.id_arrays import one_of
from financing.models import LoanRequest, Match

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "column", "ids", "own_type"),
    [
        (LoanRequest, "id", [1, 2], "bigint"),
        (Match, "loan_offer_id", [1, 2], "bigint"),
        (LoanRequest, "status", ["open"], "character varying"),
        (LoanRequest, "id", [], "bigint"),
    ],
)
def test_an_array_has_the_type_of_its_column(model, column, ids, own_type):
    found = model.objects.filter(one_of(model, column, ids))
    assert list(found) == []

    with connection.cursor() as cursor:
        sql, params = found.query.sql_with_params()
        array = sql[sql.index("ANY(") + 4 :].split("]")[0] + "]"
        cursor.execute(f"SELECT format_type(pg_typeof({array}), NULL)", [*params[-1:]])
        assert cursor.fetchone() == (f"{own_type}[]",)
