"""What `evaluate`, `explain` and `near_misses` need beside the rows; made by pages, runs and files.

On its own, because pages explain pairs and never run a matcher.
"""

from collections.abc import Iterable

from financing.matching.decided import index_decided
from financing.matching.pairs import Context
from financing.matching.policy import MatchingPolicy
from financing.matching.savings import CostBook
from financing.matching.tables import DecidedPair


def make_context(
    policy: MatchingPolicy, decided: Iterable[DecidedPair] = (), *, with_figures: bool = False
) -> Context:
    """`with_figures`: rules also work out costly figures."""
    return Context(policy, CostBook(policy), index_decided(decided), with_figures)
