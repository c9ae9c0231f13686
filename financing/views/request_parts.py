"""The parts of a loan request as lists for templates: topics with states, answers, patents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from businesses.findings import describe_all
from financing.models.loan_requests import LoanRequest
from financing.owner_selectors import PatentChoice
from financing.permissions import Cure, against_submitting
from financing.rule_texts import listed, months
from sipo_portal.accounts.access import SignedInRequest
from sipo_portal.ui import formats


def own_request(request: SignedInRequest, pk: int) -> LoanRequest:
    """The user's loan request with its business; what belongs to others is absent (404)."""
    rows: QuerySet[LoanRequest] = LoanRequest.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("business__region"), pk=pk)


def is_partial(request: SignedInRequest) -> bool:
    """Asked by htmx for a part of a page."""
    return bool(getattr(request, "htmx", False))


@dataclass(frozen=True)
class Part:
    """A topic of a request; its page is `financing:request_<name>`."""

    name: str
    label: str | Promise
    hint: str | Promise
    cures: tuple[Cure, ...] = ()


PARTS = (
    Part(
        "loan",
        gettext_lazy("The loan"),
        gettext_lazy("How much, for how long, at what cost"),
        (Cure.LOAN,),
    ),
    Part(
        "patents",
        gettext_lazy("Patents"),
        gettext_lazy("What secures the loan"),
        (Cure.PATENTS,),
    ),
    Part(
        "purpose",
        gettext_lazy("Purpose"),
        gettext_lazy("What the money is for"),
        (Cure.PURPOSE,),
    ),
    Part(
        "check",
        gettext_lazy("Check and submit"),
        gettext_lazy("See all your answers before anything counts"),
    ),
)


def part_tasks(loan_request: LoanRequest, *, current: str = "") -> list[dict[str, Any]]:
    """Topics with their state, for components/task_list.html and steps.html."""
    open_cures = {reason.cure for reason in against_submitting(loan_request)}
    tasks = []
    for part in PARTS:
        if part.name == "check":
            is_done, is_ready = False, not open_cures
        else:
            is_done, is_ready = not open_cures.intersection(part.cures), True
        status = "done" if is_done else "ready" if is_ready else "locked"
        state = "current" if part.name == current else "done" if is_done else "todo"
        tasks.append(
            {
                "label": part.label,
                "hint": part.hint,
                "url": reverse(f"financing:request_{part.name}", args=[loan_request.pk]),
                "status": status,
                "status_label": TASK_LABELS[status],
                "tone": TASK_TONES[status],
                "state": state,
            }
        )
    return tasks


TASK_LABELS = {
    "done": gettext_lazy("Complete"),
    "ready": gettext_lazy("To do"),
    "locked": gettext_lazy("Not yet"),
}
TASK_TONES = {"done": "good", "ready": "progress", "locked": "neutral"}


@dataclass(frozen=True)
class Summary:
    """All answers as facts for components/summary_list.html."""

    loan: list[dict[str, Any]]
    patents: list[dict[str, Any]]
    purpose: list[dict[str, Any]]

    @property
    def all(self) -> list[dict[str, Any]]:
        return [*self.loan, *self.patents, *self.purpose]


def summary_of(loan_request: LoanRequest, *, with_links: bool = False) -> Summary:
    """`with_links`: each answer gets the link to the page where it is changed."""

    def change(part: str) -> str:
        if not with_links:
            return ""
        return reverse(f"financing:request_{part}", args=[loan_request.pk])

    def fact(label: str, value: Any, part: str, note: str = "") -> dict[str, Any]:
        return {
            "label": label,
            "value": value,
            "note": note,
            "change_url": change(part),
            "change_label": "",
        }

    term, limit = loan_request.term_months, loan_request.max_apr_percent
    patents = list(loan_request.patents.all())
    return Summary(
        loan=[
            fact(_("Amount"), formats.wan(loan_request.principal), "loan"),
            fact(_("Least accepted"), formats.wan(loan_request.least_accepted), "loan"),
            fact(_("Term"), months(term) if term else None, "loan"),
            fact(
                _("Dearest yearly cost accepted"),
                formats.percent(limit) if limit is not None else _("no limit"),
                "loan",
            ),
        ],
        patents=[
            fact(
                ngettext("Patent offered", "Patents offered", len(patents)),
                listed(patent.title for patent in patents),
                "patents",
                note=ngettext("%(count)d patent", "%(count)d patents", len(patents))
                % {"count": len(patents)},
            )
        ],
        purpose=[
            fact(
                _("Purpose"),
                loan_request.get_purpose_display() if loan_request.purpose else None,
                "purpose",
            ),
            fact(_("In your own words"), loan_request.purpose_text, "purpose"),
        ],
    )


# States of annuities: what the tag says and how urgent it is.
ANNUITIES = {
    "not_granted": (gettext_lazy("Not granted yet"), "neutral"),
    "unknown": (gettext_lazy("Annuities not recorded"), "attention"),
    "paid": (gettext_lazy("Annuities paid"), "good"),
    "due_soon": (gettext_lazy("Annuity due soon"), "attention"),
    "in_grace": (gettext_lazy("Annuity overdue"), "bad"),
    "lapsed": (gettext_lazy("Ended: annuity not paid"), "bad"),
    "expired": (gettext_lazy("Term over"), "bad"),
}


def patent_rows(choices: Sequence[PatentChoice], chosen: Any) -> list[dict[str, Any]]:
    """A row per patent of the page of patents: what it is, what stands against it, the cure."""
    ticked = {str(each) for each in chosen or ()}
    rows = []
    for number, choice in enumerate(choices):
        label, tone = ANNUITIES[choice.annuity.state]
        # While nobody knows what is paid, a day would mislead.
        is_known = choice.annuity.state in ("paid", "due_soon", "in_grace")
        rows.append(
            {
                "id": f"id_patents_{number}",
                "choice": choice,
                "patent": choice.patent,
                "is_checked": str(choice.patent.pk) in ticked,
                "annuity_label": label,
                "annuity_tone": tone,
                "annuity_due_on": choice.annuity.payable_until if is_known else None,
                "findings": describe_all(choice.findings),
            }
        )
    return rows
