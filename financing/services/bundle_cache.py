"""Packed bundles that a worker process keeps between rounds; for `sharded_runs`.

Packing costs far more than a round, so a bundle stays where it was packed as long as memory allows.
What is kept here is never the truth: a bundle can be packed again from its row at any time.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from financing.matching.national.bundles import Bundle

Key = tuple[int, int, str]
"""Run, bundle and digest of its requests."""


@dataclass(slots=True)
class BundleCache:
    """The bundles used last, up to `most_bytes` in all; one alone may be larger."""

    most_bytes: int
    _held: OrderedDict[Key, Bundle] = field(default_factory=OrderedDict)

    def get(self, key: Key) -> Bundle | None:
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Key, bundle: Bundle) -> None:
        """Keep it as the one used last; its size is taken again each time."""
        self._held[key] = bundle
        self._held.move_to_end(key)
        sizes = {each: held.bytes_held for each, held in self._held.items()}
        while len(self._held) > 1 and sum(sizes.values()) > self.most_bytes:
            oldest, _ = self._held.popitem(last=False)
            del sizes[oldest]

    def drop(self, key: Key) -> None:
        self._held.pop(key, None)

    def keep_only(self, run_id: int) -> None:
        """Forget the bundles of other runs: runs come one after the other."""
        for key in [key for key in self._held if key[0] != run_id]:
            del self._held[key]

    def bundles_of(self, run_id: int) -> list[int]:
        return [bundle for run, bundle, _ in self._held if run == run_id]

    def __len__(self) -> int:
        return len(self._held)
