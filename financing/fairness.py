"""Who was eligible to be reached and who was, in the groups of MATCHING 1; runs store it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from financing.bands import AMOUNT_BANDS, band_code
from financing.match_rows import yuan
from financing.matching.tables import LoanRequestRow, RequestRow

WAITING_BANDS = ((0, "under_7"), (7, "7_to_30"), (30, "30_to_90"), (90, "over_90"))


def fairness_table(
    requests: Iterable[RequestRow], reached_requests: Iterable[RequestRow]
) -> dict[str, dict[str, dict[str, int]]]:
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
    waiting = [code for days, code in WAITING_BANDS if request.waiting_days >= days][-1]
    return {
        "kind": request.kind,
        "size_class": request.size_class,
        "province": f"{request.region_code[:2]}0000",
        "amount_band": band_code(AMOUNT_BANDS, yuan(amount)),
        "waiting": waiting,
    }
