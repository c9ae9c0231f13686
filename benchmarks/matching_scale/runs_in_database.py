"""Timed runs on a loaded database; `matching_db` calls it after Django is set up."""

import argparse
import statistics
import sys
import time
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.loading import forget_snapshot, load
from benchmarks.matching_scale.machine import machine
from benchmarks.matching_scale.prepared_columns import prepare_columns
from benchmarks.matching_scale.timing import peak_mib
from financing.models import MatchRun, Proposal
from financing.models.match_runs import RunKind
from financing.pair_kinds import KINDS, LOAN
from financing.services.first_policy import ensure_policy
from financing.services.full_runs import run_full
from financing.snapshot.refreshing import refresh
from financing.snapshot.stored import read_requests


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Load unless kept from before, then run; the whole report."""
    found: dict[str, Any] = {
        "instance": {"requests": options.requests, "offers": options.offers},
        "changed_percent": options.changed,
        "machine": machine(),
    }
    if not options.reuse:
        _say("migrating")
        call_command("migrate", verbosity=0)
        ensure_policy()
        _say(f"loading {options.requests} x {options.offers}")
        started = time.perf_counter()
        instance = make_instance("product", options.requests, options.offers)
        load(instance)
        found["load_s"] = round(time.perf_counter() - started, 1)
        if options.prepared:
            _say("preparing the columns")
            found["prepared_wrongly"] = prepare_columns(instance)
        del instance
    if not options.prepared:
        _say("reading from nothing")
        found["from_nothing"] = read_from_nothing()
    runs = []
    # The first one compiles or loads the matcher and has no proposals to replace.
    for number in range(options.rounds + 1):
        changed = change(options.changed)
        _say(f"run {number} with {changed} changed requests")
        runs.append(run_once())
    found["first_run"] = runs[0]
    found["runs"] = {
        "runs": options.rounds,
        **{
            name: round(statistics.median(run[name] for run in runs[1:]), 6)
            for name in runs[0]
            if all(isinstance(run.get(name), int | float) for run in runs[1:])
        },
        "result_digests": [run["result_digest"][:12] for run in runs],
    }
    found["peak_mib"] = peak_mib()
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def read_from_nothing() -> dict[str, Any]:
    """Making all columns from the records, and reading them once made."""
    forget_snapshot()
    started, cpu = time.perf_counter(), time.process_time()
    found = [refresh(kind, timezone.localdate()) for kind in KINDS]
    made, made_cpu = time.perf_counter(), time.process_time()
    requests = read_requests(LOAN).on(timezone.localdate())
    return {
        "requests": len(requests),
        "patents": len(requests.patents),
        "chunks": sum(each.rebuilt_count for each in found),
        "refresh_s": round(made - started, 3),
        "refresh_cpu_s": round(made_cpu - cpu, 3),
        "read_s": round(time.perf_counter() - made, 3),
    }


def change(percent: float) -> int:
    """Change the principal of so many requests, spread over all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_loanrequest SET principal = principal + 100, updated_at = now()"
            " WHERE random() * 100 < %s",
            [percent],
        )
        return int(cursor.rowcount)


def run_once() -> dict[str, Any]:
    """A national run from its row to its proposals: seconds by part, and what it came to."""
    run = MatchRun.objects.create(kind=RunKind.FULL)
    started, cpu = time.perf_counter(), time.process_time()
    run_full(run.pk)
    whole, whole_cpu = time.perf_counter() - started, time.process_time() - cpu
    run.refresh_from_db()
    if run.status != "done":
        raise RuntimeError(f"run {run.pk}: {run.status} {run.failure}")
    parts = {
        name.replace("run.", "") + "_s": seconds
        for name, seconds in run.timings.items()
        if name.startswith("run.")
    }
    return {
        "rows_to_rows_s": round(whole, 3),
        "cpu_s": round(whole_cpu, 3),
        **parts,
        "proposals": Proposal.objects.count(),
        "eligible": run.eligible_count,
        "reached": run.reached_count,
        "gap": round(run.gap or 0.0, 6),
        "result_digest": run.result_digest,
        "peak_mib": run.peak_mib,
    }
