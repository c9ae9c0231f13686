"""Columns and rows in the plain forms that `wire.py` carries; called by `bundles.py`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from financing.matching.national.tables import Int64, LoanRequestColumns, PatentColumns
from financing.matching.national.wire import Array

Row = TypeVar("Row")

CODES = ("region_codes", "industry_codes", "certificate_codes", "ground_codes", "institution_ids")


def texts_of_row(row: Any) -> dict[str, str]:
    """A row of the matcher's tables as the texts of its CSV cells."""
    return {one.name: one.metadata["allowed"].text(getattr(row, one.name)) for one in fields(row)}


def row_from_texts(row: type[Row], texts: Mapping[str, str]) -> Row:
    """The row whose texts these are."""
    named = fields(row)  # type: ignore[arg-type]
    return row(**{one.name: one.metadata["allowed"].parse(texts[one.name]) for one in named})


def taken(columns: LoanRequestColumns, lines: Int64) -> LoanRequestColumns:
    """These lines with their patents, in this order; tables of codes stay."""
    start = columns.patents_start
    counts = start[lines + 1] - start[lines]
    begin = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(counts, out=begin[1:])
    places = np.repeat(start[lines] - begin[:-1], counts) + np.arange(begin[-1])
    patents = columns.patents
    values: dict[str, Any] = {name: getattr(columns, name)[lines] for name in _OWN}
    values |= {name: getattr(columns, name) for name in CODES}
    return LoanRequestColumns(
        **values,
        patents_start=begin,
        patents=PatentColumns(**{name: getattr(patents, name)[places] for name in _PATENT}),
    )


def arrays_of_columns(columns: LoanRequestColumns) -> dict[str, Array]:
    found = {f"own.{name}": getattr(columns, name) for name in (*_OWN, "patents_start")}
    return found | {f"patent.{name}": getattr(columns.patents, name) for name in _PATENT}


def codes_of_columns(columns: LoanRequestColumns) -> dict[str, list[str]]:
    return {name: list(getattr(columns, name)) for name in CODES}


def columns_from(codes: Mapping[str, list[str]], arrays: Mapping[str, Array]) -> LoanRequestColumns:
    """What `arrays_of_columns` and `codes_of_columns` said."""
    values: dict[str, Any] = {name: arrays[f"own.{name}"] for name in (*_OWN, "patents_start")}
    values |= {name: tuple(codes[name]) for name in CODES}
    patents = PatentColumns(**{name: arrays[f"patent.{name}"] for name in _PATENT})
    return LoanRequestColumns(**values, patents=patents)


def _arrays(table: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(table) if "allowed" in one.metadata)


_OWN = tuple(name for name in _arrays(LoanRequestColumns) if name != "patents_start")
_PATENT = _arrays(PatentColumns)
