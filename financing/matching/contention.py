"""Whether an offer is contended: the rule for provisional proposals of MATCHING §4.

Between two full runs the first to ask must not take what fairness would give to others. Asked by
`financing.contention` before a coordinator may claim a provisional proposal.
"""

from enum import StrEnum

from financing.matching.rooms import Room


class Contention(StrEnum):
    """Why a provisional proposal of the offer waits for the next full run."""

    # More was asked of the offer in the last full run than it could give.
    PRICED = "priced"
    # More is proposed of it now than it has left.
    SHORT = "short"


def contention(
    *, has_price: bool, room: Room, proposed_fen: int, proposed_count: int
) -> Contention | None:
    """None where the offer's price was zero and its room covers all that is proposed of it.

    `room`: (capacity - booked) x oversubscription - held (`rooms.room_of`); `proposed_*`: what
    stands proposed now, the proposal in question included. Exactly enough is enough.
    """
    if has_price:
        return Contention.PRICED
    if proposed_fen > room.fen or (room.count is not None and proposed_count > room.count):
        return Contention.SHORT
    return None
