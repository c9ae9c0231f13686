"""Words and pictures of goals for the coordinator's page: progress, rates, premiums."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from financing.goal_figures import Figures, OfficeResult, Period
from financing.models.goals import GoalProduct
from sipo_portal.ui import charts, formats
from sipo_portal.ui.charts import Chart


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure on its way to the goal: its number, and the text that says it with its unit."""

    label: str
    amount: Decimal
    value: str


def period_text(period: Period) -> str:
    return _("%(first)s to %(last)s") % {
        "first": formats.day(period.starts_on),
        "last": formats.day(period.ends_on),
    }


def product_charts(result: OfficeResult) -> list[Chart]:
    """Businesses, money, and what it costs beside what it is measured against."""
    found = [business_chart(result), money_chart(result)]
    compared = (
        rate_chart(result.figures)
        if result.product == GoalProduct.LOAN
        else premium_chart(result.figures)
    )
    return [*found, compared] if compared is not None else found


def business_chart(result: OfficeResult) -> Chart:
    reached = result.figures.business_count
    goal = result.goal.business_count if result.goal else 0
    counted = ngettext("%(count)s business", "%(count)s businesses", reached) % {
        "count": formats.count(reached)
    }
    return progress_chart(
        title=_("Businesses reached"),
        bars=[Bar(_("With money or cover"), Decimal(reached), counted)],
        goal=Decimal(goal),
        goal_text=formats.count(goal),
    )


def money_chart(result: OfficeResult) -> Chart:
    figures, is_loan = result.figures, result.product == GoalProduct.LOAN
    goal = (result.goal.amount if result.goal else None) or Decimal(0)
    labels = (
        (_("Approved: terms accepted"), _("Disbursed: drawn down"))
        if is_loan
        else (_("Approved: sums insured"), _("In force: policies issued"))
    )
    amounts = (figures.approved_amount, figures.disbursed_amount)
    return progress_chart(
        title=_("Money") if is_loan else _("Sums insured"),
        bars=[
            Bar(label, amount, formats.wan(amount))
            for label, amount in zip(labels, amounts, strict=True)
        ],
        goal=goal,
        goal_text=formats.wan(goal),
    )


def rate_chart(figures: Figures) -> Chart | None:
    """Yearly cost of the loans approved beside their benchmark; None without loans."""
    if figures.apr_percent is None or figures.benchmark_apr_percent is None:
        return None
    return charts.cost_bars(
        [
            charts.CostBar(label=_("The average loan approved"), apr_percent=figures.apr_percent),
            charts.CostBar(
                label=_("Benchmark of the same loans"),
                apr_percent=figures.benchmark_apr_percent,
                is_benchmark=True,
            ),
        ]
    )


def premium_chart(figures: Figures) -> Chart | None:
    """Premiums agreed beside the standard ones; None without any."""
    reduction = figures.premium_reduction_percent
    if reduction is None:
        return None
    words = (
        _("Premiums are %(percent)s below the standard premiums.")
        if reduction >= 0
        else _("Premiums are %(percent)s above the standard premiums.")
    )
    return _bars(
        title=_("Premiums against the standard premiums"),
        sentence=words % {"percent": formats.percent(abs(reduction), 1)},
        bars=[
            Bar(_("Premiums agreed"), figures.premium, formats.yuan(figures.premium)),
            Bar(
                _("Standard premiums"),
                figures.standard_premium,
                formats.yuan(figures.standard_premium),
            ),
        ],
        whole=max(figures.premium, figures.standard_premium),
    )


def progress_chart(*, title: str, bars: Sequence[Bar], goal: Decimal, goal_text: str) -> Chart:
    """Bars on their way to a goal; without one, beside each other."""
    if goal:
        reached = [formats.percent(bar.amount * 100 / goal, 0) for bar in bars]
        sentence = (
            _("%(percent)s of the goal of %(goal)s.") % {"goal": goal_text, "percent": reached[0]}
            if len(bars) == 1
            else _("%(approved)s of the goal of %(goal)s approved, %(paid)s paid out or in force.")
            % {"goal": goal_text, "approved": reached[0], "paid": reached[-1]}
        )
    else:
        sentence = _("No goal was set for this.")
    whole = max([goal, *(bar.amount for bar in bars)])
    return _bars(title=title, sentence=sentence, bars=bars, whole=whole, goal=goal, text=goal_text)


def percent_of(amount: Decimal, goal: Decimal | None) -> str:
    """How much of the goal is reached, for tables."""
    return formats.NOTHING if not goal else formats.percent(amount * 100 / goal, 0)


def _bars(
    *,
    title: str,
    sentence: str,
    bars: Sequence[Bar],
    whole: Decimal,
    goal: Decimal = Decimal(0),
    text: str = "",
) -> Chart:
    parts, y = [], 0
    for bar in bars:
        css = "chart-bar" if bar is bars[0] else "chart-bar-quiet"
        parts += [
            charts.text(0, y + 16, bar.label),
            charts.text(100, y + 16, bar.value, anchor="end"),
            charts.rectangle(0, y + 24, 100, 14, "chart-track"),
            charts.rectangle(0, y + 24, charts.share(bar.amount, whole), 14, css),
        ]
        y += 52
    rows = [[bar.label, bar.value] for bar in bars]
    if goal:
        x = charts.share(goal, whole)
        words = _("Goal %(goal)s") % {"goal": text}
        parts += [
            charts.line(x, 20, y - 10, "chart-line-dashed"),
            charts.text(x, y + 8, words, anchor=charts.anchor_at(x), soft=True),
        ]
        rows.append([_("Goal"), text])
        y += 16
    return Chart(
        title=title,
        sentence=sentence,
        svg=charts.drawing(y + 4, title, sentence, parts),
        heads=[{"label": _("What"), "numeric": False}, {"label": _("Figure"), "numeric": True}],
        rows=rows,
    )
