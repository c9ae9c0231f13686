"""Why a pair was or was not proposed by a stored run, months later; pages and commands ask.

What the run decided on comes from its parts, not from the records of today. The columns say that a
hard ground held, not which one; soft grounds and co-owners are not kept.
"""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np

from financing.matching.context import make_context
from financing.matching.decided import criterion_fingerprint
from financing.matching.national.tables import NO_DAY, LoanRequestColumns, RequestColumns
from financing.matching.policy import MatchingPolicy
from financing.matching.stored_runs import (
    StoredExplanation,
    StoredProposal,
    StoredRoom,
    StoredRun,
    explain_stored,
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
    NotArchived,
    chunk_of_parts,
    parts_of,
    row_of_texts,
    stored_certificate,
    stored_proposals,
)

EPOCH = date(1970, 1, 1)
# A hard ground or condition whose name the columns do not keep.
SOME_GROUND = "some_hard_ground"
OTHER = "other"


class NotInRun(LookupError):
    """The run was not about this request or this offer."""


def explain_of_run(
    run: MatchRun, kind: PairKind, request_id: int, offer_id: int
) -> StoredExplanation:
    """One pair as the stored run saw it. Raises NotArchived and NotInRun."""
    names = ["requests", "offers", "closed"]
    parts = parts_of(run, ["policy", *(f"{kind.name}.{name}" for name in names)])
    if run.as_of is None or f"{kind.name}.offers" not in parts:
        raise NotArchived(f"run {run.pk} keeps no input")
    offers = _offers(kind, parts)
    chunk = chunk_of_parts(kind, parts.get(f"{kind.name}.requests", []))
    place = int(np.searchsorted(chunk.columns.id, request_id))
    if str(offer_id) not in offers or place == len(chunk) or chunk.columns.id[place] != request_id:
        raise NotInRun(f"run {run.pk}: {kind.name} {request_id}, {offer_id}")
    line = np.array([place], dtype=np.int64)
    one = chunk.taken(line)
    request = request_row(one.on(run.as_of), 0, int(one.business[0]))
    policy = row_of_texts(MatchingPolicy, json.loads(parts["policy"][0]))
    closed = json.loads(parts[f"{kind.name}.closed"][0])
    decided = [
        _decided(request, offers[offer])
        for at, offer in closed["offers"]
        if at == place and offer in offers
    ]
    return explain_stored(
        request,
        offers[str(offer_id)],
        offers,
        make_context(policy, decided, with_figures=True),
        _stored(run, kind, request, place, closed, offers),
    )


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


def _stored(
    run: MatchRun,
    kind: PairKind,
    request: RequestRow,
    place: int,
    closed: dict[str, Any],
    offers: dict[str, OfferRow],
) -> StoredRun:
    columns = stored_proposals(run)[kind.name]
    lines = np.flatnonzero(columns["request"] == int(request.id))
    certificate = stored_certificate(run, kind)
    # Live matches by institution; how many of them counted, but not which, is kept.
    counted = closed["counted"].count(place)
    institutions = [name for at, name in closed["institutions"] if at == place]
    return StoredRun(
        proposals=tuple(
            StoredProposal(
                offer_id=(offer := str(columns["offer"][line])),
                institution_id=offers[offer].institution_id,
                rank=int(columns["rank"][line]),
                is_first=bool(columns["is_first"][line]),
                amount_fen=int(columns["amount_fen"][line]),
            )
            for line in lines
        ),
        standing=tuple(
            StandingMatch(
                kind=request.kind,
                request_id=request.id,
                offer_id="",
                institution_id=name,
                is_within_deadline=number < counted,
            )
            for number, name in enumerate(institutions)
        ),
        rooms={
            offer: StoredRoom(
                room_fen=row["room_fen"],
                room_count=_count(row["room_count"]),
                left_fen=row["left_fen"],
                left_count=_count(row["left_count"]),
                price_fen_ppm=row["price_fen_ppm"],
                price_count_fen=row["price_count_fen"],
            )
            for offer, row in certificate.items()
        },
    )


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
        hard_grounds=frozenset({SOME_GROUND} if own.has_hard_ground[place] else ()),
        pledgee_institution_id=None if pledgee < 0 else columns.institution_ids[pledgee],
        pledge_released_on=_optional_day(own.released_on[place]),
    )


def _named(bits: Any, codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(code for number, code in enumerate(codes) if int(bits) >> number & 1)


def _day(number: Any) -> date:
    return EPOCH + timedelta(days=int(number))


def _optional_day(number: Any) -> date | None:
    return None if number == NO_DAY else _day(number)
