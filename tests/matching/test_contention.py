"""The contention rule: price zero and room for all that is proposed."""

import pytest

from financing.matching.contention import Contention, contention
from financing.matching.rooms import Room


@pytest.mark.parametrize(
    ("has_price", "room", "fen", "count", "expected"),
    [
        (False, Room(100, None), 100, 5, None),
        (False, Room(100, None), 101, 1, Contention.SHORT),
        (False, Room(100, 2), 50, 2, None),
        (False, Room(100, 2), 50, 3, Contention.SHORT),
        (False, Room(0, 0), 0, 0, None),
        (True, Room(10**9, None), 1, 1, Contention.PRICED),
        (True, Room(0, 0), 1, 1, Contention.PRICED),
    ],
)
def test_contention(has_price, room, fen, count, expected):
    found = contention(has_price=has_price, room=room, proposed_fen=fen, proposed_count=count)
    assert found == expected
