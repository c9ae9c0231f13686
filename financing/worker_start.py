"""What a worker has ready before its first task; `tasks.py` calls it where Celery starts one.

It runs in the worker's main process before that forks, so all processes of a worker, also those
that take the place of dead ones, begin with the machine code loaded and every live offer packed.
A child that loaded them itself would be taken for hung: Celery gives it four seconds.
"""

import gc
import logging
from contextlib import suppress
from datetime import date

from django.db import Error, connection
from django.utils import timezone

from financing import match_rows
from financing.live_offers import live_offer_rows
from financing.match_runs import NoPolicy, current_policy
from financing.matching.national.tables import ColumnError
from financing.matching.national.warm import load_incremental
from financing.matching.tables import LoanOfferRow
from financing.pair_kinds import KINDS
from financing.request_fits import book_of

logger = logging.getLogger(__name__)


def start() -> None:
    """Make the process ready to be forked from and to work."""
    make_ready()
    # A connection must not be shared with forked processes.
    connection.close()
    # What is loaded now stays: the collector need not go through it again in every process.
    gc.collect()
    gc.freeze()


def make_ready() -> None:
    """Load the matcher and the live offers; where the database is not there yet, the matcher only.

    What could not be loaded is loaded by the first task that needs it.
    """
    load_incremental()
    try:
        _pack_offers(timezone.localdate())
    except (Error, NoPolicy) as error:
        logger.warning("offers are loaded by the first task: %s", type(error).__name__)


def _pack_offers(on: date) -> None:
    """Read the live offers of both kinds, pack those of loans."""
    rows = [row for kind in KINDS for row in live_offer_rows(kind, on)]
    policy = match_rows.policy_row(current_policy(on), on)
    # Amounts beyond what the compiled rules can count: the readable ones take such offers.
    with suppress(ColumnError):
        book_of([row for row in rows if isinstance(row, LoanOfferRow)], policy)
