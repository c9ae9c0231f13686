"""Requests with their facts as plain records, a table at a time; `building.py` and runs over one
offer ask.

Tens of thousands are read at once, and a model with its prefetched relations costs many times what
its row does. A record has every column of its model under the same name, but for the moments of
writing, and its relations in `all()`: selectors and row functions, which only read, take it for the
model.
"""

from collections import defaultdict, namedtuple
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet

from businesses.models import Appraisal, Business, Certificate, Encumbrance, Patent
from businesses.models.co_owners import CoOwner
from financing.id_arrays import one_of
from financing.pair_kinds import AnyRequest, PairKind

T = TypeVar("T")


class Rows(tuple[T, ...]):
    """What hangs on a record, asked for as from a model."""

    __slots__ = ()

    def all(self) -> "Rows[T]":
        return self


def request_records(kind: PairKind, found: QuerySet[Any]) -> list[AnyRequest]:
    """The requests in the query's order, with businesses, certificates, patents and what hangs on
    those; in nine queries."""
    rows = _rows(kind.requests, found)
    certificates = _hanging(Certificate, "business_id", {row.business_id for row in rows})
    businesses = {
        row.id: _joined(row, certificates=certificates[row.id])
        for row in _rows(Business, _of(Business, "id", {row.business_id for row in rows}))
    }
    own_id = f"{kind.requests._meta.model_name}_id"
    through = kind.requests.patents.through
    offered = list(_of(through, own_id, [row.id for row in rows]).values_list(own_id, "patent_id"))
    patents = _patents({patent_id for _, patent_id in offered})
    by_request = defaultdict(set)
    for request_id, patent_id in offered:
        by_request[request_id].add(patent_id)
    place = {patent_id: number for number, patent_id in enumerate(patents)}
    records = [
        _joined(
            row,
            business=businesses[row.business_id],
            patents=Rows(
                patents[patent_id]
                for patent_id in sorted(by_request[row.id], key=place.__getitem__)
            ),
        )
        for row in rows
    ]
    return cast(list[AnyRequest], records)


def model_of(request: AnyRequest) -> type[AnyRequest]:
    """Of a request or of its record."""
    return cast(type[AnyRequest], getattr(request, "model", type(request)))


def _patents(ids: Collection[int]) -> dict[int, Any]:
    """By id, in the model's order."""
    rows = _rows(Patent, _of(Patent, "id", ids))
    businesses = {
        row.id: row for row in _rows(Business, _of(Business, "id", {r.business_id for r in rows}))
    }
    co_owners = _hanging(CoOwner, "patent_id", ids)
    encumbrances = _hanging(Encumbrance, "patent_id", ids)
    appraisals = _hanging(Appraisal, "patent_id", ids)
    return {
        row.id: _joined(
            row,
            business=businesses[row.business_id],
            co_owners=co_owners[row.id],
            encumbrances=encumbrances[row.id],
            appraisals=appraisals[row.id],
        )
        for row in rows
    }


def _hanging(model: type[Model], column: str, ids: Collection[int]) -> dict[int, Rows[Any]]:
    """Rows of a table by what they hang on, in the model's order; nothing where there are none."""
    lists: dict[int, list[Any]] = defaultdict(list)
    for row in _rows(model, _of(model, column, ids)):
        lists[getattr(row, column)].append(row)
    return defaultdict(Rows, {key: Rows(rows) for key, rows in lists.items()})


def _of(model: type[Model], column: str, ids: Iterable[int]) -> QuerySet[Any]:
    return model._default_manager.filter(one_of(model, column, ids))


def _rows(model: type[Model], found: QuerySet[Any]) -> list[Any]:
    make = _record(model, ())
    return [make._make(values) for values in found.values_list(*_columns(model)).iterator()]


def _joined(row: Any, **relations: Any) -> Any:
    """The row with its relations."""
    return _record(row.model, tuple(relations))(*row, *relations.values())


@cache
def _record(model: type[Model], relations: tuple[str, ...]) -> Any:
    """A class with the columns of a model, and relations after them."""
    fields: Any = namedtuple("fields", (*_columns(model), *relations))  # type: ignore[misc]
    place_of_id = _columns(model).index("id")

    class Record(fields):
        __slots__ = ()

        @property
        def pk(self) -> int:
            return cast(int, self[place_of_id])

    # One class for each model and set of relations.
    Record.model = model  # type: ignore[attr-defined]
    return Record


@cache
def _columns(model: type[Model]) -> tuple[str, ...]:
    # Moments of writing are no facts, and turning them into Python costs a tenth of all reading.
    return tuple(
        field.attname
        for field in model._meta.concrete_fields
        if not (getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
    )
