"""Why a stored run proposed an offer to a request or not, in words; the page of both reads it.

Figures are formatted in the reader's language: call these while answering a request.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from financing.matching.columns import PPM
from financing.matching.explanations import (
    BEYOND_K,
    CAPACITY_EXHAUSTED,
    INSTITUTION_ALREADY_PROPOSED,
    PROPOSED,
)
from financing.matching.stored_runs import StoredExplanation, StoredRoom
from financing.rule_texts import describe, listed
from sipo_portal.ui import formats

Text = str | Promise

FEN = 100
LEAST = Decimal("0.01")
# Smaller sums are named to the fen.
SHORT_FROM = Decimal(10_000)


def money(fen: int) -> str:
    """Whole fen as people read them."""
    amount = Decimal(fen) / FEN
    return formats.wan(amount) if amount >= SHORT_FROM else formats.yuan(amount)


def price_text(room: StoredRoom) -> str:
    """What more room of the offer would have brought in that run, by the policy's measure."""
    texts: list[str] = []
    if room.price_fen_ppm:
        price = Decimal(room.price_fen_ppm) / PPM
        shown = (
            str(_("under %(amount)s")) % {"amount": formats.yuan(LEAST)}
            if price < LEAST
            else formats.yuan(price)
        )
        text = _("One more yuan of this offer's capacity would have brought %(amount)s.")
        texts.append(str(text) % {"amount": shown})
    if room.price_count_fen:
        text = _("One more loan or policy under this offer would have brought %(amount)s.")
        texts.append(str(text) % {"amount": money(room.price_count_fen)})
    return " ".join(texts) or str(_("Its room cost nothing: more would have brought nothing."))


def reason(
    each: StoredExplanation, names: Mapping[str, str], labels: Mapping[str, str]
) -> list[str]:
    """Why the offer was not proposed, sentence by sentence.

    `names`: of offers by id; `labels`: of regions by code.
    """
    if each.weighed is None:
        return _refusals(each, labels)
    if each.outcome == CAPACITY_EXHAUSTED:
        return [_no_room(each)]
    texts: list[str] = []
    rivals = [names[offer] for offer in each.lost_to_offer_ids if offer in names]
    # Live matches are kept without their offers.
    has_match = "" in each.lost_to_offer_ids
    if each.outcome == INSTITUTION_ALREADY_PROPOSED:
        if rivals:
            text = _("Another offer of the same institution was proposed: %(offers)s.")
            texts.append(str(text) % {"offers": listed(rivals)})
        if has_match:
            texts.append(str(_("A match with the same institution was under way.")))
    elif each.outcome == BEYOND_K:
        text = _("As many better offers as the policy allows were proposed: %(offers)s.")
        if rivals:
            texts.append(str(text) % {"offers": listed(rivals)})
        if has_match:
            texts.append(str(_("Matches under way count among those the policy allows.")))
    elif each.needed_fen:
        texts.append(str(_("Its room brought more elsewhere.")))
    if each.needed_fen:
        text = _("This one would have had to be worth %(amount)s more by the policy's measure.")
        texts.append(str(text) % {"amount": money(each.needed_fen)})
    elif each.needed_fen == 0:
        text = _(
            "It was worth the price of its room; what decided is that no loan or policy is split."
        )
        texts.append(str(text))
    return texts


def _no_room(each: StoredExplanation) -> str:
    room = each.room
    assert room is not None
    assert each.weighed is not None
    if room.room_count == 0:
        return str(_("It had no loan or policy left to give before the run."))
    text = _(
        "The run could propose %(room)s of it in all; this request would have needed %(amount)s."
    )
    return str(text) % {"room": money(room.room_fen), "amount": money(each.weighed.amount_fen)}


def _refusals(each: StoredExplanation, labels: Mapping[str, str]) -> list[str]:
    """The first refusal in full, and how many more there were."""
    refused = [result for result in each.results if not result.passed]
    if not refused:
        return []
    texts = [describe(refused[0], labels=labels).sentence]
    if more := len(refused) - 1:
        texts.append(
            ngettext(
                "%(count)d other criterion was not met either.",
                "%(count)d other criteria were not met either.",
                more,
            )
            % {"count": more}
        )
    return texts


def best_first(found: Iterable[StoredExplanation]) -> list[StoredExplanation]:
    """What was not proposed: what passed every rule, nearest to being proposed first; then what
    was refused, by the fewest rules first."""
    return sorted((each for each in found if each.outcome != PROPOSED), key=_nearness)


def _nearness(each: StoredExplanation) -> tuple[int, int, int, int]:
    if each.weighed is None:
        refused = sum(not result.passed for result in each.results)
        return 1, refused, 0, int(each.offer_id)
    needed = each.needed_fen
    # No worth would have helped where there was no room, or a match with the institution.
    return 0, int(needed is None), needed or -each.weighed.worth_fen, int(each.offer_id)
