"""Match runs in words and pictures: state, reach, value against its bound; run pages read it.

Figures are formatted in the reader's language: call these while answering a request.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from businesses.models.businesses import SizeClass
from financing.bands import AMOUNT_BANDS, band_label
from financing.fairness import Table
from financing.models.match_runs import MatchRun, RunStage, RunStatus
from financing.run_shortages import Shortage
from sipo_portal.ui import charts, formats
from sipo_portal.ui.charts import Chart

Text = str | Promise

DIMENSIONS: dict[str, Text] = {
    "kind": _("Reached by kind of request"),
    "size_class": _("Reached by size class"),
    "province": _("Reached by province"),
    "amount_band": _("Reached by amount asked for"),
    "waiting": _("Reached by waiting time"),
}
WAITING: dict[str, Text] = {
    "under_7": _("under a week"),
    "7_to_30": _("a week to a month"),
    "30_to_90": _("one to three months"),
    "over_90": _("over three months"),
}
REQUEST_KINDS: dict[str, Text] = {"loan": _("Loans"), "insurance": _("Insurances")}
ORDER = {
    "kind": list(REQUEST_KINDS),
    "size_class": list(SizeClass.values),
    "amount_band": [band.code for band in AMOUNT_BANDS],
    "waiting": list(WAITING),
}
FAILURES: dict[str, Text] = {
    "NoPolicy": _("No matching policy is in force. A system administrator has to publish one."),
    "OperationalError": _("The database could not be reached. Start the run again."),
    "MemoryError": _("The machine ran out of memory. Tell the operators."),
    "WorkerLost": _("Workers were lost while they worked on it. Tell the operators."),
}
_FAILED = _("An error of the program stopped it: %(error)s. Tell the operators this word.")
_GIVEN_UP = _("It was started several times and never finished. Start a new run.")
STAGE_SENTENCES: dict[str, Text] = {
    "": _("The run waits for a free worker."),
    RunStage.READING: _("Requests, offers and policy are being read."),
    RunStage.MATCHING: _("Every rule is checked and capacity is given out."),
    RunStage.WRITING: _("Proposals are being written, all at once."),
}


def progress_of(run: MatchRun) -> dict[str, object]:
    """Parameters of components/progress.html."""
    sentence = STAGE_SENTENCES.get(run.stage, STAGE_SENTENCES[""])
    if run.status == RunStatus.RUNNING and (run.failure or run.start_count > 1):
        sentence = _("An earlier try was interrupted; the run has been started again.")
    return {
        "title": str(run.get_status_display()),
        "sentence": str(sentence),
        "done": run.progress_percent,
        "total": 100 if run.stage else 0,
    }


def failure_text(run: MatchRun) -> str:
    """Why a failed run failed, and what to do."""
    if not run.failure:
        return str(_GIVEN_UP)
    known = FAILURES.get(run.failure)
    return str(known) if known else str(_FAILED) % {"error": run.failure}


def duration_text(run: MatchRun) -> str:
    """From start to end; empty while there is none of both."""
    if run.started_at is None or run.finished_at is None:
        return ""
    took: timedelta = run.finished_at - run.started_at
    seconds = took.total_seconds()
    if seconds < 10:
        return str(_("%(seconds)s seconds")) % {
            "seconds": formats.shortest(Decimal(str(round(seconds, 1))), 1)
        }
    if seconds < 120:
        whole = round(seconds)
        return ngettext("%(count)d second", "%(count)d seconds", whole) % {"count": whole}
    minutes = round(seconds / 60)
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def scope_text(run: MatchRun) -> str:
    """Which region a run covers. `run`: with `office__region`."""
    if not run.scope_prefix:
        return str(_("The whole country"))
    if run.office is not None and run.office.region is not None:
        return run.office.region.label
    return run.scope_prefix


def gap_percent(run: MatchRun) -> Decimal | None:
    """By how much the run could at most be improved, in per cent of the bound."""
    if not run.bound or run.value is None:
        return None
    return max(Decimal(0), (run.bound - run.value) / run.bound * 100)


def gap_text(run: MatchRun) -> str:
    """Value and bound in plain words; empty for a run without them."""
    gap = gap_percent(run)
    if gap is None:
        return ""
    words = {
        "value": formats.wan(run.value),
        "bound": formats.wan(run.bound),
        "gap": formats.percent(gap, 2),
    }
    if gap == 0:
        return (
            str(
                _(
                    "By the policy's measure this run is worth %(value)s;"
                    " nothing could be worth more."
                )
            )
            % words
        )
    return (
        str(
            _(
                "By the policy's measure this run is worth %(value)s. No other way to give out the"
                " same capacity could be worth more than %(bound)s: at most %(gap)s is missing."
            )
        )
        % words
    )


def gap_short(run: MatchRun) -> str:
    """The same for a cell of a table."""
    gap = gap_percent(run)
    if gap is None:
        return formats.NOTHING
    return str(_("at most %(gap)s missing")) % {"gap": formats.percent(gap, 2)}


def shortage_texts(run: MatchRun, short_count: int) -> list[str]:
    """What the table of short offers says, and what the other offers have left."""
    text = str(
        _(
            "Requests competed for these offers. The figure is what one more yuan of capacity would"
            " bring by the policy's measure: the worth of reaching a business, and what it saves."
        )
    )
    plenty = max(0, (run.offer_count or 0) - short_count)
    if not plenty:
        return [text]
    rest = ngettext(
        "At %(count)s other offer room was left; more capacity there would bring nothing.",
        "At the %(count)s other offers room was left; more capacity there would bring nothing.",
        plenty,
    ) % {"count": formats.count(plenty)}
    return [text, rest]


def plenty_text() -> str:
    """Of a run that found no offer short."""
    return str(
        _(
            "No offer was short: whoever got no proposal was kept from it by a rule, not by"
            " capacity."
        )
    )


def yuan_worth(short: Shortage) -> str:
    """What one more yuan of a short offer would bring; empty where that is not what is short."""
    if short.per_yuan is None:
        return ""
    least = Decimal("0.01")
    if short.per_yuan < least:
        return str(_("under %(amount)s")) % {"amount": formats.yuan(least)}
    return formats.yuan(short.per_yuan)


def piece_worth(short: Shortage) -> str:
    """What one more loan or policy would bring; empty where that is not what is short."""
    return "" if short.per_piece is None else formats.wan(short.per_piece)


def reach_charts(fairness: Table, provinces: Mapping[str, str]) -> list[Chart]:
    """One picture per dimension of `run_outcomes.fairness_now`. `provinces`: names by code.

    A group that the run did not know, as of a business that moved since, is left out.
    """
    known = {
        dimension: {code: counts for code, counts in groups.items() if "requests" in counts}
        for dimension, groups in fairness.items()
    }
    return [
        _reach_chart(str(title), dimension, known[dimension], provinces)
        for dimension, title in DIMENSIONS.items()
        if known.get(dimension)
    ]


def _reach_chart(
    title: str,
    dimension: str,
    groups: Mapping[str, Mapping[str, int]],
    provinces: Mapping[str, str],
) -> Chart:
    codes = ordered_groups(dimension, groups)
    # Runs of earlier days did not count who was eligible.
    counts_eligible = all("eligible" in group for group in groups.values())
    parts: list[Any] = []
    rows, y = [], 0
    for code in codes:
        counts = groups[code]
        asked, reached = counts.get("requests", 0), counts.get("reached", 0)
        label = group_label(dimension, code, provinces)
        percent = formats.percent(charts.share(reached, asked), 0)
        parts.append(charts.text(0, y + 16, label))
        figures = f"{formats.count(reached)} / {formats.count(asked)} · {percent}"
        parts.append(charts.text(100, y + 16, figures, anchor="end"))
        parts.append(charts.rectangle(0, y + 24, 100, 10, "chart-track"))
        parts.append(charts.rectangle(0, y + 24, charts.share(reached, asked), 10, "chart-bar"))
        rows.append(
            [
                label,
                formats.count(asked),
                *([formats.count(counts["eligible"])] if counts_eligible else []),
                formats.count(reached),
                percent,
                formats.count(counts.get("answered", 0)),
                formats.count(counts.get("completed", 0)),
            ]
        )
        y += 46
    sentence = _reach_sentence(dimension, codes, groups, provinces)
    heads = [
        _("Requests"),
        *([pgettext_lazy("requests", "Eligible")] if counts_eligible else []),
        _("Reached"),
        _("Share"),
        pgettext_lazy("requests", "Answered"),
        pgettext_lazy("requests", "Completed"),
    ]
    return Chart(
        title=title,
        sentence=sentence,
        svg=charts.drawing(y, title, sentence, parts),
        heads=[
            {"label": str(_("Group")), "numeric": False},
            *({"label": str(head), "numeric": True} for head in heads),
        ],
        rows=rows,
    )


def _reach_sentence(
    dimension: str,
    codes: list[str],
    groups: Mapping[str, Mapping[str, int]],
    provinces: Mapping[str, str],
) -> str:
    def reach(code: str) -> float:
        counts = groups[code]
        return charts.share(counts.get("reached", 0), counts.get("requests", 0))

    low, high = min(codes, key=reach), max(codes, key=reach)
    if reach(low) == reach(high):
        return str(_("Every group is reached alike: %(share)s.")) % {
            "share": formats.percent(reach(low), 0)
        }
    return str(_("From %(low)s (%(low_share)s) to %(high)s (%(high_share)s).")) % {
        "low": group_label(dimension, low, provinces),
        "low_share": formats.percent(reach(low), 0),
        "high": group_label(dimension, high, provinces),
        "high_share": formats.percent(reach(high), 0),
    }


def ordered_groups(dimension: str, groups: Iterable[str]) -> list[str]:
    """Codes of a dimension's groups in the order people expect."""
    found = sorted(groups)
    order = ORDER.get(dimension, found)
    return sorted(found, key=lambda code: order.index(code) if code in order else len(order))


def group_label(dimension: str, code: str, provinces: Mapping[str, str]) -> str:
    """What people call a group. `provinces`: names by code."""
    match dimension:
        case "kind":
            return str(REQUEST_KINDS.get(code, code))
        case "size_class":
            return str(dict(SizeClass.choices).get(code, code))
        case "province":
            return provinces.get(code, code)
        case "amount_band":
            return band_label(AMOUNT_BANDS, code)
    return str(WAITING.get(code, code))
