"""Asking for requests to be matched anew, after what they had was lost; called by services."""

from collections.abc import Iterable

from financing.pair_kinds import AnyRequest, kind_of
from sipo_portal.outbox.services import enqueue


def rematch(request: AnyRequest) -> None:
    """Match the request again, within the caller's transaction; nothing where it is not open."""
    enqueue(kind_of(request).match_request_task, {"request_id": request.pk})


def rematch_all(requests: Iterable[AnyRequest]) -> None:
    """Each of them once."""
    for request in {(type(each), each.pk): each for each in requests}.values():
        rematch(request)
