"""What a walk writes on, and how it looks at one pair; for `best_first.py`."""

from typing import NamedTuple

from financing.matching.national.best_set import Scratch
from financing.matching.national.compiled import inlined
from financing.matching.national.orders import Order
from financing.matching.national.pairs import ASK, REFUSED, is_closed, pair_amount
from financing.matching.national.problem import Records, Words
from financing.matching.national.rows_of import Look
from financing.matching.national.tables import Int32, Int64


class Met(NamedTuple):
    """By offer: the last line that looked at it, the amount and the saving (-1: not to be had)."""

    line: Int32
    amount: Int64
    saving: Int64


class Tools(NamedTuple):
    """What a walk writes on."""

    scratch: Scratch
    look: Look
    met: Met
    further: Order
    first: Order


@inlined
def open_pair(
    i: int,
    j: int,
    term: int,
    months: int,
    closed: int,
    requests: Records,
    patents: Records,
    offers: Records,
    bits: Words,
    steps: Int64,
    costs: Records,
    answers: Int64,
    regions_from: int,
    closed_start: Int64,
    closed_institution: Int32,
    closed_offer: Int32,
    room: Int64,
    room_count: Int64,
    price_fen: Int64,
    totals: Int64,
) -> tuple[int, int]:
    """Amount and saving of a pair that passes every rule and has room; else nothing."""
    amount, saving = pair_amount(
        i,
        j,
        term,
        months,
        requests,
        patents,
        offers,
        bits,
        steps,
        costs,
        answers,
        regions_from,
    )
    if amount == ASK:
        totals[3] += 1
    if amount <= 0 or amount > room[j] or room_count[j] < 1:
        return REFUSED, 0
    if closed >= 0 and is_closed(closed, j, offers, closed_start, closed_institution, closed_offer):
        return REFUSED, 0
    # Beyond 64 bits, and worth nothing for sure.
    if float(price_fen[j]) * float(amount) > 4e18:
        return REFUSED, 0
    return amount, saving
