"""Where the yearly fees of a patent stand, in words and on the time line; patent pages read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses import selectors
from businesses.models import Patent
from businesses.rules import annuities
from businesses.rules.annuities import AnnuityStatus
from sipo_portal.ui import charts, formats

Text = str | Promise

LABELS: dict[str, Text] = {
    "not_granted": _("None before the grant"),
    "unknown": _("Not recorded"),
    "paid": _("Paid"),
    "due_soon": _("Due soon"),
    "in_grace": _("Overdue, can still be paid"),
    "lapsed": _("Not paid: the patent has ended"),
    "expired": _("Term over"),
}
TONES = {
    "paid": "good",
    "due_soon": "attention",
    "in_grace": "bad",
    "unknown": "attention",
    "lapsed": "over",
    "expired": "over",
    "not_granted": "neutral",
}
_SENTENCES: dict[str, Text] = {
    "not_granted": _("Yearly fees begin with the grant."),
    "unknown": _(
        "Nobody has entered up to which patent year the fees are paid. Until then the patent "
        "cannot be pledged."
    ),
    "paid": _("The next fee, for patent year %(year)s, is %(fee)s; pay it by %(until)s."),
    "due_soon": _("Pay %(fee)s for patent year %(year)s by %(until)s."),
    "in_grace": _(
        "The fee for patent year %(year)s was due on %(due)s. It can still be paid until "
        "%(grace)s; today that is %(amount)s, of it %(surcharge)s surcharge. After that the "
        "patent has ended."
    ),
    "lapsed": _(
        "The fee for patent year %(year)s was not paid: the patent ended on %(due)s, the day "
        "the fee was due."
    ),
    "expired": _("The term of the patent is over."),
}
_ALL_PAID = _("All yearly fees up to the end of the term are paid.")


@dataclass(frozen=True, slots=True)
class AnnuityText:
    """State of the yearly fees for a page: word, tone of its tag, sentence."""

    state: str
    label: str
    tone: str
    sentence: str


def describe(status: AnnuityStatus) -> AnnuityText:
    """The status in the reader's language; call it while answering a request."""
    if status.state == "paid" and status.next_year is None:
        sentence = str(_ALL_PAID)
    else:
        sentence = str(_SENTENCES[status.state]) % _words(status)
    return AnnuityText(status.state, str(LABELS[status.state]), TONES[status.state], sentence)


def _words(status: AnnuityStatus) -> Mapping[str, str]:
    return {
        "year": str(status.next_year),
        "fee": formats.yuan(status.fee),
        "until": formats.day(status.payable_until),
        "due": formats.day(status.next_due_on),
        "grace": formats.day(status.grace_ends_on),
        "amount": formats.yuan(status.amount_due),
        "surcharge": formats.yuan(status.surcharge),
    }


def timeline(patent: Patent, *, on: date) -> charts.Chart:
    """The patent's term with every yearly fee since the grant."""
    status = selectors.annuity_status(patent, on=on)
    fees = []
    if patent.granted_on is not None:
        rows = annuities.schedule(
            selectors.kind_of(patent),
            patent.filed_on,
            patent.granted_on,
            relief_percent=patent.annuity_relief_percent,
            next_working_day=selectors.next_working_day,
        )
        fees = [
            charts.Annuity(
                due_on=row.due_on,
                amount=row.fee,
                state=_state(patent, row.year, status, is_first=row is rows[0]),
                label=str(_("Fee of patent year %(year)s") % {"year": row.year}),
            )
            for row in rows
        ]
    return charts.term_timeline(
        filed_on=patent.filed_on,
        expires_on=selectors.expires_on(patent),
        today=on,
        annuities=fees,
    )


def _state(patent: Patent, year: int, status: AnnuityStatus, *, is_first: bool) -> str:
    paid = patent.annuity_paid_through_year
    if is_first or (paid is not None and year <= paid):
        return "paid"
    if status.next_year != year or status.state == "unknown":
        return "later"
    return "late" if status.is_unpaid else "due"
