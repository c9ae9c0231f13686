"""Why a pair was or was not proposed by a stored run, months later; called by pages and files.

The rules are run again on the rows of that day; what the run gave and its prices come from the
store. At these prices every request decides alone, so a price says what a pair would have had to be
worth: nothing else of the run has to be kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from financing.matching.columns import PPM
from financing.matching.eligibility import evaluate
from financing.matching.explanations import (
    BEYOND_K,
    CAPACITY_EXHAUSTED,
    INSTITUTION_ALREADY_PROPOSED,
    NOT_ALLOCATED,
    PROPOSED,
)
from financing.matching.pairs import Context
from financing.matching.results import MatchingResult
from financing.matching.rule_results import RuleResult
from financing.matching.tables import OfferRow, RequestRow, StandingMatch
from financing.matching.values import alternative_value_fen, coverage_value_fen, first_value_fen


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """A proposal of the run to the request that is asked about."""

    offer_id: str
    institution_id: str
    rank: int
    is_first: bool
    amount_fen: int


@dataclass(frozen=True, slots=True)
class StoredRoom:
    """An offer in the run: its room before, counts None = no limit, and the certificate's prices.

    `price_fen_ppm`: micro-fen of value per fen of room; `price_count_fen`: fen per proposal.
    """

    room_fen: int
    room_count: int | None
    left_fen: int
    left_count: int | None
    price_fen_ppm: int
    price_count_fen: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What a run left behind that concerns one request.

    `proposals`: those of the request; `standing`: its live matches as the run saw them; `rooms`: by
    offer id, at least of the offer asked about and of those proposed.
    """

    proposals: Sequence[StoredProposal]
    standing: Sequence[StandingMatch]
    rooms: Mapping[str, StoredRoom]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A pair at the run's prices, in fen: worth, what its room costs there, and the difference.

    Each as the proposal that reaches the business where it would be that one, else as a further
    one.
    """

    offer_id: str
    as_first: bool
    amount_fen: int
    worth_fen: int
    room_cost_fen: int

    @property
    def reduced_fen(self) -> int:
        return self.worth_fen - self.room_cost_fen


@dataclass(frozen=True, slots=True)
class StoredExplanation:
    """One outcome of one pair in one run.

    `outcome`: as in `Explanation`. `weighed`: the pair itself, None where a rule refuses it.
    `got`: what the request has instead, by rank. `lost_to_offer_ids`: of those, which stand in the
    way (institution, k). `needed_fen`: what it would have had to be worth more, where it lost on
    price; 0 where it is worth more than its price and whole loans decided.
    """

    kind: str
    request_id: str
    offer_id: str
    outcome: str
    results: tuple[RuleResult, ...]
    room: StoredRoom | None
    weighed: Weighed | None
    got: tuple[Weighed, ...]
    lost_to_offer_ids: tuple[str, ...] = ()
    needed_fen: int | None = None


def explain_stored(
    request: RequestRow,
    offer: OfferRow,
    offers: Mapping[str, OfferRow],
    context: Context,
    run: StoredRun,
    *,
    got: tuple[Weighed, ...] | None = None,
) -> StoredExplanation:
    """`offers`: rows of the offers proposed to the request, as they were; `context`: that day's.

    `got`: what `weigh_proposals` says, where many pairs of the request are asked about.

    TypeError when request and offer are of different kinds; KeyError where a row or room is
    missing.
    """
    evaluation = evaluate(request, offer, context)
    proposed = {one.offer_id: one for one in run.proposals}
    if got is None:
        got = weigh_proposals(request, offers, context, run)
    room = run.rooms.get(offer.id)
    if offer.id in proposed or not evaluation.passed:
        mine = next((one for one in got if one.offer_id == offer.id), None)
        outcome = PROPOSED if offer.id in proposed else evaluation.failed_codes[0]
        return StoredExplanation(
            request.kind, request.id, offer.id, outcome, evaluation.results, room, mine, got
        )
    room = run.rooms[offer.id]
    weighed = weigh(request, offer, context, room, as_first=not _is_reached(run))
    outcome, lost_to = _passed_over(offer, weighed.amount_fen, room, context, run)
    rivals = [
        # In the place of the one it would have had to beat.
        (one, weigh(request, offer, context, room, as_first=one.as_first))
        for one in got
        if one.offer_id in lost_to
    ]
    return StoredExplanation(
        request.kind,
        request.id,
        offer.id,
        outcome,
        evaluation.results,
        room,
        weighed,
        got,
        lost_to,
        _needed_fen(outcome, weighed, rivals),
    )


def weigh_proposals(
    request: RequestRow, offers: Mapping[str, OfferRow], context: Context, run: StoredRun
) -> tuple[Weighed, ...]:
    """What the run proposed to the request, by rank."""
    return tuple(
        weigh(
            request, offers[one.offer_id], context, run.rooms[one.offer_id], as_first=one.is_first
        )
        for one in sorted(run.proposals, key=lambda one: one.rank)
    )


def weigh(
    request: RequestRow, offer: OfferRow, context: Context, room: StoredRoom, *, as_first: bool
) -> Weighed:
    """The pair's worth by the policy of the run, and its room at the run's prices, rounded up."""
    pair = evaluate(request, offer, context).pair
    policy = context.policy
    if as_first:
        coverage = coverage_value_fen(request, policy)
        worth = first_value_fen(coverage, pair.saving_fen, offer.delivery_ppm)
    else:
        worth = alternative_value_fen(pair.saving_fen, offer.delivery_ppm, policy)
    cost = -(-room.price_fen_ppm * pair.amount_fen // PPM) + room.price_count_fen
    return Weighed(offer.id, as_first, pair.amount_fen, worth, cost)


def _is_reached(run: StoredRun) -> bool:
    by_match = any(match.is_within_deadline for match in run.standing)
    return by_match or any(one.is_first for one in run.proposals)


def _passed_over(
    offer: OfferRow, amount_fen: int, room: StoredRoom, context: Context, run: StoredRun
) -> tuple[str, tuple[str, ...]]:
    """The first that holds, as in `explanations.explain`."""
    same = [p.offer_id for p in run.proposals if p.institution_id == offer.institution_id]
    same += [m.offer_id for m in run.standing if m.institution_id == offer.institution_id]
    if same:
        return INSTITUTION_ALREADY_PROPOSED, tuple(same)
    counted = [match.offer_id for match in run.standing if match.is_within_deadline]
    if len(run.proposals) + len(counted) >= context.policy.max_proposals_count:
        return BEYOND_K, tuple([p.offer_id for p in run.proposals] + counted)
    if amount_fen > room.room_fen or room.room_count == 0:
        return CAPACITY_EXHAUSTED, ()
    return NOT_ALLOCATED, ()


def _needed_fen(
    outcome: str, weighed: Weighed, rivals: Sequence[tuple[Weighed, Weighed]]
) -> int | None:
    """What the pair lacked at the prices: against nothing, or against the weakest of its rivals.

    Live matches are no rivals: no worth would have moved them.
    """
    if outcome == NOT_ALLOCATED:
        # Worth must exceed the price: what is worth just as much, or nothing, is not proposed.
        return max(0, 1 - weighed.reduced_fen)
    lacks = [rival.reduced_fen - mine.reduced_fen for rival, mine in rivals]
    return max(0, min(lacks)) if lacks else None


def stored_run(result: MatchingResult, kind: str, request_id: str) -> StoredRun:
    """What concerns one request, out of a result on rows."""
    return StoredRun(
        proposals=tuple(
            StoredProposal(p.offer_id, p.institution_id, p.rank, p.is_first, p.amount_fen)
            for p in result.proposals_of(kind, request_id)
        ),
        standing=result.standing_of(kind, request_id),
        rooms={
            room.offer_id: StoredRoom(
                room.room_fen,
                room.room_count,
                room.room_left_fen,
                room.room_left_count,
                room.price_fen_ppm,
                room.price_count_fen,
            )
            for room in result.rooms
            if room.kind == kind
        },
    )
