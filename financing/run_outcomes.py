"""What became of a run's proposals, group by group, as of now; pages of runs ask.

Eligible and proposed are stored with the run (`fairness`); answered and completed go on changing
and are read from its matches. Only what people took up has matches, so these are few.
"""

from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from financing.fairness import Table, groups
from financing.models import Match, MatchRun, Terms
from financing.models.insurance_requests import InsuranceRequest
from financing.models.match_runs import RunKind
from financing.models.matches import MatchDecision, MatchStatus
from financing.pair_kinds import kind_of


def fairness_now(run: MatchRun) -> Table:
    """The run's stored table with "proposed" (as "reached"), "answered" and "completed" beside it.

    A request is answered once an institution offered terms for a match of this run or declined it,
    completed once such a match is. Two queries. The groups are those of the request today, but
    its waiting time is that of the run.
    """
    table: Table = {
        dimension: {
            group: {
                **counts,
                "proposed": counts.get("reached", 0),
                "answered": 0,
                "completed": 0,
            }
            for group, counts in found.items()
        }
        for dimension, found in run.fairness.items()
    }
    if run.kind != RunKind.FULL or run.as_of is None:
        return table
    by_staff = MatchDecision.objects.filter(action="decline", by__institution_post__isnull=False)
    matches = Match.objects.filter(run=run)
    found_by = {
        "answered": matches.filter(
            Q(pk__in=Terms.objects.values("match")) | Q(pk__in=by_staff.values("match"))
        ),
        "completed": matches.filter(status=MatchStatus.COMPLETED),
    }
    for name, found in found_by.items():
        # A request with two such matches counts once.
        of_requests: dict[tuple[str, int], dict[str, str]] = {}
        for match in found.select_related("loan_request__business", "insurance_request__business"):
            key = (kind_of(match).name, match.request.pk)
            of_requests[key] = _groups_of(match, run.as_of)
        for of_request in of_requests.values():
            for dimension, group in of_request.items():
                counts = table.setdefault(dimension, {}).setdefault(group, {})
                counts[name] = counts.get(name, 0) + 1
    return table


def _groups_of(match: Match, on: date) -> dict[str, str]:
    request = match.request
    asked = request.sum_insured if isinstance(request, InsuranceRequest) else request.principal
    began = timezone.localdate(request.submitted_at) if request.submitted_at else on
    return groups(
        kind_of(match).name,
        request.business.size_class,
        request.business.region_id,
        asked or Decimal(0),
        max(0, (on - began).days),
    )
