"""Runs competitors interleaved and takes the medians of what they cost."""

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Cost:
    """Seconds of each run, wall and processor (all threads of this process)."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        return {
            "wall_s": round(statistics.median(self.wall_s), 4),
            "cpu_s": round(statistics.median(self.cpu_s), 4),
            "least_wall_s": round(min(self.wall_s), 4),
            "runs": len(self.wall_s),
        }


def interleaved(
    competitors: dict[str, Callable[[], Any]], rounds: int
) -> tuple[dict[str, Cost], dict[str, Any]]:
    """Everybody once per round, in turn; costs, and each one's last answer."""
    costs = {name: Cost() for name in competitors}
    answers: dict[str, Any] = {}
    for _ in range(rounds):
        for name, run in competitors.items():
            # Two answers at a time would be memory that nobody needs.
            answers.pop(name, None)
            wall, cpu = time.perf_counter(), time.process_time()
            answers[name] = run()
            costs[name].wall_s.append(time.perf_counter() - wall)
            costs[name].cpu_s.append(time.process_time() - cpu)
    return costs, answers


def peak_mib() -> int:
    """Most memory this process has held, in MiB.

    From /proc where there is one: what getrusage says includes the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
