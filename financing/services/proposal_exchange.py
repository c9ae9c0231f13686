"""Putting the result of a full run in the place of the proposals that stood; `full_runs` calls it.

What people or an incremental run decided since the rows were read is newer than the run and stays:
withdrawn requests, paused offers, claimed proposals, requests changed meanwhile.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from financing import proposal_partitions
from financing.full_run_inputs import FullRunInput
from financing.matching.national.kind_result import KindResult
from financing.matching.national.run import RunResult
from financing.matching.national.tables import Bool, Int64
from financing.matching.tables import RequestKind
from financing.models import MatchRun
from financing.models.match_runs import RunStatus
from financing.pair_kinds import KIND_BY_NAME, KINDS, PairKind
from financing.proposal_rows import ProposalRows
from financing.services.full_run_results import KeptRows
from financing.services.match_runs import RunCancelled
from financing.services.writing_lock import lock_writing
from financing.snapshot.chunks import Chunk

LOCK_WAIT = "3s"
TRIES, PAUSE_S = 5, 5.0


def result_of(kind: PairKind, result: RunResult) -> KindResult:
    return result.loans if kind.name == "loan" else result.insurances


def rows_of_result(kind: PairKind, found: FullRunInput, result: RunResult) -> ProposalRows:
    """The result of one kind as rows of the table."""
    own = result_of(kind, result)
    proposals = own.proposals
    offers = np.array([int(offer) for offer in own.offer_ids], dtype=np.int64)
    return ProposalRows(
        business=found.chunks[kind.name].business[proposals.place],
        request=proposals.request_id,
        offer=offers[proposals.offer],
        rank=proposals.rank.astype(np.int64),
        is_first=proposals.is_first,
        amount_fen=proposals.amount_fen,
        saving_fen=proposals.saving_fen,
        start=proposals.patents_start,
        patent_id=proposals.patent_id,
    )


def fill_table(run: MatchRun, rows: Mapping[RequestKind, ProposalRows]) -> None:
    """Write the rows to a table of their own, which nobody has to wait for or sees yet."""
    of_kinds = [(KIND_BY_NAME[name], own) for name, own in rows.items()]
    with transaction.atomic():
        proposal_partitions.fill(run.pk, of_kinds, created_at=timezone.now())


def patiently(put_in_place: Callable[[], None]) -> None:
    """Exchange partitions, again where somebody read proposals for longer than readers may wait.

    The exchange locks all proposals out; while it waits for its lock, readers wait behind it.
    """
    for _ in range(TRIES - 1):
        try:
            put_in_place()
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
        time.sleep(PAUSE_S)
    put_in_place()


def exchange(
    run: MatchRun,
    found: FullRunInput,
    rows: Mapping[RequestKind, ProposalRows],
    snapshot_at: datetime,
    *,
    expected: RunStatus,
) -> tuple[MatchRun, dict[RequestKind, KeptRows]]:
    """Replace the proposals of the run's requests by those of its table, all at once.

    In the caller's transaction, until whose end nobody else replaces or claims proposals. The
    run's row, locked, and which rows were written. RunCancelled where it is not as `expected`.
    """
    lock_writing()
    locked = MatchRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != expected:
        raise RunCancelled
    kept: dict[RequestKind, KeptRows] = {}
    replaced: dict[RequestKind, Int64] = {}
    for kind in KINDS:
        own = rows[kind.name]
        newer = _offers_matched_since(kind, snapshot_at)
        changed = _changed_since(kind, newer, snapshot_at)
        gone = proposal_partitions.drop_overtaken(
            run.pk,
            kind,
            request_ids=changed,
            offer_ids=newer,
            live_offer_ids=_live_offer_ids(kind),
        )
        kept[kind.name] = (own, ~_are_among(own, *gone))
        replaced[kind.name] = _replaced(found.chunks[kind.name], changed)
        proposal_partitions.delete_replaced(kind, replaced[kind.name])
    _put_in_place(locked, replaced)
    return locked, kept


def _put_in_place(run: MatchRun, replaced: Mapping[RequestKind, Int64]) -> None:
    """A national run's rows take the place of the last one's partition; a regional run's rows join
    the rest."""
    there = proposal_partitions.partitions()
    if run.scope_prefix:
        for name in there:
            for kind in KINDS:
                proposal_partitions.delete_from_partition(name, kind, replaced[kind.name])
        proposal_partitions.move_to_rest(run.pk)
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
    for name in there:
        proposal_partitions.drop_partition(name, replaced)
    proposal_partitions.attach(run.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def _are_among(rows: ProposalRows, requests: Int64, offers: Int64) -> Bool:
    """Which of the rows are these pairs."""
    if not len(requests):
        return np.zeros(len(rows), dtype=np.bool_)
    pairs = set(zip(requests.tolist(), offers.tolist(), strict=True))
    suspects = np.flatnonzero(np.isin(rows.request, requests))
    found = np.zeros(len(rows), dtype=np.bool_)
    for line in suspects.tolist():
        found[line] = (int(rows.request[line]), int(rows.offer[line])) in pairs
    return found


def _replaced(chunk: Chunk, changed: Int64) -> Int64:
    """The requests whose proposals are those of this run now."""
    ids = chunk.columns.id
    return ids[~np.isin(ids, changed)]


def _live_offer_ids(kind: PairKind) -> Int64:
    ids = kind.offers._default_manager.live().values_list("pk", flat=True)
    return np.array(list(ids), dtype=np.int64)


def _offers_matched_since(kind: PairKind, moment: datetime) -> Int64:
    """Offers that an incremental run matched after `moment`: their rows were read before."""
    runs = MatchRun.objects.filter(created_at__gt=moment, **{f"{kind.offer_field}__isnull": False})
    return np.array(sorted(set(runs.values_list(kind.offer_id, flat=True))), dtype=np.int64)


def _changed_since(kind: PairKind, newer_offer_ids: Int64, moment: datetime) -> Int64:
    """Requests that people or an incremental run touched after `moment`, whether it left them
    a proposal or none, or that have one of an offer matched since."""
    matched = MatchRun.objects.filter(
        created_at__gt=moment, **{f"{kind.request_field}__isnull": False}
    )
    touched = [
        Q(updated_at__gt=moment),
        Q(proposals__created_at__gt=moment),
        Q(matches__created_at__gt=moment),
        Q(pk__in=matched.values(kind.request_id)),
        Q(**{f"proposals__{kind.offer_field}__in": newer_offer_ids.tolist()}),
    ]
    found: set[int] = set()
    # One query each: together they would read every proposal and every match for each request.
    for condition in touched:
        requests = kind.requests._default_manager.filter(condition)
        found |= set(requests.values_list("pk", flat=True))
    return np.array(sorted(found), dtype=np.int64)
