"""How much of an offer a run may still propose (DOMAIN 3); called by the engine."""

from dataclasses import dataclass

from financing.matching.columns import PPM
from financing.matching.tables import OfferRow


@dataclass(frozen=True, slots=True)
class Room:
    """What a run may propose of one offer: fen, and a count where the offer has one."""

    fen: int
    count: int | None

    def takes(self, amount_fen: int) -> bool:
        return amount_fen <= self.fen and (self.count is None or self.count >= 1)

    def less(self, amount_fen: int) -> "Room":
        """The room left after one more proposal of `amount_fen`."""
        count = None if self.count is None else self.count - 1
        return Room(self.fen - amount_fen, count)


def room_of(offer: OfferRow, oversubscription_ppm: int) -> Room:
    """(capacity - booked) x oversubscription - held, in fen and in pieces, never below nothing."""
    count = None
    if offer.capacity_count is not None:
        count = room_left(
            offer.capacity_count, offer.booked_count, offer.held_count, oversubscription_ppm
        )
    fen = room_left(offer.capacity_fen, offer.booked_fen, offer.held_fen, oversubscription_ppm)
    return Room(fen, count)


def room_left(capacity: int, booked: int, held: int, oversubscription_ppm: int) -> int:
    """The same for one measure, fen or pieces."""
    free = max(0, capacity - booked)
    return max(0, free * oversubscription_ppm // PPM - held)
