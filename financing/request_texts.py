"""Words about a request for its owner: reasons, states, what to do next; views read them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from businesses.models.businesses import BusinessStatus, SizeClass, SizeIndicator
from financing.models.loan_requests import LoanRequest
from financing.models.matches import Match, MatchStatus
from financing.models.requests import RequestStatus
from financing.pair_kinds import AnyRequest
from financing.permissions import Cure, Reason, ReasonCode
from financing.request_words import request_address, words_of
from sipo_portal.ui import formats

# Unrefreshed for so long without a live match a request expires (DOMAIN 3).
KEPT_DAYS = 90
ASK_AFTER_DAYS = 45

REASONS: dict[str, str | Promise] = {
    ReasonCode.BUSINESS_SUSPENDED: gettext_lazy(
        "The business is suspended. Ask the branch office why."
    ),
    ReasonCode.BUSINESS_TOO_LARGE: gettext_lazy(
        "Requests are for small and micro businesses. This one counts as %(size_class)s;"
        " what decides is: %(indicator)s."
    ),
    ReasonCode.SIZE_UNDETERMINED: gettext_lazy(
        "The size of the business is not known yet. State its industry, staff, revenue and assets."
    ),
    ReasonCode.INDUSTRY_NOT_COVERED: gettext_lazy(
        "The size standard does not cover the industry of the business, so it cannot ask here."
    ),
    ReasonCode.LOAN_INCOMPLETE: gettext_lazy("Say how much you want to borrow and for how long."),
    ReasonCode.COVER_INCOMPLETE: gettext_lazy("Say how much is to be insured."),
    ReasonCode.LEAST_ABOVE_PRINCIPAL: gettext_lazy(
        "The least you accept is more than the amount you ask for."
    ),
    ReasonCode.NO_PATENT: gettext_lazy("Choose at least one patent."),
    ReasonCode.PATENT_ENDED: gettext_lazy(
        "The patent %(number)s has ended or is a draft. Take it out."
    ),
    ReasonCode.PATENT_FOREIGN: gettext_lazy(
        "One of the patents chosen cannot be offered. Choose again."
    ),
    ReasonCode.PURPOSE_MISSING: gettext_lazy("Say what the money is for."),
    ReasonCode.OTHER_REQUEST_OPEN: gettext_lazy(
        "The business has another loan request in hand. A business has one at a time: withdraw"
        " the other one, or wait until it is over."
    ),
    ReasonCode.OTHER_COVER_OPEN: gettext_lazy(
        "The business has another request for this cover in hand. It has one for each cover at a"
        " time: withdraw the other one, or wait until it is over."
    ),
    ReasonCode.NOT_CHANGEABLE: gettext_lazy(
        "A request that was submitted is fixed. Withdraw it and continue with a copy."
    ),
    ReasonCode.NOT_A_DRAFT: gettext_lazy("Only a draft can be deleted."),
    ReasonCode.NOT_IN_MATCHING: gettext_lazy("This request does not take part in matching."),
    ReasonCode.NOT_WITHDRAWABLE: gettext_lazy("This request can no longer be withdrawn."),
}

REFUSED_INDICATORS = {SizeIndicator.EMPLOYEES, SizeIndicator.REVENUE_WAN, SizeIndicator.ASSETS_WAN}


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """A reason in words, and the page where it is cured ("" where there is none)."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class NextAction:
    """What must I do now, and by when? Parameters of components/notice.html."""

    title: str
    text: str
    when: str = ""
    tone: str = ""
    action_url: str = ""
    action_label: str = ""


StepState = Literal["done", "current", "todo"]


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: StepState
    url: str = ""


def reason_line(reason: Reason, subject: AnyRequest) -> ReasonLine:
    """A reason against an act on this request, with its cure."""
    return ReasonLine(reason_text(reason), cure_url(reason, subject))


def reason_text(reason: Reason) -> str:
    detail = dict(reason.detail)
    if "size_class" in detail:
        detail["size_class"] = str(SizeClass(detail["size_class"]).label)
        indicator = detail["indicator"]
        known = indicator in SizeIndicator.values
        detail["indicator"] = str(SizeIndicator(indicator).label) if known else formats.NOTHING
    return str(REASONS[reason.code]) % detail


def cure_url(reason: Reason, subject: AnyRequest) -> str:
    match reason.cure:
        case Cure.BUSINESS:
            return reverse("businesses:edit", args=[subject.business_id])
        case Cure.LOAN:
            return request_address(subject, "loan")
        case Cure.COVER:
            return request_address(subject, "cover")
        case Cure.PATENTS:
            return request_address(subject, "patents")
        case Cure.PURPOSE:
            return request_address(subject, "purpose")
        case Cure.OTHER_REQUEST:
            other = {"pk": dict(reason.detail)["request_id"]}
            return request_address(type(subject)(**other), "detail")
        case _:
            return ""


# --- how far it got ------------------------------------------------------------------------------

STEPS: tuple[str | Promise, ...] = (
    pgettext_lazy("step of a request", "Submitted"),
    pgettext_lazy("step of a request", "Matched with offers"),
    pgettext_lazy("step of a request", "In review at the branch office"),
    pgettext_lazy("step of a request", "With an institution"),
    pgettext_lazy("step of a request", "Terms accepted"),
    pgettext_lazy("step of a request", "Money received"),
)
COVER_STEPS: tuple[str | Promise, ...] = (
    *STEPS[:-1],
    pgettext_lazy("step of a request", "Policy issued"),
)
REACHED_BY_MATCH = {
    MatchStatus.IN_REVIEW: 2,
    MatchStatus.RETURNED: 2,
    MatchStatus.REFERRED: 3,
    MatchStatus.IN_STUDY: 3,
    MatchStatus.WAITING: 3,
    MatchStatus.TERMS_OFFERED: 3,
    MatchStatus.ACCEPTED: 4,
    MatchStatus.COMPLETED: 5,
}


def steps_of(subject: AnyRequest, matches: list[Match]) -> list[Step]:
    """Where the request stands between submitting and the money or the policy."""
    reached = {
        RequestStatus.OPEN: 1,
        RequestStatus.COMMITTED: 4,
        RequestStatus.FUNDED: 5,
        RequestStatus.COVERED: 5,
    }.get(RequestStatus(subject.status), 0)
    live = [REACHED_BY_MATCH.get(MatchStatus(match.status), 0) for match in matches]
    reached = max([reached, *live])
    is_done = subject.status in (RequestStatus.FUNDED, RequestStatus.COVERED)
    labels = STEPS if isinstance(subject, LoanRequest) else COVER_STEPS
    return [
        Step(
            str(label),
            "done" if number < reached or is_done else "current" if number == reached else "todo",
        )
        for number, label in enumerate(labels)
    ]


# --- what to do now ------------------------------------------------------------------------------


def next_action(
    subject: AnyRequest, matches: list[Match], *, proposal_count: int, today: date
) -> NextAction:
    """The one thing that answers "what must I do now, and by when?" for a submitted request."""
    status = RequestStatus(subject.status)
    if status in OVER:
        return _over(subject, matches, status)
    if status == RequestStatus.RETURNED:
        return NextAction(
            _("Please complete your request"),
            subject.returned_reason
            or _("The branch office has asked for more. Look through your answers and send again."),
            tone="attention",
            action_url=request_address(subject, "check"),
            action_label=_("Change and send again"),
        )
    if status == RequestStatus.COMMITTED:
        accepted = [match for match in matches if match.status == MatchStatus.ACCEPTED]
        return NextAction(
            _("You have accepted terms"),
            str(words_of(subject).committed),
            when=_expected(accepted[0].deadline_on) if accepted else "",
            tone="good",
            action_url=_match_url(accepted),
            action_label=_("Follow pledge and payment"),
        )
    asked = _asked_of_the_business(subject, matches)
    if asked is not None:
        return asked
    if subject.business.status != BusinessStatus.VERIFIED and proposal_count:
        return NextAction(
            _("The branch office verifies your business next"),
            _(
                "Offers fit. Before anything goes to an institution, a coordinator checks your"
                " licence. Have your business details complete and correct."
            ),
            tone="attention",
            action_url=reverse("businesses:detail", args=[subject.business_id]),
            action_label=_("Check the business details"),
        )
    waiting = _waiting_for_others(matches)
    if waiting is not None:
        return waiting
    stale = _still_wanted(subject, today)
    if stale is not None:
        return stale
    return _matched(subject, proposal_count)


OVER = (
    RequestStatus.FUNDED,
    RequestStatus.COVERED,
    RequestStatus.WITHDRAWN,
    RequestStatus.EXPIRED,
)


def _over(subject: AnyRequest, matches: list[Match], status: RequestStatus) -> NextAction:
    if status in (RequestStatus.FUNDED, RequestStatus.COVERED):
        words = words_of(subject)
        completed = [match for match in matches if match.status == MatchStatus.COMPLETED]
        if completed and not getattr(completed[0], "has_delivery", True):
            return NextAction(
                str(words.done_question),
                _("One click if all is as agreed."),
                tone="attention",
                action_url=f"{_match_url(completed)}#delivery",
                action_label=_("Confirm what you got"),
            )
        return NextAction(
            str(words.done_title),
            _("There is nothing left to do here."),
            tone="good",
            action_url=_match_url(completed),
            action_label=str(words.done_link),
        )
    text = (
        _(
            "You withdrew this request. Nobody works on it any more. You can ask again with the"
            " same answers below."
        )
        if status == RequestStatus.WITHDRAWN
        else _(
            "This request expired because it was not confirmed for 90 days. You can ask again with"
            " the same answers below."
        )
    )
    return NextAction(
        _("This request is closed"),
        text,
        tone="neutral",
    )


def _match_url(matches: list[Match]) -> str:
    return reverse("financing:owner_match", args=[matches[0].pk]) if matches else ""


def _asked_of_the_business(subject: AnyRequest, matches: list[Match]) -> NextAction | None:
    for match in matches:
        if match.status == MatchStatus.RETURNED:
            return NextAction(
                _("The branch office asks you for more"),
                _("Read what is asked and answer below. The review goes on as soon as you do."),
                when=_by(match.deadline_on),
                tone="attention",
                action_url="#answer",
                action_label=_("Answer now"),
            )
    for match in matches:
        if match.status == MatchStatus.TERMS_OFFERED:
            return NextAction(
                _("An institution has offered terms"),
                _("Compare them with what was posted, then accept or decline them."),
                when=_by(match.deadline_on),
                tone="attention",
                action_url=reverse("financing:owner_match", args=[match.pk]),
                action_label=_("Look at the terms"),
            )
    for match in matches:
        if match.status == MatchStatus.WAITING:
            return NextAction(
                _("An institution asks you for more"),
                _("Read what is asked and answer with text and files."),
                when=_by(match.deadline_on),
                tone="attention",
                action_url=reverse("financing:owner_match", args=[match.pk]),
                action_label=_("Answer now"),
            )
    return _consent_asked(matches)


def _consent_asked(matches: list[Match]) -> NextAction | None:
    """The first match whose institution may not know the business yet; interested ones before.

    Reads `has_own_consent` and `has_identity` where `owner_selectors.with_consent` put them.
    """
    asked = [
        match
        for match in matches
        if match.status in (MatchStatus.REFERRED, MatchStatus.IN_STUDY)
        and not (getattr(match, "has_own_consent", True) and getattr(match, "has_identity", True))
    ]
    for match in sorted(asked, key=lambda each: each.interested_at is None):
        is_interested = match.interested_at is not None
        action_url = reverse("financing:owner_match", args=[match.pk])
        when = _by(match.deadline_on) if is_interested else ""
        if getattr(match, "has_own_consent", True):
            return NextAction(
                _("Other persons have to consent too"),
                _("Until they do, the institution does not learn who you are."),
                when=when,
                tone="attention",
                action_url=action_url,
                action_label=_("See who is missing"),
            )
        return NextAction(
            _("The institution is interested: may it know who you are?")
            if is_interested
            else _("May the institution know who you are?"),
            _("It cannot offer terms before. You decide, and can take it back any time."),
            when=when,
            tone="attention",
            action_url=action_url,
            action_label=_("Read and decide"),
        )
    return None


def _waiting_for_others(matches: list[Match]) -> NextAction | None:
    with_lender = [
        match for match in matches if match.status in (MatchStatus.REFERRED, MatchStatus.IN_STUDY)
    ]
    if with_lender:
        return NextAction(
            _("Nothing to do now: an institution is looking at your request"),
            _("You are told as soon as it answers."),
            when=_expected(with_lender[0].deadline_on),
        )
    if matches:
        return NextAction(
            _("Nothing to do now: the branch office is reviewing your request"),
            _("A coordinator checks each offer before anything goes to an institution."),
            when=_expected(matches[0].deadline_on),
        )
    return None


def _still_wanted(subject: AnyRequest, today: date) -> NextAction | None:
    if subject.refreshed_at is None:
        return None
    refreshed_on = timezone.localdate(subject.refreshed_at)
    if (today - refreshed_on).days < ASK_AFTER_DAYS:
        return None
    return NextAction(
        str(words_of(subject).still_wanted_question),
        _("Confirm it below, so that the request is kept and matched with new offers."),
        when=_by(refreshed_on + timedelta(days=KEPT_DAYS)),
        tone="attention",
        action_url="#still-wanted",
        action_label=_("Go to the confirmation"),
    )


def _matched(subject: AnyRequest, proposal_count: int) -> NextAction:
    offers_url = request_address(subject, "offers")
    if proposal_count:
        return NextAction(
            _("Offers fit your request"),
            _(
                "Look at them below. A coordinator of the branch office reviews them next; you"
                " need not do anything for that."
            ),
            tone="good",
        )
    return NextAction(
        _("No offer fits yet"),
        _("Look at what nearly fits: often one change is enough. We look again every night."),
        tone="attention",
        action_url=offers_url,
        action_label=_("See what would change it"),
    )


def _by(day: date | None) -> str:
    return _("Please answer by %(day)s.") % {"day": formats.day(day)} if day else ""


def _expected(day: date | None) -> str:
    return _("An answer is expected by %(day)s.") % {"day": formats.day(day)} if day else ""
