"""Words of a referral for its institution: whose turn it is, by when, and why a step was refused.

Used by the lender's inbox in the admin. Blind pages get nothing here but states, dates and codes.
"""

from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from financing.consent_state import ConsentState
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import (
    DayCount,
    FeeKind,
    FeePayer,
    FeeTiming,
    LoanOffer,
    RepaymentMethod,
)
from financing.models.matches import Match, MatchStatus
from financing.models.terms import Terms
from financing.rule_texts import months
from financing.terms_costs import (
    LoanComparison,
    PremiumComparison,
    TermsLike,
    compare_with_posted,
)
from sipo_portal.offices.working_days import working_days_between
from sipo_portal.ui import formats

Fact = dict[str, Any]
# Codes of services.studies.StudyRefusal.
REFUSALS: dict[str, str | Promise] = {
    "identity_closed": gettext_lazy(
        "The business has not agreed yet that your institution learns who it is."
    ),
    "consent_withdrawn": gettext_lazy(
        "The business has withdrawn its consent. Without it you can only decline."
    ),
    "institution_suspended": gettext_lazy(
        "Your institution is suspended: it cannot offer terms now."
    ),
    "question_empty": gettext_lazy("Write what the business should tell or send you."),
}
LENDERS_TURN = (MatchStatus.REFERRED.value, MatchStatus.IN_STUDY.value)


def what_now(match: Match, consent: ConsentState, *, today: date) -> dict[str, str]:
    """Parameters of components/notice.html: what is awaited of whom, and by when."""
    title, text, tone = _now(match, consent)
    return {"title": title, "text": text, "tone": tone, "when": when_sentence(match, today=today)}


def _now(match: Match, consent: ConsentState) -> tuple[str, str, str]:
    match match.status:
        case MatchStatus.REFERRED if consent.is_open:
            return (
                _("The business opened its identity to you"),
                _("Take the referral into study, or decline it with a reason."),
                "attention",
            )
        case MatchStatus.REFERRED if match.interested_at is not None:
            return (
                _("You are interested; the business is asked for its consent"),
                _("You learn who it is as soon as everybody concerned has agreed."),
                "neutral",
            )
        case MatchStatus.REFERRED:
            return (
                _("Your first answer is awaited"),
                _("Say that you are interested, or decline with a reason."),
                "attention",
            )
        case MatchStatus.IN_STUDY if not consent.is_open:
            return (
                _("The business has withdrawn its consent"),
                _("You cannot read its data any more, nor offer terms, unless it agrees again."),
                "bad",
            )
        case MatchStatus.IN_STUDY:
            return (
                _("In study with you"),
                _("Offer terms, ask the business for more, or decline with a reason."),
                "attention",
            )
        case MatchStatus.WAITING:
            return (
                _("Waiting for the business"),
                _("It was asked your question. Your clock stands still until it answers."),
                "neutral",
            )
        case MatchStatus.TERMS_OFFERED:
            return (
                _("Your terms are with the business"),
                _("It accepts or declines them. You are bound until the last day."),
                "neutral",
            )
        case MatchStatus.ACCEPTED:
            return (
                _("The business accepted your terms"),
                _("The capacity stays booked. What is left to do is listed below."),
                "attention",
            )
        case MatchStatus.COMPLETED:
            return _("Completed"), _("The referral has reached its aim."), "good"
    return _("This referral is over"), str(match.get_status_display()), "neutral"


def when_sentence(match: Match, *, today: date) -> str:
    """By when whoever is awaited has to act; empty where nobody is."""
    deadline = match.deadline_on
    if deadline is None or not match.is_live or match.status == MatchStatus.ACCEPTED:
        return ""
    is_ours = is_lenders_turn(match)
    if deadline < today:
        text = (
            _("Your answer was due on %(day)s.")
            if is_ours
            else _("The business was to answer by %(day)s.")
        )
        return text % {"day": formats.day(deadline)}
    left = working_days_between(today, deadline)
    sentence = (
        ngettext(
            "Answer by %(day)s, %(count)d working day left.",
            "Answer by %(day)s, %(count)d working days left.",
            left,
        )
        if is_ours
        else ngettext(
            "The business answers by %(day)s, %(count)d working day left.",
            "The business answers by %(day)s, %(count)d working days left.",
            left,
        )
    )
    return sentence % {"day": formats.day(deadline), "count": left}


def short_deadline(match: Match, *, today: date) -> str:
    """The deadline for a cell of the inbox: the day and the working days left."""
    deadline = match.deadline_on
    if deadline is None or not match.is_live:
        return formats.NOTHING
    if match.status == MatchStatus.ACCEPTED:
        # Both have something to do until the money is out, or the policy issued.
        return _("%(day)s, to be completed") % {"day": formats.day(deadline)}
    if not is_lenders_turn(match):
        return _("business, %(day)s") % {"day": formats.day(deadline)}
    left = working_days_between(today, deadline)
    if deadline < today:
        return _("%(day)s, overdue") % {"day": formats.day(deadline)}
    text = ngettext("%(day)s, %(count)d working day", "%(day)s, %(count)d working days", left)
    return text % {"day": formats.day(deadline), "count": left}


def is_lenders_turn(match: Match) -> bool:
    """Whether the institution is awaited: the stage's clock is its own."""
    return match.status in LENDERS_TURN and match.clock_stage != "consent"


def terms_facts(terms: TermsLike, *, valid_until: date, conditions: str) -> list[Fact]:
    """Terms as their institution offered them."""
    facts: list[Fact] = []
    if terms.premium is not None:
        facts += [
            {"label": _("Sum insured"), "value": formats.yuan(terms.amount)},
            {"label": _("Premium"), "value": formats.yuan(terms.premium)},
            {"label": _("Excess"), "value": formats.percent(terms.excess_percent)},
            {"label": _("Period of cover"), "value": months(terms.term_months)},
        ]
    else:
        repayment, day_count = _loan_labels(terms)
        facts += [
            {"label": _("Principal"), "value": formats.yuan(terms.amount)},
            {"label": _("Interest rate"), "value": formats.percent(terms.interest_rate_percent)},
            {"label": _("Term"), "value": months(terms.term_months)},
            {"label": _("Repayment"), "value": repayment, "note": day_count},
            {"label": _("Fees"), "value": fees_text(terms) or _("none")},
        ]
    facts.append({"label": _("Valid until"), "value": formats.day(valid_until)})
    facts.append({"label": _("Conditions"), "value": conditions or _("none")})
    return facts


def standing_terms_facts(terms: Terms) -> list[Fact]:
    """The same for a stored row."""
    return terms_facts(terms, valid_until=terms.valid_until, conditions=terms.conditions)


def cost_facts(match: Match, terms: TermsLike, *, on: date) -> list[Fact]:
    """What the terms cost beside the posted ones, and whether they are dearer."""
    compared = compare_with_posted(match, terms, on=on)
    note = dearer_text(compared)
    if isinstance(compared, PremiumComparison):
        posted = _("Posted: %(figure)s.") % {"figure": formats.yuan(compared.posted_premium)}
        return [
            {
                "label": _("Premium beside the posted one"),
                "value": formats.yuan(compared.offered_premium),
                "note": " ".join(filter(None, (posted, note))),
            }
        ]
    if compared.offered is None:
        value = _("cannot be given: the fees eat the principal")
        return [{"label": _("Yearly cost (APR)"), "value": value, "note": note}]
    posted = (
        _("Posted: %(figure)s.") % {"figure": formats.percent(compared.posted.apr_percent)}
        if compared.posted is not None
        else ""
    )
    return [
        {
            "label": _("Yearly cost (APR)"),
            "value": formats.percent(compared.offered.apr_percent),
            "note": " ".join(filter(None, (posted, note))),
        },
        {
            "label": _("Cost to the business in all"),
            "value": formats.yuan(compared.offered.total_cost),
            "note": _("interest and fees over the whole term, before public subsidy"),
        },
    ]


def dearer_text(compared: LoanComparison | PremiumComparison) -> str:
    """What both sides read where terms are dearer than posted; empty where they are not."""
    if not compared.is_dearer:
        return ""
    return _("Dearer than posted: the business is told so.")


def capacity_fact(offer: LoanOffer | InsuranceOffer, amount: Any) -> Fact:
    """How much of the offer's capacity is free, before and after `amount` is booked."""
    free = offer.capacity_amount - offer.booked_amount
    return {
        "label": _("Capacity of your offer"),
        "value": _("%(amount)s are booked") % {"amount": formats.yuan(amount)},
        "note": _("free now %(free)s, then %(left)s")
        % {"free": formats.yuan(free), "left": formats.yuan(max(free - amount, 0))},
    }


def exhausted_text(free_amount: Any, free_count: int | None) -> str:
    """For the lender who came too late: what is still free of the offer's capacity."""
    if free_count is not None and free_count < 1:
        return _(
            "Somebody of your institution was faster: all places of this offer are taken. Raise "
            "its capacity to offer these terms."
        )
    if free_amount <= 0:
        return _(
            "Somebody of your institution was faster: nothing of this offer's capacity is free any "
            "more. Raise its capacity to offer these terms."
        )
    return _(
        "Only %(free)s of this offer's capacity are still free. Offer that or less, or raise its "
        "capacity."
    ) % {"free": formats.yuan(free_amount)}


def fees_text(terms: TermsLike) -> str:
    """The fees in one line."""
    kinds, payers, timings = (
        {str(code): str(label) for code, label in choices.choices}
        for choices in (FeeKind, FeePayer, FeeTiming)
    )
    return pgettext("between parts of a list", "; ").join(
        _("%(fee)s: %(figure)s (%(payer)s, %(when)s)")
        % {
            "fee": kinds.get(row["kind"], row["kind"]),
            "figure": formats.yuan(row["amount"])
            if row.get("amount") is not None
            else formats.percent(row.get("percent")),
            "payer": payers.get(row["payer"], row["payer"]),
            "when": timings.get(row["timing"], row["timing"]),
        }
        for row in terms.fee_rows
    )


def _loan_labels(terms: TermsLike) -> tuple[str, str]:
    repayments, day_counts = (
        {str(code): str(label) for code, label in choices.choices}
        for choices in (RepaymentMethod, DayCount)
    )
    return repayments.get(terms.repayment_method, ""), day_counts.get(terms.day_count, "")
