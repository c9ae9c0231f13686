"""Peers of the allocation on the study's instance: two-phase greedy, Gale-Shapley, PDLP.

All take every fitting pair and the rooms. `Given`: what an allocation is worth and reaches; its
pairs can be checked with `broken`.
"""

import heapq
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matching_scale.plain_tables import PlainTables
from benchmarks.matching_scale.top_peers import Pairs


@dataclass(frozen=True, slots=True)
class Given:
    """An allocation's sums (fen) and its pairs as places in the list of fitting pairs."""

    value_fen: int
    coverage: int
    saving_fen: int
    places: np.ndarray


def given(pairs: Pairs, places: np.ndarray, coverage_fen: int) -> Given:
    """Sums of the chosen pairs: each request reached counts once, each saving in full."""
    places = np.sort(places)
    reached = len(np.unique(pairs["request"][places]))
    saving = int(pairs["saving"][places].sum())
    return Given(coverage_fen * reached + saving, reached, saving, places)


def broken(pairs: Pairs, found: Given, room: np.ndarray, k: int) -> str:
    """What the allocation breaks, or nothing."""
    if len(np.unique(found.places)) != len(found.places):
        return "a pair twice"
    used = np.zeros(len(room), dtype=np.int64)
    np.add.at(used, pairs["offer"][found.places], pairs["amount"][found.places])
    if (used > room).any():
        return f"room of {int((used > room).sum())} offers"
    _, counts = np.unique(pairs["request"][found.places], return_counts=True)
    return "more than k" if len(counts) and counts.max() > k else ""


def greedy(tables: PlainTables, pairs: Pairs, k: int) -> Given:
    """First every request that can be reached, most value per fen first, each by its best offer
    with room; then alternatives from a queue, each request standing in it with its best."""
    left = tables.offers["room"].tolist()
    offer, amount, saving = (pairs[name].tolist() for name in ("offer", "amount", "saving"))
    request = pairs["request"]
    order = np.lexsort((pairs["offer"], -pairs["saving"], request))
    requests, first = np.unique(request[order], return_index=True)
    starts = [*first.tolist(), len(order)]
    ranked = order.tolist()
    best = order[first]
    density = (tables.coverage_fen + pairs["saving"][best]) / pairs["amount"][best]
    taken: list[list[int]] = [[] for _ in requests]
    for line in np.lexsort((requests, -density)).tolist():
        for place in ranked[starts[line] : starts[line + 1]]:
            if amount[place] <= left[offer[place]]:
                left[offer[place]] -= amount[place]
                taken[line].append(place)
                break

    def next_one(line: int) -> int | None:
        for place in ranked[starts[line] : starts[line + 1]]:
            if place not in taken[line] and amount[place] <= left[offer[place]]:
                return int(place)
        return None

    queue: list[tuple[float, int, int]] = []

    def stand(line: int) -> None:
        place = next_one(line) if 0 < len(taken[line]) < k else None
        if place is not None:
            heapq.heappush(queue, (-saving[place] / amount[place], line, place))

    for line in range(len(requests)):
        stand(line)
    while queue:
        _, line, place = heapq.heappop(queue)
        if amount[place] <= left[offer[place]]:
            left[offer[place]] -= amount[place]
            taken[line].append(place)
        stand(line)
    chosen = np.asarray([place for mine in taken for place in mine], dtype=np.int64)
    return given(pairs, chosen, tables.coverage_fen)


def gale_shapley(tables: PlainTables, pairs: Pairs, k: int) -> Given:
    """`matching`'s hospitals and residents. It knows pieces, not money: an offer takes as many as
    its room holds of its mean amount, and what then does not fit the room is dropped. One proposal
    each: the model has no alternatives (`k` is not used)."""
    from matching.games import HospitalResident  # noqa: PLC0415 - optional

    offer, request, amount, saving = (
        pairs[name].tolist() for name in ("offer", "request", "amount", "saving")
    )
    by_request: dict[int, list[tuple[int, int]]] = {}
    by_offer: dict[int, list[tuple[float, int]]] = {}
    place_of: dict[tuple[int, int], int] = {}
    for place in range(len(offer)):
        by_request.setdefault(request[place], []).append((-saving[place], offer[place]))
        worth = (tables.coverage_fen + saving[place]) / amount[place]
        by_offer.setdefault(offer[place], []).append((-worth, request[place]))
        place_of[request[place], offer[place]] = place
    mean = {
        one: sum(amount[place_of[r, one]] for _, r in rows) / len(rows)
        for one, rows in by_offer.items()
    }
    room = tables.offers["room"].tolist()
    capacity = {one: max(1, int(room[one] / mean[one])) for one in by_offer}
    game = HospitalResident.create_from_dictionaries(
        {r: [one for _, one in sorted(rows)] for r, rows in by_request.items()},
        {one: [r for _, r in sorted(rows)] for one, rows in by_offer.items()},
        capacity,
    )
    chosen = []
    for hospital, residents in game.solve(optimal="resident").items():
        left = room[hospital.name]
        for resident in residents:
            place = place_of[resident.name, hospital.name]
            if amount[place] <= left:
                left -= amount[place]
                chosen.append(place)
    return given(pairs, np.asarray(chosen, dtype=np.int64), tables.coverage_fen)


def pdlp(tables: PlainTables, pairs: Pairs, k: int, *, limit_s: float) -> dict[str, float | str]:
    """OR-Tools' PDLP at 1e-4 on the linear relaxation, in a process of its own.

    Gives seconds of the solve alone, its status, objective values and how far rooms are broken.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "pairs.npz"
        room, coverage = tables.offers["room"], tables.coverage_fen
        columns: dict[str, Any] = {"room": room, "coverage": coverage, **pairs}
        np.savez(source, **columns)
        command = [sys.executable, "-m", "benchmarks.matching_scale.pdlp_process"]
        answer = subprocess.run(
            [*command, str(source), str(k), str(limit_s)],
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, float | str] = json.loads(answer.stdout.splitlines()[-1])
    return found
