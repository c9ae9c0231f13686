"""Columns without a line, for runs of one kind only; used by rows in, benchmarks and tests."""

from dataclasses import fields
from typing import Any

import numpy as np

from financing.matching.national.tables import (
    InsuranceRequestColumns,
    InsuredPatentColumns,
    LoanRequestColumns,
    PatentColumns,
)


def no_loans() -> LoanRequestColumns:
    return LoanRequestColumns(
        **_empty(LoanRequestColumns),
        patents=PatentColumns(**_empty(PatentColumns)),
        region_codes=(),
        industry_codes=(),
        certificate_codes=(),
        ground_codes=(),
        institution_ids=(),
    )


def no_insurances() -> InsuranceRequestColumns:
    return InsuranceRequestColumns(
        **_empty(InsuranceRequestColumns),
        patents=InsuredPatentColumns(**_empty(InsuredPatentColumns)),
        region_codes=(),
        industry_codes=(),
        condition_codes=(),
    )


def _empty(columns: type) -> dict[str, Any]:
    """Every column of the table without a value; `patents_start` has its one."""
    return {
        one.name: np.zeros(int(one.name == "patents_start"), dtype=one.metadata["allowed"].dtype)
        for one in fields(columns)
        if "allowed" in one.metadata
    }
