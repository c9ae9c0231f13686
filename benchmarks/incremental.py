"""`run.py bench incremental [--requests N --offers M --end-to-end] [--json]`: one against many.

A new request against packed offers, a new offer against packed requests, in one process; with
`--end-to-end` also from the owner's submit (or the lender's publish) to the proposals that pages
show, through PostgreSQL, outbox, relay and a Celery worker on a database of its own.
Progress goes to stderr, results to stdout.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from importlib import metadata
from typing import Any

import numpy as np

from benchmarks.matching_scale import end_to_end
from benchmarks.matching_scale.instances import SEED, make_instance
from benchmarks.matching_scale.rows import request_rows
from benchmarks.matching_scale.timing import peak_mib
from financing.matching.national.best_within import best_within
from financing.matching.national.offer_book import OfferBook
from financing.matching.national.request_book import (
    PackedOffer,
    RequestBook,
    Takers,
    pack_offer,
    request_book,
    takers_of,
)
from financing.matching.national.tables import LoanRequestColumns
from financing.matching.national.threads import default_threads
from financing.matching.rooms import room_of
from financing.matching.tables import LoanOfferRow

# Sizes run one after the other when none is given; a size is left out where memory is short.
SIZES = ((1_000_000, 5_000), (11_700_000, 5_000))
MIB_PER_MILLION_REQUESTS = 700
SAMPLE_REQUESTS = 1_000
SAMPLE_OFFERS = 12
THREADS = default_threads()


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    sizes = [(options.requests, options.offers)] if options.requests else list(SIZES)
    report: dict[str, Any] = {
        "machine": _machine(),
        "seed": options.seed,
        "kernel": [],
        "skipped": [],
    }
    for requests, offers in sizes:
        needed = requests * MIB_PER_MILLION_REQUESTS // 1_000_000 + 500
        if needed > _free_mib():
            report["skipped"].append(f"{requests} x {offers}: needs about {needed} MiB of memory")
            continue
        report["kernel"].append(_kernel(requests, offers, options.rounds, options.seed))
    if options.end_to_end:
        report["end_to_end"] = [
            end_to_end.measured(live_offers, options.repetitions, _say)
            for live_offers in options.live_offers
        ]
    report["peak_mib"] = peak_mib()
    print(json.dumps(report, indent=None if options.json else 1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py bench incremental")
    parser.add_argument("--requests", type=int, help="open requests; without it two sizes are run")
    parser.add_argument("--offers", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5, help="each is done so often, in turn")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--end-to-end", action="store_true", help="through PostgreSQL and Celery")
    parser.add_argument("--repetitions", type=int, default=15, help="of the way end to end")
    parser.add_argument(
        "--live-offers",
        type=int,
        nargs="+",
        default=[0],
        help="end to end: live offers beside the demo's, several for several runs",
    )
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _free_mib() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("numpy", "numba", "psycopg")},
    }


def _kernel(requests: int, offers: int, rounds: int, seed: int) -> dict[str, Any]:
    _say(f"making {requests} x {offers}, seed {seed}")
    instance = make_instance("product", requests, offers, seed)
    asked = request_rows(_first(instance.requests, min(requests, SAMPLE_REQUESTS)))
    book, built_s = _timed(lambda: OfferBook(instance.offers, instance.policy))
    changed = [*instance.offers[1:], replace(instance.offers[0])]
    _, again_s = _timed(lambda: OfferBook(changed, instance.policy, before=book))
    _say("packing requests")
    columns, packed_s = _timed(
        lambda: request_book(instance.requests, instance.policy, threads=THREADS)
    )
    # The first look at a term prices offers, each sort once; that is told apart.
    _, first_s = _timed(lambda: [book.fits(row) for row in asked])
    samples = _Samples()
    fitting: list[int] = []
    posted = _sample_offers(instance.offers)
    for number in range(rounds):
        _say(f"round {number + 1} of {rounds}")
        for row in asked:
            packed = samples.time("request: packing one", book.pack, row)
            found = samples.time("request: kernel", book.fits_packed, row, *packed)
            if not number:
                fitting.append(len(found.place))
        for name, some in posted.items():
            for offer in some:
                _offer(samples, name, columns, offer)
    return {
        "requests": requests,
        "offers": offers,
        "threads": THREADS,
        "seconds": {
            "offers packed": round(built_s, 3),
            "offers packed again, one changed": round(again_s, 3),
            "requests packed": round(packed_s, 3),
            f"first {len(asked)} requests, costs included": round(first_s, 3),
        },
        "fitting_offers_per_request": round(float(np.mean(fitting)), 1),
        "ms": samples.summary(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "peak_mib": peak_mib(),
    }


def _offer(samples: "_Samples", name: str, book: RequestBook, offer: LoanOfferRow) -> None:
    """One offer against all requests, stage by stage."""
    packed = samples.time(f"{name}: costs of the offer", pack_offer, book, offer)
    found = samples.time(f"{name}: kernel", _takers, book, packed)
    room = room_of(offer, book.problem.policy.oversubscription_ppm)
    samples.time(f"{name}: best within its room", best_within, found, room.fen)
    samples.note(f"{name}: lines looked at", int(packed.stretch.edge[-1]))
    samples.note(f"{name}: requests it fits", len(found))


class _Samples:
    """Wall and processor times by what was done, in ms, and counts."""

    def __init__(self) -> None:
        self.wall_ms: dict[str, list[float]] = {}
        self.cpu_ms: dict[str, list[float]] = {}
        self.counts: dict[str, list[int]] = {}

    def time(self, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        cpu = time.process_time_ns()
        found, seconds = _timed(work, *arguments)
        self.cpu_ms.setdefault(name, []).append((time.process_time_ns() - cpu) / 1e6)
        self.wall_ms.setdefault(name, []).append(seconds * 1e3)
        return found

    def note(self, name: str, count: int) -> None:
        self.counts.setdefault(name, []).append(count)

    def summary(self) -> dict[str, Any]:
        """Processor time counts all threads; with others at work it says more than the wall."""
        times = {
            name: {**spread(values), "cpu_median": round(float(np.median(self.cpu_ms[name])), 4)}
            for name, values in self.wall_ms.items()
        }
        counts = {name: int(np.median(values)) for name, values in self.counts.items()}
        return {**times, "medians": counts}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and percentiles."""
    least, median, p95, p99 = (float(v) for v in np.percentile(values, (0, 50, 95, 99)))
    return {
        "least": round(least, 4),
        "median": round(median, 4),
        "p95": round(p95, 4),
        "p99": round(p99, 4),
        "runs": len(values),
    }


def _takers(book: RequestBook, packed: PackedOffer) -> Takers:
    return takers_of(book, packed, threads=THREADS)


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    found = work(*arguments)
    return found, time.perf_counter() - started


def _sample_offers(offers: Sequence[LoanOfferRow]) -> dict[str, list[LoanOfferRow]]:
    """Some of one province, some of the whole country."""
    provincial = [
        row for row in offers if {r[2:] for r in row.regions} == {"0000"} and len(row.regions) == 1
    ]
    national = [row for row in offers if not row.regions]
    return {
        "provincial offer": provincial[:SAMPLE_OFFERS],
        "national offer": national[:SAMPLE_OFFERS],
    }


def _first(columns: LoanRequestColumns, count: int) -> LoanRequestColumns:
    """The first lines, as columns."""
    last = int(columns.patents_start[count])
    patents = replace(
        columns.patents,
        **{
            one.name: getattr(columns.patents, one.name)[:last]
            for one in fields(columns.patents)
            if "allowed" in one.metadata
        },
    )
    own: dict[str, Any] = {
        one.name: getattr(columns, one.name)[:count]
        for one in fields(columns)
        if "allowed" in one.metadata and one.name != "patents_start"
    }
    return replace(
        columns, **own, patents_start=columns.patents_start[: count + 1], patents=patents
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
