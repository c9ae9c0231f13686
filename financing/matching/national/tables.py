"""Columns of requests and their patents: frozen, documented; `checked_columns.py` checks them.

Read by `packing.py` and `insurance_packing.py`; made from rows by `from_rows.py`, from records by
snapshots, and by the benchmarks' generator. Offers and policy stay rows (`tables.py`, `policy.py`):
they are few.
"""

# array() is a dataclass field; ruff cannot see that.
# ruff: noqa: RUF009

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from financing.matching.tables import COVER_KINDS, PATENT_KINDS, SIZE_CLASSES

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int16 = NDArray[np.int16]
UInt16 = NDArray[np.uint16]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

NO_DAY = np.iinfo(np.int32).min
"""A day that is not given. Days are counted from 1970-01-01."""

MOST_FEN = 10**12
"""Largest amount of the columns: ten billion yuan, so that amount x price stays within int64."""


class ColumnError(ValueError):
    """Columns that are not as documented; the text names table, column, row and what is allowed."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a column holds; bounds are inclusive, `none` is the value that means nothing."""

    dtype: str
    meaning: str
    unit: str = ""
    least: int | None = None
    most: int | None = None
    none: int | None = None


def array(
    dtype: str,
    meaning: str,
    *,
    unit: str = "",
    least: int | None = None,
    most: int | None = None,
    none: int | None = None,
) -> Any:
    """A dataclass field that carries its own documentation and check."""
    return field(metadata={"allowed": Allowed(dtype, meaning, unit, least, most, none)})


@dataclass(frozen=True, slots=True, eq=False)
class PatentColumns:
    """One line per patent; those of one request lie together, in the order of their ids."""

    id: Int64 = array("int64", "the patent", least=0)
    kind: UInt8 = array("uint8", "index in PATENT_KINDS", least=0, most=len(PATENT_KINDS) - 1)
    expires_on: Int32 = array("int32", "day the patent ends", unit="days")
    appraised_value_fen: Int64 = array(
        "int64", "value of the latest appraisal", unit="fen", least=0, most=MOST_FEN, none=-1
    )
    appraised_on: Int32 = array("int32", "day of that appraisal", unit="days", none=NO_DAY)
    hard_grounds: UInt16 = array(
        "uint16", "bit n set: ground_codes[n], a hard ground whatever the offer, holds", least=0
    )
    pledgee: Int32 = array(
        "int32", "index in `institution_ids` of the live pledge's pledgee", least=0, none=-1
    )
    released_on: Int32 = array("int32", "agreed day of its release", unit="days", none=NO_DAY)

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LoanRequestColumns:
    """One line per open loan request, in any order; the result does not depend on it."""

    id: Int64 = array("int64", "the request; each once", least=0)
    region: UInt16 = array("uint16", "index in `region_codes`", least=0)
    industry: UInt16 = array("uint16", "index in `industry_codes`", least=0)
    size_class: UInt8 = array("uint8", "index in SIZE_CLASSES", least=0, most=len(SIZE_CLASSES) - 1)
    established_on: Int32 = array("int32", "day the business was established", unit="days")
    principal_fen: Int64 = array("int64", "principal asked for", unit="fen", least=1, most=MOST_FEN)
    least_accepted_fen: Int64 = array(
        "int64", "least principal that helps; at most principal_fen", unit="fen", least=1
    )
    term_months: UInt16 = array("uint16", "length of the loan", unit="months", least=1, most=600)
    max_apr_ppm: Int32 = array(
        "int32", "highest yearly cost accepted", unit="ppm", least=0, most=10**6, none=-1
    )
    drawdown_on: Int32 = array(
        "int32", "day the money is needed; none = the policy's day", unit="days", none=NO_DAY
    )
    certificates: Int64 = array(
        "int64", "bit n set: holds certificate_codes[n]", least=0, most=2**62 - 1
    )
    is_first_time_borrower: Bool = array("bool", "no earlier registered pledge")
    waiting_days: Int32 = array("int32", "days since it was submitted", unit="days", least=0)
    patents_start: Int64 = array(
        "int64",
        "one longer than the others: patents of line i are patents_start[i] to [i + 1] - 1",
        least=0,
    )
    patents: PatentColumns
    region_codes: tuple[str, ...]
    industry_codes: tuple[str, ...]
    certificate_codes: tuple[str, ...]
    ground_codes: tuple[str, ...]
    institution_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True, eq=False)
class InsuredPatentColumns:
    """One line per patent to be covered, as `PatentColumns`."""

    id: Int64 = array("int64", "the patent", least=0)
    kind: UInt8 = array("uint8", "index in PATENT_KINDS", least=0, most=len(PATENT_KINDS) - 1)
    expires_on: Int32 = array("int32", "day the patent ends", unit="days")
    failures: Int64 = array(
        "int64", "bit n set: does not meet condition_codes[n]", least=0, most=2**62 - 1
    )

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InsuranceRequestColumns:
    """One line per open insurance request, in any order; the result does not depend on it."""

    id: Int64 = array("int64", "the request; each once", least=0)
    region: UInt16 = array("uint16", "index in `region_codes`", least=0)
    industry: UInt16 = array("uint16", "index in `industry_codes`", least=0)
    size_class: UInt8 = array("uint8", "index in SIZE_CLASSES", least=0, most=len(SIZE_CLASSES) - 1)
    cover_kind: UInt8 = array("uint8", "index in COVER_KINDS", least=0, most=len(COVER_KINDS) - 1)
    sum_insured_fen: Int64 = array(
        "int64", "sum insured asked for", unit="fen", least=1, most=MOST_FEN
    )
    max_premium_fen: Int64 = array(
        "int64", "highest yearly premium accepted", unit="fen", least=0, most=MOST_FEN, none=-1
    )
    is_first_time_borrower: Bool = array("bool", "no earlier registered pledge")
    waiting_days: Int32 = array("int32", "days since it was submitted", unit="days", least=0)
    patents_start: Int64 = array(
        "int64",
        "one longer than the others: patents of line i are patents_start[i] to [i + 1] - 1",
        least=0,
    )
    patents: InsuredPatentColumns
    region_codes: tuple[str, ...]
    industry_codes: tuple[str, ...]
    condition_codes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.id)


RequestColumns = LoanRequestColumns | InsuranceRequestColumns
