"""Match runs of a coordinator's region: list, start, progress, result, cancel."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from financing import run_texts
from financing.match_runs import NoPolicy, current_policy
from financing.models.loan_offers import LoanOffer
from financing.models.loan_requests import LoanRequest
from financing.models.match_runs import MatchRun, RunKind, RunStatus
from financing.models.proposals import Proposal
from financing.run_outcomes import fairness_now
from financing.run_shortages import shortages
from financing.services import match_runs
from financing.views.what_ifs import run_before, what_if_context
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import BranchOffice, Region
from sipo_portal.ui import formats
from sipo_portal.workflow.lifecycle import TransitionRefused

FOLDER = "financing/match_runs"
PER_PAGE = 30
SHORT_OFFERS_SHOWN = 20


def _coordinator(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate let no visitor through
    return request.user


def _office(request: HttpRequest) -> BranchOffice:
    office = _coordinator(request).office
    assert office is not None  # a CHECK: coordinators have one
    return office


@roles_required(Role.COORDINATOR)
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """Full runs, newest first; those over one request or offer are too many to read."""
    runs = (
        MatchRun.objects.visible_to(_coordinator(request))
        .filter(kind=RunKind.FULL)
        .select_related("office__region", "requested_by")
    )
    page = Paginator(runs, PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "run": run,
            "scope": run_texts.scope_text(run),
            "took": run_texts.duration_text(run),
            "gap": run_texts.gap_short(run),
        }
        for run in page.object_list
    ]
    return render(request, f"{FOLDER}/list.html", {"page": page, "rows": rows})


@roles_required(Role.COORDINATOR)
def run_start(request: HttpRequest) -> HttpResponseBase:
    """What a run would do, in figures; posted, it is asked for. Asked twice it is one run."""
    office = _office(request)
    if request.method == "POST":
        run = match_runs.request_run(actor=Actor.of(_coordinator(request)), office=office)
        return redirect("financing:run_detail", run.pk)
    try:
        policy = current_policy(timezone.localdate())
    except NoPolicy:
        return render(request, "financing/reviews/no_policy.html", {})
    requests = LoanRequest.objects.visible_to(_coordinator(request)).in_matching().count()
    offers = LoanOffer.objects.visible_to(_coordinator(request)).live().count()
    standing = Proposal.objects.visible_to(_coordinator(request)).count()
    region = office.region.label if office.region else _("The whole country")
    facts = [
        {"label": _("Region"), "value": region},
        {"label": _("Open loan requests"), "value": formats.count(requests)},
        {"label": _("Live loan offers"), "value": formats.count(offers)},
        {
            "label": _("Proposals replaced"),
            "value": formats.count(standing),
            "note": _("Matches that somebody claimed stay as they are."),
        },
        {"label": _("Most proposals per request"), "value": str(policy.proposals_per_request)},
        {"label": _("Matching policy"), "value": f"v{policy.version}"},
    ]
    return render(request, f"{FOLDER}/start.html", {"facts": facts, "office": office})


def _run_or_404(request: HttpRequest, pk: int) -> MatchRun:
    runs = MatchRun.objects.visible_to(_coordinator(request)).select_related(
        "office__region", "requested_by", "policy"
    )
    return get_object_or_404(runs, pk=pk)


@roles_required(Role.COORDINATOR)
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Progress while it works, then whom it reached and what it is worth."""
    run = _run_or_404(request, pk)
    codes = run.fairness.get("province", {})
    names = {region.code: region.label for region in Region.objects.filter(code__in=codes)}
    context = _short_offers(request, run) | {
        "run": run,
        "scope": run_texts.scope_text(run),
        "facts": _facts(run),
        "progress": run_texts.progress_of(run),
        "failure": run_texts.failure_text(run) if run.status == RunStatus.FAILED else "",
        "gap": run_texts.gap_text(run),
        "charts": run_texts.reach_charts(fairness_now(run), names) if run.fairness else [],
        "reached_percent": _reached_percent(run),
        "may_cancel": _may_cancel(request, run),
        "traces": _traces(run),
    }
    if run.is_dry_run:
        context |= what_if_context(run, _coordinator(request))
    elif run.status == RunStatus.DONE and run.kind == RunKind.FULL:
        before = run_before(run, _coordinator(request))
        if before is not None:
            context["compare_url"] = reverse("financing:run_compare", args=[run.pk, before.pk])
    return render(request, f"{FOLDER}/detail.html", context)


def _short_offers(request: HttpRequest, run: MatchRun) -> dict[str, Any]:
    """Which offers were short, dearest first, the rest on demand."""
    if run.bound is None:
        return {}
    rows = [
        {
            "offer": short.offer.name,
            "institution": short.offer.institution.label,
            "yuan": run_texts.yuan_worth(short),
            "piece": run_texts.piece_worth(short),
        }
        for short in shortages(run, _coordinator(request))
    ]
    return {
        "short_offers": rows[:SHORT_OFFERS_SHOWN],
        "more_short_offers": rows[SHORT_OFFERS_SHOWN:],
        "shortage_texts": run_texts.shortage_texts(run, len(rows)),
        "has_pieces": any(row["piece"] for row in rows),
        "plenty_text": "" if rows else run_texts.plenty_text(),
    }


@roles_required(Role.COORDINATOR)
@require_safe
def run_certificate(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What lets anybody work out the bound again: figures and prices, no rows of anybody."""
    run = _run_or_404(request, pk)
    if run.bound is None or run.value is None:
        raise Http404
    certificate = {
        "run": run.pk,
        "as_of": run.as_of,
        "policy_version": run.policy.version if run.policy else None,
        "engine_version": run.engine_version,
        "seed": run.seed,
        "input_digest": run.input_digest,
        "result_digest": run.result_digest,
        "value_yuan": str(run.value),
        "bound_yuan": str(run.bound),
        # By offer: worth in fen of a million fen more, and of one piece more.
        "prices_fen_ppm": run.prices,
        "prices_count_fen": run.count_prices,
    }
    response = JsonResponse(certificate, json_dumps_params={"indent": 1})
    response["Content-Disposition"] = f'attachment; filename="match-run-{run.pk}.json"'
    return response


def _may_cancel(request: HttpRequest, run: MatchRun) -> bool:
    """A run inside the own region; only the national office cancels one of the country."""
    prefix = _office(request).scope_prefix
    return not run.is_finished and run.scope_prefix.startswith(prefix)


def _reached_percent(run: MatchRun) -> str:
    if not run.request_count or run.reached_count is None:
        return ""
    return formats.percent(run.reached_count * 100 / run.request_count, 0)


def _facts(run: MatchRun) -> list[dict[str, str]]:
    asked_by = run.requested_by.name if run.requested_by else _("the nightly clock")
    facts = [
        {
            "label": pgettext("moment", "Asked for"),
            "value": formats.moment(run.created_at),
            "note": asked_by,
        },
        {
            "label": _("Finished"),
            "value": formats.moment(run.finished_at),
            "note": run_texts.duration_text(run),
        },
    ]
    if run.policy is not None:
        facts.append({"label": _("Matching policy"), "value": f"v{run.policy.version}"})
    if run.as_of is not None:
        facts.append({"label": _("As of"), "value": formats.day(run.as_of)})
    return facts


def _traces(run: MatchRun) -> list[dict[str, str]]:
    """What lets anybody run it again and compare."""
    named = [
        (_("Seed of the lottery for ties"), run.seed),
        (_("Matcher"), run.engine_version),
        (_("Digest of the input"), run.input_digest),
        (_("Digest of the result"), run.result_digest),
    ]
    return [{"label": label, "value": value} for label, value in named if value]


@roles_required(Role.COORDINATOR)
@require_safe
def run_progress(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The progress panel alone for htmx; others go to the page. At the end the page is reloaded."""
    run = _run_or_404(request, pk)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("financing:run_detail", pk)
    if run.is_finished:
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    context: dict[str, Any] = run_texts.progress_of(run) | {
        "finished": False,
        "url": reverse("financing:run_progress", args=[pk]),
    }
    return render(request, "components/progress.html", context)


@roles_required(Role.COORDINATOR)
def run_cancel(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Stop a run that has not written its proposals yet."""
    run = _run_or_404(request, pk)
    if request.method != "POST":
        return redirect("financing:run_detail", pk)
    if not run.is_finished and not _may_cancel(request, run):
        messages.warning(request, _("Only the office that asked for this run can cancel it."))
        return redirect("financing:run_detail", pk)
    try:
        match_runs.cancel_run(actor=Actor.of(_coordinator(request)), run=run)
    except TransitionRefused:
        messages.warning(request, _("The run had ended already."))
    else:
        messages.success(request, _("The run is cancelled; nothing was changed."))
    return redirect("financing:run_detail", pk)
