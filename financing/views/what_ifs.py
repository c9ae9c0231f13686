"""What-if runs of a coordinator: ask, put into force; and any two runs compared."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from financing import run_texts, what_if_texts
from financing.forms.what_ifs import WhatIfForm
from financing.match_runs import NoPolicy, current_policy
from financing.models.match_runs import MatchRun, RunKind, RunStatus
from financing.pair_kinds import KINDS
from financing.run_diffs import diff_runs
from financing.run_parts import NotArchived
from financing.services import dry_runs
from financing.standing_rows import price_key
from financing.suppositions import SuppositionRefused
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import Region

FOLDER = "financing/match_runs"


def _coordinator(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate let no visitor through
    return request.user


@roles_required(Role.COORDINATOR)
def what_if(request: HttpRequest) -> HttpResponseBase:
    """What to suppose; posted, a run is asked for that changes nothing."""
    user = _coordinator(request)
    assert user.office is not None  # a CHECK: coordinators have one
    try:
        policy = current_policy(timezone.localdate())
    except NoPolicy:
        return render(request, "financing/reviews/no_policy.html", {})
    form = WhatIfForm(
        request.POST if request.method == "POST" else None,
        policy=policy,
        offers=_offer_choices(user),
        cancel_url=reverse("financing:run_list"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            run = dry_runs.request_dry_run(
                actor=Actor.of(user), office=user.office, supposition=form.supposition()
            )
        except SuppositionRefused as refused:
            name = refused.field if refused.field in form.fields else None
            form.add_error(name, _("%(value)s is not possible here.") % {"value": refused.value})
        else:
            return redirect("financing:run_detail", run.pk)
    return render(request, f"{FOLDER}/what_if.html", {"form": form, "office": user.office})


def _offer_choices(user: User) -> list[tuple[str, str]]:
    found = []
    for kind in KINDS:
        offers = kind.offers._default_manager.visible_to(user).live().select_related("institution")
        found += [
            (price_key(kind.name, str(each.pk)), f"{each.institution.label}: {each.name}")
            for each in offers
        ]
    return sorted(found, key=lambda choice: choice[1])


@roles_required(Role.COORDINATOR)
def run_confirm(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Put a what-if into force; a worker writes it if nothing has changed since."""
    user = _coordinator(request)
    run = get_object_or_404(MatchRun.objects.visible_to(user), pk=pk)
    if request.method == "POST":
        try:
            dry_runs.confirm_run(actor=Actor.of(user), run=run)
        except dry_runs.RunNotConfirmed as refused:
            messages.warning(request, what_if_texts.refusal_text(refused.refusal))
        else:
            messages.success(request, _("The proposals are being written."))
    return redirect("financing:run_detail", pk)


@roles_required(Role.COORDINATOR)
@require_safe
def run_compare(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """What run `pk` proposes otherwise than run `other`."""
    runs = MatchRun.objects.visible_to(_coordinator(request)).select_related("office__region")
    found = runs.filter(kind=RunKind.FULL, status=RunStatus.DONE).in_bulk([pk, other])
    if len({pk, other}) < 2 or len(found) < 2:
        raise Http404
    context = {
        "run": found[pk],
        "other": found[other],
        "scopes": [run_texts.scope_text(found[each]) for each in (pk, other)],
        **comparison(found[other], found[pk]),
    }
    return render(request, f"{FOLDER}/compare.html", context)


def comparison(before: MatchRun, after: MatchRun) -> dict[str, Any]:
    """Context of compared.html: sentences and tables, or that nothing is kept any more."""
    try:
        diff = diff_runs(before, after)
    except NotArchived:
        return {"diff_sentences": [], "diff_tables": [], "is_pruned": True}
    codes = diff.by.get("province", {})
    names = {region.code: region.label for region in Region.objects.filter(code__in=codes)}
    return {
        "diff_sentences": what_if_texts.diff_sentences(diff),
        "diff_tables": what_if_texts.diff_tables(diff, names),
        "is_pruned": False,
    }


def what_if_context(run: MatchRun, user: User) -> dict[str, Any]:
    """What the page of a what-if says beside what every run's page says."""
    context: dict[str, Any] = {
        "supposed": what_if_texts.supposed_facts(run, what_if_texts.offer_names(run)),
        "is_being_written": bool(
            run.confirmed_by_id and run.confirmed_at is None and not run.confirm_refusal
        ),
        "confirm_refusal": "",
        "may_confirm": False,
    }
    if run.confirm_refusal:
        context["confirm_refusal"] = what_if_texts.refusal_text(run.confirm_refusal)
    if run.status != RunStatus.DONE or run.confirmed_at is not None:
        return context
    if not run.confirm_refusal and not context["is_being_written"]:
        refusal = dry_runs.refusal_to_confirm(run, Actor.of(user))
        context["may_confirm"] = refusal is None
        context["confirm_refusal"] = what_if_texts.refusal_text(refusal) if refusal else ""
    before = run_before(run, user)
    if before is not None:
        context |= comparison(before, run) | {"before": before}
    return context


def run_before(run: MatchRun, user: User) -> MatchRun | None:
    """The last run over the same region or one around it that wrote before this one."""
    around = [run.scope_prefix[:length] for length in range(0, len(run.scope_prefix) + 1, 2)]
    return (
        MatchRun.objects.visible_to(user)
        .written()
        .filter(
            kind=RunKind.FULL,
            status=RunStatus.DONE,
            scope_prefix__in=around,
            created_at__lt=run.created_at,
        )
        .order_by("-finished_at", "-pk")
        .first()
    )
