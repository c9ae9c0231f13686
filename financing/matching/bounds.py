"""An upper bound on any allocation's value, with the prices that prove it; called by the engine.

Weak duality: for any prices >= 0 per fen of room (and per proposal where an offer has a count), no
allocation beats `sum of price x room + sum over requests of the best set at reduced values`. Anyone
can recompute it from the published prices; poor prices only make it loose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from financing.matching.allocation import Candidate, Demand, OfferKey
from financing.matching.columns import PPM
from financing.matching.rooms import Room

ROUNDS = 40
"""How often prices are moved; each round is one pass over all candidates."""


@dataclass(frozen=True, slots=True)
class Price:
    """Price of an offer's room: micro-fen of value per fen of room, and fen per proposal."""

    fen_ppm: int = 0
    count_fen: int = 0


def dual_value_fen(
    demands: Sequence[Demand], rooms: dict[OfferKey, Room], prices: dict[OfferKey, Price]
) -> int:
    """The bound these prices prove, in fen, rounded up; ValueError where they prove none."""
    for offer, price in prices.items():
        if price.fen_ppm < 0 or price.count_fen < 0:
            raise ValueError("prices are never negative")
        if price.count_fen and rooms[offer].count is None:
            raise ValueError("a price per proposal needs an offer with a count")
    return _dual(demands, rooms, prices)[0]


def best_bound(
    demands: Sequence[Demand], rooms: dict[OfferKey, Room]
) -> tuple[int, dict[OfferKey, Price]]:
    """The lowest bound found: from no prices, moved by the sign of use - room (MATCHING §3).

    Steps grow while a sign holds and halve when it flips. Offers without a price are left out.
    """
    prices: dict[OfferKey, Price] = {}
    steps: dict[OfferKey, int] = {}
    signs: dict[OfferKey, int] = {}
    best_value, use = _dual(demands, rooms, prices)
    best_prices: dict[OfferKey, Price] = {}
    for _ in range(ROUNDS):
        moved = _moved(prices, use, rooms, steps, signs)
        if moved == prices:
            break
        prices = moved
        value, use = _dual(demands, rooms, prices)
        if value < best_value:
            best_value, best_prices = value, prices
    return best_value, {offer: price for offer, price in best_prices.items() if price != Price()}


def _moved(
    prices: dict[OfferKey, Price],
    use: dict[OfferKey, tuple[int, int]],
    rooms: dict[OfferKey, Room],
    steps: dict[OfferKey, int],
    signs: dict[OfferKey, int],
) -> dict[OfferKey, Price]:
    moved = {}
    for offer in sorted(set(prices) | set(use)):
        room, price = rooms[offer], prices.get(offer, Price())
        used_fen, used_count = use.get(offer, (0, 0))
        over = used_fen > room.fen or (room.count is not None and used_count > room.count)
        sign = 1 if over else -1
        step = steps.get(offer, PPM // 100)
        step = step * 5 // 4 if signs.get(offer, sign) == sign else max(1, step // 2)
        steps[offer], signs[offer] = step, sign
        moved[offer] = _stepped(price, sign * step, room, used_fen, used_count)
    return moved


def _stepped(price: Price, step: int, room: Room, used_fen: int, used_count: int) -> Price:
    """The price of what is short moves; the other stays, or falls where there is plenty."""
    fen_step = step if step < 0 or used_fen > room.fen else 0
    count_step = 0
    if room.count is not None and (step < 0 or used_count > room.count):
        # A count price is per proposal: of the order of a small loan's worth, 1 million yuan.
        count_step = step * 100
    return Price(max(0, price.fen_ppm + fen_step), max(0, price.count_fen + count_step))


def _dual(
    demands: Sequence[Demand], rooms: dict[OfferKey, Room], prices: dict[OfferKey, Price]
) -> tuple[int, dict[OfferKey, tuple[int, int]]]:
    """Bound in fen, and what the requests would use at these prices (fen, count) per offer."""
    micro = sum(
        price.fen_ppm * rooms[offer].fen + price.count_fen * PPM * (rooms[offer].count or 0)
        for offer, price in prices.items()
    )
    use: dict[OfferKey, tuple[int, int]] = {}
    for demand in demands:
        worth, chosen = _best_set(demand, rooms, prices)
        micro += worth
        for candidate in chosen:
            fen, count = use.get(candidate.offer, (0, 0))
            use[candidate.offer] = (fen + candidate.amount_fen, count + 1)
    return -(-micro // PPM), use


def _best_set(
    demand: Demand, rooms: dict[OfferKey, Room], prices: dict[OfferKey, Price]
) -> tuple[int, list[Candidate]]:
    """The best proposals of one request at reduced values (micro-fen), exactly."""
    if demand.slots <= 0:
        return 0, []
    fitting = [
        (candidate, _cost(candidate, prices))
        for candidate in demand.candidates
        if candidate.institution_id not in demand.closed_institutions
        # An amount beyond the whole room can be in no allocation.
        and rooms[candidate.offer].takes(candidate.amount_fen)
    ]
    per_institution: dict[str, tuple[int, Candidate]] = {}
    for candidate, cost in fitting:
        worth = candidate.alternative_fen * PPM - cost
        known = per_institution.get(candidate.institution_id)
        if worth > 0 and (known is None or worth > known[0]):
            per_institution[candidate.institution_id] = (worth, candidate)
    # One more than can be used, for the first's own institution drops out.
    others = sorted(per_institution.values(), key=lambda entry: -entry[0])[: demand.slots + 1]
    if demand.is_reached:
        kept = others[: demand.slots]
        return sum(worth for worth, _ in kept), [candidate for _, candidate in kept]
    best, chosen = 0, list[Candidate]()
    for first, cost in fitting:
        fill = [entry for entry in others if entry[1].institution_id != first.institution_id]
        fill = fill[: demand.slots - 1]
        worth = first.first_fen * PPM - cost + sum(entry[0] for entry in fill)
        if worth > best:
            best, chosen = worth, [first, *(candidate for _, candidate in fill)]
    return best, chosen


def _cost(candidate: Candidate, prices: dict[OfferKey, Price]) -> int:
    price = prices.get(candidate.offer)
    if price is None:
        return 0
    return price.fen_ppm * candidate.amount_fen + price.count_fen * PPM
