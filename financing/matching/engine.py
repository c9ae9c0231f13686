"""The entry point of the matcher for rows: `propose_matches`. No clock, no database, no Django.

Called by `files.py`, full runs in workers, benchmarks and tests. Rows become columns, the national
engine decides, its choices become rows again. Pages must not import this: it loads compiled code.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from financing.matching.allocation import OfferKey
from financing.matching.context import make_context
from financing.matching.decided import DecidedIndex, blocking_criterion, index_decided
from financing.matching.national.from_rows import (
    insurance_columns,
    request_columns,
    request_numbers,
)
from financing.matching.national.kind_result import KindResult
from financing.matching.national.packing import Closed
from financing.matching.national.run import KindInput, RunInput, run_matching
from financing.matching.pairs import Context, make_pair
from financing.matching.policy import MatchingPolicy
from financing.matching.results import MatchingResult, OfferRoom, Proposal
from financing.matching.row_digests import input_digest, results_digest
from financing.matching.tables import (
    DecidedPair,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferRow,
    PreviousProposal,
    RequestKind,
    RequestRow,
    StandingMatch,
)
from financing.matching.validation import validate

_Kind = tuple[RequestKind, Sequence[RequestRow], Sequence[OfferRow], KindResult]


def propose_matches(
    requests: Iterable[RequestRow],
    offers: Iterable[OfferRow],
    policy: MatchingPolicy,
    *,
    decided: Iterable[DecidedPair] = (),
    standing: Iterable[StandingMatch] = (),
    previous: Iterable[PreviousProposal] = (),
    fresh: Collection[OfferKey] | None = None,
) -> MatchingResult:
    """Match all requests with all offers of their kind under the policy (MATCHING §1, §2).

    With `fresh` (an incremental run) only these offers are proposed anew; of the others only what
    `previous` names is proposed again, where it still is the best.
    The same rows in any order give the same result, byte for byte. Raises TableError, and
    ColumnError beyond what the national engine takes (docs/matching-engine.md).
    """
    requests = sorted(requests, key=lambda row: (row.kind, row.id))
    offers = sorted(offers, key=lambda row: (row.kind, row.id))
    decided, previous = tuple(decided), tuple(previous)
    standing = tuple(
        sorted(standing, key=lambda m: (str(m.kind), str(m.request_id), str(m.offer_id)))
    )
    validate(requests, offers, policy, decided=decided, standing=standing, previous=previous)
    context = make_context(policy, decided)
    run = run_input(
        requests,
        offers,
        policy,
        decided=decided,
        standing=standing,
        previous=previous,
        fresh=fresh,
    )
    found = run_matching(run, threads=1 if len(requests) < 20_000 else None)
    loans = [row for row in requests if row.kind == "loan"]
    insurances = [row for row in requests if row.kind == "insurance"]
    kinds: tuple[_Kind, ...] = (
        ("insurance", insurances, run.insurances.offers, found.insurances),
        ("loan", loans, run.loans.offers, found.loans),
    )
    result = MatchingResult(
        engine_version=found.engine_version,
        policy_version=policy.version,
        seed=policy.seed,
        max_proposals_count=policy.max_proposals_count,
        proposals=tuple(
            proposal
            for _, rows, offer_rows, of_kind in kinds
            for proposal in _proposals(rows, offer_rows, of_kind, context)
        ),
        rooms=tuple(room for kind, _, _, of_kind in kinds for room in _rooms(kind, of_kind)),
        standing=standing,
        eligible_pairs_count=sum(of_kind.pairs_count or 0 for *_, of_kind in kinds),
        eligible_requests_count=sum(int(of_kind.is_eligible.sum()) for *_, of_kind in kinds),
        value_fen=found.value_fen,
        bound_fen=found.bound_fen,
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


def run_input(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    policy: MatchingPolicy,
    *,
    decided: Iterable[DecidedPair] = (),
    standing: Iterable[StandingMatch] = (),
    previous: Iterable[PreviousProposal] = (),
    fresh: Collection[OfferKey] | None = None,
) -> RunInput:
    """Rows as columns: those of each kind in the order given, unchecked."""
    index, standing, previous = index_decided(decided), tuple(standing), tuple(previous)
    loans = [row for row in requests if isinstance(row, LoanRequestRow)]
    insurances = [row for row in requests if isinstance(row, InsuranceRequestRow)]
    loan_offers = tuple(row for row in offers if isinstance(row, LoanOfferRow))
    insurance_offers = tuple(row for row in offers if isinstance(row, InsuranceOfferRow))
    return RunInput(
        loans=KindInput(
            requests=request_columns(loans, request_numbers(loans)),
            offers=loan_offers,
            closed=_closed(loans, loan_offers, standing, index, previous, fresh),
            previous=_previous(loans, loan_offers, previous),
        ),
        insurances=KindInput(
            requests=insurance_columns(insurances, request_numbers(insurances)),
            offers=insurance_offers,
            closed=_closed(insurances, insurance_offers, standing, index, previous, fresh),
            previous=_previous(insurances, insurance_offers, previous),
        ),
        policy=policy,
    )


def _closed(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    standing: Iterable[StandingMatch],
    decided: DecidedIndex,
    previous: Iterable[PreviousProposal],
    fresh: Collection[OfferKey] | None,
) -> Closed:
    """Live matches, decisions that still hold, and what an incremental run leaves alone."""
    place: dict[OfferKey, int] = {(row.kind, row.id): n for n, row in enumerate(requests)}
    matches = [match for match in standing if (match.kind, match.request_id) in place]
    institutions = [(place[m.kind, m.request_id], m.institution_id) for m in matches]
    counted = [place[m.kind, m.request_id] for m in matches if m.is_within_deadline]
    by_institution: dict[str, list[OfferRow]] = {}
    for offer in offers:
        by_institution.setdefault(offer.institution_id, []).append(offer)
    barred = [
        (place[kind, request_id], offer.id)
        for kind, request_id, institution in decided
        if (kind, request_id) in place
        for offer in by_institution.get(institution, ())
        if blocking_criterion(requests[place[kind, request_id]], offer, decided) is not None
    ]
    if fresh is not None:
        stale = [offer for offer in offers if (offer.kind, offer.id) not in fresh]
        kept = {(row.kind, row.request_id, row.offer_id) for row in previous}
        barred += [
            (number, offer.id)
            for number, row in enumerate(requests)
            for offer in stale
            if (row.kind, row.id, offer.id) not in kept
        ]
    return Closed(tuple(institutions), tuple(barred), tuple(counted))


def _previous(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    previous: Iterable[PreviousProposal],
) -> tuple[np.ndarray, np.ndarray]:
    place: dict[OfferKey, int] = {(row.kind, row.id): n for n, row in enumerate(requests)}
    number: dict[OfferKey, int] = {(row.kind, row.id): n for n, row in enumerate(offers)}
    pairs = [
        (place[row.kind, row.request_id], number[row.kind, row.offer_id])
        for row in previous
        if (row.kind, row.request_id) in place and (row.kind, row.offer_id) in number
    ]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].astype(np.int32)


def _proposals(
    requests: Sequence[RequestRow],
    offers: Sequence[OfferRow],
    found: KindResult,
    context: Context,
) -> Iterable[Proposal]:
    """In order of the requests' ids as text, as rows are."""
    columns = found.proposals
    by_id: Mapping[str, OfferRow] = {offer.id: offer for offer in offers}
    for n in np.lexsort((columns.rank, columns.place)).tolist():
        request = requests[int(columns.place[n])]
        offer = by_id[found.offer_ids[int(columns.offer[n])]]
        basket = make_pair(request, offer, context).basket
        premium = int(columns.premium_fen[n])
        yield Proposal(
            kind=request.kind,
            request_id=request.id,
            rank=int(columns.rank[n]),
            offer_id=offer.id,
            institution_id=offer.institution_id,
            is_first=bool(columns.is_first[n]),
            amount_fen=int(columns.amount_fen[n]),
            saving_fen=int(columns.saving_fen[n]),
            value_fen=int(columns.value_fen[n]),
            patent_ids=basket.patent_ids,
            earliest_expiry_on=basket.earliest_expiry_on,
            co_owner_ids=basket.co_owner_ids,
            soft_grounds=basket.soft_grounds,
            is_conditional=bool(columns.is_conditional[n]),
            premium_fen=None if premium < 0 else premium,
        )


def _rooms(kind: RequestKind, found: KindResult) -> list[OfferRoom]:
    def or_none(figure: int) -> int | None:
        return None if figure < 0 else int(figure)

    rooms = [
        OfferRoom(
            kind,
            offer_id,
            room_fen=int(found.room_fen[j]),
            room_count=or_none(found.room_count[j]),
            room_left_fen=int(found.left_fen[j]),
            room_left_count=or_none(found.left_count[j]),
            least_given_ppm=or_none(found.least_given_ppm[j]),
            price_fen_ppm=int(found.price_fen_ppm[j]),
            price_count_fen=int(found.price_count_fen[j]),
        )
        for j, offer_id in enumerate(found.offer_ids)
    ]
    return sorted(rooms, key=lambda room: room.offer_id)
