"""`run.py bench matching --requests N --offers M [--peers …] [--json]`: the matcher and its peers.

On the study's instance (`alternative_share` 1, `delivery` 1, one offer per institution), which
plain joins can state, everybody solves the same; the product's instance is the matcher's alone.
Progress goes to stderr, results to stdout.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.matching_scale import allocation_peers, top_peers
from benchmarks.matching_scale.engine_runs import in_own_process
from benchmarks.matching_scale.instances import SEED, Instance, make_instance
from benchmarks.matching_scale.machine import machine
from benchmarks.matching_scale.plain_tables import PlainTables, plain_tables
from benchmarks.matching_scale.rows import request_rows
from benchmarks.matching_scale.timing import interleaved, peak_mib
from financing.matching.national.engine import best_offers
from financing.matching.national.packing import Problem, pack
from financing.matching.national.threads import default_threads
from financing.matching.readable import propose_readably

PEERS = ("polars", "duckdb", "postgres", "pdlp", "greedy", "matching", "readable")
K = 3
THREADS = default_threads()
# What a peer can do in minutes; larger runs skip it and say so.
MOST_PAIRS_LOOKED_AT = {"readable": 200_000, "matching": 20_000_000, "postgres": 400_000_000}


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    peers = [peer for peer in options.peers.split(",") if peer]
    unknown = sorted(set(peers) - set(PEERS))
    if unknown:
        print(
            f"No such peers: {', '.join(unknown)}. There are {', '.join(PEERS)}.", file=sys.stderr
        )
        return 2
    looked_at = options.requests * options.offers
    skipped = [p for p in peers if looked_at > MOST_PAIRS_LOOKED_AT.get(p, looked_at)]
    peers = [peer for peer in peers if peer not in skipped]
    _say(f"making {options.requests} x {options.offers}, seed {options.seed}")
    study = make_instance("study", options.requests, options.offers, options.seed)
    report: dict[str, Any] = {
        "instance": {"requests": options.requests, "offers": options.offers, "seed": options.seed},
        "machine": machine(),
        "skipped": skipped,
    }
    report["one_pass"] = _one_pass(pack(study.requests, study.offers, study.policy), 9)
    tables = plain_tables(study) if set(peers) - {"readable"} else None
    report["top"] = _top(study, tables, peers, options.rounds)
    _say("engine, study")
    report["engine"] = {"study": in_own_process(study, options.rounds)}
    if options.product:
        product = make_instance("product", options.requests, options.offers, options.seed)
        _say("engine, product")
        report["engine"]["product"] = in_own_process(product, options.rounds)
    if tables is not None:
        report["allocation"] = _allocation(tables, peers, options.pdlp_limit)
        _compare(report)
    if "readable" in peers:
        report["readable"] = _readable(study, options)
    report["peak_mib"] = peak_mib()
    print(json.dumps(report, indent=None if options.json else 1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py bench matching")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--offers", type=int, default=2_000)
    parser.add_argument("--peers", default="", help=f"any of {','.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; medians are given")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pdlp-limit", type=float, default=600, help="seconds")
    parser.add_argument("--product", action="store_true", help="the product's instance, too")
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _top(
    study: Instance, tables: PlainTables | None, peers: list[str], rounds: int
) -> dict[str, dict[str, Any]]:
    """The best three offers of every request: costs, and whether the pairs are the same.

    `walk` starts from packed requests as the peers do from their loaded tables; `engine` packs too.
    """
    problem = pack(study.requests, study.offers, study.policy, threads=THREADS)
    competitors: dict[str, Callable[[], top_peers.Pairs]] = {
        "walk": lambda: _engine_pairs(problem),
        "engine": lambda: _engine_pairs(
            pack(study.requests, study.offers, study.policy, threads=THREADS)
        ),
    }
    competitors["walk"]()
    if tables is not None and "polars" in peers:
        competitors["polars"] = top_peers.polars_peer(tables, K)
    if tables is not None and "duckdb" in peers:
        competitors["duckdb"] = top_peers.duckdb_peer(tables, K)
    costs, answers = interleaved(competitors, rounds)
    if tables is not None and "postgres" in peers:
        # Once: it takes minutes where the others take seconds.
        address = os.environ["DATABASE_URL"]
        once = {"postgres": top_peers.postgres_peer(tables, K, address)}
        more, answer = interleaved(once, 1)
        costs, answers = costs | more, answers | answer
    reference: dict[str, Any] = next(iter(answers.values()), {})
    return {
        name: {
            **costs[name].summary(),
            "pairs": len(found["request"]),
            "amount_fen": int(found["amount"].sum()),
            "saving_fen": int(found["saving"].sum()),
            "same_pairs": all(
                np.array_equal(found[column], reference[column]) for column in reference
            ),
        }
        for name, found in answers.items()
    }


def _engine_pairs(problem: Problem) -> top_peers.Pairs:
    """The engine's best offers in the peers' form, savings from the sheet of costs."""
    found = best_offers(problem, threads=THREADS)
    packed_at = np.empty(problem.count, dtype=np.int32)
    packed_at[problem.line] = np.arange(problem.count, dtype=np.int32)
    offers = found.offer[packed_at]
    has = offers >= 0
    counts = has.sum(axis=1)
    term = np.repeat(problem.groups.term, np.diff(problem.groups.start))[packed_at]
    offer, amount = offers[has].astype(np.int64), found.amount[packed_at][has]
    rate = problem.data.costs["saving_ppm"][0][np.repeat(term, counts), offer]
    return {
        "request": np.repeat(np.arange(problem.count), counts),
        "offer": offer,
        "amount": amount,
        "saving": amount * rate // 1_000_000,
    }


def _one_pass(problem: Problem, rounds: int) -> dict[str, float]:
    """Reading every byte of the packed requests and their patents once: no walk can be faster."""
    words = [
        part.view(np.uint8).reshape(-1)[: part.nbytes // 8 * 8].view(np.uint64)
        for part in (problem.data.requests, problem.data.patents)
    ]
    costs, _ = interleaved({"pass": lambda: [int(part.sum()) for part in words]}, rounds)
    return {**costs["pass"].summary(), "mib": round(sum(part.nbytes for part in words) / 2**20, 1)}


def _compare(report: dict[str, Any]) -> None:
    """Ratios of this one run."""
    top, engine, others = report["top"], report["engine"]["study"], report["allocation"]
    report["ratios"] = {
        f"top, {name} / walk": round(top[name]["wall_s"] / top["walk"]["wall_s"], 1)
        for name in top
        if name != "walk"
    }
    if "greedy" in others:
        saving, coverage = others["greedy"]["saving_fen"], others["greedy"]["coverage"]
        report["ratios"]["saving over greedy"] = round(engine["saving_fen"] / saving - 1, 4)
        report["ratios"]["coverage over greedy"] = round(engine["coverage"] / coverage - 1, 4)
    if "pdlp" in others:
        for name, mine, its in (("", "wall_s", "seconds"), (", processor", "cpu_s", "cpu_seconds")):
            ratio = float(others["pdlp"][its]) / engine[mine]
            report["ratios"][f"allocation, pdlp / engine{name}"] = round(ratio, 1)


def _allocation(tables: PlainTables, peers: list[str], limit_s: float) -> dict[str, Any]:
    """What the peers' allocations are worth; seconds include no listing of pairs."""
    wanted = [peer for peer in peers if peer in {"pdlp", "greedy", "matching"}]
    if not wanted:
        return {}
    pairs = top_peers.polars_peer(tables, None)()
    report: dict[str, Any] = {"fitting_pairs": len(pairs["request"])}
    for name, solve in (
        ("greedy", allocation_peers.greedy),
        ("matching", allocation_peers.gale_shapley),
    ):
        if name in wanted:
            _say(name)
            started = time.perf_counter()
            found = solve(tables, pairs, K)
            report[name] = {
                "wall_s": round(time.perf_counter() - started, 3),
                "value_fen": found.value_fen,
                "coverage": found.coverage,
                "saving_fen": found.saving_fen,
                "broken": allocation_peers.broken(pairs, found, tables.offers["room"], K),
            }
    if "pdlp" in wanted:
        _say("pdlp")
        report["pdlp"] = allocation_peers.pdlp(tables, pairs, K, limit_s=limit_s)
    return report


def _readable(study: Instance, options: argparse.Namespace) -> dict[str, Any]:
    """Today's readable matcher on both instances."""
    product = make_instance("product", options.requests, options.offers, options.seed)
    report: dict[str, Any] = {}
    for instance in (study, product):
        rows = request_rows(instance.requests)
        started = time.perf_counter()
        result = propose_readably(rows, instance.offers, instance.policy)
        report[instance.kind] = {
            "wall_s": round(time.perf_counter() - started, 3),
            "eligible_pairs": result.eligible_pairs_count,
            "eligible_requests": result.eligible_requests_count,
            "proposals": len(result.proposals),
            "coverage": sum(1 for proposal in result.proposals if proposal.is_first),
            "saving_fen": sum(proposal.saving_fen for proposal in result.proposals),
            "value_fen": result.value_fen,
            "bound_fen": result.bound_fen,
            "gap": round(1 - result.value_fen / max(1, result.bound_fen), 6),
            "results_digest": result.results_digest,
        }
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
