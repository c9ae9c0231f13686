"""Matching one request or one offer at once (MATCHING 4); tasks call it.

Its proposals are provisional until the next full run, which `match_runs` does.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from financing.incremental_inputs import read_offer_run, read_request_run
from financing.lifecycles import REQUEST
from financing.models import MatchRun, Proposal
from financing.models.match_runs import RunKind, RunStage, RunStatus
from financing.models.requests import RequestStatus
from financing.pair_kinds import INSURANCE, KINDS, LOAN, PairKind, kind_of
from financing.run_inputs import RunInput, decide, proposals_of
from financing.services.run_results import finish_run
from financing.services.writing_lock import lock_writing
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance

BATCH = 5000


def match_request(request_id: int) -> None:
    """Match one submitted loan request at once; its proposals are provisional until the next full
    run.

    Runs in the caller's transaction or its own. A request no longer in matching only loses its
    proposals.
    """
    _match_request(LOAN, request_id)


def match_insurance_request(request_id: int) -> None:
    """The same for an insurance request."""
    _match_request(INSURANCE, request_id)


def match_offer(offer_id: int) -> None:
    """Match one published or changed loan offer with the open requests that have a free place.

    An offer no longer live only loses its proposals.
    """
    _match_offer(LOAN, offer_id)


def match_insurance_offer(offer_id: int) -> None:
    """The same for an insurance offer."""
    _match_offer(INSURANCE, offer_id)


def _match_request(kind: PairKind, request_id: int) -> None:
    _incremental(
        RunKind.REQUEST,
        {kind.request_id: request_id},
        read=lambda on: read_request_run(kind, request_id, on),
        opened=(kind, request_id),
    )


def _match_offer(kind: PairKind, offer_id: int) -> None:
    _incremental(
        RunKind.OFFER,
        {kind.offer_id: offer_id},
        read=lambda on: read_offer_run(kind, offer_id, on),
    )


@transaction.atomic
def _incremental(
    run_kind: RunKind,
    subject: dict[str, int],
    *,
    read: Callable[[date], RunInput],
    opened: tuple[PairKind, int] | None = None,
) -> None:
    """`subject`: the column and id of the request or offer the run is about."""
    lock_writing()
    if opened is not None:
        _open_request(*opened)
    found = read(timezone.localdate())
    if not found.requests and not found.fresh:
        Proposal.objects.filter(pk__in=[each.pk for each in found.reconsidered]).delete()
        return
    now = timezone.now()
    run = MatchRun.objects.create(
        kind=run_kind,
        status=RunStatus.RUNNING,
        status_changed_at=now,
        started_at=now,
        stage=RunStage.WRITING,
        **subject,
    )
    result = decide(found)
    proposals = proposals_of(result, found, run, is_provisional=True)
    _place_after_standing(proposals, found.reconsidered)
    _replace(found.reconsidered, proposals)
    of_subject = [
        each
        for each in proposals
        if all(getattr(each, column) == value for column, value in subject.items())
    ]
    finish_run(run, found, result, of_subject)


def _replace(old: Sequence[Proposal], new: Sequence[Proposal]) -> None:
    """Put `new` in the place of `old`; what is proposed again unchanged keeps its row.

    So a proposal of a full run stays one, and pages that show it stay where they are.
    """
    there = {_pair_key(each): each for each in old}
    added, moved, kept = [], [], set()
    for proposal in new:
        before = there.get(_pair_key(proposal))
        if before is None or _says(before) != _says(proposal):
            added.append(proposal)
            continue
        kept.add(before.pk)
        if before.rank != proposal.rank:
            before.rank = proposal.rank
            moved.append(before)
    Proposal.objects.filter(pk__in=[each.pk for each in old if each.pk not in kept]).delete()
    Proposal.objects.bulk_update(moved, ["rank"], batch_size=BATCH)
    Proposal.objects.bulk_create(added, batch_size=BATCH)


def _pair_key(proposal: Proposal) -> tuple[str, int, int]:
    kind = kind_of(proposal)
    return kind.name, getattr(proposal, kind.request_id), getattr(proposal, kind.offer_id)


def _says(proposal: Proposal) -> tuple[Decimal, Decimal, list[int]]:
    return proposal.amount, proposal.saving, sorted(proposal.patent_ids)


def _place_after_standing(proposals: list[Proposal], reconsidered: Sequence[Proposal]) -> None:
    """Rank new proposals behind those their requests keep without being asked again."""
    asked_again = [each.pk for each in reconsidered]
    for kind in KINDS:
        own = [each for each in proposals if kind_of(each) is kind]
        ids = {getattr(each, kind.request_id) for each in own}
        kept = dict(
            Proposal.objects.filter(**{f"{kind.request_field}__in": ids})
            .exclude(pk__in=asked_again)
            .values_list(kind.request_id)
            .annotate(most=Max("rank"))
            .order_by()
        )
        for proposal in own:
            proposal.rank += kept.get(getattr(proposal, kind.request_id), 0)


def _open_request(kind: PairKind, request_id: int) -> None:
    request = (
        kind.requests._default_manager.select_for_update()
        .filter(pk=request_id, status=RequestStatus.SUBMITTED)
        .first()
    )
    if request is not None:
        advance(REQUEST, request, "open", actor=Actor.MATCHER)
