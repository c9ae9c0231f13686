"""What became of a run's proposals since: answered and completed, in the run's own groups.

The third and fourth column of the fairness table (MATCHING 1). Counts only: no row of anybody
leaves here, so whoever may see the run may see them.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from financing.fairness import Table, groups
from financing.models.match_runs import MatchRun
from financing.models.matches import Match, MatchStatus
from financing.pair_kinds import KINDS, PairKind

# The institution has said something: interest, terms, or no.
ANSWERED = Q(interested_at__isnull=False) | Q(
    status__in=[
        MatchStatus.IN_STUDY,
        MatchStatus.WAITING,
        MatchStatus.TERMS_OFFERED,
        MatchStatus.ACCEPTED,
        MatchStatus.COMPLETED,
        MatchStatus.DECLINED,
        MatchStatus.FALLEN_THROUGH,
    ]
)


def followed_up(run: MatchRun) -> Table:
    """Requests of the run with a match that was answered, and with one completed, by group.

    `{"size_class": {"micro": {"answered": 4, "completed": 1}}, …}`; two queries.
    """
    table: Table = {}
    for kind in KINDS:
        seen: dict[int, tuple[dict[str, str], bool]] = {}
        for row in _rows(run, kind):
            request_id, is_completed = row["request"], row["is_completed"]
            before = seen.get(request_id)
            seen[request_id] = (_groups(run, kind, row), is_completed or bool(before and before[1]))
        _add(table, seen.values())
    return table


def _rows(run: MatchRun, kind: PairKind) -> Iterable[dict[str, Any]]:
    request = kind.request_field
    matches = Match.objects.filter(ANSWERED, run=run, **{f"{request}__isnull": False})
    names = {
        "request": kind.request_id,
        "size_class": "business__size_class",
        "region": "business__region_id",
        "amount": f"{request}__{kind.amount_field}",
        "submitted_at": f"{request}__submitted_at",
        "status": "status",
    }
    for values in matches.values_list(*names.values()):
        row = dict(zip(names, values, strict=True))
        yield row | {"is_completed": row["status"] == MatchStatus.COMPLETED}


def _groups(run: MatchRun, kind: PairKind, row: dict[str, Any]) -> dict[str, str]:
    waited = 0
    if row["submitted_at"] is not None and run.as_of is not None:
        waited = max(0, (run.as_of - timezone.localdate(row["submitted_at"])).days)
    return groups(kind.name, row["size_class"], row["region"], row["amount"], waited)


def _add(table: Table, requests: Iterable[tuple[dict[str, str], bool]]) -> None:
    for own, is_completed in requests:
        for dimension, group in own.items():
            counts = table.setdefault(dimension, {}).setdefault(
                group, {"answered": 0, "completed": 0}
            )
            counts["answered"] += 1
            counts["completed"] += is_completed
