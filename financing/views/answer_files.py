"""Serving a file that came with an answer; linked from match and referral pages."""

from urllib.parse import quote
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from financing.models.questions import AnswerFile
from financing.services.questions import FileClosed, read_file
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER, Role.INSTITUTION_STAFF, Role.COORDINATOR)
@require_safe
@never_cache
def answer_file(request: SignedInRequest, pk: UUID, file_pk: int) -> HttpResponse:
    """The file as a download, never shown in the portal's pages. 403 once consent is withdrawn."""
    files = AnswerFile.objects.visible_to(request.user).defer("content")
    rows = files.filter(question__match=pk).select_related("question__match__business")
    file = get_object_or_404(rows, pk=file_pk)
    try:
        served = read_file(actor=Actor.of(request.user), file=file)
    except FileClosed as closed:
        raise PermissionDenied from closed
    plain = "".join(each if each.isascii() and each.isprintable() else "_" for each in served.name)
    response = HttpResponse(served.content, content_type=served.media_type)
    response["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(served.name)}"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
