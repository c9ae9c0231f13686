"""What a review refused, and what the audit says of a match; the tests of reviews."""

from collections.abc import Callable
from typing import Any

import pytest

from financing.models.matches import Match
from financing.services.matches import MatchRefused
from sipo_portal.audit.models import AuditEvent


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    """The code with which the call is refused."""
    with pytest.raises(MatchRefused) as refused:
        call(**arguments)
    return str(refused.value.code)


def verbs(match: Match) -> list[str]:
    """What was done with a match, without its deadlines."""
    return list(
        AuditEvent.objects.filter(object_id=str(match.pk))
        .exclude(verb__startswith="match.deadline")
        .order_by("pk")
        .values_list("verb", flat=True)
    )
