"""Several calls at the same moment, each in a thread with a connection of its own."""

from collections.abc import Callable, Iterable
from threading import Barrier, Thread
from typing import Any

from django.db import connection


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each call returned or raised, in the order of the calls."""
    calls = list(calls)
    barrier = Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            # The connection is made before the start, so that nobody has a head start.
            connection.ensure_connection()
            barrier.wait(timeout=60)
            outcomes[place] = call()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
