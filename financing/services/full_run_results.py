"""What a finished full run keeps of itself in its row; `full_runs` and `dry_runs` call it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone

from financing.fairness import added, fairness_columns
from financing.full_run_inputs import FullRunInput
from financing.lifecycles import RUN
from financing.match_rows import yuan
from financing.matching.national.kind_result import KindResult
from financing.matching.national.run import RunResult
from financing.matching.national.tables import Bool, Int64
from financing.matching.tables import RequestKind
from financing.models import MatchRun
from financing.pair_kinds import KINDS, PairKind
from financing.proposal_rows import ProposalRows
from financing.standing_rows import price_key
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance

# Rows of the result, and which of them were written.
KeptRows = tuple[ProposalRows, Bool]


def finish_full_run(
    run: MatchRun,
    found: FullRunInput,
    result: RunResult,
    kept: Mapping[RequestKind, KeptRows],
    seconds: Mapping[str, float],
) -> None:
    """Store what the run came to and end it."""
    keep_results(run, found, result, kept, seconds)
    advance(
        RUN,
        run,
        "finish",
        actor=Actor.MATCHER,
        data={
            "proposals": run.proposal_count,
            "input_digest": run.input_digest,
            "result_digest": run.result_digest,
        },
    )


def keep_results(
    run: MatchRun,
    found: FullRunInput,
    result: RunResult,
    kept: Mapping[RequestKind, KeptRows],
    seconds: Mapping[str, float],
) -> None:
    """Store what makes the run explainable: policy, digests, counts, value, bound and costs."""
    of_kinds = [(kind, _result(kind, result), *kept[kind.name]) for kind in KINDS]
    run.policy = found.policy
    run.as_of = found.policy_row.as_of
    run.seed = found.policy_row.seed
    run.engine_version = result.engine_version
    run.input_digest = result.input_digest
    run.result_digest = result.result_digest
    run.request_count = sum(len(chunk) for chunk in found.chunks.values())
    run.offer_count = sum(len(found.kind(kind).offers) for kind in KINDS)
    run.proposal_count = sum(int(is_kept.sum()) for *_, is_kept in of_kinds)
    reached = {
        kind.name: np.isin(found.chunks[kind.name].columns.id, rows.request[is_kept])
        for kind, _, rows, is_kept in of_kinds
    }
    run.reached_count = sum(int(each.sum()) for each in reached.values())
    run.eligible_count = sum(int(own.is_eligible.sum()) for _, own, *_ in of_kinds)
    run.saving_total = yuan(
        sum(int(rows.saving_fen[is_kept & rows.is_first].sum()) for *_, rows, is_kept in of_kinds)
    )
    run.value, run.bound = yuan(result.value_fen), yuan(result.bound_fen)
    run.prices = _prices(of_kinds, "price_fen_ppm")
    run.count_prices = _prices(of_kinds, "price_count_fen")
    if not run.scope_prefix:
        run.allotted = _allotted(found, kept)
    run.fairness = added(
        fairness_columns(
            kind.name,
            found.kind(kind).requests,
            {"eligible": own.is_eligible, "reached": reached[kind.name]},
        )
        for kind, own, *_ in of_kinds
    )
    run.timings = {
        **{f"run.{stage}": round(each, 3) for stage, each in seconds.items()},
        **{stage: round(each, 3) for stage, each in result.seconds.items()},
    }
    run.peak_mib = round(result.peak_mib)
    run.progress, run.progress_percent = {}, 100
    run.finished_at = timezone.now()
    run.save()


def _result(kind: PairKind, result: RunResult) -> KindResult:
    return result.loans if kind.name == "loan" else result.insurances


def _prices(of_kinds: list[tuple[Any, ...]], column: str) -> dict[str, int]:
    """Offers short of it, by the key of `price_key`."""
    return {
        price_key(kind.name, offer): int(price)
        for kind, own, *_ in of_kinds
        for offer, price in zip(own.offer_ids, getattr(own, column), strict=True)
        if price
    }


def _allotted(
    found: FullRunInput, kept: Mapping[RequestKind, KeptRows]
) -> dict[str, dict[str, str]]:
    """Yuan proposed by offer and division of the business, as text for JSON."""
    amounts: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        rows, is_kept = kept[kind.name]
        columns = found.chunks[kind.name].columns
        place = np.searchsorted(columns.id, rows.request[is_kept])
        region: Int64 = columns.region[place].astype(np.int64)
        width = max(1, len(columns.region_codes))
        cell = rows.offer[is_kept] * width + region
        order = np.argsort(cell, kind="stable")
        first = np.flatnonzero(np.diff(cell[order], prepend=-1))
        cells = cell[order][first]
        # Whole fen: exact up to 90 trillion yuan, where doubles would begin to round.
        sums = np.add.reduceat(rows.amount_fen[is_kept][order], first) if len(first) else first
        for each, amount in zip(cells.tolist(), sums.tolist(), strict=True):
            offer = price_key(kind.name, str(each // width))
            code = columns.region_codes[each % width]
            amounts.setdefault(offer, {})[code] = str(Decimal(amount) / 100)
    return {offer: dict(sorted(found.items())) for offer, found in amounts.items()}
