"""From which days on the rules may say something else of a patent; the matcher's snapshot asks.

Between two of these days the facts of a patent, and with them everything `selectors` derives from
them, stay as they are unless a row is changed.
"""

from datetime import date, timedelta

from businesses.models import Patent
from businesses.selectors import annuity_status, expires_on

_END_OF_TIME = date.max
_DAY = timedelta(days=1)


def days_of_change(patent: Patent) -> set[date]:
    """The days from which the grounds and conditions of a patent may differ from the day before.

    More than needed is harmless, a day that is missing is not: a test compares with every day. The
    patent comes from `Patent.objects.….with_facts()`.
    """
    days = {patent.granted_on, patent.ended_on, patent.filed_on, expires_on(patent)}
    days |= {each.released_on for each in patent.encumbrances.all()}
    # Seen from the end of time an unpaid fee shows when it was due and when its grace was over.
    annuity = annuity_status(patent, on=_END_OF_TIME)
    days |= {
        last + _DAY
        for last in (annuity.payable_until, annuity.grace_ends_on)
        if last is not None and last < _END_OF_TIME
    }
    days |= {annuity.next_due_on, annuity.ended_on}
    return {day for day in days if day is not None}
