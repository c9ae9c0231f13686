"""Insurance columns and offers -> what the compiled code reads; called by `insurance_run.py`.

Prices and exchanges know requests, offers and rooms only: for them the result is a `Problem` like
that of loans, without any rule of loans in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.calendar_months import Months, month_tables, whole_months
from financing.matching.national.compiled import compiled
from financing.matching.national.groups import is_open, provinces
from financing.matching.national.insurance_rules import (
    INSURANCE_OFFER,
    INSURANCE_REQUEST,
    INSURED_PATENT,
    InsuranceData,
)
from financing.matching.national.kind_result import canonical_offer_order
from financing.matching.national.packed_offers import offer_bits
from financing.matching.national.packed_requests import lifts
from financing.matching.national.packing import NO_COUNT, Closed, Problem, apply_closed
from financing.matching.national.problem import (
    COST,
    OFFER,
    PATENT,
    REQUEST,
    Data,
    Groups,
    Records,
)
from financing.matching.national.tables import (
    MOST_FEN,
    ColumnError,
    InsuranceRequestColumns,
    Int16,
    Int32,
    Int64,
)
from financing.matching.policy import MatchingPolicy
from financing.matching.rooms import room_of
from financing.matching.savings import CostBook
from financing.matching.tables import (
    COVER_KINDS,
    PATENT_KINDS,
    SIZE_CLASSES,
    InsuranceOfferRow,
)


@dataclass(frozen=True, slots=True, eq=False)
class InsuranceProblem:
    """A run's insurance input, packed. `problem`: what is the same for both kinds."""

    problem: Problem
    data: InsuranceData
    offer_rows: tuple[InsuranceOfferRow, ...]


def pack_insurances(
    columns: InsuranceRequestColumns,
    offers: Sequence[InsuranceOfferRow],
    policy: MatchingPolicy,
    *,
    closed: Closed | None = None,
) -> InsuranceProblem:
    """Everything a run needs. ColumnError where figures are too large for whole arithmetic."""
    rows = tuple(offers[place] for place in canonical_offer_order(offers))
    if len({row.id for row in rows}) < len(rows):
        raise ColumnError("insurance_offers.id: each id once")
    order = np.argsort(columns.id, kind="stable").astype(np.int32)
    institutions: dict[str, int] = {}
    for row in rows:
        institutions.setdefault(row.institution_id, len(institutions))
    common = _common_requests(columns, order, policy)
    settled = apply_closed(common, order, institutions, rows, closed or Closed())
    data = _insurance_data(columns, order, rows, policy)
    records = np.zeros(len(rows), dtype=OFFER)
    records["institution"] = [institutions[row.institution_id] for row in rows]
    records["delivery"] = [row.delivery_ppm for row in rows]
    rooms = [room_of(row, policy.oversubscription_ppm) for row in rows]
    count = len(order)
    problem = Problem(
        data=Data(
            requests=common,
            patents=np.zeros(0, dtype=PATENT),
            offers=records,
            bits=np.zeros((len(rows), 0), dtype=np.uint64),
            steps=np.zeros((len(rows), 0), dtype=np.int64),
            costs=np.zeros((0, 0, 0), dtype=COST),
            answers=np.zeros(0, dtype=np.int64),
            regions_from=0,
            closed_start=settled[0],
            closed_institution=settled[1],
            closed_offer=settled[2],
        ),
        groups=Groups(
            start=np.array([0, count], dtype=np.int64),
            term=np.zeros(1, dtype=np.int32),
            province=np.zeros(1, dtype=np.int32),
            offers_start=np.array([0, len(rows)], dtype=np.int64),
            offer=np.arange(len(rows), dtype=np.int32),
        ),
        line=order,
        room=np.array([room.fen for room in rooms], dtype=np.int64),
        room_count=np.array(
            [NO_COUNT if room.count is None else room.count for room in rooms], dtype=np.int64
        ),
        offer_rows=(),
        terms=(),
        limits_ppm=(),
        policy=policy,
        book=CostBook(policy),
    )
    return InsuranceProblem(problem, data, rows)


def _common_requests(
    columns: InsuranceRequestColumns, order: Int32, policy: MatchingPolicy
) -> Records:
    """Ids, worth of reaching, slots: what prices and repair read of a request."""
    region_lift, size_lift = lifts(columns, policy)
    price = policy.insurance_coverage_value_fen
    waiting = np.minimum(
        columns.waiting_days[order].astype(np.int64) * policy.waiting_lift_ppm_per_day,
        policy.waiting_lift_most_ppm,
    )
    weight = PPM + region_lift[columns.region[order]] + size_lift[columns.size_class[order]]
    weight += waiting + columns.is_first_time_borrower[order] * policy.first_time_lift_ppm
    if price * int(weight.max(initial=PPM)) >= 2**62:
        raise ColumnError("policy.insurance_coverage_value_fen: too large with its weights")
    records = np.zeros(len(order), dtype=REQUEST)
    records["id"] = columns.id[order]
    records["principal"] = columns.sum_insured_fen[order]
    records["coverage"] = price * weight // PPM
    records["slots"] = policy.max_proposals_count
    records["closed"] = -1
    return records


def _insurance_data(
    columns: InsuranceRequestColumns,
    order: Int32,
    rows: tuple[InsuranceOfferRow, ...],
    policy: MatchingPolicy,
) -> InsuranceData:
    requests = np.zeros(len(order), dtype=INSURANCE_REQUEST)
    requests["sum_insured"] = columns.sum_insured_fen[order]
    limit = columns.max_premium_fen[order]
    requests["most_premium"] = np.where(limit < 0, 2**62, limit)
    requests["region"] = columns.region[order]
    requests["industry"] = columns.industry[order]
    counts = np.diff(columns.patents_start)[order]
    requests["patents_count"] = counts
    requests["patents_start"][1:] = np.cumsum(counts)[:-1]
    # Patents in order of their requests.
    first = np.repeat(columns.patents_start[:-1][order] - requests["patents_start"], counts)
    places = first + np.arange(int(counts.sum()))
    patents = np.zeros(len(places), dtype=INSURED_PATENT)
    patents["kind"] = columns.patents.kind[places]
    patents["failures"] = columns.patents.failures[places]
    life = np.empty(len(places), dtype=np.int16)
    today = (policy.as_of - date(1970, 1, 1)).days
    _months_left(columns.patents.expires_on[places], today, month_tables(), life)
    patents["life"] = life
    bits, regions_from = offer_bits(rows, columns)
    list_of, offers_start, offer = _lists(columns, order, rows, policy)
    return InsuranceData(
        requests,
        patents,
        _offer_records(rows, columns.condition_codes, policy),
        bits,
        regions_from,
        list_of,
        offers_start,
        offer,
    )


@compiled
def _months_left(expires: Int32, today: int, months: Months, life: Int16) -> None:
    for place in range(len(expires)):
        life[place] = -1
        if expires[place] > today:
            life[place] = min(whole_months(today, expires[place], months), 32_000)


def _offer_records(
    rows: tuple[InsuranceOfferRow, ...], condition_codes: tuple[str, ...], policy: MatchingPolicy
) -> Records:
    bit = {code: 1 << place for place, code in enumerate(condition_codes)}
    standards = {row.cover_kind: row for row in policy.standard_premiums}
    records = np.zeros(len(rows), dtype=INSURANCE_OFFER)
    for row, record in zip(rows, records, strict=True):
        figures = [row.premium_min_fen, row.premium_base_fen, row.premium_per_patent_fen]
        standard = standards.get(row.cover_kind)
        if standard is not None:
            figures += [standard.min_fen, standard.base_fen, standard.per_patent_fen]
        if max(figures) > MOST_FEN:
            raise ColumnError(f"insurance_offers {row.id}: premiums at most {MOST_FEN} fen")
        record["sum_min"], record["sum_max"] = row.sum_insured_min_fen, row.sum_insured_max_fen
        # A condition that no patent of the run fails asks nothing.
        record["conditions"] = sum(bit.get(code, 0) for code in row.conditions)
        record["premium_min"] = row.premium_min_fen
        record["premium_base"] = row.premium_base_fen
        record["premium_patent"] = row.premium_per_patent_fen
        record["premium_rate"] = row.premium_rate_ppm
        if standard is not None:
            record["has_standard"] = 1
            record["standard_min"], record["standard_base"] = standard.min_fen, standard.base_fen
            record["standard_patent"] = standard.per_patent_fen
            record["standard_rate"] = standard.rate_ppm
        record["patents_least"] = row.min_patents_count
        record["life"] = row.min_remaining_months
        record["kinds"] = sum(1 << PATENT_KINDS.index(kind) for kind in row.accepted_kinds)
        record["serves_parts"] = any(not region.endswith("0000") for region in row.regions)
        record["accepts_some"] = bool(row.industries)
    return records


def _lists(
    columns: InsuranceRequestColumns,
    order: Int32,
    rows: tuple[InsuranceOfferRow, ...],
    policy: MatchingPolicy,
) -> tuple[Int32, Int64, Int32]:
    """By request its list, and lists of the offers that cover, window, province and size leave."""
    codes, province = provinces(columns)
    covers, sizes = len(COVER_KINDS), len(SIZE_CLASSES)
    key = province[columns.region[order]].astype(np.int64) * sizes + columns.size_class[order]
    key = key * covers + columns.cover_kind[order]
    present, list_of = np.unique(key, return_inverse=True)
    lists = []
    for number in present.tolist():
        rest, cover = divmod(number, covers)
        place, size = divmod(rest, sizes)
        lists.append(
            [
                j
                for j, row in enumerate(rows)
                if is_open(row, policy)
                and row.cover_kind == COVER_KINDS[cover]
                and (not row.size_classes or SIZE_CLASSES[size] in row.size_classes)
                and (not row.regions or any(r[:2] == codes[place] for r in row.regions))
            ]
        )
    start = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in lists], out=start[1:])
    flat = np.array([j for one in lists for j in one], dtype=np.int32)
    return list_of.astype(np.int32), start, flat
