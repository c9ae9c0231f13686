"""What a finished run keeps of itself; `match_runs` and `incremental_runs` call it."""

from django.utils import timezone

from financing.fairness import fairness_table
from financing.lifecycles import RUN
from financing.match_rows import yuan
from financing.matching.results import MatchingResult
from financing.models import MatchRun, Proposal
from financing.models.match_runs import RunKind
from financing.pair_kinds import kind_of
from financing.run_inputs import Key, RunInput, allotment, key_of
from financing.standing_rows import price_key
from sipo_portal.audit.actors import Actor
from sipo_portal.workflow.advance import advance


def finish_run(
    run: MatchRun, found: RunInput, result: MatchingResult, proposals: list[Proposal]
) -> None:
    """Store what makes the run explainable: policy, digests, counts, value and bound."""
    reached = {_request_key(proposal) for proposal in proposals}
    run.policy = found.policy
    run.as_of = found.policy_row.as_of
    run.seed = result.seed
    run.engine_version = result.engine_version
    run.input_digest = result.input_digest
    run.result_digest = result.results_digest
    run.request_count = len(found.requests)
    run.offer_count = len(found.offers) if found.offer_count is None else found.offer_count
    run.proposal_count = len(proposals)
    run.reached_count = len(reached)
    firsts = [proposal for proposal in result.proposals if proposal.is_first]
    run.saving_total = yuan(sum(proposal.saving_fen for proposal in firsts))
    run.value = yuan(result.value_fen)
    run.bound = yuan(result.bound_fen)
    run.prices = {
        price_key(room.kind, room.offer_id): room.price_fen_ppm
        for room in result.rooms
        if room.price_fen_ppm
    }
    if run.kind == RunKind.FULL and not run.scope_prefix:
        run.allotted = allotment(proposals, found.requests)
    reached_rows = [row for row in found.requests if key_of(row) in reached]
    run.fairness = fairness_table(found.requests, reached_rows)
    run.progress_percent = 100
    run.finished_at = timezone.now()
    run.save()
    advance(
        RUN,
        run,
        "finish",
        actor=Actor.MATCHER,
        data={
            "proposals": len(proposals),
            "input_digest": run.input_digest,
            "result_digest": run.result_digest,
        },
    )


def _request_key(proposal: Proposal) -> Key:
    kind = kind_of(proposal)
    return kind.name, getattr(proposal, kind.request_id)
