"""Pictures as SVG made on the server: patent term, cost against the benchmark, capacity.

Pure functions for views and admin pages; the page shows the result with
``{% include "components/chart.html" with chart=chart only %}``. Lengths are shares of the width, so
that nothing needs a script and letters keep their size on a phone. Colours come from charts.css.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sipo_portal.ui import formats

NOTHING = SafeString("")


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture with a title, a sentence that says what it shows, and the table behind it."""

    title: str
    sentence: str
    svg: SafeString
    heads: Sequence[dict[str, object]]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Annuity:
    """One yearly fee on the time line. `state`: paid, due, late or later."""

    due_on: date
    amount: Decimal
    state: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class CostBar:
    """Yearly cost of one offer; `is_benchmark` draws it as the quiet bar it is compared with."""

    label: str
    apr_percent: Decimal
    is_benchmark: bool = False


def share(part: Decimal | float, whole: Decimal | float) -> float:
    """`part` of `whole` in per cent, between 0 and 100."""
    if not whole:
        return 0.0
    return max(0.0, min(100.0, float(part) / float(whole) * 100))


def drawing(height: int, title: str, sentence: str, parts: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<svg role="img" width="100%" height="{}" aria-label="{} {}" focusable="false">{}</svg>',
        height,
        title,
        sentence,
        mark_safe("".join(conditional_escape(part) for part in parts)),  # escaped one by one
    )


def rectangle(x: float, y: int, width: float, height: int, css: str) -> SafeString:
    return format_html(
        '<rect x="{}%" y="{}" width="{}%" height="{}" rx="3" class="{}"/>',
        f"{x:.2f}",
        y,
        f"{width:.2f}",
        height,
        css,
    )


def line(x: float, top: int, bottom: int, css: str) -> SafeString:
    return format_html(
        '<line x1="{0}%" x2="{0}%" y1="{1}" y2="{2}" class="{3}"/>', f"{x:.2f}", top, bottom, css
    )


def text(x: float, y: int, words: str, *, anchor: str = "start", soft: bool = False) -> SafeString:
    return format_html(
        '<text x="{}%" y="{}" text-anchor="{}" class="{}">{}</text>',
        f"{x:.2f}",
        y,
        anchor,
        "chart-soft" if soft else "chart-text",
        words,
    )


def anchor_at(x: float) -> str:
    """Labels near an edge stay inside the picture."""
    return "start" if x < 20 else "end" if x > 80 else "middle"


def term_timeline(
    *,
    filed_on: date,
    expires_on: date,
    today: date,
    annuities: Sequence[Annuity] = (),
    loan_until: date | None = None,
) -> Chart:
    """The life of a patent from filing to expiry, its yearly fees and, if given, a loan's end."""
    whole = (expires_on - filed_on).days

    def at(day: date) -> float:
        return share((day - filed_on).days, whole)

    now = at(today)
    parts = [rectangle(0, 34, 100, 14, "chart-bar-light"), rectangle(0, 34, now, 14, "chart-bar")]
    for fee in annuities:
        if fee.state != "later":
            parts.append(
                format_html(
                    '<circle cx="{}%" cy="41" r="5" class="chart-dot-{}"/>',
                    f"{at(fee.due_on):.2f}",
                    fee.state,
                )
            )
    if 0 < now < 100:
        parts.append(line(now, 26, 56, "chart-line"))
        parts.append(text(now, 18, _("Today"), anchor=anchor_at(now)))
    dates_at = 76
    if loan_until is not None:
        end = at(loan_until)
        parts.append(line(end, 26, 60, "chart-line-dashed"))
        words = _("Loan ends on %(day)s") % {"day": formats.day(loan_until)}
        parts.append(text(end, 76, words, anchor=anchor_at(end)))
        dates_at = 100
    parts.append(text(0, dates_at, formats.day(filed_on), soft=True))
    parts.append(text(100, dates_at, formats.day(expires_on), anchor="end", soft=True))
    title = _("Term and annuities")
    years_left = max(0, (expires_on - today).days) // 365
    if expires_on <= today:
        sentence = _("The patent's term ended on %(day)s.") % {"day": formats.day(expires_on)}
    else:
        sentence = ngettext(
            "The patent runs until %(day)s: %(years)s full year left.",
            "The patent runs until %(day)s: %(years)s full years left.",
            years_left,
        ) % {"day": formats.day(expires_on), "years": years_left}
    late = [fee for fee in annuities if fee.state == "late"]
    due = [fee for fee in annuities if fee.state == "due"]
    if late:
        words = _("An annuity of %(amount)s was due on %(day)s and is not paid.")
        sentence = f"{sentence} {words % spoken(late[0])}"
    elif due:
        words = _("The next annuity, %(amount)s, is due on %(day)s.")
        sentence = f"{sentence} {words % spoken(due[0])}"
    states = {
        "paid": _("paid"),
        "due": _("due next"),
        "late": _("not paid"),
        "later": _("later"),
    }
    return Chart(
        title=title,
        sentence=sentence,
        svg=drawing(dates_at + 8, title, sentence, parts),
        heads=[
            {"label": _("What"), "numeric": False},
            {"label": _("Date"), "numeric": False},
            {"label": _("Amount"), "numeric": True},
            {"label": _("State"), "numeric": False},
        ],
        rows=[
            [_("Filed"), formats.day(filed_on), formats.NOTHING, formats.NOTHING],
            *[
                [
                    fee.label or _("Annuity"),
                    formats.day(fee.due_on),
                    formats.yuan(fee.amount),
                    states.get(fee.state, fee.state),
                ]
                for fee in annuities
            ],
            [_("Expiry"), formats.day(expires_on), formats.NOTHING, formats.NOTHING],
        ],
    )


def spoken(fee: Annuity) -> dict[str, str]:
    return {"amount": formats.yuan(fee.amount), "day": formats.day(fee.due_on)}


def cost_bars(bars: Sequence[CostBar], *, ceiling_percent: Decimal | None = None) -> Chart:
    """Yearly cost of offers against the benchmark of the same flows, and the policy's ceiling.

    The sentence is about the first bar: what the page is about.
    """
    figures = [bar.apr_percent for bar in bars] + ([ceiling_percent] if ceiling_percent else [])
    whole = max(figures, default=Decimal(0)) * Decimal("1.05")
    benchmark = next((bar.apr_percent for bar in bars if bar.is_benchmark), None)
    parts, y = [], 0
    for bar in bars:
        css = "chart-bar-quiet" if bar.is_benchmark else "chart-bar"
        if benchmark is not None and bar.apr_percent > benchmark:
            css = "chart-bar-bad"
        parts.append(text(0, y + 16, bar.label))
        parts.append(text(100, y + 16, formats.rate(bar.apr_percent), anchor="end"))
        parts.append(rectangle(0, y + 24, 100, 14, "chart-track"))
        parts.append(rectangle(0, y + 24, share(bar.apr_percent, whole), 14, css))
        y += 52
    if ceiling_percent:
        x = share(ceiling_percent, whole)
        parts.append(line(x, 20, y - 6, "chart-line-dashed"))
        words = _("Ceiling %(rate)s") % {"rate": formats.rate(ceiling_percent)}
        parts.append(text(x, y + 12, words, anchor=anchor_at(x)))
        y += 20
    title = _("Yearly cost against the benchmark")
    offers = [bar for bar in bars if not bar.is_benchmark]
    sentence = ""
    if offers and benchmark is not None:
        # The page's subject stands first; what it is compared with comes after it.
        told = offers[0]
        saved = benchmark - told.apr_percent
        words = (
            _("%(offer)s costs %(rate)s a year, %(points)s percentage points below the benchmark.")
            if saved >= 0
            else _("%(offer)s costs %(rate)s a year, %(points)s percentage points above it.")
        )
        sentence = words % {
            "offer": told.label,
            "rate": formats.rate(told.apr_percent),
            "points": formats.shortest(abs(saved), 2),
        }
    rows = [[bar.label, formats.rate(bar.apr_percent)] for bar in bars]
    if ceiling_percent:
        rows.append([_("Ceiling"), formats.rate(ceiling_percent)])
    return Chart(
        title=title,
        sentence=sentence,
        svg=drawing(y + 4, title, sentence, parts),
        heads=[
            {"label": _("Offer"), "numeric": False},
            {"label": _("Yearly cost"), "numeric": True},
        ],
        rows=rows,
    )


def capacity_bar(
    *, capacity: Decimal, booked: Decimal, held: Decimal | None = Decimal(0), held_count: int = 0
) -> Chart:
    """How much of an offer's capacity is booked (terms offered and later) and held (before).

    `held` None: only `held_count` is told, to a lender whose referrals are blind. Their sum, or the
    length of a bar, would say what a single business asks for.
    """
    left = max(Decimal(0), capacity - booked)
    booked_share = share(booked, capacity)
    held_share = min(share(held, capacity), 100 - booked_share) if held else 0
    parts = [
        rectangle(0, 8, 100, 18, "chart-track"),
        rectangle(0, 8, booked_share, 18, "chart-bar"),
        rectangle(booked_share, 8, held_share, 18, "chart-bar-quiet") if held_share else NOTHING,
        text(0, 46, _("Booked %(amount)s") % {"amount": formats.wan(booked)}),
        text(100, 46, _("Free %(amount)s") % {"amount": formats.wan(left)}, anchor="end"),
    ]
    title = _("Capacity")
    of_capacity = {"booked": formats.wan(booked), "capacity": formats.wan(capacity)}
    if held is None:
        sentence = ngettext(
            "%(booked)s of %(capacity)s are booked, %(count)d referral is being studied.",
            "%(booked)s of %(capacity)s are booked, %(count)d referrals are being studied.",
            held_count,
        ) % {**of_capacity, "count": held_count}
    else:
        sentence = _("%(booked)s of %(capacity)s are booked, %(held)s are being studied.") % {
            **of_capacity,
            "held": formats.wan(held),
        }
    return Chart(
        title=title,
        sentence=sentence,
        svg=drawing(54, title, sentence, parts),
        heads=[{"label": _("What"), "numeric": False}, {"label": _("Amount"), "numeric": True}],
        rows=[
            [_("Booked"), formats.yuan(booked)],
            [_("Being studied"), formats.count(held_count) if held is None else formats.yuan(held)],
            [_("Free"), formats.yuan(left)],
            [_("Capacity"), formats.yuan(capacity)],
        ],
    )
