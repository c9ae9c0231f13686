"""One request in one stored run: what it was proposed, and why no other offer was."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from financing import run_explanation_texts, run_texts
from financing.matching.stored_runs import StoredExplanation, StoredProposal, StoredRoom
from financing.matching.tables import InsuranceRequestRow, OfferRow
from financing.models.match_runs import MatchRun, RunKind, RunStatus
from financing.pair_kinds import KIND_BY_NAME, AnyOffer, PairKind
from financing.request_words import review_address, title_of
from financing.rule_texts import outcome_text
from financing.run_parts import NotArchived
from financing.stored_explanations import NotInRun, RequestInRun, given_in_run, request_in_run
from financing.views.reviews import coordinator_of, request_or_404
from sipo_portal.accounts.access import roles_required
from sipo_portal.accounts.models import Role, User
from sipo_portal.offices.models import Region
from sipo_portal.ui import formats

SHOWN = 20


@roles_required(Role.COORDINATOR)
@require_safe
def run_request(request: HttpRequest, pk: int, kind: str, request_pk: int) -> HttpResponse:
    """As the run saw it, whatever has changed since; says so where the run does not keep it."""
    if kind not in KIND_BY_NAME:
        raise Http404
    user, of_kind = coordinator_of(request), KIND_BY_NAME[kind]
    runs = MatchRun.objects.visible_to(user).select_related("office__region")
    run = get_object_or_404(runs, pk=pk)
    subject = request_or_404(request, request_pk, of_kind)
    context: dict[str, Any] = {
        "run": run,
        "subject": subject,
        "title": title_of(subject),
        "review_url": review_address(subject, "request"),
        "about_run": _("Match run of %(moment)s, %(scope)s")
        % {"moment": formats.moment(run.created_at), "scope": run_texts.scope_text(run)},
    }
    try:
        context |= _explained(request_in_run(run, of_kind, subject.pk), of_kind, user)
    except NotInRun:
        context["absent"] = _("The run did not look at this request")
        context["absent_text"] = _(
            "On that day it was not in matching, or it is of a region the run was not about."
        )
    except NotArchived:
        context |= _given(run, of_kind, subject.pk, user)
    return render(request, "financing/match_runs/request.html", context)


def _given(run: MatchRun, kind: PairKind, request_id: int, user: User) -> dict[str, Any]:
    """Without what the run decided on: what it proposed, where at least that is kept."""
    title, text = _why_not_kept(run)
    try:
        proposals, rooms = given_in_run(run, kind, request_id)
    except NotArchived:
        return {"absent": title, "absent_text": text}
    offers = _offers(kind, user, [one.offer_id for one in proposals])
    return {
        "no_reasons": title,
        "no_reasons_text": text,
        "as_of": run.as_of,
        "proposed": _proposed(proposals, offers, rooms),
    }


def _why_not_kept(run: MatchRun) -> tuple[str, str]:
    if run.status in (RunStatus.QUEUED, RunStatus.RUNNING):
        return _("The run has not ended yet"), _("Come back when it has.")
    if run.kind != RunKind.FULL or run.status != RunStatus.DONE:
        return (
            _("This run keeps nothing to explain"),
            _("Only full runs that ended well keep what they decided on."),
        )
    return (
        _("This run no longer keeps what it decided on"),
        _("What runs decide on is kept for some weeks only. Ask about a later run."),
    )


def _explained(found: RequestInRun, kind: PairKind, user: User) -> dict[str, Any]:
    """Two queries whatever the number of offers; those that the user may not see are left out."""
    offers = _offers(kind, user, [each for each in found.offers if _is_beside(found, each)])
    every = {offer: found.explain(offer) for offer in offers}
    labels = {
        region.code: region.label
        for region in Region.objects.filter(code__in=_region_codes(found.offers.values(), found))
    }
    names = {offer: each.name for offer, each in offers.items()}
    others = [
        _row(each, offers[each.offer_id], names, labels)
        for each in run_explanation_texts.best_first(every.values())
    ]
    return {
        "as_of": found.context.policy.as_of,
        "proposed": _proposed(found.run.proposals, offers, found.run.rooms),
        "others": others[:SHOWN],
        "more_others": others[SHOWN:],
    }


def _offers(kind: PairKind, user: User, ids: Iterable[str]) -> dict[str, AnyOffer]:
    visible = kind.offers._default_manager.visible_to(user)
    found = visible.filter(pk__in=[int(each) for each in ids]).select_related("institution")
    return {str(offer.pk): offer for offer in found}


def _proposed(
    proposals: Iterable[StoredProposal],
    offers: Mapping[str, AnyOffer],
    rooms: Mapping[str, StoredRoom],
) -> list[dict[str, Any]]:
    return [
        {
            "offer": offers[one.offer_id],
            "rank": one.rank,
            "amount": run_explanation_texts.money(one.amount_fen),
            "price": run_explanation_texts.price_text(rooms[one.offer_id]),
        }
        for one in sorted(proposals, key=lambda one: one.rank)
        if one.offer_id in offers
    ]


def _is_beside(found: RequestInRun, offer_id: str) -> bool:
    """As on the other pages: what insures something else is no answer to what was asked."""
    request, offer = found.request, found.offers[offer_id]
    if not isinstance(request, InsuranceRequestRow):
        return True
    return getattr(offer, "cover_kind", None) == request.cover_kind


def _region_codes(offers: Iterable[OfferRow], found: RequestInRun) -> set[str]:
    return {found.request.region_code, *(code for offer in offers for code in offer.regions)}


def _row(
    each: StoredExplanation,
    offer: AnyOffer,
    names: Mapping[str, str],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "offer": offer,
        "outcome": outcome_text(each.outcome),
        "amount": run_explanation_texts.money(each.weighed.amount_fen) if each.weighed else "",
        "reason": run_explanation_texts.reason(each, names, labels),
        "price": run_explanation_texts.price_text(each.room) if each.weighed and each.room else "",
    }
