"""Telling other apps that facts of businesses changed; services announce, other apps listen.

What builds on businesses (financing) must hear of changes, but businesses must not know of it: an
app registers its listener once, in its AppConfig. A listener runs in the announcing service's
transaction and only asks for work; it decides nothing.
"""

from collections.abc import Callable, Iterable

Listener = Callable[[frozenset[int]], None]

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener` called with the ids of businesses whose facts changed; once per listener."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(business_ids: Iterable[int]) -> None:
    """Facts of these businesses, of their patents or of what hangs on them have changed.

    To be called after the change, inside its transaction.
    """
    ids = frozenset(business_ids)
    if ids:
        for listener in _listeners:
            listener(ids)
