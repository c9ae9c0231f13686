"""The parts of a request as lists for templates: topics with states, answers, patents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from businesses.findings import describe_all
from financing.models.insurance_requests import InsuranceRequest
from financing.models.loan_requests import LoanRequest
from financing.owner_selectors import PatentChoice
from financing.pair_kinds import LOAN, AnyRequest, PairKind, kind_of
from financing.permissions import Cure, against_submitting, needs_patents
from financing.request_words import request_address
from financing.rule_texts import listed, months
from sipo_portal.accounts.access import SignedInRequest
from sipo_portal.ui import formats


def own_request(request: SignedInRequest, pk: int, kind: PairKind = LOAN) -> Any:
    """The user's request of this kind with its business; what belongs to others is absent (404)."""
    rows = kind.requests._default_manager.visible_to(request.user)
    return get_object_or_404(rows.select_related("business__region"), pk=pk)


def is_partial(request: SignedInRequest) -> bool:
    """Asked by htmx for a part of a page."""
    return bool(getattr(request, "htmx", False))


@dataclass(frozen=True)
class Part:
    """A topic of a request; its page ends in `_<name>`."""

    name: str
    label: str | Promise
    hint: str | Promise
    cures: tuple[Cure, ...] = ()


LOAN_PART = Part(
    "loan",
    gettext_lazy("The loan"),
    gettext_lazy("How much, for how long, at what cost"),
    (Cure.LOAN,),
)
COVER_PART = Part(
    "cover",
    gettext_lazy("The cover"),
    gettext_lazy("How much is insured, and for which premium at most"),
    (Cure.COVER,),
)
COLLATERAL_PART = Part(
    "patents", gettext_lazy("Patents"), gettext_lazy("What secures the loan"), (Cure.PATENTS,)
)
INSURED_PART = Part(
    "patents", gettext_lazy("Patents"), gettext_lazy("What is insured"), (Cure.PATENTS,)
)
PURPOSE_PART = Part(
    "purpose", gettext_lazy("Purpose"), gettext_lazy("What the money is for"), (Cure.PURPOSE,)
)
CHECK_PART = Part(
    "check",
    gettext_lazy("Check and submit"),
    gettext_lazy("See all your answers before anything counts"),
)
PARTS = {
    "loan": (LOAN_PART, COLLATERAL_PART, PURPOSE_PART, CHECK_PART),
    "insurance": (COVER_PART, INSURED_PART, CHECK_PART),
}


def parts_of(kind: PairKind) -> tuple[Part, ...]:
    """The topics of a kind's requests, in their order."""
    return PARTS[kind.name]


def part_tasks(subject: AnyRequest, *, current: str = "") -> list[dict[str, Any]]:
    """Topics with their state, for components/task_list.html and steps.html."""
    open_cures = {reason.cure for reason in against_submitting(subject)}
    tasks = []
    for part in parts_of(kind_of(subject)):
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
                "url": request_address(subject, part.name),
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
class Topic:
    """The answers to one topic as facts for components/summary_list.html."""

    label: str | Promise
    facts: list[dict[str, Any]]


@dataclass(frozen=True)
class Summary:
    """All answers, by topic."""

    topics: list[Topic]

    @property
    def all(self) -> list[dict[str, Any]]:
        return [fact for topic in self.topics for fact in topic.facts]


def summary_of(subject: AnyRequest, *, with_links: bool = False) -> Summary:
    """`with_links`: each answer gets the link to the page where it is changed."""
    if isinstance(subject, LoanRequest):
        answers = _loan_answers(subject)
    else:
        answers = _cover_answers(subject)
    topics = []
    for part, facts in answers:
        url = request_address(subject, part.name) if with_links else ""
        topics.append(
            Topic(part.label, [fact | {"change_url": url, "change_label": ""} for fact in facts])
        )
    return Summary(topics)


Answers = list[tuple[Part, list[dict[str, Any]]]]


def _loan_answers(subject: LoanRequest) -> Answers:
    term, limit = subject.term_months, subject.max_apr_percent
    purpose = subject.get_purpose_display() if subject.purpose else None
    loan: list[dict[str, Any]] = [
        {"label": _("Amount"), "value": formats.wan(subject.principal)},
        {"label": _("Least accepted"), "value": formats.wan(subject.least_accepted)},
        {"label": _("Term"), "value": months(term) if term else None},
        {
            "label": _("Dearest yearly cost accepted"),
            "value": formats.percent(limit) if limit is not None else _("no limit"),
        },
    ]
    purposes: list[dict[str, Any]] = [
        {"label": _("Purpose"), "value": purpose},
        {"label": _("In your own words"), "value": subject.purpose_text},
    ]
    patents = _patent_answer(subject, _("Patents offered"))
    return [(LOAN_PART, loan), (COLLATERAL_PART, patents), (PURPOSE_PART, purposes)]


def _cover_answers(subject: InsuranceRequest) -> Answers:
    limit = subject.premium_limit
    cover: list[dict[str, Any]] = [
        {"label": _("Cover"), "value": subject.get_cover_kind_display()},
        {"label": _("Sum insured"), "value": formats.wan(subject.sum_insured)},
        {
            "label": _("Highest premium accepted"),
            "value": formats.yuan(limit) if limit is not None else _("no limit"),
        },
    ]
    return [(COVER_PART, cover), (INSURED_PART, _patent_answer(subject, _("Patents insured")))]


def _patent_answer(subject: AnyRequest, label: str) -> list[dict[str, Any]]:
    patents = list(subject.patents.all())
    if not patents and not needs_patents(subject):
        return [{"label": label, "value": _("none: this cover needs no own patent")}]
    count = ngettext("%(count)d patent", "%(count)d patents", len(patents))
    titles = listed(patent.title for patent in patents)
    return [{"label": label, "value": titles, "note": count % {"count": len(patents)}}]


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
