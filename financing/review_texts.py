"""Words of the review: refusals, deadlines, decisions, the next thing to do; review pages use them.

Figures and dates are formatted in the reader's language: call these while answering a request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from financing.matching.contention import Contention
from financing.models.matches import Match, MatchStatus
from financing.rule_texts import listed, rule_title
from financing.services.matches import MatchRefusal, MatchRefused
from sipo_portal.offices.working_days import working_days_between
from sipo_portal.ui import formats

Text = str | Promise

REFUSALS: dict[MatchRefusal, Text] = {
    MatchRefusal.PROPOSAL_GONE: _(
        "A newer match run no longer proposes this offer. Look at what it proposes instead."
    ),
    MatchRefusal.CLAIMED_BY_OTHER: _(
        "A colleague has claimed this match. Take it over if you are to decide it."
    ),
    MatchRefusal.OWN_INTEREST: _(
        "You belong to this business or this institution, so a colleague has to decide."
    ),
    MatchRefusal.BUSINESS_NOT_VERIFIED: _(
        "The business is not verified yet. Compare it with its licence first, then approve."
    ),
    MatchRefusal.REGISTER_EXTRACT_TOO_OLD: _(
        "Compare these patents with the register today and tick the box: %(details)s."
    ),
    MatchRefusal.NO_LONGER_FITS: _(
        "The match no longer fits the offer: %(details)s. Reject it, or return it to the business."
    ),
    MatchRefusal.CONTENDED: _(
        "Wait for the next full run: more is asked of this offer than it can give."
    ),
    MatchRefusal.REASON_NEEDS_TEXT: _("Explain the reason in the text."),
    MatchRefusal.NOT_IN_REVIEW: _("This match is no longer in review; nothing is left to decide."),
}

# Why a provisional proposal waits, before anybody tries to claim it.
CONTENTIONS: dict[Contention, Text] = {
    Contention.PRICED: _(
        "In the last full match run more was asked of this offer than it can give. So the next one"
        " decides who gets it, not whoever is first."
    ),
    Contention.SHORT: _(
        "More is proposed of this offer now than it has left. So the next full match run decides"
        " who gets it, not whoever is first."
    ),
}

# Decisions as the history of a match tells them.
ACTIONS: dict[str, Text] = {
    "approve": _("Approved and referred"),
    "reject": _("Rejected"),
    "return": _("Returned to the business"),
    "resubmit": _("Answered by the business"),
    "decline": _("Declined by the institution"),
    "decline_terms": _("Terms declined by the business"),
    "ask": _("More asked by the institution"),
    "answer": _("Answered by the business"),
}


@dataclass(frozen=True, slots=True)
class RefusalText:
    """Why a step was refused, and the page where it is cured ("" where there is none)."""

    sentence: str
    url: str = ""
    label: str = ""


def refusal_text(refused: MatchRefused, *, business_id: int) -> RefusalText:
    """The refusal in words, with the way out."""
    details: Iterable[str] = refused.details
    if refused.code == MatchRefusal.NO_LONGER_FITS:
        details = (rule_title(code) for code in details)
    elif refused.code == MatchRefusal.REGISTER_EXTRACT_TOO_OLD:
        details = (f"ZL{number}" for number in details)
    sentence = str(REFUSALS[refused.code]) % {"details": listed(details)}
    match refused.code:
        case MatchRefusal.BUSINESS_NOT_VERIFIED:
            url = reverse("businesses:verification_detail", args=[business_id])
            return RefusalText(sentence, url, str(_("Verify the business")))
        case MatchRefusal.CONTENDED:
            return RefusalText(
                sentence, reverse("financing:run_start"), str(_("Start a match run"))
            )
    return RefusalText(sentence)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that cannot be claimed yet: why, and when that is decided."""

    why: str
    when: str


def waiting_for_run(contention: Contention, *, run_on: date) -> Waiting:
    when = _("The next full run is in the early morning of %(day)s.") % {"day": formats.day(run_on)}
    return Waiting(str(CONTENTIONS[contention]), str(when))


def changed_meanwhile() -> str:
    """For a step the match's state no longer allows."""
    return str(_("Somebody has decided this match meanwhile. This is its present state."))


def action_label(action: str) -> str:
    return str(ACTIONS.get(action, action))


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day by which somebody has to act. `tone`: of its tag."""

    on: date
    working_days_left: int
    sentence: str
    tone: str

    @property
    def is_overdue(self) -> bool:
        return self.working_days_left < 0 or self.tone == "bad"


def deadline_of(on: date | None, *, today: date) -> Deadline | None:
    """How much time is left until a day, in working days."""
    if on is None:
        return None
    left = working_days_between(today, on)
    if on < today:
        # A deadline passed over a holiday is overdue although no working day has gone by.
        late = max(1, -left)
        sentence = ngettext(
            "overdue by %(count)d working day", "overdue by %(count)d working days", late
        )
        return Deadline(on, -late, sentence % {"count": late}, "bad")
    if on == today:
        return Deadline(on, 0, str(_("due today")), "attention")
    sentence = ngettext("%(count)d working day left", "%(count)d working days left", left)
    return Deadline(on, left, sentence % {"count": left}, "attention" if left <= 1 else "neutral")


def waiting_text(days: int) -> str:
    """How long a business has waited."""
    if days == 0:
        return str(_("since today"))
    return ngettext("for %(count)d day", "for %(count)d days", days) % {"count": days}


@dataclass(frozen=True, slots=True)
class Now:
    """What must be done now, and by when: parameters of components/notice.html."""

    title: str
    text: str
    when: str = ""
    tone: str = ""
    url: str = ""
    label: str = ""


def queue_now(
    first_mine: Match | None, *, mine_count: int, overdue_count: int, claim_count: int, today: date
) -> Now:
    """The head of the queue: own matches before new ones, the earliest deadline first."""
    if first_mine is not None:
        deadline = deadline_of(first_mine.deadline_on, today=today)
        title = ngettext(
            "%(count)d match waits for your decision",
            "%(count)d matches wait for your decision",
            mine_count,
        ) % {"count": mine_count}
        text: Text = _("Next: %(business)s with %(institution)s.") % {
            "business": first_mine.business.name,
            "institution": first_mine.institution.label,
        }
        when = ""
        if deadline is not None:
            sentence = _("Decide by %(day)s: %(left)s.") % {
                "day": formats.day(deadline.on),
                "left": deadline.sentence,
            }
            when = str(sentence)
        url = reverse("financing:match_detail", args=[first_mine.pk])
        tone = "attention" if overdue_count else ""
        return Now(title, str(text), when, tone, url, str(_("Decide the next match")))
    if claim_count:
        title = ngettext(
            "%(count)d request has proposals nobody has claimed",
            "%(count)d requests have proposals nobody has claimed",
            claim_count,
        ) % {"count": claim_count}
        text = _("Open the first one below, look at its proposals and claim what you will decide.")
        return Now(title, str(text))
    return Now(
        str(_("Nothing waits for you")),
        str(_("Every proposal of your region is claimed or decided.")),
        tone="good",
    )


def match_now(match: Match, *, is_mine: bool, today: date) -> Now | None:
    """The head of a match page: whose turn it is."""
    deadline = deadline_of(match.deadline_on, today=today)
    by = ""
    if deadline is not None:
        by = f"{formats.day(deadline.on)} · {deadline.sentence}"
    tone = "attention" if deadline is not None and deadline.is_overdue else ""
    match MatchStatus(match.status):
        case MatchStatus.IN_REVIEW if is_mine:
            return Now(str(_("Decide: approve, reject or return")), "", by, tone)
        case MatchStatus.IN_REVIEW if match.escalated_to is not None:
            text = _(
                "The office below was silent: %(office)s answers for this review now. Take it over "
                "to decide it."
            )
            office = {"office": match.escalated_to.label}
            return Now(str(_("Handed up")), str(text) % office, by, tone or "attention")
        case MatchStatus.IN_REVIEW:
            name = match.claimed_by.name if match.claimed_by else formats.NOTHING
            text = _("%(name)s has claimed this match. Take it over to decide it yourself.")
            return Now(
                str(_("A colleague decides")), str(text) % {"name": name}, by, tone or "neutral"
            )
        case MatchStatus.RETURNED:
            return Now(
                str(_("Waiting for the business")),
                str(_("It was asked for more. Its answer brings the match back into review.")),
                by,
                "neutral",
            )
        case MatchStatus.REFERRED:
            return Now(
                str(_("Waiting for the institution")),
                str(_("It sees the match without the name of the business, and answers by:")),
                by,
                "neutral",
            )
    return None
