"""Who asked, who could be reached and who was, in the groups of MATCHING 1; runs store it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from financing.bands import AMOUNT_BANDS, band_code
from financing.match_rows import FEN, yuan
from financing.matching.tables import SIZE_CLASSES, LoanRequestRow, RequestKind, RequestRow

WAITING_BANDS = ((0, "under_7"), (7, "7_to_30"), (30, "30_to_90"), (90, "over_90"))

# By dimension and group: how many asked, how many of them …
Table = dict[str, dict[str, dict[str, int]]]


def fairness_table(requests: Iterable[RequestRow], reached_requests: Iterable[RequestRow]) -> Table:
    """Requests and reached ones by kind, size class, province, amount band and waiting time.

    `{"size_class": {"micro": {"requests": 7, "reached": 5}, …}, …}`, ready for JSON.
    """
    asked, reached = _counted(requests), _counted(reached_requests)
    return {
        dimension: {
            group: {
                "requests": count,
                "reached": reached[dimension][group] if dimension in reached else 0,
            }
            for group, count in sorted(groups.items())
        }
        for dimension, groups in asked.items()
    }


def _counted(requests: Iterable[RequestRow]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for request in requests:
        for dimension, group in groups_of(request).items():
            counts.setdefault(dimension, Counter())[group] += 1
    return counts


def groups_of(request: RequestRow) -> dict[str, Any]:
    """The group of a request in each dimension; an insurance's amount is its sum insured."""
    if isinstance(request, LoanRequestRow):
        amount = request.principal_fen
    else:
        amount = request.sum_insured_fen
    return groups(
        request.kind, request.size_class, request.region_code, yuan(amount), request.waiting_days
    )


def groups(
    kind: RequestKind, size_class: str, region_code: str, amount: Decimal, waiting_days: int
) -> dict[str, str]:
    """The group in each dimension of a request with these facts; the amount in yuan."""
    waiting = [code for days, code in WAITING_BANDS if waiting_days >= days][-1]
    return {
        "kind": kind,
        "size_class": size_class,
        "province": f"{region_code[:2]}0000",
        "amount_band": band_code(AMOUNT_BANDS, amount),
        "waiting": waiting,
    }


def fairness_columns(
    kind: RequestKind, columns: Any, counted: Mapping[str, NDArray[np.bool_]]
) -> Table:
    """The same from the matcher's columns of one kind.

    `counted`: by name ("eligible", "reached"), which lines count as such.
    """
    amount = columns.principal_fen if kind == "loan" else columns.sum_insured_fen
    provinces = sorted({f"{code[:2]}0000" for code in columns.region_codes})
    of_region = [provinces.index(f"{code[:2]}0000") for code in columns.region_codes]
    bounds = [int(band.least * FEN) for band in AMOUNT_BANDS]
    days = [least for least, _ in WAITING_BANDS]
    lines = len(columns.id)
    numbers: dict[str, tuple[Sequence[str], NDArray[Any]]] = {
        "kind": ([kind], np.zeros(lines, dtype=np.int64)),
        "size_class": (SIZE_CLASSES, columns.size_class),
        "province": (provinces, np.array(of_region, dtype=np.int64)[columns.region]),
        "amount_band": (
            [band.code for band in AMOUNT_BANDS],
            np.searchsorted(bounds, amount, side="right") - 1,
        ),
        "waiting": (
            [code for _, code in WAITING_BANDS],
            np.searchsorted(days, columns.waiting_days, side="right") - 1,
        ),
    }
    named = {"requests": np.ones(lines, dtype=np.bool_), **counted}
    table: Table = {}
    for dimension, (names, number) in numbers.items():
        counts = {
            name: np.bincount(number[mask], minlength=len(names)) for name, mask in named.items()
        }
        found = {
            group: {name: int(count[place]) for name, count in counts.items()}
            for place, group in enumerate(names)
            if counts["requests"][place]
        }
        if found:
            table[dimension] = dict(sorted(found.items()))
    return table


def added(tables: Iterable[Table]) -> Table:
    """Tables of several kinds as one."""
    total: Table = {}
    for table in tables:
        for dimension, found in table.items():
            for group, counts in found.items():
                into = total.setdefault(dimension, {}).setdefault(group, {})
                for name, count in counts.items():
                    into[name] = into.get(name, 0) + count
    return {name: dict(sorted(found.items())) for name, found in total.items()}
