"""Who gets which offer: a two-phase greedy over candidates and rooms, called by the engine.

The seam of MATCHING §3: `allocate(demands, rooms)` takes plain candidates and gives choices, so
that a faster engine can replace its inside. First every business that can be reached is reached,
most value per fen first; then the room left goes to alternatives, again by value per fen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

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
    """Further proposals for businesses reached, most value per fen of capacity first."""
    waiting = [
        (-Fraction(candidate.kept_alternative_fen, max(1, candidate.amount_fen)), candidate, demand)
        for demand in demands
        if demand.is_reached or taken[demand.request]
        for candidate in _open_to(demand)
    ]
    waiting.sort(key=lambda entry: (entry[0], entry[1].lot, entry[2].request, entry[1].offer))
    for _, candidate, demand in waiting:
        chosen = taken[demand.request]
        if len(chosen) >= demand.slots:
            continue
        if any(other.institution_id == candidate.institution_id for other in chosen):
            continue
        if left[candidate.offer].takes(candidate.amount_fen):
            _take(candidate, left, chosen)


def _open_to(demand: Demand) -> list[Candidate]:
    return [c for c in demand.candidates if c.institution_id not in demand.closed_institutions]


def _take(candidate: Candidate, left: dict[OfferKey, Room], chosen: list[Candidate]) -> None:
    left[candidate.offer] = left[candidate.offer].less(candidate.amount_fen)
    chosen.append(candidate)
