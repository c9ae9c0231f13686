"""Two full runs compared: who gains, who loses, by region and size class; pages of runs ask.

Both runs keep their proposals and the requests they were about (`run_parts`), so that runs of last
month and what-ifs compare like any others. Nothing here loads the matcher.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from financing.bands import AMOUNT_BANDS
from financing.match_rows import FEN, yuan
from financing.matching.national.tables import LoanRequestColumns
from financing.matching.tables import SIZE_CLASSES, RequestKind
from financing.models import MatchRun
from financing.pair_kinds import KINDS
from financing.run_parts import stored_proposals, stored_requests
from financing.snapshot.chunks import Chunk, joined

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """From run a to run b, of one group: requests, and yuan of their first-ranked proposals.

    `gained_*`: proposed to in b only; `lost_*`: in a only; `moved_count`: in both, the best offer
    being another; `unchanged_count`: in both, the same. `saving_change`: of all first proposals, b
    less a.
    """

    gained_count: int = 0
    gained_amount: Decimal = Decimal(0)
    lost_count: int = 0
    lost_amount: Decimal = Decimal(0)
    moved_count: int = 0
    unchanged_count: int = 0
    saving_change: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RunDiff:
    """`total`, and the same by dimension ("kind", "province", "size_class", "amount_band") and
    group. `only_in_a_count`, `only_in_b_count`: requests that just one run was about."""

    total: Change
    by: dict[str, dict[str, Change]] = field(default_factory=dict)
    only_in_a_count: int = 0
    only_in_b_count: int = 0


@dataclass(frozen=True, slots=True)
class _Best:
    """By request (ids rising): the offer of rank 1 (-1 = none), its amount and saving in fen."""

    offer: Int64
    amount: Int64
    saving: Int64


def diff_runs(a: MatchRun, b: MatchRun) -> RunDiff:
    """What run b proposes otherwise than run a, within the region that both cover.

    Raises NotArchived where a run kept nothing.
    """
    scope = max(a.scope_prefix, b.scope_prefix, key=len)
    proposals = stored_proposals(a), stored_proposals(b)
    requests = stored_requests(a), stored_requests(b)
    by: dict[str, dict[str, Change]] = {}
    only = [0, 0]
    whole: list[Change] = []
    for kind in KINDS:
        of_kind = tuple(_inside(each[kind.name], scope) for each in requests)
        ids = [each.columns.id for each in of_kind]
        only[0] += len(np.setdiff1d(ids[0], ids[1]))
        only[1] += len(np.setdiff1d(ids[1], ids[0]))
        both = _either(of_kind[0], of_kind[1])
        best = [_best(both.columns.id, each[kind.name]) for each in proposals]
        found = _by_groups(kind.name, both, *best)
        for dimension, groups in found.items():
            for group, change in groups.items():
                into = by.setdefault(dimension, {})
                into[group] = _sum(into.get(group, Change()), change)
        whole += found.get("kind", {}).values()
    total = Change()
    for change in whole:
        total = _sum(total, change)
    ordered = {name: dict(sorted(groups.items())) for name, groups in by.items()}
    return RunDiff(total, ordered, only[0], only[1])


def _inside(requests: Chunk, scope_prefix: str) -> Chunk:
    codes = requests.columns.region_codes
    inside = np.array([code.startswith(scope_prefix) for code in codes], dtype=np.bool_)
    return requests.where(inside[requests.columns.region]) if len(requests) else requests


def _either(a: Chunk, b: Chunk) -> Chunk:
    """The requests of either run, rising by id, as b has them where it does."""
    whole = joined([b, a])
    _, lines = np.unique(whole.columns.id, return_index=True)
    return whole.taken(lines.astype(np.int64))


def _best(ids: Int64, proposals: Mapping[str, NDArray[np.generic]]) -> _Best:
    first = (proposals["rank"] == 1) & np.isin(proposals["request"], ids)
    place = np.searchsorted(ids, proposals["request"][first])
    found = _Best(*(np.zeros(len(ids), dtype=np.int64) for _ in range(3)))
    found.offer[:] = -1
    found.offer[place] = proposals["offer"][first]
    found.amount[place] = proposals["amount_fen"][first]
    found.saving[place] = proposals["saving_fen"][first]
    return found


def _by_groups(
    kind: RequestKind, requests: Chunk, a: _Best, b: _Best
) -> dict[str, dict[str, Change]]:
    columns = requests.columns
    if not len(columns):
        return {}
    asked = (
        columns.principal_fen
        if isinstance(columns, LoanRequestColumns)
        else columns.sum_insured_fen
    )
    provinces = sorted({f"{code[:2]}0000" for code in columns.region_codes})
    of_region = [provinces.index(f"{code[:2]}0000") for code in columns.region_codes]
    bounds = [int(band.least * FEN) for band in AMOUNT_BANDS]
    dimensions: dict[str, tuple[tuple[str, ...], NDArray[np.generic]]] = {
        "kind": ((kind,), np.zeros(len(columns), dtype=np.int64)),
        "province": (tuple(provinces), np.array(of_region, dtype=np.int64)[columns.region]),
        "size_class": (SIZE_CLASSES, columns.size_class),
        "amount_band": (
            tuple(band.code for band in AMOUNT_BANDS),
            np.searchsorted(bounds, asked, side="right") - 1,
        ),
    }
    there = np.flatnonzero((a.offer >= 0) | (b.offer >= 0))
    return {
        dimension: {
            names[place]: _change(there[number[there] == place], a, b)
            for place in np.unique(number[there]).tolist()
        }
        for dimension, (names, number) in dimensions.items()
    }


def _change(lines: Int64, a: _Best, b: _Best) -> Change:
    in_a, in_b = a.offer[lines] >= 0, b.offer[lines] >= 0
    is_same = a.offer[lines] == b.offer[lines]
    gained, lost, both = lines[in_b & ~in_a], lines[in_a & ~in_b], in_a & in_b
    return Change(
        gained_count=len(gained),
        gained_amount=yuan(int(b.amount[gained].sum())),
        lost_count=len(lost),
        lost_amount=yuan(int(a.amount[lost].sum())),
        moved_count=int((both & ~is_same).sum()),
        unchanged_count=int((both & is_same).sum()),
        saving_change=yuan(int(b.saving[lines].sum()) - int(a.saving[lines].sum())),
    )


def _sum(one: Change, other: Change) -> Change:
    return Change(
        gained_count=one.gained_count + other.gained_count,
        gained_amount=one.gained_amount + other.gained_amount,
        lost_count=one.lost_count + other.lost_count,
        lost_amount=one.lost_amount + other.lost_amount,
        moved_count=one.moved_count + other.moved_count,
        unchanged_count=one.unchanged_count + other.unchanged_count,
        saving_change=one.saving_change + other.saving_change,
    )
