"""The best set of every line of a portion, candidates looked at in order; for `portions.py`.

A line looks at a block of offers only while the block's bound can matter, in a block only at the
offers whose bits are left, of those only at offers whose own bound can matter; the rules of the
pair come last.
"""

import numpy as np

from financing.matching.national.best_set import MICRO, Sums, Taken, fill_beside, insert, settle
from financing.matching.national.bits import BITS, lowest_bit
from financing.matching.national.candidates import State
from financing.matching.national.compiled import bare, signed
from financing.matching.national.orders import GRID, MOST_BLUR, Prices, build_block
from financing.matching.national.pairs import blurred, lot, scaled, twice_scaled
from financing.matching.national.problem import Data, Groups
from financing.matching.national.rows_of import left_of, look_up, most_amount
from financing.matching.national.sieve import Sieve
from financing.matching.national.tables import Int32, Int64
from financing.matching.national.walk_tools import Tools, open_pair


@bare
def best_of_portion(
    a: int,
    b: int,
    group: int,
    further_count: int,
    first_count: int,
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
    # Arrays by themselves: what is taken out of a tuple inside a loop is counted each time.
    requests, patents, offers = data.requests, data.patents, data.offers
    bits, steps, costs, answers = data.bits, data.steps, data.costs, data.answers
    regions_from = data.regions_from
    closed_start, closed_offer = data.closed_start, data.closed_offer
    closed_institution = data.closed_institution
    price_fen, price_count = prices.fen_ppm, prices.count_fen
    room, room_count, holds = state.room, state.room_count, state.held
    taken_offer, taken_amount = taken.offer, taken.amount
    taken_loss, taken_other = taken.loss, taken.other
    sum_fen, sum_count, totals = sums.fen, sums.count, sums.totals
    scratch, look, met = tools.scratch, tools.look, tools.met
    met_line, met_amount, met_saving = met.line, met.amount, met.saving
    worths, ties, names = scratch.worths, scratch.ties, scratch.names
    amounts, houses = scratch.amounts, scratch.houses
    facts, lends = look.facts, sieve.lends
    entries, rows, is_built = tools.further.entries, tools.further.rows, tools.further.is_built
    bounds, grid = tools.further.bounds, tools.further.grid
    firsts, first_rows, first_built = tools.first.entries, tools.first.rows, tools.first.is_built
    first_bounds, deliveries = tools.first.bounds, tools.first.deliveries
    share, seed = options[0], options[1]
    plain, listed, by_lot, k = options[2] == 1, options[3] == 1, options[4] == 1, options[5]
    width, takes, reach = options[6], options[7] == 1, options[8]
    term, province = groups.term[group], groups.province[group]
    months = terms[term]
    for n in range(a, b):
        i = lines[n]
        held = 0
        for x in range(holds.shape[1]):
            held += holds[i, x] >= 0
        slots = signed(requests[i].slots) - held
        if slots <= 0:
            continue
        reached = requests[i].is_reached != 0 or held > 0
        closed = requests[i].closed
        coverage = requests[i].coverage
        principal = requests[i].principal // 100 * 100
        least = requests[i].least
        look_up(i, term, requests, patents, sieve, look)
        kind, appraised = facts[1], facts[2]
        step = signed(0)
        for g in range(GRID - 1):
            step += grid[g] < requests[i].principal
        # --- the best further proposals, one per institution, and one more than can be used
        size = 0
        most = slots + 1
        needs_single = plain and not reached
        for block in range((further_count + BITS - 1) // BITS):
            bound = bounds[block * GRID + step]
            if size == most and bound < worths[size - 1]:
                break
            if bound <= -reach * principal:
                # What is worth nothing by itself matters only as the one that reaches.
                if not needs_single or bound + coverage * MICRO <= 0:
                    break
                if size >= 2 and bound < worths[1]:
                    break
            if is_built[block] == 0:
                build_block(block, further_count, province, term, sieve, entries, rows)
                is_built[block] = 1
            left = left_of(block, rows, look)
            while left != np.uint64(0):
                entry = entries[block * BITS + lowest_bit(left)]
                left &= left - np.uint64(1)
                j, rate, blur = entry.offer, entry.rate, signed(0)
                if width > 0:
                    blur = blurred(width, part[j], lot(seed, requests[i].id, j))
                    rate -= blur + MOST_BLUR * width
                amount = most_amount(principal, entry.most, lends[j, kind], appraised)
                floor = max(entry.least, least)
                if amount < floor:
                    continue
                if rate < 0:
                    amount = floor
                bound = rate * amount - entry.fixed
                if size == most and bound <= worths[size - 1]:
                    if bound < worths[size - 1]:
                        continue
                    tie = lot(seed, requests[i].id, j) if by_lot else signed(j)
                    if tie > ties[size - 1]:
                        continue
                if bound <= -reach * amount:
                    if not needs_single or bound + coverage * MICRO <= 0:
                        continue
                    if size >= 2 and bound < worths[1]:
                        continue
                amount, saving = open_pair(
                    i,
                    j,
                    term,
                    months,
                    closed,
                    requests,
                    patents,
                    offers,
                    bits,
                    steps,
                    costs,
                    answers,
                    regions_from,
                    closed_start,
                    closed_institution,
                    closed_offer,
                    room,
                    room_count,
                    price_fen,
                    totals,
                )
                if not plain:
                    met_line[j], met_amount[j], met_saving[j] = i, amount, saving
                if amount <= 0:
                    continue
                price = price_fen[j]
                further_fen = saving
                if not plain:
                    further_fen = twice_scaled(saving, share, offers[j].delivery)
                worth = further_fen * MICRO - price * amount - price_count[j] * MICRO
                # The lottery makes nothing of worth out of what is worth nothing by itself.
                worth -= (blur if further_fen > 0 else max(blur, 0)) * amount
                least_worth = -reach * amount if further_fen > 0 else signed(0)
                if worth <= least_worth and not needs_single:
                    continue
                house = offers[j].institution
                if held > 0:
                    is_held = False
                    for y in range(k):
                        other = holds[i, y]
                        if other >= 0 and offers[other].institution == house:
                            is_held = True
                    if is_held:
                        continue
                tie = lot(seed, requests[i].id, j) if by_lot else signed(j)
                size = insert(
                    size, most, worth, tie, j, amount, house, worths, ties, names, amounts, houses
                )

        # --- each of the best few tried as the first, filled up with the best others
        single, single_other = -1, signed(-1)
        single_amount, best, second = signed(0), signed(0), signed(0)
        single_tie, second_tie = signed(0), signed(0)
        if not plain and not reached:
            fill = signed(0)
            for x in range(min(slots - 1, size)):
                fill += max(worths[x], 0)
            for block in range((first_count + BITS - 1) // BITS):
                bound = first_bounds[block * GRID + step] + coverage * deliveries[block]
                if bound + fill < (second if listed else best):
                    break
                if first_built[block] == 0:
                    build_block(block, first_count, province, term, sieve, firsts, first_rows)
                    first_built[block] = 1
                left = left_of(block, first_rows, look)
                while left != np.uint64(0):
                    entry = firsts[block * BITS + lowest_bit(left)]
                    left &= left - np.uint64(1)
                    j, rate, blur = entry.offer, entry.rate, signed(0)
                    if width > 0:
                        blur = blurred(width, part[j], lot(seed, requests[i].id, j))
                        rate -= blur + MOST_BLUR * width
                    amount = most_amount(principal, entry.most, lends[j, kind], appraised)
                    floor = max(entry.least, least)
                    if amount < floor:
                        continue
                    if rate < 0:
                        amount = floor
                    bound = rate * amount - entry.fixed + coverage * signed(entry.delivery)
                    if bound + fill < (second if listed else best):
                        continue
                    if met_line[j] == i:
                        amount, saving = met_amount[j], met_saving[j]
                    else:
                        amount, saving = open_pair(
                            i,
                            j,
                            term,
                            months,
                            closed,
                            requests,
                            patents,
                            offers,
                            bits,
                            steps,
                            costs,
                            answers,
                            regions_from,
                            closed_start,
                            closed_institution,
                            closed_offer,
                            room,
                            room_count,
                            price_fen,
                            totals,
                        )
                    if amount <= 0:
                        continue
                    price = price_fen[j]
                    worth = scaled(coverage + saving, offers[j].delivery) * MICRO
                    worth -= price * amount + price_count[j] * MICRO
                    worth -= (blur if saving > 0 else max(blur, 0)) * amount
                    total = worth + fill_beside(size, slots, offers[j].institution, worths, houses)
                    tie = lot(seed, requests[i].id, j)
                    better = total > best
                    if total == best and single >= 0:
                        better = tie < single_tie
                    if better and total > 0:
                        if best > second or (best == second and single_tie < second_tie):
                            second, single_other, second_tie = best, signed(single), single_tie
                        best, single, single_amount, single_tie = total, signed(j), amount, tie
                    elif total > second or (
                        total == second and single_other >= 0 and tie < second_tie
                    ):
                        second, single_other, second_tie = total, signed(j), tie
        settle(
            n,
            slots,
            size,
            coverage,
            plain,
            reached,
            listed,
            single,
            single_amount,
            best,
            float(best - second),
            single_other,
            worths,
            names,
            amounts,
            houses,
            offers,
            taken_offer,
            taken_amount,
            taken_loss,
            taken_other,
            sum_fen,
            sum_count,
            totals,
        )
        if takes:
            for y in range(k):
                j = taken_offer[n, y]
                if j >= 0:
                    room[j] -= taken_amount[n, y]
                    room_count[j] -= 1
