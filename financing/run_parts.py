"""The stored parts of a run, decompressed: proposals, requests, certificate; pages may read them.

`run_archive` writes them and turns them back into the matcher's input; nothing here loads the
matcher.
"""

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from django.db.models import Q

from financing.matching.tables import RequestKind
from financing.models import MatchRun
from financing.models.run_archives import RunPart
from financing.pair_kinds import KINDS, PairKind
from financing.snapshot.building import empty_chunk
from financing.snapshot.chunks import Chunk, joined
from financing.snapshot.codec import arrays_from_bytes, from_bytes

CERTIFICATE_COLUMNS = (
    "room_fen",
    "room_count",
    "left_fen",
    "left_count",
    "price_fen_ppm",
    "price_count_fen",
    "least_given_ppm",
)


# Where the pieces of the requests and of the proposals begin: [first id, lines before] of each.
REQUESTS_AT, PROPOSALS_AT = "requests_at", "proposals_at"


class NotArchived(LookupError):
    """The run kept no such part, or it has been pruned."""


def row_of_texts(row: type[Any], texts: Mapping[str, str]) -> Any:
    """A row of the matcher's tables from the texts of its cells, as `run_archive` stores them."""
    return row(**{one.name: one.metadata["allowed"].parse(texts[one.name]) for one in fields(row)})


def stored_proposals(run: MatchRun) -> dict[RequestKind, dict[str, np.ndarray]]:
    """Columns of the run's proposals (run_archive.PROPOSAL_COLUMNS) by kind. Raises NotArchived."""
    parts = parts_of(run, [f"{kind.name}.proposals" for kind in KINDS])
    if not parts:
        raise NotArchived(f"run {run.pk} keeps no proposals")
    return {kind.name: proposals_of_parts(parts[f"{kind.name}.proposals"]) for kind in KINDS}


def proposals_of_parts(pieces: Sequence[bytes]) -> dict[str, np.ndarray]:
    """Proposals stored in these pieces, at least one."""
    found = [arrays_from_bytes(data)[0] for data in pieces]
    return {name: np.concatenate([each[name] for each in found]) for name in found[0]}


def stored_requests(run: MatchRun) -> dict[RequestKind, Chunk]:
    """The requests a run was about, by kind. Raises NotArchived."""
    parts = parts_of(run, [f"{kind.name}.requests" for kind in KINDS] + ["policy"])
    if not parts:
        raise NotArchived(f"run {run.pk} keeps no requests")
    return {
        kind.name: chunk_of_parts(kind, parts.get(f"{kind.name}.requests", [])) for kind in KINDS
    }


def certificate_of_part(data: bytes) -> dict[str, dict[str, int]]:
    """The same from the part (KindResult)."""
    arrays, codes = arrays_from_bytes(data)
    return {
        offer: {column: int(arrays[column][place]) for column in CERTIFICATE_COLUMNS}
        for place, offer in enumerate(codes["offer_ids"])
    }


def parts_of(run: MatchRun, names: Sequence[str]) -> dict[str, list[bytes]]:
    """The pieces of these parts, in order; parts that are not there are left out."""
    found: dict[str, list[bytes]] = {}
    rows = RunPart.objects.filter(run=run, name__in=names).order_by("name", "number")
    for name, data in rows.values_list("name", "data"):
        found.setdefault(name, []).append(zlib.decompress(data))
    return found


def pieces_about(
    run: MatchRun, request_id: int, places: Mapping[str, Sequence[Sequence[int]] | None]
) -> dict[str, list[bytes]]:
    """The pieces of long parts that may hold lines of a request, in one query.

    `places`: by name of the part ("loan.requests") what REQUESTS_AT or PROPOSALS_AT says of it;
    of a run that did not write that, nothing: then all pieces.
    """
    wanted = Q(pk__in=[])
    for name, starts in places.items():
        if starts is None:
            wanted |= Q(name=name)
            continue
        firsts = [first for first, _ in starts]
        # The lines of one request may lie on both sides of a cut.
        numbers = range(
            max(0, bisect_left(firsts, request_id) - 1), bisect_right(firsts, request_id)
        )
        wanted |= Q(name=name, number__in=list(numbers))
    found: dict[str, list[bytes]] = {}
    rows = RunPart.objects.filter(wanted, run=run).order_by("name", "number")
    for name, data in rows.values_list("name", "data"):
        found.setdefault(name, []).append(zlib.decompress(data))
    return found


def chunk_of_parts(kind: PairKind, pieces: Sequence[bytes]) -> Chunk:
    """Requests stored in these pieces."""
    return joined([from_bytes(kind.name, data) for data in pieces] or [empty_chunk(kind)])
