"""The words of the acts on an offer: buttons and what the page that asks says will happen."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from financing.admin.steps import Step
from financing.models.loan_offers import LoanOffer
from financing.pair_kinds import AnyOffer
from sipo_portal.ui import formats


def step_texts(offer: AnyOffer) -> dict[str, Step]:
    """Every act on an offer by action, with the figures of this one."""
    window = _window(offer.opens_on, offer.closes_on)
    capacity = {"label": _("Capacity"), "value": formats.wan(offer.capacity_amount)}
    booked = {
        "label": _("Booked"),
        "value": formats.wan(offer.booked_amount),
        "note": _booked_text(offer),
    }
    return {
        step.action: step
        for step in (
            Step(
                action="publish",
                label=_("Publish"),
                consequence=_(
                    "Requests that meet the criteria are proposed from now on; branch offices "
                    "review them before they reach you."
                ),
                facts=[{"label": pgettext("period", "Open"), "value": window}, capacity],
                is_main=True,
            ),
            Step(
                action="resume",
                label=_("Publish again"),
                consequence=_("Requests that meet the criteria are proposed again from now on."),
                facts=[{"label": pgettext("period", "Open"), "value": window}, capacity, booked],
                is_main=True,
            ),
            Step(
                action="pause",
                label=_("Pause"),
                consequence=_(
                    "Nothing new is proposed until you publish it again. Referrals you have "
                    "received go on."
                ),
                facts=[booked],
            ),
            Step(
                action="refresh",
                label=_("Still valid"),
                consequence=_(
                    "The offer stays as it is. An offer that nobody confirms for long, and that no "
                    "match is under way with, is closed after a reminder."
                ),
                facts=[{"label": pgettext("period", "Open"), "value": window}, capacity, booked],
            ),
            Step(
                action="close",
                label=_("Close for good"),
                consequence=_(
                    "A closed offer cannot be opened or changed again; you can copy it as a new "
                    "draft. Referrals you have received go on."
                ),
                facts=[capacity, booked],
                is_dangerous=True,
            ),
            Step(
                action="copy",
                label=_("Copy as a draft"),
                consequence=_("A new draft with the same terms is made; nothing is booked on it."),
            ),
        )
    }


def _window(opens_on: date, closes_on: date | None) -> str:
    if closes_on is None:
        return _("from %(first)s until you close it") % {"first": formats.day(opens_on)}
    return _("%(first)s to %(last)s") % {
        "first": formats.day(opens_on),
        "last": formats.day(closes_on),
    }


def _booked_text(offer: AnyOffer) -> str:
    count = offer.booked_count
    if isinstance(offer, LoanOffer):
        return ngettext("%(count)d loan", "%(count)d loans", count) % {"count": count}
    return ngettext("%(count)d policy", "%(count)d policies", count) % {"count": count}
