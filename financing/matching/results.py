"""What a run gives back: frozen rows, stored by `financing.match_runs`, written by `files.py`."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from financing.matching.tables import StandingMatch


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal. `rank` from 1 within its request; amounts and values in fen.

    `amount_fen`: principal or sum insured. `is_first`: it is the one that reaches the business.
    `is_conditional`: the amount rests on an appraisal still to be made. `premium_fen`: insurance.
    """

    kind: str
    request_id: str
    rank: int
    offer_id: str
    institution_id: str
    is_first: bool
    amount_fen: int
    saving_fen: int
    value_fen: int
    patent_ids: tuple[str, ...]
    earliest_expiry_on: date | None
    co_owner_ids: tuple[str, ...]
    soft_grounds: tuple[str, ...]
    is_conditional: bool
    premium_fen: int | None


@dataclass(frozen=True, slots=True)
class OfferRoom:
    """An offer's room before and after the run (fen; pieces, None = no count), and its price.

    `least_given_ppm`: least value per million fen among what it was given to (None: to nobody).
    `price_fen_ppm`, `price_count_fen`: prices of the certificate (bounds.py); 0 = not short.
    """

    kind: str
    offer_id: str
    room_fen: int
    room_count: int | None
    room_left_fen: int
    room_left_count: int | None
    least_given_ppm: int | None
    price_fen_ppm: int
    price_count_fen: int


@dataclass(frozen=True)
class MatchingResult:
    """A whole run: proposals by (kind, request, rank), rooms by (kind, offer), sums and digests.

    No allocation at all is worth more than `bound_fen`; this one is worth `value_fen`.
    """

    engine_version: str
    policy_version: str
    seed: str
    max_proposals_count: int
    proposals: tuple[Proposal, ...]
    rooms: tuple[OfferRoom, ...]
    standing: tuple[StandingMatch, ...]
    eligible_pairs_count: int
    eligible_requests_count: int
    value_fen: int
    bound_fen: int
    input_digest: str
    results_digest: str

    @cached_property
    def _proposals(self) -> dict[tuple[str, str], tuple[Proposal, ...]]:
        grouped: dict[tuple[str, str], list[Proposal]] = {}
        for proposal in self.proposals:
            grouped.setdefault((proposal.kind, proposal.request_id), []).append(proposal)
        return {key: tuple(rows) for key, rows in grouped.items()}

    @cached_property
    def _rooms(self) -> dict[tuple[str, str], OfferRoom]:
        return {(room.kind, room.offer_id): room for room in self.rooms}

    def proposals_of(self, kind: str, request_id: str) -> tuple[Proposal, ...]:
        """Proposals of one request by rank."""
        return self._proposals.get((kind, request_id), ())

    def standing_of(self, kind: str, request_id: str) -> tuple[StandingMatch, ...]:
        """Live matches of one request, as the run saw them."""
        return tuple(
            match
            for match in self.standing
            if match.kind == kind and match.request_id == request_id
        )

    def room(self, kind: str, offer_id: str) -> OfferRoom:
        """Room of one offer; KeyError when it was not in the run."""
        return self._rooms[kind, offer_id]
