"""What comes of the bundles of a run, and the one result put together from them.

The same proposals in the same order as of a run in one process. Called by runs over several
workers. No database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from financing.matching.national.bundles import Bundle, Frame
from financing.matching.national.churn import kept_offers, kept_worths
from financing.matching.national.eligible import eligible_requests
from financing.matching.national.kind_result import KindResult, ProposalColumns, kind_result
from financing.matching.national.loan_figures import loan_figures
from financing.matching.national.loan_run import loan_proposals
from financing.matching.national.proposals import Worth
from financing.matching.national.rounds import Conductor
from financing.matching.national.tables import Bool, Int64
from financing.matching.national.wire import from_wire, to_wire

_COLUMNS = tuple(one.name for one in fields(ProposalColumns))
_KIND_PLAIN = ("value_fen", "bound_fen", "pairs_count")
_KIND_ARRAYS = tuple(
    one.name
    for one in fields(KindResult)
    if one.name not in {*_KIND_PLAIN, "offer_ids", "proposals"}
)


@dataclass(frozen=True, slots=True, eq=False)
class BundleResult:
    """Proposals of a bundle; places are those of the run's columns. `eligible`: places of requests
    that some offer fits."""

    proposals: ProposalColumns
    eligible: Int64

    def to_bytes(self) -> bytes:
        columns = {name: getattr(self.proposals, name) for name in _COLUMNS}
        return to_wire("bundle result", {}, columns | {"eligible": self.eligible})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        _, arrays = from_wire("bundle result", data)
        proposals = ProposalColumns(**{name: arrays[name] for name in _COLUMNS})
        return cls(proposals, arrays["eligible"])


def result_of(bundle: Bundle, threads: int = 1) -> BundleResult:
    """Of a bundle that has answered the question for values."""
    source, frame = bundle.source, bundle.frame
    problem = bundle.problem
    kept = None
    if len(source.previous[0]):
        numbers = np.arange(len(frame.offers), dtype=np.int32)
        offer = kept_offers(problem, numbers, source.previous)
        kept = kept_worths(problem, offer, *loan_figures(problem, offer, threads))
    proposals = loan_proposals(
        problem,
        bundle.given,
        _worth(bundle),
        kept,
        bundle.shards[0].seed,
        source.requests,
        threads,
    )
    is_eligible: Bool = np.zeros(problem.count, dtype=np.bool_)
    is_eligible[problem.line] = eligible_requests(problem, threads)
    values = {name: getattr(proposals, name) for name in _COLUMNS}
    values["place"] = source.place[proposals.place]
    return BundleResult(ProposalColumns(**values), source.place[is_eligible])


def _worth(bundle: Bundle) -> Worth:
    worths = [shard.worth for shard in bundle.shards]
    known = [one for one in worths if one is not None]
    if len(known) < len(worths):
        raise ValueError("the bundle was not asked for values yet")
    return Worth(*(np.concatenate(columns) for columns in zip(*known, strict=True)))


def merged(
    conductor: Conductor, frame: Frame, requests_count: int, results: Sequence[BundleResult]
) -> KindResult:
    """The result of the kind once the conductor is done; `results` of all bundles, in any order."""
    if not conductor.done:
        raise ValueError("the run is not done")
    is_eligible: Bool = np.zeros(requests_count, dtype=np.bool_)
    for one in results:
        is_eligible[one.eligible] = True
    return kind_result(
        proposals=_joined([one.proposals for one in results]),
        offer_ids=tuple(row.id for row in frame.offers),
        room=conductor.room_fen,
        room_count=conductor.room_count,
        prices=conductor.prices,
        value_fen=conductor.value_fen,
        bound_fen=conductor.bound_fen,
        is_eligible=is_eligible,
        pairs_count=None,
    )


def kind_to_bytes(result: KindResult) -> bytes:
    """A kind that was matched whole, by one process."""
    proposals = {f"proposals.{name}": getattr(result.proposals, name) for name in _COLUMNS}
    arrays = {name: getattr(result, name) for name in _KIND_ARRAYS}
    plain = {name: getattr(result, name) for name in _KIND_PLAIN}
    plain["offer_ids"] = list(result.offer_ids)
    return to_wire("kind result", plain, arrays | proposals)


def kind_from_bytes(data: bytes) -> KindResult:
    """What `kind_to_bytes` was given."""
    plain, arrays = from_wire("kind result", data)
    values: dict[str, Any] = {name: arrays[name] for name in _KIND_ARRAYS}
    values |= {name: plain[name] for name in _KIND_PLAIN}
    proposals = {name: arrays[f"proposals.{name}"] for name in _COLUMNS}
    return KindResult(
        **values, offer_ids=tuple(plain["offer_ids"]), proposals=ProposalColumns(**proposals)
    )


def _joined(parts: Sequence[ProposalColumns]) -> ProposalColumns:
    """By request id, then rank; each request's proposals are all in one part."""
    plain = [name for name in _COLUMNS if not name.startswith("patent")]
    values = {name: np.concatenate([getattr(part, name) for part in parts]) for name in plain}
    order = np.lexsort((values["rank"], values["request_id"]))
    counts = np.concatenate([np.diff(part.patents_start) for part in parts])
    begins = np.cumsum(counts) - counts
    patent_id = np.concatenate([part.patent_id for part in parts])
    own = counts[order]
    start = np.zeros(len(order) + 1, dtype=np.int64)
    np.cumsum(own, out=start[1:])
    places = np.repeat(begins[order] - start[:-1], own) + np.arange(start[-1])
    return ProposalColumns(
        **{name: column[order] for name, column in values.items()},
        patents_start=start,
        patent_id=patent_id[places],
    )
