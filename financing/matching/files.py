"""The matcher on files, for researchers and checks from outside (MATCHING §6).

`run_files` reads requests, patents, offers and policy, runs `propose_matches` and writes its
results. Called by the command `match_files`; columns: docs/matching-files.md.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

from financing.matching.certificate_files import write_pairs
from financing.matching.columns import Many, Part
from financing.matching.context import make_context
from financing.matching.csv_rows import (
    FileError,
    FileFault,
    column_names,
    parse_row,
    read_records,
    required_names,
    write_rows,
)
from financing.matching.engine import propose_matches, run_input
from financing.matching.explanations import Explanation, explain
from financing.matching.national.pair_dump import dump_pairs
from financing.matching.national.tables import ColumnError
from financing.matching.policy import MatchingPolicy
from financing.matching.results import MatchingResult, OfferRoom, Proposal
from financing.matching.tables import (
    REQUEST_KINDS,
    DecidedPair,
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferRow,
    PatentRow,
    PreviousProposal,
    RequestRow,
    StandingMatch,
)
from financing.matching.validation import row_faults

REQUEST_TYPES: dict[str, type[Any]] = {"loan": LoanRequestRow, "insurance": InsuranceRequestRow}
OFFER_TYPES: dict[str, type[Any]] = {"loan": LoanOfferRow, "insurance": InsuranceOfferRow}

PRICES_NOTE = (
    "The prices in prices.csv prove the bound: for any prices, sum(price x room) + sum over"
    " requests of the best set at reduced values is at least the value of every allocation"
    " (docs/matching.md). With pairs.csv anyone can work it out again:"
    " python -m financing.matching.certificate_files FOLDER."
)


@dataclass(frozen=True)
class Input:
    """Everything a run reads from files."""

    requests: tuple[RequestRow, ...]
    offers: tuple[OfferRow, ...]
    policy: MatchingPolicy
    decided: tuple[DecidedPair, ...] = ()
    standing: tuple[StandingMatch, ...] = ()
    previous: tuple[PreviousProposal, ...] = ()


def run_files(
    *,
    requests: Path,
    patents: Path,
    offers: Path,
    policy: Path,
    out: Path,
    explained: Sequence[str] = (),
    pairs: bool = False,
    decided: Path | None = None,
    standing: Path | None = None,
    previous: Path | None = None,
) -> dict[str, Any]:
    """Match files and write the results into the folder `out`; returns the summary.

    `explained`: pairs as "REQUEST:OFFER", for explanations.json. `pairs`: write pairs.csv too,
    every pair that fits, of about 100,000 requests where there are more. Raises FileError naming
    every fault of every file.
    """
    read = read_input(
        requests=requests,
        patents=patents,
        offers=offers,
        policy=policy,
        decided=decided,
        standing=standing,
        previous=previous,
    )
    asked = _asked_pairs(explained, read)
    try:
        result = propose_matches(
            read.requests,
            read.offers,
            read.policy,
            decided=read.decided,
            standing=read.standing,
            previous=read.previous,
        )
    except ColumnError as error:
        # Allowed by the tables, but beyond what the engine's whole numbers hold.
        raise FileError([FileFault(requests.name, 0, "", "", str(error))]) from None
    summary = summarise(read, result)
    out.mkdir(parents=True, exist_ok=True)
    write_rows(out / "proposals.csv", [f.name for f in fields(Proposal)], result.proposals)
    write_rows(out / "prices.csv", [f.name for f in fields(OfferRoom)], result.rooms)
    shares = {"pairs_share": _write_pairs(out / "pairs.csv", read)} if pairs else {}
    _write_json(out / "certificate.json", {**certificate(result), **shares})
    _write_json(out / "summary.json", summary)
    if explained:
        context = make_context(read.policy, read.decided, with_figures=True)
        explanations = [explain(request, offer, context, result) for request, offer in asked]
        summary = {**summary, "explanations": [_plain(e) for e in explanations]}
        _write_explanations(out / "explanations.json", explanations)
    return summary


def read_input(
    *,
    requests: Path,
    patents: Path,
    offers: Path,
    policy: Path,
    decided: Path | None = None,
    standing: Path | None = None,
    previous: Path | None = None,
) -> Input:
    """Read and check all files; FileError with every fault of all of them."""
    faults: list[FileFault] = []
    patents_of = _read_patents(patents, faults)
    request_rows = _read_kinds(requests, REQUEST_TYPES, faults, patents_of)
    offer_rows = _read_kinds(offers, OFFER_TYPES, faults)
    for left in sorted(patents_of):
        for row, _ in patents_of[left]:
            reason = f"no {left[0]} request of that id"
            faults.append(FileFault(patents.name, row, "request_id", left[1], reason))
    policy_row = read_policy(policy, faults)
    small = [
        _read_plain(path, row_type, faults)
        for path, row_type in (
            (decided, DecidedPair),
            (standing, StandingMatch),
            (previous, PreviousProposal),
        )
    ]
    if faults or policy_row is None:
        raise FileError(faults)
    return Input(tuple(request_rows), tuple(offer_rows), policy_row, *map(tuple, small))


PatentsOf = dict[tuple[str, str], list[tuple[int, PatentRow]]]


def _read_patents(path: Path, faults: list[FileFault]) -> PatentsOf:
    """Patents with their line, by (request kind, request id)."""
    known = {"request_id", "request_kind", *column_names(PatentRow)}
    required = {"request_id", *required_names(PatentRow)}
    patents: PatentsOf = defaultdict(list)
    for record in read_records(path, known=known, required=required, faults=faults):
        kind = record.cells.get("request_kind") or "loan"
        if kind not in REQUEST_KINDS:
            allowed = "one of " + ", ".join(REQUEST_KINDS)
            faults.append(FileFault(path.name, record.row, "request_kind", kind, allowed))
            continue
        patent = parse_row(PatentRow, record, path.name, faults)
        key = (kind, record.cells.get("request_id", ""))
        if patent is None:
            continue
        if any(patent.id == other.id for _, other in patents[key]):
            reason = "patent is there twice in this request"
            faults.append(FileFault(path.name, record.row, "id", patent.id, reason))
            continue
        patents[key].append((record.row, patent))
    return patents


def _read_kinds(
    path: Path,
    types: dict[str, type[Any]],
    faults: list[FileFault],
    patents_of: PatentsOf | None = None,
) -> list[Any]:
    """Rows of both kinds in one file; the column `kind` says which, loan without it.

    `patents_of`, when given, is emptied of what was taken.
    """
    known = {"kind"}.union(*(column_names(row_type) for row_type in types.values()))
    rows, seen = [], set[tuple[str, str]]()
    for record in read_records(path, known=known, required={"id"}, faults=faults):
        kind = record.cells.get("kind") or "loan"
        if kind not in types:
            allowed = "one of " + ", ".join(types)
            faults.append(FileFault(path.name, record.row, "kind", kind, allowed))
            continue
        key = (kind, record.cells.get("id", ""))
        given: dict[str, Any] = {}
        if patents_of is not None:
            given["patents"] = tuple(patent for _, patent in patents_of.pop(key, []))
        if key in seen:
            faults.append(FileFault(path.name, record.row, "id", key[1], "id is there twice"))
            continue
        seen.add(key)
        row = parse_row(types[kind], record, path.name, faults, **given)
        if row is not None:
            rows.append(row)
    return rows


def _read_plain(path: Path | None, row_type: type[Any], faults: list[FileFault]) -> list[Any]:
    if path is None:
        return []
    known, required = set(column_names(row_type)), required_names(row_type)
    records = read_records(path, known=known, required=required, faults=faults)
    rows = [parse_row(row_type, record, path.name, faults) for record in records]
    return [row for row in rows if row is not None]


def read_policy(path: Path, faults: list[FileFault]) -> MatchingPolicy | None:
    """policy.json: the columns of MatchingPolicy by name; None when faults were added."""
    before = len(faults)
    try:
        named = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        faults.append(FileFault(path.name, 0, "", "", f"cannot be read: {error}"))
        return None
    if not isinstance(named, dict):
        faults.append(FileFault(path.name, 0, "", "", "one JSON object is expected"))
        return None
    values: dict[str, Any] = {}
    known = {field.name: field for field in fields(MatchingPolicy)}
    for name in sorted(set(named) - set(known)):
        faults.append(FileFault(path.name, 0, name, str(named[name]), "unknown name"))
    for name, field in known.items():
        if name in named:
            try:
                values[name] = _from_json(field.metadata["allowed"], named[name])
            except (TypeError, ValueError):
                reason = field.metadata["allowed"].allowed
                faults.append(FileFault(path.name, 0, name, str(named[name]), reason))
        elif field.default is MISSING:
            faults.append(FileFault(path.name, 0, name, "", "name is missing"))
    if len(faults) > before:
        return None
    policy = MatchingPolicy(**values)
    for fault in row_faults(policy):
        faults.append(FileFault(path.name, 0, fault.column, str(fault.value), fault.allowed))
    return policy if len(faults) == before else None


def _from_json(allowed: Any, value: Any) -> Any:
    """A JSON value as the column wants it: inner rows are objects, days are texts."""
    if isinstance(allowed, Many) and isinstance(allowed.inner, Part):
        return tuple(allowed.inner.row(**item) for item in value)
    if isinstance(value, str):
        return allowed.parse(value)
    return value


def certificate(result: MatchingResult) -> dict[str, Any]:
    """What anyone needs to check the run: value, bound, digests, seed."""
    gap = result.bound_fen - result.value_fen
    return {
        "engine_version": result.engine_version,
        "policy_version": result.policy_version,
        "seed": result.seed,
        "value_fen": result.value_fen,
        "bound_fen": result.bound_fen,
        "gap_ppm_of_bound": gap * 1_000_000 // result.bound_fen if result.bound_fen else 0,
        "input_digest": result.input_digest,
        "results_digest": result.results_digest,
        "prices": PRICES_NOTE,
    }


def summarise(read: Input, result: MatchingResult) -> dict[str, Any]:
    """Figures of a run: what was read, eligible, proposed, reached and saved."""
    firsts = [proposal for proposal in result.proposals if proposal.is_first]
    return {
        "requests": len(read.requests),
        "offers": len(read.offers),
        "patents": sum(len(request.patents) for request in read.requests),
        "eligible_requests": result.eligible_requests_count,
        "eligible_pairs": result.eligible_pairs_count,
        "proposals": len(result.proposals),
        "reached_requests": len(firsts),
        "reached_amount_fen": sum(proposal.amount_fen for proposal in firsts),
        "reached_saving_fen": sum(proposal.saving_fen for proposal in firsts),
        **{k: v for k, v in certificate(result).items() if k != "prices"},
    }


def _asked_pairs(explained: Sequence[str], read: Input) -> list[tuple[RequestRow, OfferRow]]:
    """The pairs named; a name that fits a loan pair and an insurance pair gives both."""
    requests = {(row.kind, row.id): row for row in read.requests}
    offers = {(row.kind, row.id): row for row in read.offers}
    pairs, faults = [], []
    for name in explained:
        request_id, _, offer_id = name.partition(":")
        found = [
            (requests[kind, request_id], offers[kind, offer_id])
            for kind in REQUEST_KINDS
            if (kind, request_id) in requests and (kind, offer_id) in offers
        ]
        if not found:
            reason = "no request and offer of these ids and one kind (REQUEST:OFFER)"
            faults.append(FileFault("--explain", 0, "pair", name, reason))
        pairs += found
    if faults:
        raise FileError(faults)
    return pairs


def _write_pairs(path: Path, read: Input) -> dict[str, float]:
    """The pairs the certificate speaks about; gives the share of the requests by kind."""
    run = run_input(
        read.requests,
        read.offers,
        read.policy,
        decided=read.decided,
        standing=read.standing,
        previous=read.previous,
    )
    shares: dict[str, float] = {}
    rows: list[tuple[object, ...]] = []
    for kind, of_kind in (("loan", run.loans), ("insurance", run.insurances)):
        ids = [row.id for row in read.requests if row.kind == kind]
        found = dump_pairs(of_kind, read.policy)
        shares[kind] = found.share
        for i, j, *figures in zip(*(column.tolist() for column in found[:5]), strict=True):
            offer = of_kind.offers[j]
            settled = (int(found.slots[i]), int(found.is_reached[i]))
            rows.append((kind, ids[i], offer.id, offer.institution_id, *figures, *settled))
    write_pairs(path, rows)
    return shares


def _write_explanations(path: Path, explanations: Iterable[Explanation]) -> None:
    _write_json(path, [_plain(explanation) for explanation in explanations])


def _plain(value: Any) -> Any:
    """JSON value of a result: days as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(inner) for name, inner in asdict(value).items()}
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(_plain(value), ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
