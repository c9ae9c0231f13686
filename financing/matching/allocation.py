"""Who gets which offer: a two-phase greedy over candidates and rooms, called by the engine.

The seam of MATCHING §3: `allocate(demands, rooms)` takes plain candidates and gives choices, so
that a faster engine can replace its inside. First every business that can be reached is reached,
most value per fen first; then the room left goes to alternatives, again by value per fen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush

from financing.matching.rooms import Room

OfferKey = tuple[str, str]
"""Kind and id of an offer."""

RequestKey = tuple[str, str]
"""Kind and id of a request."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair that passed every rule. Values in fen; `kept_*` carry the bonus against churn."""

    offer: OfferKey
    institution_id: str
    amount_fen: int
    saving_fen: int
    first_fen: int
    alternative_fen: int
    kept_first_fen: int
    kept_alternative_fen: int
    lot: int


@dataclass(frozen=True, slots=True)
class Demand:
    """A request with its candidates; `slots`: proposals it may still get."""

    request: RequestKey
    is_reached: bool
    slots: int
    closed_institutions: frozenset[str]
    candidates: tuple[Candidate, ...]
    lot: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A proposal; `is_first`: it is the one that reaches the business."""

    request: RequestKey
    candidate: Candidate
    is_first: bool

    @property
    def value_fen(self) -> int:
        return self.candidate.first_fen if self.is_first else self.candidate.alternative_fen


@dataclass(frozen=True, slots=True)
class Allocation:
    """Choices by request, best first, and the room left of each offer."""

    choices: dict[RequestKey, tuple[Choice, ...]]
    rooms_left: dict[OfferKey, Room]

    @property
    def value_fen(self) -> int:
        return sum(choice.value_fen for chosen in self.choices.values() for choice in chosen)


def allocate(demands: Iterable[Demand], rooms: dict[OfferKey, Room]) -> Allocation:
    """Choose proposals within every constraint of MATCHING §1; order of input does not matter."""
    ordered = sorted(demands, key=lambda demand: demand.request)
    left = dict(rooms)
    taken: dict[RequestKey, list[Candidate]] = {demand.request: [] for demand in ordered}
    _reach(ordered, left, taken)
    _add_alternatives(ordered, left, taken)
    choices = {
        demand.request: ranked(taken[demand.request], is_reached=demand.is_reached)
        for demand in ordered
        if taken[demand.request]
    }
    return Allocation(
        {
            request: tuple(Choice(request, candidate, is_first) for candidate, is_first in chosen)
            for request, chosen in choices.items()
        },
        left,
    )


def best_first(candidates: Sequence[Candidate], slots: int) -> Candidate | None:
    """The best first proposal of one request: each tried as first, filled up with the best others.

    Exact for one request without regard to others (MATCHING §1); None without candidates.
    """
    best: tuple[int, int, OfferKey] | None = None
    choice = None
    for first in candidates:
        others = _best_alternatives(candidates, slots - 1, {first.institution_id})
        worth = first.kept_first_fen + sum(other.kept_alternative_fen for other in others)
        key = (-worth, first.lot, first.offer)
        if best is None or key < best:
            best, choice = key, first
    return choice


def ranked(chosen: Sequence[Candidate], *, is_reached: bool) -> list[tuple[Candidate, bool]]:
    """The proposals of one request, first one first, alternatives by worth.

    The set is given; which of it counts as first is chosen again, for the greatest value.
    """
    rest = sorted(chosen, key=_alternative_key)
    if is_reached or not rest:
        return [(candidate, False) for candidate in rest]
    first = min(rest, key=lambda c: (c.alternative_fen - c.first_fen, c.lot, c.offer))
    return [(first, True), *((c, False) for c in rest if c is not first)]


def _alternative_key(candidate: Candidate) -> tuple[int, int, OfferKey]:
    return (-candidate.kept_alternative_fen, candidate.lot, candidate.offer)


def _best_alternatives(
    candidates: Sequence[Candidate], slots: int, closed: set[str]
) -> list[Candidate]:
    """Best others, at most one per institution: a matroid, so taking them by worth is exact."""
    chosen: list[Candidate] = []
    closed = set(closed)
    for candidate in sorted(candidates, key=_alternative_key):
        if len(chosen) >= slots:
            break
        if candidate.institution_id not in closed:
            chosen.append(candidate)
            closed.add(candidate.institution_id)
    return chosen


def _reach(
    demands: Sequence[Demand],
    left: dict[OfferKey, Room],
    taken: dict[RequestKey, list[Candidate]],
) -> None:
    """One first proposal per business not reached yet, most value per fen of capacity first."""
    waiting = []
    for demand in demands:
        open_ones = _open_to(demand)
        best = best_first(open_ones, demand.slots) if demand.slots > 0 else None
        if best is not None and not demand.is_reached:
            density = Fraction(best.kept_first_fen, max(1, best.amount_fen))
            waiting.append((-density, demand.lot, demand, open_ones))
    waiting.sort(key=lambda entry: (entry[0], entry[1], entry[2].request))
    for _, _, demand, open_ones in waiting:
        fitting = [c for c in open_ones if left[c.offer].takes(c.amount_fen)]
        first = best_first(fitting, demand.slots)
        if first is not None:
            _take(first, left, taken[demand.request])


def _add_alternatives(
    demands: Sequence[Demand],
    left: dict[OfferKey, Room],
    taken: dict[RequestKey, list[Candidate]],
) -> None:
    """Further proposals for businesses reached, most value per fen of capacity first.

    Each request stands in the queue with the best alternative it can get now, not with all of
    them: else a small one would keep out a better one of the same institution.
    """
    queue: list[tuple[Fraction, int, RequestKey, OfferKey]] = []
    waiting = {
        demand.request: demand for demand in demands if demand.is_reached or taken[demand.request]
    }

    def stand_in_queue(demand: Demand) -> None:
        best = _next_alternative(demand, left, taken[demand.request])
        if best is not None:
            density = Fraction(best.kept_alternative_fen, max(1, best.amount_fen))
            heappush(queue, (-density, best.lot, demand.request, best.offer))

    for demand in waiting.values():
        stand_in_queue(demand)
    while queue:
        _, _, request, offer = heappop(queue)
        demand = waiting[request]
        candidate = next(c for c in demand.candidates if c.offer == offer)
        if left[offer].takes(candidate.amount_fen):
            _take(candidate, left, taken[request])
        stand_in_queue(demand)


def _next_alternative(
    demand: Demand, left: dict[OfferKey, Room], chosen: Sequence[Candidate]
) -> Candidate | None:
    if len(chosen) >= demand.slots:
        return None
    closed = {candidate.institution_id for candidate in chosen}
    fitting = [
        candidate
        for candidate in _open_to(demand)
        if candidate.institution_id not in closed
        and left[candidate.offer].takes(candidate.amount_fen)
    ]
    return min(fitting, key=_alternative_key, default=None)


def _open_to(demand: Demand) -> list[Candidate]:
    return [c for c in demand.candidates if c.institution_id not in demand.closed_institutions]


def _take(candidate: Candidate, left: dict[OfferKey, Room], chosen: list[Candidate]) -> None:
    left[candidate.offer] = left[candidate.offer].less(candidate.amount_fen)
    chosen.append(candidate)
