"""The whole job on real input: read, take over, match, count; `manage.py real_input` prints it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from django.db import transaction
from django.utils import timezone

from businesses.models import Business, Patent
from businesses.selectors import expires_on, registrability_of
from businesses.services.business_imports import as_rows, check_businesses, store_businesses
from businesses.services.patent_imports import check_patents, store_patents
from financing.match_rows import yuan
from financing.matching.context import make_context
from financing.matching.explanations import count_refusals
from financing.models import LoanOffer, LoanRequest, MatchRun
from financing.models.match_runs import RunKind
from financing.models.requests import RequestStatus
from financing.real_input.assumptions import SEED
from financing.real_input.sources import (
    business_record,
    loan_shapes,
    offer_record,
    patent_record,
    read_csv,
    request_wish,
)
from financing.run_inputs import RunInput, decide, read_full_run
from financing.services.first_policy import ensure_policy
from financing.services.offer_imports import check_offers, store_offers
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.services import load_regions
from sipo_portal.tabular.reading import RowFault

Report = dict[str, Any]


def real_input(folder: Path, on: date) -> Report:
    """Everything from the files to the proposals, as of a day; nothing stays in the database.

    Raises FileNotFoundError when a file is missing.
    """
    started = perf_counter()
    with transaction.atomic():
        load_regions()
        ensure_policy()
        _set_aside()
        report: Report = {"as_of": on.isoformat(), "seed": SEED, "files": {}, "assumed": {}}
        businesses = _businesses(folder, on, report)
        patents = _patents(folder, on, report, businesses)
        offers = _offers(folder, on, report)
        requests = _requests(folder, on, report, businesses, patents)
        _match(on, report, requests, offers)
        transaction.set_rollback(True)
    report["seconds"] = round(perf_counter() - started, 2)
    return report


def _set_aside() -> None:
    """What the database holds plays no part; the transaction is rolled back at the end."""
    LoanRequest.objects.in_matching().update(status=RequestStatus.WITHDRAWN)
    LoanOffer.objects.live().update(status="paused")


def _file_report(name: str, read: int, taken: int, faults: Sequence[RowFault]) -> Report:
    reasons = Counter(f"{fault.column}: {fault.reason}" for fault in faults)
    return {
        "file": name,
        "read": read,
        "taken": taken,
        "refused": len({fault.row for fault in faults}),
        "refused_by_reason": dict(reasons.most_common()),
    }


def _businesses(folder: Path, on: date, report: Report) -> dict[str, Business]:
    name = "companies_with_patents.csv"
    records = [business_record(company) for company in read_csv(folder / name)]
    checked = check_businesses(as_rows(records), today=on)
    stored = store_businesses(actor=Actor.SYSTEM, checked=checked)
    report["files"]["businesses"] = _file_report(name, len(records), len(stored), checked.faults)
    report["assumed"]["businesses"] = _assumed(business.assumed_fields for business in stored)
    report["businesses_by_size_class"] = dict(
        sorted(Counter(str(business.size_class) for business in stored).items())
    )
    return {business.credit_code: business for business in stored}


def _patents(
    folder: Path, on: date, report: Report, businesses: dict[str, Business]
) -> list[Patent]:
    name = "patents_cn.csv"
    names = {code: business.name for code, business in businesses.items()}
    records = read_csv(folder / name)
    linked = [patent_record(record, names, on) for record in records if record["uscc"]]
    checked = check_patents(as_rows(linked), today=on)
    store_patents(actor=Actor.SYSTEM, checked=checked)
    files = _file_report(name, len(records), len(checked.rows), checked.faults)
    files["linked"] = len(linked)
    files["refused"] += len(records) - len(linked)
    files["refused_by_reason"]["credit_code: linked to no business of the file"] = len(
        records
    ) - len(linked)
    report["files"]["patents"] = files
    ids = [row.patent.pk for row in checked.rows]
    patents = list(Patent.objects.filter(pk__in=ids).with_facts().select_related("business"))
    report["assumed"]["patents"] = _assumed(patent.assumed_fields for patent in patents)
    in_force = [patent for patent in patents if _is_in_force(patent, on)]
    findings = {patent.pk: registrability_of(patent, on=on) for patent in in_force}
    hard = {
        pk: [finding.code for finding in found if finding.severity == "hard"]
        for pk, found in findings.items()
    }
    report["patents"] = {
        "by_status": dict(sorted(Counter(str(patent.status) for patent in patents).items())),
        "in_force": len(in_force),
        "businesses_with_patents_in_force": len({patent.business_id for patent in in_force}),
        "registrable": sum(not codes for codes in hard.values()),
        "hard_grounds": dict(Counter(code for codes in hard.values() for code in codes)),
    }
    return in_force


def _is_in_force(patent: Patent, on: date) -> bool:
    """Granted, not ended early, its term not over."""
    return (
        patent.is_live
        and patent.granted_on is not None
        and patent.granted_on <= on
        and expires_on(patent) > on
    )


def _offers(folder: Path, on: date, report: Report) -> list[LoanOffer]:
    name = "ip_loan_products.csv"
    records = [offer_record(product, on) for product in read_csv(folder / name)]
    checked = check_offers(as_rows(records), today=on)
    stored = store_offers(Actor.SYSTEM, checked=checked, institution_kind="bank", publish=True)
    report["files"]["offers"] = _file_report(name, len(records), len(stored), checked.faults)
    report["assumed"]["offers"] = _assumed(row.assumed for row in checked.rows)
    return stored


def _requests(
    folder: Path,
    on: date,
    report: Report,
    businesses: dict[str, Business],
    patents: list[Patent],
) -> list[LoanRequest]:
    """One request of every small or micro business with a patent in force."""
    shapes = loan_shapes(read_csv(folder / "us_sba_loans.csv"))
    by_business: dict[int, list[Patent]] = {}
    for patent in patents:
        by_business.setdefault(patent.business_id, []).append(patent)
    owners = [business for business in businesses.values() if business.pk in by_business]
    asked_at = timezone.make_aware(datetime.combine(on, time(9)))
    rows = []
    for business in owners:
        if business.may_request:
            principal, least, term = request_wish(business.credit_code, shapes)
            rows.append(
                LoanRequest(
                    business=business,
                    status=RequestStatus.OPEN,
                    principal=Decimal(principal),
                    least_accepted=Decimal(least),
                    term_months=term,
                    purpose="working_capital",
                    submitted_at=asked_at,
                    refreshed_at=asked_at,
                )
            )
    requests = LoanRequest.objects.bulk_create(rows)
    through = LoanRequest.patents.through
    through.objects.bulk_create(
        through(loanrequest_id=request.pk, patent_id=patent.pk)
        for request in requests
        for patent in by_business[request.business_id]
    )
    report["requests"] = {
        "businesses_with_patents_in_force": len(owners),
        "may_not_ask_by_size_class": dict(
            Counter(str(owner.size_class) for owner in owners if not owner.may_request)
        ),
        "requests": len(requests),
        "principal_total_yuan": str(sum(request.principal or 0 for request in requests)),
    }
    return requests


def _match(on: date, report: Report, requests: list[LoanRequest], offers: list[LoanOffer]) -> None:
    found: RunInput = read_full_run(MatchRun(kind=RunKind.FULL), on)
    started = perf_counter()
    result = decide(found)
    seconds = perf_counter() - started
    context = make_context(found.policy_row, found.decided)
    reached = {proposal.request_id for proposal in result.proposals}
    firsts = [proposal for proposal in result.proposals if proposal.is_first]
    report["matching"] = {
        "policy": found.policy_row.version,
        "engine": result.engine_version,
        "pairs": len(requests) * len(offers),
        "eligible_pairs": result.eligible_pairs_count,
        "requests_with_an_eligible_offer": result.eligible_requests_count,
        "refusals_by_code": count_refusals(found.requests, found.offers, context),
        "proposals": len(result.proposals),
        "businesses_reached": len(reached),
        "coverage_percent": round(100 * len(reached) / len(requests), 2) if requests else None,
        "saving_of_first_proposals_yuan": str(yuan(sum(p.saving_fen for p in firsts))),
        "amount_of_first_proposals_yuan": str(yuan(sum(p.amount_fen for p in firsts))),
        "value_yuan": str(yuan(result.value_fen)),
        "bound_yuan": str(yuan(result.bound_fen)),
        "input_digest": result.input_digest,
        "results_digest": result.results_digest,
        "seconds": round(seconds, 2),
    }


def _assumed(fields: Any) -> dict[str, int]:
    return dict(sorted(Counter(name for each in fields for name in each).items()))
