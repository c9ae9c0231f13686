"""Letting go of what old runs were decided on; the nightly run and `manage.py prune_runs` call it.

The input goes first: without it a run can be neither replayed nor compared with another. Proposals
and certificate go later; the run's row with its policy, digests, prices, bound and fairness table
stays.
"""

from datetime import datetime, timedelta

from django.db import transaction

from financing.models.run_archives import RunPart
from financing.pair_kinds import KINDS

# People ask why months later; `--input-days` of the command keeps less where room is short.
INPUT_DAYS = 400
RESULT_DAYS = 800
INPUT = [
    "policy",
    "start_prices",
    *(
        f"{kind.name}.{part}"
        for kind in KINDS
        for part in ("requests", "requests_at", "offers", "closed", "previous")
    ),
]


@transaction.atomic
def prune_runs(
    *, now: datetime, input_days: int = INPUT_DAYS, result_days: int = RESULT_DAYS
) -> tuple[int, int]:
    """Delete parts older than this; how many of the input and of the result went."""
    old = RunPart.objects.filter(run__created_at__lt=now - timedelta(days=input_days))
    inputs, _ = old.filter(name__in=INPUT).delete()
    older = RunPart.objects.filter(run__created_at__lt=now - timedelta(days=result_days))
    results, _ = older.delete()
    return inputs, results
