"""Who is looked at first in each group, and how good anybody after can be; for `choices.py`.

The bound of a place is the greatest worth that any offer from there on can have for a request of
the group. Worth is linear in the amount, so between the group's least and greatest principal the
line between the two ends bounds it. An order need not be perfect for its bounds to hold: prices
move each round, orders are made again now and then, bounds each time.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.compiled import compiled
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Float64, Groups, Records
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.threads import over_parts


class Prices(NamedTuple):
    """Per offer: `fen_ppm` micro-fen of value per fen of room, `count_fen` per proposal."""

    fen_ppm: Int64
    count_fen: Int64


class Order(NamedTuple):
    """By place in the groups' lists: the offer, and bounds at the least and greatest principal.

    `low`, `high`: in fen, without the coverage; `most_delivery`: greatest share from there on.
    """

    offer: Int32
    low: Float64
    high: Float64
    most_delivery: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """The order by worth as a further proposal, and by worth as the first where that differs."""

    further: Order
    first: Order | None


def is_plain(problem: Problem) -> bool:
    """A first proposal is worth the coverage more than a further one, whatever the offer."""
    some = np.unique(problem.groups.offer)
    delivered = bool((problem.data.offers["delivery"][some] == PPM).all())
    return problem.policy.alternative_share_ppm == PPM and delivered


def no_prices(problem: Problem) -> Prices:
    zero = np.zeros(len(problem.room), dtype=np.int64)
    return Prices(zero, zero.copy())


def make_orders(
    problem: Problem, prices: Prices, *, before: Orders | None = None, threads: int = 1
) -> Orders:
    """Bounds at these prices; with `before` its orders are kept and only bounds made again."""
    share = problem.policy.alternative_share_ppm / PPM
    further = _order(problem, prices, share, before.further if before else None, False, threads)
    first = None
    if not is_plain(problem):
        first = _order(problem, prices, 1.0, before.first if before else None, True, threads)
    return Orders(further, first)


def _order(
    problem: Problem,
    prices: Prices,
    share: float,
    before: Order | None,
    is_first: bool,
    threads: int,
) -> Order:
    entries = len(problem.groups.offer)
    offer = problem.groups.offer.copy() if before is None else before.offer
    order = Order(offer, np.empty(entries), np.empty(entries), np.empty(entries))
    # A first is worth the coverage too: those that deliver better come before.
    coverage = float(problem.policy.loan_coverage_value_fen) if is_first else 0.0

    def work(start: int, stop: int) -> None:
        _arrange(
            start,
            stop,
            problem.groups,
            problem.data.offers,
            problem.data.costs,
            prices,
            share,
            coverage,
            before is None,
            order,
        )

    over_parts(work, len(problem.groups.term), threads)
    return order


@compiled
def _arrange(
    first: int,
    last: int,
    groups: Groups,
    offers: Records,
    costs: Records,
    prices: Prices,
    share: float,
    coverage: float,
    sorts: bool,
    order: Order,
) -> None:
    for group in range(first, last):
        a, b = groups.offers_start[group], groups.offers_start[group + 1]
        term = groups.term[group]
        low, high = float(groups.low[group]), float(groups.high[group])
        part = groups.share[group] * (1.0 - 1e-12)
        for x in range(a, b):
            j = order.offer[x]
            delivery = offers[j].delivery / 1_000_000.0
            rate = share * delivery * costs[0, term, j].saving_ppm - prices.fen_ppm[j]
            rate /= 1_000_000.0
            least, most = float(offers[j].minimum), float(offers[j].maximum)
            if rate >= 0.0:
                at_low = rate * (most if most <= low else low)
                at_high = rate * (most if most <= low else high)
            else:
                at_low = rate * (least if least >= part * high else part * low)
                at_high = rate * (least if least >= part * high else part * high)
            fixed = share * delivery * costs[0, term, j].fixed_0 + prices.count_fen[j]
            order.low[x] = at_low - fixed
            order.high[x] = at_high - fixed
            order.most_delivery[x] = delivery
        if sorts:
            key = np.empty(b - a, dtype=np.float64)
            for x in range(a, b):
                key[x - a] = -(order.low[x] + order.high[x]) / 2 - (
                    coverage * order.most_delivery[x]
                )
            places = np.argsort(key, kind="mergesort")
            for values in (order.low, order.high, order.most_delivery):
                values[a:b] = values[a:b][places]
            order.offer[a:b] = order.offer[a:b][places]
        for x in range(b - 2, a - 1, -1):
            order.low[x] = max(order.low[x], order.low[x + 1])
            order.high[x] = max(order.high[x], order.high[x + 1])
            order.most_delivery[x] = max(order.most_delivery[x], order.most_delivery[x + 1])
