"""Live offers as the matcher's rows, kept by each process between tasks; runs over one request ask.

A row depends on the day by the reference rates only, so most midnights change none.

Every use asks the database which version of each live offer is current: the transaction and the
place of its row (`xmin`, `ctid`), which no change, rollback or other process can leave as they
were. Only offers of another version are read again. Whoever changes the parts of an offer
(divisions, kinds, limits, fees) writes its row in the same transaction, as `services.loan_offers`
and `services.insurance_offers` do.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models.expressions import RawSQL

from financing.delivery_shares import delivery_shares_ppm
from financing.kind_rows import rows_of
from financing.match_rows import (
    DELIVERY_PRIOR_COUNT,
    HeldCapacity,
    fen,
    held_by_offer,
    reference_rates,
)
from financing.matching import tables
from financing.matching.columns import PPM
from financing.pair_kinds import PairKind


@dataclass(frozen=True)
class _Kept:
    """Rows at some reference rates by offer, and which version of the offer each was made of."""

    rates: tuple[Decimal, Decimal]
    versions: dict[int, str]
    rows: dict[int, tables.OfferRow]


_kept: dict[str, _Kept] = {}


def live_offer_rows(kind: PairKind, on: date) -> list[tables.OfferRow]:
    """Every live offer, rising by id: terms and booked capacity as committed now.

    Nothing counts as held and all as delivered; `with_current_use` puts in what is so. A row is the
    same object as before while its offer is the same version.
    """
    versions = _versions(kind)
    before, rates = _kept.get(kind.name), reference_rates(on)
    if before is None or before.rates != rates:
        before = _Kept(rates, {}, {})
    stale = [pk for pk, version in versions.items() if before.versions.get(pk) != version]
    rows = {pk: before.rows[pk] for pk in versions.keys() & before.rows.keys()}
    if stale:
        for pk in stale:
            rows.pop(pk, None)
        offers = rows_of(kind).with_criteria(
            kind.offers._default_manager.live().filter(pk__in=stale)
        )
        # Read later than the versions: a row newer than its version is only read once more.
        rows |= {int(row.id): row for row in rows_of(kind).offer_criteria(list(offers), on)}
    # One assignment: whoever reads meanwhile sees the one or the other.
    _kept[kind.name] = _Kept(rates, {pk: versions[pk] for pk in rows}, rows)
    return [rows[pk] for pk in sorted(rows)]


def with_current_use(
    kind: PairKind, rows: Iterable[tables.OfferRow], on: date
) -> list[tables.OfferRow]:
    """The rows with what is held of each offer and how it delivers as of now; in two queries."""
    rows = list(rows)
    ids = [int(row.id) for row in rows]
    held = held_by_offer(kind.offer_field, ids)
    delivery = delivery_shares_ppm(
        ids, on, prior_count=DELIVERY_PRIOR_COUNT, offer_field=kind.offer_field
    )
    nothing = HeldCapacity()
    used = []
    for row in rows:
        if not (int(row.id) in held or int(row.id) in delivery):
            # As it was read: nothing held, all delivered.
            used.append(row)
            continue
        own = held.get(int(row.id), nothing)
        changed: tables.OfferRow = replace(
            row,
            held_fen=fen(own.amount),
            held_count=own.count,
            delivery_ppm=delivery.get(int(row.id), PPM),
        )
        used.append(changed)
    return used


def _versions(kind: PairKind) -> dict[int, str]:
    offers = kind.offers._default_manager.live()
    table = kind.offers._meta.db_table
    version = RawSQL(f'"{table}"."xmin"::text || "{table}"."ctid"::text', [])
    return dict(offers.order_by().annotate(version=version).values_list("pk", "version"))
