"""A whole run on columns: both kinds in, proposals with their baskets, prices and digests out.

Called by the services of runs, by `engine.propose_matches` for rows and by `files.py`. No clock
but for the timings, no database, no Django.
"""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from financing.matching.national.checked_columns import check
from financing.matching.national.engine import ENGINE_VERSION
from financing.matching.national.input_digest import input_digest
from financing.matching.national.insurance_run import run_insurances
from financing.matching.national.kind_result import KindResult, ProposalColumns, empty_result
from financing.matching.national.loan_run import run_loans
from financing.matching.national.result_digest import result_digest
from financing.matching.national.run_input import KindInput, RunInput
from financing.matching.national.tables import InsuranceRequestColumns, LoanRequestColumns
from financing.matching.national.threads import default_threads
from financing.matching.tables import InsuranceOfferRow, LoanOfferRow, RequestKind

__all__ = [
    "KindInput",
    "KindResult",
    "ProposalColumns",
    "RunInput",
    "RunResult",
    "run_matching",
]

Progress = Callable[[str, float], None]
StartPrices = Mapping[tuple[RequestKind, str], tuple[int, int]]

NO_PRICES: StartPrices = MappingProxyType({})


def _silent(_stage: str, _figure_fen: float) -> None:
    pass


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RunResult:
    """A run. No allocation at all is worth more than `bound_fen`; this one is worth `value_fen`.

    `seconds`: wall time by stage ("loan.prices"). `peak_mib`: most memory of the process so far.
    """

    loans: KindResult
    insurances: KindResult
    engine_version: str
    input_digest: str
    result_digest: str
    seconds: dict[str, float]
    peak_mib: float

    @property
    def value_fen(self) -> int:
        return self.loans.value_fen + self.insurances.value_fen

    @property
    def bound_fen(self) -> int:
        return self.loans.bound_fen + self.insurances.bound_fen

    @property
    def gap(self) -> float:
        """(bound - value) / bound."""
        return 1 - self.value_fen / self.bound_fen if self.bound_fen else 0.0


class _Stages:
    """Wall time by stage, while the caller's progress hears of each."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stage, self._since = "", time.perf_counter()

    def tell(self, stage: str, figure_fen: float) -> None:
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now
        if stage and self._progress is not None:
            self._progress(stage, figure_fen)

    def of(self, kind: RequestKind) -> Progress:
        return lambda stage, figure: self.tell(f"{kind}.{stage}", figure)


def run_matching(
    run: RunInput,
    *,
    start_prices: StartPrices = NO_PRICES,
    over_shards: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> RunResult:
    """Match both kinds (MATCHING §1-§3). Raises ColumnError.

    `start_prices`: prices (fen_ppm, count_fen) by kind and offer id to begin with, the last run's.
    `progress` hears the stage and, while prices are learned, the bound so far in fen; what it
    raises ends the run. `over_shards`: allocate loans as a run over several workers does, however
    few they are (a replay of one). The same rows in any order and any number of threads give the
    same digests.
    """
    threads = default_threads() if threads is None else threads
    stages = _Stages(progress)
    stages.tell("checking", 0.0)
    check(run.loans.requests, threads)
    check(run.insurances.requests, threads)
    stages.tell("input digest", 0.0)
    digest = input_digest(run)
    loans = _loans(run, start_prices, over_shards, threads, stages.of("loan"))
    insurances = match_insurances(run, start_prices, threads, stages.of("insurance"))
    stages.tell("result digest", 0.0)
    result = result_digest(ENGINE_VERSION, loans, insurances)
    stages.tell("", 0.0)
    return RunResult(
        loans=loans,
        insurances=insurances,
        engine_version=ENGINE_VERSION,
        input_digest=digest,
        result_digest=result,
        seconds=stages.seconds,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _loans(
    run: RunInput, start: StartPrices, over_shards: bool, threads: int, tell: Progress
) -> KindResult:
    kind, policy = run.loans, run.policy
    requests = kind.requests
    if not isinstance(requests, LoanRequestColumns):
        raise TypeError("loans: LoanRequestColumns")
    offers = tuple(row for row in kind.offers if isinstance(row, LoanOfferRow))
    if not len(requests) or not offers:
        return empty_result(offers, policy, len(requests))
    return run_loans(
        requests,
        offers,
        policy,
        closed=kind.closed,
        previous=kind.previous,
        start=prices_of_kind(start, "loan"),
        over_shards=over_shards,
        threads=threads,
        progress=tell,
    )


def match_insurances(
    run: RunInput, start: StartPrices, threads: int, tell: Progress = _silent
) -> KindResult:
    """The insurances of a run, whose columns are checked."""
    kind, policy = run.insurances, run.policy
    requests = kind.requests
    if not isinstance(requests, InsuranceRequestColumns):
        raise TypeError("insurances: InsuranceRequestColumns")
    offers = tuple(row for row in kind.offers if isinstance(row, InsuranceOfferRow))
    if not len(requests) or not offers:
        return empty_result(offers, policy, len(requests))
    return run_insurances(
        requests,
        offers,
        policy,
        closed=kind.closed,
        previous=kind.previous,
        start=prices_of_kind(start, "insurance"),
        threads=threads,
        progress=tell,
    )


def prices_of_kind(start: StartPrices, kind: RequestKind) -> dict[str, tuple[int, int]]:
    """By offer id."""
    return {offer: prices for (each, offer), prices in start.items() if each == kind}
