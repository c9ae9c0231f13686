"""Filters and tags of every page: amounts, dates, status tags, links that keep the query.

{% load portal %}
{{ offer.principal|wan }}  {{ premium|yuan }}  {{ offer.interest_rate_percent|percent }}
{{ offer.closes_on|day }}  {{ match.referred_at|moment }}  {{ total|count }}
{% status_tag loan_request %}  {% status_tag run.status label=run.get_status_display %}
<a href="{% query_with page=2 %}">
"""

from collections.abc import Iterable
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sipo_portal.ui import formats
from sipo_portal.ui.statuses import tone_of

register = template.Library()

register.filter("yuan", formats.yuan)
register.filter("wan", formats.wan)
register.filter("percent", formats.percent)
register.filter("rate", formats.rate)
register.filter("count", formats.count)
register.filter("day", formats.day)
register.filter("moment", formats.moment)


@register.simple_tag
def status_tag(subject: Any, label: str = "", tone: str = "") -> SafeString:
    """A state's word in a tag. `subject`: a row with `status`, a choice, or the state's code."""
    status = getattr(subject, "status", subject)
    if not label and hasattr(subject, "get_status_display"):
        label = subject.get_status_display()
    label = label or getattr(status, "label", "") or str(status).replace("_", " ")
    return format_html('<span class="tag tag-{}">{}</span>', tone or tone_of(str(status)), label)


@register.simple_tag(takes_context=True)
def query_with(context: template.Context, **changes: Any) -> str:
    """This page's query string with some parameters changed; None takes one out."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else request.path


@register.filter
def error_target(field: BoundField) -> str:
    """The id the error summary jumps to: the input, in a group its first one."""
    if field.use_fieldset:
        first = next(iter(field.subwidgets), None)
        return str(first.id_for_label) if first else str(field.auto_id)
    return field.id_for_label or str(field.auto_id)


@register.simple_tag(takes_context=True)
def nav_item(
    context: template.Context, url_name: str, label: str, exact: bool = False
) -> SafeString:
    """An entry of the navigation; nothing where the address does not exist."""
    try:
        return nav_link(context, reverse(url_name), label, exact)
    except NoReverseMatch:
        return SafeString("")


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, url: str, label: str, exact: bool = False) -> SafeString:
    """An entry of the navigation, marked on its page and (unless `exact`) on those below it."""
    path = context["request"].path
    current = ""
    if path == url:
        current = ' aria-current="page"'
    elif path.startswith(url) and url != "/" and not exact:
        current = ' aria-current="true"'
    return format_html('<li><a href="{}"{}>{}</a></li>', url, SafeString(current), label)


@register.simple_tag(takes_context=True)
def sortable_th(
    context: template.Context, key: str, label: str, numeric: bool = False, parameter: str = "sort"
) -> SafeString:
    """A table head that sorts by `key`, the other way round when it is sorted by it already."""
    request: HttpRequest = context["request"]
    now = request.GET.get(parameter, "")
    query = request.GET.copy()
    query[parameter] = f"-{key}" if now == key else key
    query.pop("page", None)
    order = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    return format_html(
        '<th scope="col"{}{}><a href="?{}">{}</a></th>',
        SafeString(' class="numeric"' if numeric else ""),
        format_html(' aria-sort="{}"', order) if order else "",
        query.urlencode(),
        label,
    )


@register.filter
def pair(heads: Iterable[Any], cells: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Heads of a table with the cells of one row."""
    return list(zip(heads, cells, strict=True))


@register.filter
def page_numbers(page: Page[Any]) -> list[int | None]:
    """Numbers around the page shown; None where some are left out."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [each if isinstance(each, int) else None for each in numbers]


@register.filter
def unlocalized(value: Any) -> str:
    """A number for an attribute, as machines read it."""
    number = formats.decimal_of(value)
    return "" if number is None else f"{number:f}"
