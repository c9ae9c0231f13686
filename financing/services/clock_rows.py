"""Working through rows that are due, one transaction each; the clocks of this folder use it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import InterfaceError, OperationalError, models, transaction

from sipo_portal.outbox.delivery import place_of

logger = logging.getLogger(__name__)

BATCH = 500
FAILED = "failed"


def each_row(candidates: models.QuerySet[Any], act: Callable[[Any], str]) -> Counter[str]:
    """`act(pk)` for every candidate, each in its own transaction; counts of what it returned.

    `act` locks its row with `locked_row`, looks again whether anything is due and returns a word
    for what it did, or "". A row that fails is logged and left for the next time: it must not stop
    the others. Only a lost database ends the round.
    """
    done: Counter[str] = Counter()
    for pk in _keys(candidates):
        try:
            with transaction.atomic():
                done[act(pk)] += 1
        except (InterfaceError, OperationalError):
            raise
        except Exception as error:
            # The place only: the text of an error may quote people's data.
            logger.error("clock: %s %s: %s", candidates.model.__name__, pk, place_of(error))
            done[FAILED] += 1
    del done[""]
    return done


def locked_row(rows: models.QuerySet[Any], pk: Any) -> Any:
    """The locked row as it is now; None where it is no longer due or another round is at it."""
    return rows.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()


def _keys(candidates: models.QuerySet[Any]) -> Iterator[Any]:
    """Primary keys in order, a batch at a time: rows that changed meanwhile shift nothing."""
    ordered = candidates.order_by("pk").values_list("pk", flat=True)
    last = None
    while batch := list((ordered if last is None else ordered.filter(pk__gt=last))[:BATCH]):
        yield from batch
        last = batch[-1]
