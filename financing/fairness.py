"""Who was eligible to be reached and who was, in the groups of MATCHING 1; runs store it."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from financing.bands import AMOUNT_BANDS, band_code
from financing.match_rows import yuan
from financing.matching.tables import LoanRequestRow

WAITING_BANDS = ((0, "under_7"), (7, "7_to_30"), (30, "30_to_90"), (90, "over_90"))


def fairness_table(
    requests: Iterable[LoanRequestRow], reached_ids: Collection[int | None]
) -> dict[str, dict[str, dict[str, int]]]:
    """Requests and reached requests by size class, province, amount band and waiting time.

    `{"size_class": {"micro": {"requests": 7, "reached": 5}, …}, …}`, ready for JSON.
    """
    asked: dict[str, Counter[str]] = {}
    reached: dict[str, Counter[str]] = {}
    for request in requests:
        for dimension, group in groups_of(request).items():
            asked.setdefault(dimension, Counter())[group] += 1
            if int(request.id) in reached_ids:
                reached.setdefault(dimension, Counter())[group] += 1
    return {
        dimension: {
            group: {"requests": count, "reached": reached.get(dimension, Counter())[group]}
            for group, count in sorted(groups.items())
        }
        for dimension, groups in asked.items()
    }


def groups_of(request: LoanRequestRow) -> dict[str, Any]:
    """The group of a request in each dimension."""
    waiting = [code for days, code in WAITING_BANDS if request.waiting_days >= days][-1]
    return {
        "size_class": request.size_class,
        "province": f"{request.region_code[:2]}0000",
        "amount_band": band_code(AMOUNT_BANDS, yuan(request.principal_fen)),
        "waiting": waiting,
    }
