"""Anyone's check of a run on files: `python -m financing.matching.certificate_files OUT`.

Reads what `match_files --pairs` wrote and works out the bound again from pairs, rooms and prices,
without the engine (`national/certificate.py`). `files.py` writes the pairs with `write_pairs`.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from financing.matching.national.certificate import bound_fen

PAIR_COLUMNS = (
    "kind",
    "request_id",
    "offer_id",
    "institution_id",
    "amount_fen",
    "first_fen",
    "further_fen",
    "slots",
    "is_reached",
)
"""`first_fen`, `further_fen`: worth as the proposal that reaches the business and as another;
`slots`: proposals the request may still get; `is_reached`: a live match reaches it."""


def write_pairs(path: Path, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PAIR_COLUMNS)
        writer.writerows(rows)


def checked_bound_fen(out: Path) -> float:
    """The bound of both kinds, worked out again; an estimate where the pairs are of a part."""
    with (out / "pairs.csv").open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    with (out / "prices.csv").open(encoding="utf-8", newline="") as file:
        rooms = list(csv.DictReader(file))
    shares = json.loads((out / "certificate.json").read_text(encoding="utf-8"))["pairs_share"]
    return sum(
        _of_kind(
            [row for row in pairs if row["kind"] == kind],
            [row for row in rooms if row["kind"] == kind],
            share,
        )
        for kind, share in shares.items()
    )


def _of_kind(pairs: list[dict[str, str]], rooms: list[dict[str, str]], share: float) -> float:
    offers = {row["offer_id"]: number for number, row in enumerate(rooms)}
    requests: dict[str, int] = {}
    houses: dict[str, int] = {}
    for row in pairs:
        requests.setdefault(row["request_id"], len(requests))
        houses.setdefault(row["institution_id"], len(houses))
    slots, reached = np.zeros(len(requests), dtype=np.int64), np.zeros(len(requests), np.int64)
    for row in pairs:
        slots[requests[row["request_id"]]] = int(row["slots"])
        reached[requests[row["request_id"]]] = int(row["is_reached"])
    return bound_fen(
        {
            "request": _column(requests[row["request_id"]] for row in pairs),
            "offer": _column(offers[row["offer_id"]] for row in pairs),
            "institution": _column(houses[row["institution_id"]] for row in pairs),
            **{
                name: _column(int(row[name]) for row in pairs)
                for name in ("amount_fen", "first_fen", "further_fen")
            },
        },
        {"slots": slots, "is_reached": reached},
        {
            "room_fen": _column(int(row["room_fen"]) for row in rooms),
            "room_count": _column(int(row["room_count"] or -1) for row in rooms),
            "price_fen_ppm": _column(int(row["price_fen_ppm"]) for row in rooms),
            "price_count_fen": _column(int(row["price_count_fen"]) for row in rooms),
        },
        share=share,
    )


def _column(values: Iterable[int]) -> Any:
    return np.fromiter(values, dtype=np.int64)


def main(arguments: Sequence[str]) -> int:
    """Prints both bounds; 0 where they agree, to a hundredth where the pairs are of a part."""
    out = Path(arguments[0])
    stated = json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    found = checked_bound_fen(out)
    print(f"bound stated: {stated['bound_fen']} fen; found again: {found:.0f} fen")
    print(f"value: {stated['value_fen']} fen, {1 - stated['value_fen'] / max(found, 1):.4%} below")
    whole = all(share == 1.0 for share in stated["pairs_share"].values())
    return int(abs(found - stated["bound_fen"]) > (2 if whole else 0.01 * found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
