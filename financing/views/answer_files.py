"""Serves a file of an answer to owner and coordinator; staff have it in the admin."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from financing.models.questions import AnswerFile
from financing.services.questions import read_file
from sipo_portal.accounts.access import SignedInRequest, roles_required
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor


@roles_required(Role.OWNER, Role.COORDINATOR)
@require_safe
@never_cache
def answer_file(request: SignedInRequest, pk: UUID, file_pk: int) -> HttpResponse:
    """The file as a download, never shown inside the portal's pages."""
    files = AnswerFile.objects.visible_to(request.user).defer("content")
    rows = files.filter(question__match=pk).select_related("question__match__business")
    file = get_object_or_404(rows, pk=file_pk)
    served = read_file(actor=Actor.of(request.user), file=file)
    response = HttpResponse(served.content, content_type=served.media_type)
    response["Content-Disposition"] = content_disposition_header(True, served.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
