"""Why a pair was or was not proposed by a stored run, months later; pages and commands ask.

What the run decided on comes from its parts, not from the records of today. Soft grounds and
co-owners are not kept.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from financing.matching.context import make_context
from financing.matching.decided import criterion_fingerprint
from financing.matching.national.tables import NO_DAY, LoanRequestColumns, RequestColumns
from financing.matching.pairs import Context
from financing.matching.policy import MatchingPolicy
from financing.matching.stored_runs import (
    StoredExplanation,
    StoredProposal,
    StoredRoom,
    StoredRun,
    Weighed,
    explain_stored,
    weigh_proposals,
)
from financing.matching.tables import (
    COVER_KINDS,
    PATENT_KINDS,
    SIZE_CLASSES,
    DecidedPair,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferRow,
    PatentRow,
    RequestRow,
    StandingMatch,
)
from financing.models import MatchRun
from financing.pair_kinds import PairKind
from financing.run_parts import (
    PROPOSALS_AT,
    REQUESTS_AT,
    NotArchived,
    certificate_of_part,
    chunk_of_parts,
    parts_of,
    pieces_about,
    proposals_of_parts,
    row_of_texts,
)

EPOCH = date(1970, 1, 1)
OTHER = "other"


class NotInRun(LookupError):
    """The run was not about this request or this offer."""


@dataclass(frozen=True, eq=False)
class RequestInRun:
    """One request as a stored run saw it, with the offers it met there, by id."""

    request: RequestRow
    offers: dict[str, OfferRow]
    context: Context
    run: StoredRun

    @cached_property
    def got(self) -> tuple[Weighed, ...]:
        """What the run proposed to it, by rank."""
        return weigh_proposals(self.request, self.offers, self.context, self.run)

    def explain(self, offer_id: str) -> StoredExplanation:
        """Why this offer was proposed or not. KeyError when it was not in the run."""
        offer = self.offers[offer_id]
        return explain_stored(
            self.request, offer, self.offers, self.context, self.run, got=self.got
        )


def request_in_run(run: MatchRun, kind: PairKind, request_id: int) -> RequestInRun:
    """A request, and what the run decided on and gave it, in two queries.

    Raises NotArchived and NotInRun.
    """
    names = ["offers", "closed", "certificate"]
    wanted = ["policy", *(f"{kind.name}.{name}" for name in (*names, REQUESTS_AT, PROPOSALS_AT))]
    parts = parts_of(run, wanted)
    if run.as_of is None or any(f"{kind.name}.{name}" not in parts for name in names):
        raise NotArchived(f"run {run.pk} does not keep what it decided on")
    places = {
        f"{kind.name}.{part}": json.loads(parts[key][0])
        if (key := f"{kind.name}.{name}") in parts
        else None
        for part, name in (("requests", REQUESTS_AT), ("proposals", PROPOSALS_AT))
    }
    pieces = pieces_about(run, request_id, places)
    place, request = _request(run, kind, request_id, pieces, places[f"{kind.name}.requests"])
    offers = _offers(kind, parts)
    policy = row_of_texts(MatchingPolicy, json.loads(parts["policy"][0]))
    closed = json.loads(parts[f"{kind.name}.closed"][0])
    decided = [
        _decided(request, offers[offer])
        for at, offer in closed["offers"]
        if at == place and offer in offers
    ]
    own = pieces.get(f"{kind.name}.proposals")
    return RequestInRun(
        request=request,
        offers=offers,
        context=make_context(policy, decided, with_figures=True),
        run=StoredRun(
            proposals=_proposals(proposals_of_parts(own), request_id, offers) if own else (),
            standing=_standing(request, place, closed),
            rooms=stored_rooms(parts[f"{kind.name}.certificate"][0]),
        ),
    )


def given_in_run(
    run: MatchRun, kind: PairKind, request_id: int
) -> tuple[tuple[StoredProposal, ...], dict[str, StoredRoom]]:
    """Proposals (institutions not named) and rooms, of a run whose input is no longer kept.

    Raises NotArchived where these are gone, too.
    """
    names = {name: f"{kind.name}.{name}" for name in ("certificate", PROPOSALS_AT)}
    parts = parts_of(run, list(names.values()))
    if names["certificate"] not in parts:
        raise NotArchived(f"run {run.pk} keeps nothing")
    starts = parts.get(names[PROPOSALS_AT])
    places = {f"{kind.name}.proposals": json.loads(starts[0]) if starts else None}
    pieces = list(chain(*pieces_about(run, request_id, places).values()))
    found = _proposals(proposals_of_parts(pieces), request_id, {}) if pieces else ()
    return found, stored_rooms(parts[names["certificate"]][0])


def _request(
    run: MatchRun,
    kind: PairKind,
    request_id: int,
    pieces: dict[str, list[bytes]],
    starts: Sequence[Sequence[int]] | None,
) -> tuple[int, RequestRow]:
    """Place in the run and row of a request. Raises NotInRun."""
    assert run.as_of is not None
    chunk = chunk_of_parts(kind, pieces.get(f"{kind.name}.requests", []))
    line = int(np.searchsorted(chunk.columns.id, request_id))
    if line == len(chunk) or chunk.columns.id[line] != request_id:
        raise NotInRun(f"run {run.pk}: {kind.name} {request_id}")
    first_id = int(chunk.columns.id[0])
    before = next((lines for first, lines in starts or () if first == first_id), 0)
    one = chunk.taken(np.array([line], dtype=np.int64))
    return before + line, request_row(one.on(run.as_of), 0, int(one.business[0]))


def _offers(kind: PairKind, parts: dict[str, list[bytes]]) -> dict[str, OfferRow]:
    row = LoanOfferRow if kind.name == "loan" else InsuranceOfferRow
    rows = [row_of_texts(row, each) for each in json.loads(parts[f"{kind.name}.offers"][0])]
    return {each.id: each for each in rows}


def _decided(request: RequestRow, offer: OfferRow) -> DecidedPair:
    """A decision that held for the pair in the run; the criterion it cited is not kept."""
    return DecidedPair(
        kind=request.kind,
        request_id=request.id,
        institution_id=offer.institution_id,
        criterion=OTHER,
        fingerprint=criterion_fingerprint(OTHER, request, offer),
    )


def _proposals(
    columns: dict[str, np.ndarray], request_id: int, offers: dict[str, OfferRow]
) -> tuple[StoredProposal, ...]:
    return tuple(
        StoredProposal(
            offer_id=(offer := str(columns["offer"][line])),
            institution_id=offers[offer].institution_id if offers else "",
            rank=int(columns["rank"][line]),
            is_first=bool(columns["is_first"][line]),
            amount_fen=int(columns["amount_fen"][line]),
        )
        for line in np.flatnonzero(columns["request"] == request_id)
    )


def _standing(request: RequestRow, place: int, closed: dict[str, Any]) -> tuple[StandingMatch, ...]:
    """Live matches by institution; how many of them counted, but not which, is kept."""
    counted = closed["counted"].count(place)
    institutions = [name for at, name in closed["institutions"] if at == place]
    return tuple(
        StandingMatch(
            kind=request.kind,
            request_id=request.id,
            offer_id="",
            institution_id=name,
            is_within_deadline=number < counted,
        )
        for number, name in enumerate(institutions)
    )


def stored_rooms(certificate: bytes) -> dict[str, StoredRoom]:
    """Rooms and prices of all offers, by id, from the part of the run."""
    return {
        offer: StoredRoom(
            room_fen=row["room_fen"],
            room_count=_count(row["room_count"]),
            left_fen=row["left_fen"],
            left_count=_count(row["left_count"]),
            price_fen_ppm=row["price_fen_ppm"],
            price_count_fen=row["price_count_fen"],
        )
        for offer, row in certificate_of_part(certificate).items()
    }


def _count(number: int) -> int | None:
    return None if number < 0 else number


def request_row(columns: RequestColumns, line: int, business_id: int) -> RequestRow:
    """One line of the columns as the row of the readable rules."""
    first, last = int(columns.patents_start[line]), int(columns.patents_start[line + 1])
    common: dict[str, Any] = {
        "id": str(columns.id[line]),
        "business_id": str(business_id),
        "region_code": columns.region_codes[columns.region[line]],
        "industry_code": columns.industry_codes[columns.industry[line]],
        "size_class": SIZE_CLASSES[columns.size_class[line]],
        "is_first_time_borrower": bool(columns.is_first_time_borrower[line]),
        "waiting_days": int(columns.waiting_days[line]),
        "patents": tuple(_patent(columns, place) for place in range(first, last)),
    }
    if isinstance(columns, LoanRequestColumns):
        return LoanRequestRow(
            **common,
            established_on=_day(columns.established_on[line]),
            principal_fen=int(columns.principal_fen[line]),
            least_accepted_fen=int(columns.least_accepted_fen[line]),
            term_months=int(columns.term_months[line]),
            max_apr_ppm=_count(int(columns.max_apr_ppm[line])),
            drawdown_on=_optional_day(columns.drawdown_on[line]),
            certificates=_named(columns.certificates[line], columns.certificate_codes),
        )
    return InsuranceRequestRow(
        **common,
        cover_kind=COVER_KINDS[columns.cover_kind[line]],
        sum_insured_fen=int(columns.sum_insured_fen[line]),
        max_premium_fen=_count(int(columns.max_premium_fen[line])),
    )


def _patent(columns: RequestColumns, place: int) -> PatentRow:
    patents = columns.patents
    common: dict[str, Any] = {
        "id": str(patents.id[place]),
        "kind": PATENT_KINDS[patents.kind[place]],
        "expires_on": _day(patents.expires_on[place]),
    }
    if not isinstance(columns, LoanRequestColumns):
        failures = _named(columns.patents.failures[place], columns.condition_codes)
        return PatentRow(
            **common,
            appraised_value_fen=None,
            appraised_on=None,
            insurability_failures=failures,
        )
    own = columns.patents
    pledgee = int(own.pledgee[place])
    return PatentRow(
        **common,
        appraised_value_fen=_count(int(own.appraised_value_fen[place])),
        appraised_on=_optional_day(own.appraised_on[place]),
        hard_grounds=_named(own.hard_grounds[place], columns.ground_codes),
        pledgee_institution_id=None if pledgee < 0 else columns.institution_ids[pledgee],
        pledge_released_on=_optional_day(own.released_on[place]),
    )


def _named(bits: Any, codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(code for number, code in enumerate(codes) if int(bits) >> number & 1)


def _day(number: Any) -> date:
    return EPOCH + timedelta(days=int(number))


def _optional_day(number: Any) -> date | None:
    return None if number == NO_DAY else _day(number)
