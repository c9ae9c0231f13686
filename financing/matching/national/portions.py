"""A walk's lines cut into portions of a group with similar principals; called by `walk.py`."""

from financing.matching.national.best_first import best_of_portion
from financing.matching.national.best_set import Sums, Taken
from financing.matching.national.candidates import State
from financing.matching.national.compiled import bare, signed
from financing.matching.national.groups import lines_before, place_of
from financing.matching.national.orders import FIRST, FURTHER, Prices, arrange
from financing.matching.national.problem import Data, Groups
from financing.matching.national.sieve import Sieve
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.walk_tools import Tools

FEWEST = 256
PER_OFFER = 2
"""Lines of a portion: so many, or so many per offer of the group."""


@bare
def best_first(
    lines: Int32,
    data: Data,
    groups: Groups,
    terms: Int64,
    sieve: Sieve,
    prices: Prices,
    state: State,
    taken: Taken,
    sums: Sums,
    part: Int64,
    tools: Tools,
    options: Int64,
) -> None:
    """`options`: share of a further proposal (ppm), seed, is plain, is listed, ties by lot, k,
    width of the blur (ppm), whether lines take the room at once."""
    requests = data.requests
    plain, share, width = options[2] == 1, options[0], options[6]
    n, group = signed(0), signed(0)
    while n < len(lines):
        group = place_of(groups.start, lines[n], group)
        stop = lines_before(lines, groups.start[group + 1], n)
        offers = groups.offers_start[group + 1] - groups.offers_start[group]
        portions = max(1, (stop - n) // max(FEWEST, PER_OFFER * offers))
        for portion in range(portions):
            a = n + (stop - n) * portion // portions
            b = n + (stop - n) * (portion + 1) // portions
            low = high = requests[lines[a]].principal
            least, coverage = requests[lines[a]].least, requests[lines[a]].coverage
            is_any_free = False
            for m in range(a, b):
                request = requests[lines[m]]
                low, high = min(low, request.principal), max(high, request.principal)
                least = min(least, request.least)
                is_any_free |= request.is_reached == 0
            usual = requests[lines[(a + b) // 2]].principal
            further = arrange(
                group,
                low,
                high,
                usual,
                least,
                FURTHER,
                share,
                width,
                coverage,
                groups,
                data.offers,
                data.costs,
                prices,
                state.room,
                state.room_count,
                tools.further,
            )
            firsts = signed(0)
            if is_any_free and not plain:
                firsts = arrange(
                    group,
                    low,
                    high,
                    usual,
                    least,
                    FIRST,
                    share,
                    width,
                    coverage,
                    groups,
                    data.offers,
                    data.costs,
                    prices,
                    state.room,
                    state.room_count,
                    tools.first,
                )
            if further + firsts == 0:
                continue
            best_of_portion(
                a,
                b,
                group,
                further,
                firsts,
                lines,
                data,
                groups,
                terms,
                sieve,
                prices,
                state,
                taken,
                sums,
                part,
                tools,
                options,
            )
        n = stop
