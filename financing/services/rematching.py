"""Asking for requests to be matched anew, after what they depend on changed; called by services.

`rematch_businesses` listens to `businesses.announcements`: a cured near miss is matched at once.
"""

from collections.abc import Iterable

from financing.models.requests import REQUEST_MATCHING_STATUSES
from financing.pair_kinds import KINDS, AnyRequest, kind_of
from sipo_portal.outbox.services import enqueue, enqueue_once


def rematch(request: AnyRequest) -> None:
    """Match the request again, within the caller's transaction; nothing where it is not open."""
    enqueue(kind_of(request).match_request_task, {"request_id": request.pk})


def rematch_all(requests: Iterable[AnyRequest]) -> None:
    """Each of them once."""
    for request in {(type(each), each.pk): each for each in requests}.values():
        rematch(request)


def rematch_businesses(business_ids: Iterable[int]) -> None:
    """Match again what these businesses have in matching, within the caller's transaction.

    Several changes in one transaction, or before the work has begun, make one run per request.
    Requests of a suspended business count too: they lose their proposals.
    """
    for kind in KINDS:
        ids = kind.requests._default_manager.filter(
            business__in=business_ids, status__in=REQUEST_MATCHING_STATUSES
        ).order_by("pk")
        enqueue_once(
            kind.match_request_task, [{"request_id": pk} for pk in ids.values_list("pk", flat=True)]
        )
