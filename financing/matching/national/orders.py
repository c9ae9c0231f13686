"""Who is looked at first, and how good anybody after can be; the walks of `best_first.py` call it.

A walk takes the lines of a group in portions of similar principals. For each portion the group's
offers are put in order at the prices given, in blocks of 64 with their rows of bits (`sieve.py`)
and, for a grid of principals, the greatest worth that any offer from there on can have. An order
need not be perfect for its bounds to hold. Nothing of it is kept.
"""

from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.bits import BITS, sort_up, transpose
from financing.matching.national.compiled import bare, inlined, signed
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Groups, Records, Words
from financing.matching.national.sieve import ROWS, Sieve
from financing.matching.national.tables import Int64, UInt8

MICRO = 1_000_000
GRID = 16
NOTHING = -(2**62)
STEEPEST = 4_000_000
"""Price beyond the saving, in ppm: what is dearer is worth nothing, and 64 bits suffice."""
MOST_BLUR = 4
"""Times its width a blur moves a price at most."""
PLACES = 1 << 20
HIGHEST = 1 << 42

FURTHER, FIRST = 0, 1


class Prices(NamedTuple):
    """Per offer: `fen_ppm` micro-fen of value per fen of room, `count_fen` per proposal."""

    fen_ppm: Int64
    count_fen: Int64


ENTRY = np.dtype(
    [
        # Worth in micro-fen is at most rate x amount - fixed.
        ("rate", np.int64),
        ("fixed", np.int64),
        ("least", np.int64),
        ("most", np.int64),
        ("offer", np.int32),
        ("delivery", np.int32),
    ],
    align=True,
)


class Order(NamedTuple):
    """Offers of a portion in order. By block: `rows` of bits (once `is_built`), `bounds` by block
    and step of `grid` for it and all after it, `deliveries` the greatest of them."""

    entries: Records
    drafts: Records
    keys: Words
    spare: Words
    rows: Words
    is_built: UInt8
    bounds: Int64
    deliveries: Int64
    grid: Int64


def make_order(problem: Problem) -> Order:
    """Room for the longest list of a group."""
    lengths = np.diff(problem.groups.offers_start)
    blocks = -(-int(lengths.max(initial=1)) // BITS)
    places = blocks * BITS
    return Order(
        np.zeros(places, dtype=ENTRY),
        np.zeros(places, dtype=ENTRY),
        np.zeros(places, dtype=np.uint64),
        np.zeros(places, dtype=np.uint64),
        np.zeros(blocks * ROWS, dtype=np.uint64),
        np.zeros(blocks, dtype=np.uint8),
        np.zeros(blocks * GRID, dtype=np.int64),
        np.zeros(blocks, dtype=np.int64),
        np.zeros(GRID, dtype=np.int64),
    )


def is_plain(problem: Problem) -> bool:
    """A first proposal is worth the coverage more than a further one, whatever the offer."""
    some = np.zeros(len(problem.room), dtype=np.bool_)
    some[problem.groups.offer] = True
    delivered = bool((problem.data.offers["delivery"][some] == PPM).all())
    return problem.policy.alternative_share_ppm == PPM and delivered


def no_prices(problem: Problem) -> Prices:
    zero = np.zeros(len(problem.room), dtype=np.int64)
    return Prices(zero, zero.copy())


@inlined
def rate_of(ppm: int, price: int, share_ppm: int, delivery_ppm: int) -> int:
    """Micro-fen of worth per fen of amount, rounded up."""
    rate = ppm
    if share_ppm < 1_000_000 or delivery_ppm < 1_000_000:
        exact = float(ppm) * float(share_ppm) * float(delivery_ppm) * 1e-12
        rate = signed(np.ceil(exact + 1e-6))
    return signed(max(rate - price, -STEEPEST))


@bare
def arrange(
    group: int,
    low: int,
    high: int,
    usual: int,
    least: int,
    kind: int,
    share: int,
    width: int,
    coverage: int,
    groups: Groups,
    offers: Records,
    costs: Records,
    prices: Prices,
    room: Int64,
    room_count: Int64,
    order: Order,
) -> int:
    """Put the offers of a group in order for principals from `low` to `high`; gives how many.

    `usual`: the principal that decides the order; `least`: the least that any request accepts;
    `kind` FURTHER or FIRST: worth as one more proposal or as the one that reaches, which is worth
    the coverage, too. `width`: of the blur, for which bounds leave as much as it can add. Offers
    without room for anybody are left out.
    """
    entries, drafts, keys = order.entries, order.drafts, order.keys
    bounds, grid, deliveries, is_built = order.bounds, order.grid, order.deliveries, order.is_built
    term = groups.term[group]
    share_ppm = share if kind == FURTHER else signed(1_000_000)
    count = 0
    for x in range(groups.offers_start[group], groups.offers_start[group + 1]):
        j = groups.offer[x]
        offer, cost = offers[j], costs[0, term, j]
        floor = max(offer.minimum, least)
        if room[j] < floor or room_count[j] < 1 or offer.maximum < least or offer.minimum > high:
            continue
        fixed = float(min(cost.fixed_0, cost.fixed_1))
        fixed_micro = signed(np.floor(fixed * float(share_ppm) * float(offer.delivery) * 1e-6))
        draft = drafts[count]
        price = prices.fen_ppm[j] - MOST_BLUR * width
        draft.rate = rate_of(cost.saving_ppm, price, share_ppm, offer.delivery)
        draft.fixed = fixed_micro + min(prices.count_fen[j], PLACES * PLACES) * MICRO
        draft.least, draft.most = offer.minimum, offer.maximum // 100 * 100
        draft.offer, draft.delivery = j, offer.delivery
        amount = min(usual, draft.most) if draft.rate >= 0 else max(draft.least, least)
        worth = (draft.rate * amount - draft.fixed) // MICRO
        if kind == FIRST:
            worth += signed(float(coverage) * float(offer.delivery) * 1e-6)
        worth = min(max(worth, -HIGHEST + 1), HIGHEST - 1)
        keys[count] = np.uint64((HIGHEST - worth) * PLACES + count)
        count += 1
    sort_up(keys, order.spare, count)
    ratio = (float(high) / float(low)) ** (1.0 / (GRID - 1))
    edge = float(low)
    for g in range(GRID - 1):
        grid[g] = signed(edge)
        edge *= ratio
    grid[GRID - 1] = high
    blocks = (count + BITS - 1) // BITS
    for block in range(blocks):
        at = block * GRID
        is_built[block] = 0
        deliveries[block] = 0
        for g in range(GRID):
            bounds[at + g] = NOTHING
        for x in range(block * BITS, min(count, (block + 1) * BITS)):
            draft = drafts[signed(keys[x] & np.uint64(PLACES - 1))]
            entry = entries[x]
            rate, fixed_micro, most = draft.rate, draft.fixed, draft.most
            entry.rate, entry.fixed, entry.least, entry.most = rate, fixed_micro, draft.least, most
            entry.offer, entry.delivery = draft.offer, draft.delivery
            deliveries[block] = max(deliveries[block], signed(draft.delivery))
            if rate >= 0:
                for g in range(GRID):
                    bounds[at + g] = max(bounds[at + g], rate * min(grid[g], most) - fixed_micro)
            else:
                worth = rate * max(draft.least, least) - fixed_micro
                for g in range(GRID):
                    bounds[at + g] = max(bounds[at + g], worth)
    for block in range(blocks - 2, -1, -1):
        at = block * GRID
        deliveries[block] = max(deliveries[block], deliveries[block + 1])
        for g in range(GRID):
            bounds[at + g] = max(bounds[at + g], bounds[at + GRID + g])
    return count


@bare
def build_block(
    block: int, count: int, province: int, term: int, sieve: Sieve, entries: Records, rows: Words
) -> None:
    """The rows of bits of a block: its offers' bits, turned."""
    base = block * ROWS
    fixed, region, by_term = sieve.fixed, sieve.region, sieve.term
    here = min(count - block * BITS, BITS)
    for n in range(here):
        j = entries[block * BITS + n].offer
        rows[base + n] = fixed[j, 0]
        rows[base + BITS + n] = region[province, j]
        rows[base + 2 * BITS + n] = by_term[term, j]
        rows[base + 3 * BITS + n] = fixed[j, 1]
        rows[base + 4 * BITS + n] = fixed[j, 2]
    for part in range(5):
        for n in range(here, BITS):
            rows[base + part * BITS + n] = 0
        transpose(rows, base + part * BITS)
