"""The number of unread notices, for the header of every page."""

from typing import Any

from django import template

from sipo_portal.notices.models import Notice

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_count(context: template.Context) -> int:
    """Of the signed-in person; one query a request, however often it is shown."""
    request: Any = context["request"]
    if not hasattr(request, "_portal_unread_count"):
        request._portal_unread_count = Notice.objects.visible_to(request.user).unread().count()
    count: int = request._portal_unread_count
    return count
