"""What one kind of a run gives back, in columns; made by `loan_run.py` and `insurance_run.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.orders import Prices
from financing.matching.national.packing import NO_COUNT, Problem
from financing.matching.national.proposals import Worth
from financing.matching.national.ranking import Ranked
from financing.matching.national.repair import Given
from financing.matching.national.tables import Bool, Int32, Int64, UInt8
from financing.matching.policy import MatchingPolicy
from financing.matching.rooms import room_of
from financing.matching.tables import OfferRow


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ProposalColumns:
    """One line per proposal, sorted by request id, then rank.

    `place`: of the request in the columns given; `offer`: place in `KindResult.offer_ids`.
    `rank`: from 1 within the request; `is_first`: the one that reaches the business. `premium_fen`:
    -1 for loans. Patents kept by line n: patent_id[patents_start[n] : patents_start[n + 1]].
    """

    request_id: Int64
    place: Int64
    offer: Int32
    rank: UInt8
    is_first: Bool
    amount_fen: Int64
    saving_fen: Int64
    value_fen: Int64
    is_conditional: Bool
    premium_fen: Int64
    patents_start: Int64
    patent_id: Int64

    def __len__(self) -> int:
        return len(self.request_id)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KindResult:
    """Proposals, rooms and prices of one kind; arrays by place in `offer_ids`.

    `room_*`, `left_*`: before and after the run, count -1 = no limit. `least_given_ppm`: least
    value per million fen among what the offer was given to, -1 = nobody. `price_*`: prices that
    prove `bound_fen` (certificate.py). `is_eligible`: by place of the request, some offer passes.
    `pairs_count`: pairs that pass and are not closed; None where a run is too large to keep them.
    """

    proposals: ProposalColumns
    offer_ids: tuple[str, ...]
    room_fen: Int64
    room_count: Int64
    left_fen: Int64
    left_count: Int64
    price_fen_ppm: Int64
    price_count_fen: Int64
    least_given_ppm: Int64
    value_fen: int
    bound_fen: int
    is_eligible: Bool
    pairs_count: int | None

    @property
    def eligible_requests_count(self) -> int | None:
        return int(self.is_eligible.sum())


def no_proposals() -> ProposalColumns:
    whole, flag = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    return ProposalColumns(
        request_id=whole,
        place=whole,
        offer=np.zeros(0, dtype=np.int32),
        rank=np.zeros(0, dtype=np.uint8),
        is_first=flag,
        amount_fen=whole,
        saving_fen=whole,
        value_fen=whole,
        is_conditional=flag,
        premium_fen=whole,
        patents_start=np.zeros(1, dtype=np.int64),
        patent_id=whole,
    )


def proposal_columns(
    problem: Problem,
    given: Given,
    worth: Worth,
    lines: Ranked,
    *,
    patents_start: Int64,
    patent_id: Int64,
    is_conditional: Bool | None = None,
    premium_fen: Int64 | None = None,
) -> ProposalColumns:
    """What `given` holds, in the order of `lines`; the last four by line of it, None where the
    kind has no such thing."""
    at = (lines.request, lines.place)
    if is_conditional is None:
        is_conditional = np.zeros(len(lines.rank), dtype=np.bool_)
    if premium_fen is None:
        premium_fen = np.full(len(lines.rank), -1, dtype=np.int64)
    return ProposalColumns(
        request_id=problem.data.requests["id"][lines.request],
        place=problem.line[lines.request].astype(np.int64),
        offer=given.offer[at],
        rank=lines.rank,
        is_first=worth.first[lines.request] == lines.place,
        amount_fen=given.amount[at],
        saving_fen=worth.saving_fen[at],
        value_fen=worth.value_fen[at],
        is_conditional=is_conditional,
        premium_fen=premium_fen,
        patents_start=patents_start,
        patent_id=patent_id,
    )


def canonical_offer_order(offers: Sequence[OfferRow]) -> list[int]:
    """Places of the offers in the order that breaks ties: shorter ids first, then by text."""
    return sorted(range(len(offers)), key=lambda n: (len(offers[n].id), offers[n].id))


def empty_result(
    offers: Sequence[OfferRow], policy: MatchingPolicy, requests_count: int = 0
) -> KindResult:
    """Nobody asks or nobody offers."""
    rows = [offers[place] for place in canonical_offer_order(offers)]
    rooms = [room_of(row, policy.oversubscription_ppm) for row in rows]
    zero = np.zeros(len(rows), dtype=np.int64)
    return kind_result(
        proposals=no_proposals(),
        offer_ids=tuple(row.id for row in rows),
        room=np.array([room.fen for room in rooms], dtype=np.int64),
        room_count=np.array(
            [NO_COUNT if room.count is None else room.count for room in rooms], dtype=np.int64
        ),
        prices=Prices(zero, zero.copy()),
        value_fen=0,
        bound_fen=0,
        is_eligible=np.zeros(requests_count, dtype=np.bool_),
        pairs_count=0,
    )


def kind_result(
    *,
    proposals: ProposalColumns,
    offer_ids: tuple[str, ...],
    room: Int64,
    room_count: Int64,
    prices: Prices,
    value_fen: int,
    bound_fen: int,
    is_eligible: Bool,
    pairs_count: int | None,
) -> KindResult:
    """The result with what is left of every room and who was given least value for it."""
    offers = len(offer_ids)
    left, least = room.copy(), np.full(offers, np.iinfo(np.int64).max)
    np.subtract.at(left, proposals.offer, proposals.amount_fen)
    pieces = np.bincount(proposals.offer, minlength=offers).astype(np.int64)
    given = proposals.value_fen * PPM // np.maximum(proposals.amount_fen, 1)
    np.minimum.at(least, proposals.offer, given)
    is_limited = room_count != NO_COUNT
    return KindResult(
        proposals=proposals,
        offer_ids=offer_ids,
        room_fen=room,
        room_count=np.where(is_limited, room_count, -1),
        left_fen=left,
        left_count=np.where(is_limited, room_count - pieces, -1),
        price_fen_ppm=prices.fen_ppm,
        price_count_fen=prices.count_fen,
        least_given_ppm=np.where(pieces > 0, least, -1),
        value_fen=value_fen,
        bound_fen=bound_fen,
        is_eligible=is_eligible,
        pairs_count=pairs_count,
    )
