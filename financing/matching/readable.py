"""The matcher in readable form: rules pair by pair, then a greedy; the national engine's reference.

For runs of one request or one offer, in whatever process, and for tests: nothing is compiled here.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from financing.matching.allocation import (
    Allocation,
    Candidate,
    Choice,
    Demand,
    OfferKey,
    RequestKey,
    allocate,
)
from financing.matching.bounds import Price, best_bound
from financing.matching.canonical import lottery_number
from financing.matching.columns import PPM
from financing.matching.context import make_context
from financing.matching.eligibility import passing_pair
from financing.matching.pairs import Context, InsurancePair, Pair
from financing.matching.policy import MatchingPolicy
from financing.matching.results import MatchingResult, OfferRoom, Proposal
from financing.matching.rooms import Room, room_of
from financing.matching.row_digests import input_digest, results_digest
from financing.matching.tables import (
    DecidedPair,
    OfferRow,
    PreviousProposal,
    RequestRow,
    StandingMatch,
)
from financing.matching.validation import validate
from financing.matching.values import alternative_value_fen, coverage_value_fen, first_value_fen

ENGINE_VERSION = "greedy-1"

PairKey = tuple[RequestKey, OfferKey]


def propose_readably(
    requests: Iterable[RequestRow],
    offers: Iterable[OfferRow],
    policy: MatchingPolicy,
    *,
    decided: Iterable[DecidedPair] = (),
    standing: Iterable[StandingMatch] = (),
    previous: Iterable[PreviousProposal] = (),
    fresh: Collection[OfferKey] | None = None,
) -> MatchingResult:
    """As `engine.propose_matches`, by the two-phase greedy of `allocation.py`.

    With `fresh` (an incremental run) only these offers are proposed anew; of the others only what
    `previous` names is proposed again, where it still is the best.
    The same rows in any order give the same result, byte for byte. Raises TableError.
    """
    requests = sorted(requests, key=lambda row: (row.kind, row.id))
    offers = sorted(offers, key=lambda row: (row.kind, row.id))
    decided, standing, previous = tuple(decided), _sorted_standing(standing), tuple(previous)
    validate(requests, offers, policy, decided=decided, standing=standing, previous=previous)
    context = make_context(policy, decided)
    pairs = _passing_pairs(requests, offers, context, _open_pairs(fresh, previous))
    demands = _demands(requests, pairs, policy, standing, previous)
    rooms = {_key(offer): room_of(offer, policy.oversubscription_ppm) for offer in offers}
    allocation = allocate(demands, rooms)
    bound_fen, prices = best_bound(demands, rooms)
    proposals = _proposals(allocation, pairs)
    room_rows = _offer_rooms(rooms, allocation, prices)
    result = MatchingResult(
        engine_version=ENGINE_VERSION,
        policy_version=policy.version,
        seed=policy.seed,
        max_proposals_count=policy.max_proposals_count,
        proposals=proposals,
        rooms=room_rows,
        standing=standing,
        eligible_pairs_count=len(pairs),
        eligible_requests_count=sum(1 for demand in demands if demand.candidates),
        value_fen=allocation.value_fen,
        bound_fen=bound_fen,
        input_digest=input_digest(
            requests,
            offers,
            policy,
            decided=decided,
            standing=standing,
            previous=previous,
            fresh=fresh,
        ),
        results_digest="",
    )
    return replace(result, results_digest=results_digest(result))


def _key(row: RequestRow | OfferRow) -> tuple[str, str]:
    return (row.kind, row.id)


def _sorted_standing(standing: Iterable[StandingMatch]) -> tuple[StandingMatch, ...]:
    return tuple(sorted(standing, key=lambda m: (str(m.kind), str(m.request_id), str(m.offer_id))))


def _open_pairs(
    fresh: Collection[OfferKey] | None, previous: Iterable[PreviousProposal]
) -> Callable[[RequestKey, OfferKey], bool]:
    """Whether a pair is to be looked at, see `fresh` of `propose_matches`."""
    if fresh is None:
        return lambda request, offer: True
    kept = {((row.kind, row.request_id), (row.kind, row.offer_id)) for row in previous}
    return lambda request, offer: offer in fresh or (request, offer) in kept


def _passing_pairs(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    context: Context,
    is_open: Callable[[RequestKey, OfferKey], bool],
) -> dict[PairKey, Pair]:
    return {
        (_key(request), _key(offer)): pair
        for request in requests
        for offer in offers
        if offer.kind == request.kind
        and is_open(_key(request), _key(offer))
        and (pair := passing_pair(request, offer, context)) is not None
    }


def _demands(
    requests: Sequence[RequestRow],
    pairs: dict[PairKey, Pair],
    policy: MatchingPolicy,
    standing: Sequence[StandingMatch],
    previous: Sequence[PreviousProposal],
) -> list[Demand]:
    """Each request with its priced candidates and what its live matches leave open."""
    kept = {(row.kind, row.request_id, row.offer_id) for row in previous}
    candidates: dict[RequestKey, list[Candidate]] = {_key(request): [] for request in requests}
    for (request_key, _), pair in pairs.items():
        was_there = (*request_key, pair.offer.id) in kept
        candidates[request_key].append(_candidate(pair, policy, was_there=was_there))
    live: dict[RequestKey, list[StandingMatch]] = {}
    for match in standing:
        live.setdefault((match.kind, match.request_id), []).append(match)
    demands = []
    for request in requests:
        key = _key(request)
        matches = live.get(key, [])
        counted = [match for match in matches if match.is_within_deadline]
        demands.append(
            Demand(
                request=key,
                is_reached=bool(counted),
                slots=max(0, policy.max_proposals_count - len(counted)),
                closed_institutions=frozenset(match.institution_id for match in matches),
                candidates=tuple(candidates[key]),
                lot=lottery_number(policy.seed, *key),
            )
        )
    return demands


def _candidate(pair: Pair, policy: MatchingPolicy, *, was_there: bool) -> Candidate:
    request, offer = pair.request, pair.offer
    coverage = coverage_value_fen(request, policy)
    saving, delivery = pair.saving_fen, offer.delivery_ppm
    # A proposal of the run before counts as if it saved more, and wins a tie.
    kept = saving * (PPM + policy.churn_margin_ppm) // PPM if was_there else saving
    lot = 0 if was_there else 1 + lottery_number(policy.seed, request.kind, request.id, offer.id)
    return Candidate(
        offer=_key(offer),
        institution_id=offer.institution_id,
        amount_fen=pair.amount_fen,
        saving_fen=saving,
        first_fen=first_value_fen(coverage, saving, delivery),
        alternative_fen=alternative_value_fen(saving, delivery, policy),
        kept_first_fen=first_value_fen(coverage, kept, delivery),
        kept_alternative_fen=alternative_value_fen(kept, delivery, policy),
        lot=lot,
    )


def _proposals(allocation: Allocation, pairs: dict[PairKey, Pair]) -> tuple[Proposal, ...]:
    return tuple(
        _proposal(choice, rank, pairs[request, choice.candidate.offer])
        for request, choices in sorted(allocation.choices.items())
        for rank, choice in enumerate(choices, start=1)
    )


def _proposal(choice: Choice, rank: int, pair: Pair) -> Proposal:
    return Proposal(
        kind=choice.request[0],
        request_id=choice.request[1],
        rank=rank,
        offer_id=choice.candidate.offer[1],
        institution_id=choice.candidate.institution_id,
        is_first=choice.is_first,
        amount_fen=choice.candidate.amount_fen,
        saving_fen=choice.candidate.saving_fen,
        value_fen=choice.value_fen,
        patent_ids=pair.basket.patent_ids,
        earliest_expiry_on=pair.basket.earliest_expiry_on,
        co_owner_ids=pair.basket.co_owner_ids,
        soft_grounds=pair.basket.soft_grounds,
        is_conditional=pair.is_conditional,
        premium_fen=pair.premium_fen if isinstance(pair, InsurancePair) else None,
    )


def _offer_rooms(
    rooms: dict[OfferKey, Room], allocation: Allocation, prices: dict[OfferKey, Price]
) -> tuple[OfferRoom, ...]:
    least: dict[OfferKey, int] = {}
    for choices in allocation.choices.values():
        for choice in choices:
            offer = choice.candidate.offer
            given = choice.value_fen * PPM // max(1, choice.candidate.amount_fen)
            least[offer] = min(given, least.get(offer, given))
    rows = []
    for offer, room in sorted(rooms.items()):
        left, price = allocation.rooms_left[offer], prices.get(offer, Price())
        rows.append(
            OfferRoom(
                *offer,
                room_fen=room.fen,
                room_count=room.count,
                room_left_fen=left.fen,
                room_left_count=left.count,
                least_given_ppm=least.get(offer),
                price_fen_ppm=price.fen_ppm,
                price_count_fen=price.count_fen,
            )
        )
    return tuple(rows)
