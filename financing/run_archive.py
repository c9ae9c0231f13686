"""What a full run decided on and what came of it, as compressed parts; services write and read it.

Enough to run it again and get the same digests: the requests with their facts dated, offers and
policy as the rows they were, what was closed, what stood, the prices it began with. And enough to
compare two runs after their proposals have been replaced.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from django.utils import timezone

from financing.copying import binary_cursor
from financing.full_run_inputs import FullRunInput
from financing.matching.national.kind_result import KindResult
from financing.matching.national.packing import Closed
from financing.matching.national.run import StartPrices
from financing.matching.national.run_input import KindInput, RunInput
from financing.matching.national.tables import Int64
from financing.matching.policy import MatchingPolicy as PolicyRow
from financing.matching.tables import InsuranceOfferRow, LoanOfferRow, RequestKind
from financing.models import MatchRun
from financing.models.run_archives import RunPart
from financing.pair_kinds import KINDS, PairKind
from financing.proposal_rows import ProposalRows
from financing.run_parts import (
    CERTIFICATE_COLUMNS,
    PROPOSALS_AT,
    REQUESTS_AT,
    NotArchived,
    chunk_of_parts,
    parts_of,
    row_of_texts,
)
from financing.snapshot.chunks import Chunk, with_used_codes
from financing.snapshot.codec import arrays_from_bytes, arrays_to_bytes, to_bytes

LINES_PER_PART = 100_000
# Columns shrink to a half in a tenth of the time of the default.
LEVEL = 1
OFFER_ROWS: dict[RequestKind, type[Any]] = {"loan": LoanOfferRow, "insurance": InsuranceOfferRow}
PROPOSAL_COLUMNS = ("request", "offer", "rank", "is_first", "amount_fen", "saving_fen")
# What only a replay needs, and goes first when runs are pruned.
INPUT_NAMES = tuple(
    f"{kind.name}.{part}" for kind in KINDS for part in ("requests", "closed", "previous")
)


# Name of the part, number of the piece, what makes its bytes.
Piece = tuple[str, int, Callable[[], bytes]]
# The same, with its bytes compressed or on their way.
Packed = list[tuple[str, int, "Future[bytes]"]]


@dataclass(frozen=True, slots=True, eq=False)
class ArchivedRun:
    """A run's input as it was stored."""

    run: RunInput
    chunks: dict[RequestKind, Chunk]
    start_prices: StartPrices


# --- storing ------------------------------------------------------------------------------------


def pack_input(found: FullRunInput, start_prices: StartPrices) -> Packed:
    """What the run decides on."""
    return _packed(_input_pieces(found, start_prices))


def pack_results(
    results: Mapping[RequestKind, KindResult],
    proposals: Mapping[RequestKind, ProposalRows],
) -> Packed:
    """What came of it."""
    return _packed(_result_pieces(results, proposals))


def store_parts(run: MatchRun, packed: Packed) -> None:
    """Write the parts of a run, in the caller's transaction; those of an earlier try go.

    A run over several workers stores its input before its first round, then all of it.
    """
    RunPart.objects.filter(run=run).delete()
    now = timezone.now()
    with binary_cursor() as cursor:
        # As text bytes would be doubled.
        cursor.executemany(
            "INSERT INTO financing_runpart (run_id, name, number, data, created_at)"
            " VALUES (%s, %s, %s, %b, %s)",
            ((run.pk, name, number, data.result(), now) for name, number, data in packed),
        )


def _packed(pieces: Iterable[Piece]) -> Packed:
    """Compressed by threads of their own, while the caller waits for the database."""
    pool = ThreadPoolExecutor(2)
    packed = [(name, number, pool.submit(_compressed, make)) for name, number, make in pieces]
    pool.shutdown(wait=False)
    return packed


def _compressed(make: Callable[[], bytes]) -> bytes:
    return zlib.compress(make(), LEVEL)


def _input_pieces(found: FullRunInput, start_prices: StartPrices) -> Iterator[Piece]:
    yield "policy", 0, lambda: _json(_texts(found.policy_row))
    prices = [[kind, offer, *pair] for (kind, offer), pair in sorted(start_prices.items())]
    yield "start_prices", 0, partial(_json, prices)
    for kind in KINDS:
        name, own, chunk = kind.name, found.kind(kind), found.chunks[kind.name]
        yield f"{name}.offers", 0, partial(_offers, own.offers)
        yield f"{name}.closed", 0, partial(_json, asdict(own.closed))
        place, offer = own.previous
        previous: dict[str, np.ndarray] = {"place": place, "offer": offer}
        yield f"{name}.previous", 0, partial(arrays_to_bytes, previous, {})
        yield f"{name}.{REQUESTS_AT}", 0, partial(_json, _places(chunk.columns.id))
        for number, begin in enumerate(range(0, len(chunk), LINES_PER_PART)):
            yield f"{name}.requests", number, partial(_requests, chunk, begin)


def _offers(offers: Sequence[Any]) -> bytes:
    return _json([_texts(row) for row in offers])


def _requests(chunk: Chunk, begin: int) -> bytes:
    lines = np.arange(begin, min(begin + LINES_PER_PART, len(chunk)), dtype=np.int64)
    return to_bytes(with_used_codes(chunk.taken(lines)))


def _result_pieces(
    results: Mapping[RequestKind, KindResult],
    proposals: Mapping[RequestKind, ProposalRows],
) -> Iterator[Piece]:
    for name, result in results.items():
        certificate = {column: getattr(result, column) for column in CERTIFICATE_COLUMNS}
        codes: dict[str, tuple[str, ...]] = {"offer_ids": result.offer_ids}
        yield f"{name}.certificate", 0, partial(arrays_to_bytes, certificate, codes)
        own = proposals[name]
        yield f"{name}.{PROPOSALS_AT}", 0, partial(_json, _places(own.request))
        # Of no proposals one empty piece: it says that there were none.
        for number, begin in enumerate(range(0, max(len(own), 1), LINES_PER_PART)):
            lines = slice(begin, begin + LINES_PER_PART)
            rows = {column: getattr(own, column)[lines] for column in PROPOSAL_COLUMNS}
            yield f"{name}.proposals", number, partial(arrays_to_bytes, rows, {})


def _places(ids: Int64) -> list[list[int]]:
    """Of each piece of rising ids: its first id and how many lines lie before it."""
    return [[int(ids[begin]), begin] for begin in range(0, len(ids), LINES_PER_PART)]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _texts(row: Any) -> dict[str, str]:
    """A row of the matcher's tables as the texts of its CSV cells."""
    return {one.name: one.metadata["allowed"].text(getattr(row, one.name)) for one in fields(row)}


# --- reading ------------------------------------------------------------------------------------


def load_run(run: MatchRun) -> ArchivedRun:
    """The input of a stored run. Raises NotArchived."""
    parts = parts_of(run, [*INPUT_NAMES, "loan.offers", "insurance.offers", "policy"])
    if run.as_of is None or any(f"{kind.name}.closed" not in parts for kind in KINDS):
        raise NotArchived(f"run {run.pk} keeps no input")
    policy = row_of_texts(PolicyRow, json.loads(parts["policy"][0]))
    inputs, chunks = {}, {}
    for kind in KINDS:
        chunk = chunk_of_parts(kind, parts.get(f"{kind.name}.requests", []))
        chunks[kind.name] = chunk
        inputs[kind.name] = _kind_input(kind, chunk.on(run.as_of), parts)
    return ArchivedRun(
        RunInput(loans=inputs["loan"], insurances=inputs["insurance"], policy=policy),
        chunks,
        start_prices_of(run),
    )


def start_prices_of(run: MatchRun) -> StartPrices:
    """The prices a stored run began with. Raises NotArchived."""
    parts = parts_of(run, ["start_prices"])
    if not parts:
        raise NotArchived(f"run {run.pk} keeps no prices")
    prices: list[Any] = json.loads(parts["start_prices"][0])
    return {(kind, offer): (fen_ppm, count) for kind, offer, fen_ppm, count in prices}


def _kind_input(kind: PairKind, requests: Any, parts: Mapping[str, Sequence[bytes]]) -> KindInput:
    closed = json.loads(parts[f"{kind.name}.closed"][0])
    previous = arrays_from_bytes(parts[f"{kind.name}.previous"][0])[0]
    offers = [
        row_of_texts(OFFER_ROWS[kind.name], texts)
        for texts in json.loads(parts[f"{kind.name}.offers"][0])
    ]
    return KindInput(
        requests=requests,
        offers=tuple(offers),
        closed=Closed(
            institutions=tuple((place, name) for place, name in closed["institutions"]),
            offers=tuple((place, name) for place, name in closed["offers"]),
            counted=tuple(closed["counted"]),
        ),
        previous=(previous["place"].copy(), previous["offer"].copy()),
    )
