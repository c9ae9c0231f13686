"""What-if runs and comparisons of runs in words and tables; run pages read it.

Figures are formatted in the reader's language: call these while answering a request.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from financing.models.match_runs import MatchRun
from financing.models.policies import MatchingPolicy
from financing.pair_kinds import KINDS
from financing.run_diffs import Change, RunDiff
from financing.run_shortages import offers_of_keys
from financing.run_texts import group_label, ordered_groups
from financing.services.dry_runs import ConfirmRefusal
from financing.suppositions import Supposition
from sipo_portal.ui import formats

Text = str | Promise

REFUSALS: dict[str, Text] = {
    ConfirmRefusal.SUPPOSES: _(
        "This what-if supposes other figures than there are, so it cannot be put into force. "
        "Change the policy or the offer first; the next run then gives this result."
    ),
    ConfirmRefusal.OTHER_OFFICE: _("Only the office that asked for it can put it into force."),
    ConfirmRefusal.OTHER_DAY: _("It was made for another day. Ask for a new one."),
    ConfirmRefusal.NEWER_RUN: _("Another run has written proposals since. Ask for a new one."),
    ConfirmRefusal.INPUT_CHANGED: _(
        "Requests, offers or decisions have changed since; nothing was written. Ask for a new one."
    ),
    ConfirmRefusal.RESULT_DIFFERS: _(
        "The matcher was updated since and decides otherwise; nothing was written. Ask for a new"
        " one."
    ),
    ConfirmRefusal.NOT_DONE: _("It is not done yet."),
    ConfirmRefusal.CONFIRMED_ALREADY: _("It was put into force already."),
    ConfirmRefusal.NOT_A_DRY_RUN: _("This run has been written already."),
}
DIMENSIONS: dict[str, Text] = {
    "kind": _("By kind of request"),
    "province": _("By province"),
    "size_class": _("By size class"),
    "amount_band": _("By amount asked for"),
}


def refusal_text(refusal: str) -> str:
    """Why a what-if is not put into force, and what to do."""
    return str(REFUSALS.get(refusal, refusal))


def supposed_facts(run: MatchRun, offer_names: Mapping[str, str]) -> list[dict[str, str]]:
    """What the run supposes, as facts. `offer_names`: by `price_key`."""
    supposed = Supposition.from_json(run.supposed)
    facts = [
        {
            "label": capfirst(
                str(getattr(MatchingPolicy._meta.get_field(name), "verbose_name", name))
            ),
            "value": formats.wan(text) if name.endswith("coverage_value") else text,
        }
        for name, text in supposed.policy.items()
    ]
    facts += [
        {
            "label": str(_("Capacity of %(offer)s")) % {"offer": offer_names.get(key, key)},
            "value": formats.wan(text),
        }
        for key, text in supposed.capacities.items()
    ]
    for label, keys in ((_("Left out"), supposed.without), (_("Added"), supposed.added)):
        facts += [{"label": str(label), "value": offer_names.get(key, key)} for key in keys]
    return facts


def offer_names(run: MatchRun) -> dict[str, str]:
    """Names of the offers a what-if speaks of, by `price_key`; two queries."""
    supposed = Supposition.from_json(run.supposed)
    keys = {*supposed.capacities, *supposed.without, *supposed.added}
    if not keys:
        return {}
    names: dict[str, str] = {}
    for kind in KINDS:
        ids = offers_of_keys(kind, keys)
        offers = kind.offers._default_manager.filter(pk__in=ids.values())
        known = dict(offers.values_list("pk", "name"))
        names |= {key: known[pk] for key, pk in ids.items() if pk in known}
    return names


def diff_sentences(diff: RunDiff) -> list[str]:
    """The comparison in whole sentences."""
    total = diff.total
    found = []
    if total.gained_count:
        words = ngettext(
            "%(count)s request gets a proposal that had none: %(amount)s.",
            "%(count)s requests get a proposal that had none: %(amount)s.",
            total.gained_count,
        )
        found.append(words % _figures(total.gained_count, total.gained_amount))
    if total.lost_count:
        words = ngettext(
            "%(count)s request loses its proposals: %(amount)s.",
            "%(count)s requests lose their proposals: %(amount)s.",
            total.lost_count,
        )
        found.append(words % _figures(total.lost_count, total.lost_amount))
    if total.moved_count:
        words = ngettext(
            "%(count)s request gets another first proposal.",
            "%(count)s requests get another first proposal.",
            total.moved_count,
        )
        found.append(words % {"count": formats.count(total.moved_count)})
    words = ngettext(
        "For %(count)s request the first proposal stays the same.",
        "For %(count)s requests the first proposal stays the same.",
        total.unchanged_count,
    )
    found.append(words % {"count": formats.count(total.unchanged_count)})
    only = diff.only_in_a_count + diff.only_in_b_count
    if only:
        found.append(
            ngettext(
                "%(count)s request was open in one of the two runs only.",
                "%(count)s requests were open in one of the two runs only.",
                only,
            )
            % {"count": formats.count(only)}
        )
    return found


def _figures(count: int, amount: Decimal) -> dict[str, str]:
    return {"count": formats.count(count), "amount": formats.wan(amount)}


def diff_tables(diff: RunDiff, provinces: Mapping[str, str]) -> list[dict[str, Any]]:
    """Parameters of components/data_table.html by dimension; none where nothing changes."""
    total = diff.total
    if not (total.gained_count or total.lost_count or total.moved_count):
        return []
    heads: Iterable[tuple[Text, bool]] = (
        (_("Group"), False),
        (_("Gain"), True),
        (_("Lose"), True),
        (_("Another offer"), True),
        (_("Unchanged"), True),
        (_("Saving, change"), True),
    )
    return [
        {
            "caption": str(title),
            "heads": [{"label": str(label), "numeric": numeric} for label, numeric in heads],
            "rows": [
                _row(group_label(dimension, code, provinces), diff.by[dimension][code])
                for code in ordered_groups(dimension, diff.by[dimension])
            ],
        }
        for dimension, title in DIMENSIONS.items()
        if diff.by.get(dimension)
    ]


def _row(label: str, change: Change) -> list[str]:
    saving = formats.wan(change.saving_change)
    return [
        label,
        formats.count(change.gained_count),
        formats.count(change.lost_count),
        formats.count(change.moved_count),
        formats.count(change.unchanged_count),
        f"+{saving}" if change.saving_change > 0 else saving,
    ]
