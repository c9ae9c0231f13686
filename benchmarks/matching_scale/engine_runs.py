"""The engine in a process of its own, so that its memory is not the generator's.

`in_own_process` leaves an instance in a temporary folder and starts this module, which loads the
columns, runs the whole allocation some times, then looks at the last one's proofs (`proofs.py`).
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matching_scale.instances import Instance, Kind, make_instance
from benchmarks.matching_scale.proofs import coverage, sampled_certificate
from benchmarks.matching_scale.timing import interleaved, peak_mib
from financing.matching.national.bundle_wire import (
    arrays_of_columns,
    codes_of_columns,
    columns_from,
)
from financing.matching.national.engine import Allocation, allocate_loans
from financing.matching.national.threads import default_threads


def in_own_process(instance: Instance, rounds: int) -> dict[str, Any]:
    """What `main` reports; its words go to this process's stderr."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for column, values in arrays_of_columns(instance.requests).items():
            np.save(folder / f"{column}.npy", values)
        rest = codes_of_columns(instance.requests), instance.offers, instance.policy, instance.kind
        (folder / "rest").write_bytes(pickle.dumps(rest))
        answer = subprocess.run(
            [sys.executable, "-m", "benchmarks.matching_scale.engine_runs", name, str(rounds)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    report: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return report


def main(folder: str, rounds: int) -> dict[str, Any]:
    """The whole allocation from columns: costs, stages, memory, and how good it is."""
    codes, offers, policy, kind = pickle.loads((Path(folder) / "rest").read_bytes())
    arrays = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    requests = columns_from(codes, arrays)
    columns_mib = round(sum(values.nbytes for values in arrays.values()) / 2**20)
    threads = default_threads()
    stages: dict[str, float] = {}
    before: list[Any] = ["start", time.perf_counter()]

    def tell(stage: str, _figure: float) -> None:
        now = time.perf_counter()
        stages[before[0]] = stages.get(before[0], 0.0) + now - before[1]
        before[:] = [stage, now]

    def run() -> Allocation:
        stages.clear()
        before[:] = ["checking", time.perf_counter()]
        found = allocate_loans(requests, offers, policy, threads=threads, progress=tell)
        tell("end", 0.0)
        return found

    _load_machine_code(kind)
    loaded_mib = peak_mib()
    costs, answers = interleaved({"engine": run}, rounds)
    found: Allocation = answers.pop("engine")
    return {
        **costs["engine"].summary(),
        "stages_s": {stage: round(seconds, 3) for stage, seconds in stages.items()},
        "value_fen": found.value_fen,
        "bound_fen": found.bound_fen,
        "gap": round(found.gap, 6),
        "coverage": found.reached_count,
        "proposals": found.proposals_count,
        "saving_fen": found.saving_fen,
        "digest": found.digest(),
        "columns_mib": columns_mib,
        "loaded_mib": loaded_mib,
        "peak_mib": peak_mib(),
        "coverage_bound": coverage(found, threads),
        "certificate": sampled_certificate(found, threads),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def _load_machine_code(kind: Kind) -> None:
    """A worker has it from its start on: no run pays for it."""
    small = make_instance(kind, 2_000, 40)
    for over_shards in (False, True):
        allocate_loans(small.requests, small.offers, small.policy, over_shards=over_shards)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
