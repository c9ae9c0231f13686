"""A person's own notices: the list, marking as read, and the way to what a notice is about."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from sipo_portal.notices.models import Notice
from sipo_portal.notices.services import mark_read
from sipo_portal.notices.texts import words

PER_PAGE = 20


@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    """Newest first, in words of the reader's language."""
    notices = Notice.objects.visible_to(request.user)
    page = Paginator(notices, PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {"notice": notice, "words": words(notice.kind, notice.payload)}
        for notice in page.object_list
    ]
    return render(request, "notices/list.html", {"page": page, "rows": rows})


@require_safe
def notice_open(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Read it, and go to what it is about."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    mark_read(recipient=request.user, notice_ids=[notice.pk])
    if url_has_allowed_host_and_scheme(notice.path, allowed_hosts=None):
        return redirect(notice.path)
    return redirect("notices:list")


@require_POST
def notice_read(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Mark one as read; marking twice is the same as once."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    mark_read(recipient=request.user, notice_ids=[notice.pk])
    return redirect("notices:list")


@require_POST
def notice_read_all(request: HttpRequest) -> HttpResponseBase:
    count = mark_read(recipient=request.user)
    text = ngettext("%(count)s notice marked as read.", "%(count)s notices marked as read.", count)
    messages.success(request, text % {"count": count} if count else _("Nothing was unread."))
    return redirect("notices:list")
