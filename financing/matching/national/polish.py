"""Exchanges after the repair: a request that lost much takes the place of one that loses little.

Where an offer's room holds some tens of loans, the last one that does not fit is worth more than
prices can say. Each exchange is weighed at the prices: what the one gains, what the other loses
after taking its next best offer with room, and the room that is freed or used. One thread, in an
order that depends on ids only. Called by `engine.py` for problems up to some hundred thousand
requests.
"""

import numpy as np

from financing.matching.national.candidates import Candidates
from financing.matching.national.compiled import bare, compiled, inlined, signed
from financing.matching.national.orders import Prices, is_plain
from financing.matching.national.packing import Problem
from financing.matching.national.problem import Float64, Records
from financing.matching.national.repair import Given
from financing.matching.national.tables import Int32, Int64

MOST_HOLDERS = 400
"""Holders looked at for one exchange."""


def polish(
    problem: Problem,
    candidates: Candidates,
    prices: Prices,
    given: Given,
    *,
    sweeps: int = 6,
) -> int:
    """Change `given` in place while exchanges pay; gives how many were made."""
    if not is_plain(problem):
        return 0
    place = held_pairs(candidates, given)
    left = problem.room.copy()
    pieces = problem.room_count.copy()
    _use_up(given.offer, given.amount, left, pieces)
    made = 0
    for _ in range(sweeps):
        regret = _regrets(
            candidates,
            problem.data.requests,
            problem.data.offers,
            prices.fen_ppm / 1e6,
            prices.count_fen.astype(np.float64),
            place,
        )
        lines = np.flatnonzero(regret > 1.0)
        ids = problem.data.requests["id"][candidates.lines[lines]]
        order = lines[np.lexsort((ids, -regret[lines]))]
        done = _exchange(
            order,
            candidates,
            problem.data.requests,
            problem.data.offers,
            prices.fen_ppm / 1e6,
            prices.count_fen.astype(np.float64),
            place,
            left,
            pieces,
        )
        made += done
        if not done:
            break
    _write(candidates, place, given.offer, given.amount)
    return made


def held_pairs(candidates: Candidates, given: Given) -> Int64:
    """By place in `candidates.lines`: the pairs held, -1 = none."""
    place = np.full(given.offer.shape, -1, dtype=np.int64)
    _find(candidates, given.offer, place)
    return place


@bare
def _find(candidates: Candidates, offer: Int32, place: Int64) -> None:
    lines, start, names = candidates.lines, candidates.start, candidates.offer
    for n in range(len(lines)):
        for y in range(offer.shape[1]):
            for x in range(start[n], start[n + 1]):
                if offer[lines[n], y] >= 0 and names[x] == offer[lines[n], y]:
                    place[n, y] = x


@bare
def _write(candidates: Candidates, place: Int64, offer: Int32, amount: Int64) -> None:
    for n in range(len(candidates.lines)):
        i = candidates.lines[n]
        for y in range(place.shape[1]):
            x = place[n, y]
            offer[i, y] = candidates.offer[x] if x >= 0 else -1
            amount[i, y] = candidates.amount[x] if x >= 0 else 0


@bare
def _use_up(offer: Int32, amount: Int64, left: Int64, pieces: Int64) -> None:
    for i in range(offer.shape[0]):
        for y in range(offer.shape[1]):
            if offer[i, y] >= 0:
                left[offer[i, y]] -= amount[i, y]
                pieces[offer[i, y]] -= 1


@inlined
def _net(x: int, names: Int32, amounts: Int64, further: Int64, price: Float64, piece: Float64):  # type: ignore[no-untyped-def]
    """Worth of a pair as a further proposal at the prices, in fen."""
    j = names[x]
    return further[x] - price[j] * amounts[x] - piece[j]


@compiled
def _regrets(
    candidates: Candidates,
    requests: Records,
    offers: Records,
    price: Float64,
    piece: Float64,
    place: Int64,
) -> Float64:
    """What each line has less than its best single or further pair would add, in fen."""
    lines, start, names = candidates.lines, candidates.start, candidates.offer
    amounts, further = candidates.amount, candidates.further_fen
    regret = np.zeros(len(lines), dtype=np.float64)
    for n in range(len(lines)):
        request = requests[lines[n]]
        held = 0
        weakest = 1e300
        for y in range(place.shape[1]):
            if place[n, y] >= 0:
                held += 1
                weakest = min(weakest, _net(place[n, y], names, amounts, further, price, piece))
        best = -1e300
        for x in range(start[n], start[n + 1]):
            best = max(best, _net(x, names, amounts, further, price, piece))
        if held == 0 and request.is_reached == 0:
            best += request.coverage
            weakest = 0.0
        elif held < signed(request.slots):
            weakest = 0.0
        if request.slots > 0 and best > weakest:
            regret[n] = best - weakest
    return regret


@bare
def _next_best(
    m: int,
    y: int,
    start: Int64,
    names: Int32,
    amounts: Int64,
    further: Int64,
    price: Float64,
    piece: Float64,
    place: Int64,
    left: Int64,
    pieces: Int64,
    offers: Records,
) -> tuple[float, int]:
    """The best pair with room that line m could have instead of the one in place y."""
    best, found = -1e300, -1
    held = place[m, y]
    for u in range(start[m], start[m + 1]):
        i = names[u]
        if u == held or amounts[u] > left[i] or pieces[i] < 1:
            continue
        net = _net(u, names, amounts, further, price, piece)
        if net <= best:
            continue
        clash = False
        for v in range(place.shape[1]):
            other = place[m, v]
            if v != y and other >= 0 and offers[names[other]].institution == offers[i].institution:
                clash = True
        if not clash:
            best, found = net, u
    return best, found


@bare
def _loss(
    m: int,
    y: int,
    lines: Int32,
    start: Int64,
    names: Int32,
    amounts: Int64,
    further: Int64,
    price: Float64,
    piece: Float64,
    place: Int64,
    left: Int64,
    pieces: Int64,
    requests: Records,
    offers: Records,
) -> float:
    """What line m loses when it must give up the pair in place y, after its next best one."""
    loss = _net(place[m, y], names, amounts, further, price, piece)
    finds, _ = _next_best(
        m, y, start, names, amounts, further, price, piece, place, left, pieces, offers
    )
    alone = requests[lines[m]].is_reached == 0
    for v in range(place.shape[1]):
        if v != y and place[m, v] >= 0:
            alone = False
    if alone:
        coverage = float(requests[lines[m]].coverage)
        loss += coverage
        finds += coverage
    return float(loss - max(finds, 0.0))


@compiled
def _exchange(
    order: Int64,
    candidates: Candidates,
    requests: Records,
    offers: Records,
    price: Float64,
    piece: Float64,
    place: Int64,
    left: Int64,
    pieces: Int64,
) -> int:
    lines, start, names = candidates.lines, candidates.start, candidates.offer
    amounts, further = candidates.amount, candidates.further_fen
    k = place.shape[1]
    # Holders of each offer as a chain of slots (line x k + place).
    head = np.full(len(left), -1, dtype=np.int64)
    after = np.full(len(lines) * k, -1, dtype=np.int64)
    before = np.full(len(lines) * k, -1, dtype=np.int64)
    for n in range(len(lines) - 1, -1, -1):
        for y in range(k):
            x = place[n, y]
            if x >= 0:
                slot = n * k + y
                j = names[x]
                after[slot] = head[j]
                if head[j] >= 0:
                    before[head[j]] = slot
                head[j] = slot
                before[slot] = -1
    # What each holder would lose, as things stand when the sweep begins; weighed again when used.
    known = np.zeros(len(lines) * k, dtype=np.float64)
    for n in range(len(lines)):
        for y in range(k):
            if place[n, y] >= 0:
                known[n * k + y] = _loss(
                    n,
                    y,
                    lines,
                    start,
                    names,
                    amounts,
                    further,
                    price,
                    piece,
                    place,
                    left,
                    pieces,
                    requests,
                    offers,
                )
    slots = np.empty(MOST_HOLDERS, dtype=np.int64)
    loses = np.empty(MOST_HOLDERS, dtype=np.float64)
    density = np.empty(MOST_HOLDERS, dtype=np.float64)
    leaves = np.zeros(MOST_HOLDERS, dtype=np.bool_)
    best_slots = np.empty(MOST_HOLDERS, dtype=np.int64)
    made = 0
    for at in range(len(order)):
        n = order[at]
        request = requests[lines[n]]
        held, free, weakest_place = 0, -1, -1
        weakest = 0.0
        for y in range(k):
            x = place[n, y]
            if x < 0:
                if free < 0:
                    free = y
                continue
            held += 1
            net = _net(x, names, amounts, further, price, piece)
            if weakest_place < 0 or net < weakest:
                weakest, weakest_place = net, y
        to = free
        lost = 0.0
        is_first = held == 0 and request.is_reached == 0
        if held >= signed(request.slots):
            if weakest_place < 0:
                continue
            to, lost = weakest_place, weakest
        best_gain, best_x, best_count = 1.0, -1, 0
        for x in range(start[n], start[n + 1]):
            j = names[x]
            gain = _net(x, names, amounts, further, price, piece) - lost
            if is_first:
                gain += request.coverage
            if gain <= best_gain:
                continue
            clash = False
            for y in range(k):
                other = place[n, y]
                if other >= 0:
                    if y == to and names[other] == j:
                        clash = True
                    house = offers[names[other]].institution
                    if y != to and house == offers[j].institution:
                        clash = True
            if clash:
                continue
            if amounts[x] <= left[j] and pieces[j] >= 1:
                best_gain, best_x, best_count = gain, x, 0
                continue
            # Who would have to leave: those that lose least per fen, until there is room.
            needed = amounts[x] - left[j]
            count = 0
            slot = head[j]
            while slot >= 0 and count < MOST_HOLDERS:
                m, y = slot // k, slot % k
                if m != n and known[slot] < gain:
                    z = place[m, y]
                    slots[count], loses[count] = slot, known[slot]
                    density[count] = known[slot] / amounts[z]
                    leaves[count] = False
                    count += 1
                slot = after[slot]
            if count == 0:
                continue
            ranked = np.argsort(density[:count], kind="mergesort")
            freed, total = signed(0), 0.0
            last = 0
            while last < count and (freed < needed or pieces[j] + last < 1):
                at_slot = slots[ranked[last]]
                freed += amounts[place[at_slot // k, at_slot % k]]
                total += loses[ranked[last]]
                leaves[ranked[last]] = True
                last += 1
            if freed < needed or pieces[j] + last < 1:
                continue
            # Whoever need not leave after all stays, the dearest first.
            for back in range(last - 1, -1, -1):
                one = ranked[back]
                fen = amounts[place[slots[one] // k, slots[one] % k]]
                if loses[one] > 0 and freed - fen >= needed and pieces[j] + last - 1 >= 1:
                    freed -= fen
                    total -= loses[one]
                    leaves[one] = False
            if gain - total > best_gain:
                best_gain, best_x, best_count = gain - total, x, 0
                for one in range(count):
                    if leaves[one]:
                        best_slots[best_count] = slots[one]
                        best_count += 1
        if best_x < 0:
            continue
        total = 0.0
        for one in range(best_count):
            slot = best_slots[one]
            known[slot] = _loss(
                slot // k,
                slot % k,
                lines,
                start,
                names,
                amounts,
                further,
                price,
                piece,
                place,
                left,
                pieces,
                requests,
                offers,
            )
            total += known[slot]
        gain = _net(best_x, names, amounts, further, price, piece) - lost
        if is_first:
            gain += request.coverage
        if gain - total <= 1.0:
            continue
        made += 1
        # Those that leave and where they go, then the one that comes; chains and rooms follow.
        j = names[best_x]
        for one in range(best_count):
            slot = best_slots[one]
            m, y = slot // k, slot % k
            finds, u = _next_best(
                m, y, start, names, amounts, further, price, piece, place, left, pieces, offers
            )
            alone = requests[lines[m]].is_reached == 0
            for v in range(k):
                if v != y and place[m, v] >= 0:
                    alone = False
            if alone:
                finds += float(requests[lines[m]].coverage)
            _unlink(slot, place, names, amounts, k, head, after, before, left, pieces)
            if u >= 0 and finds > 0 and names[u] != j:
                place[m, y] = u
                _link(slot, place, names, amounts, k, head, after, before, left, pieces)
        if place[n, to] >= 0:
            _unlink(n * k + to, place, names, amounts, k, head, after, before, left, pieces)
        place[n, to] = best_x
        _link(n * k + to, place, names, amounts, k, head, after, before, left, pieces)
    return made


@bare
def _unlink(
    slot: int,
    place: Int64,
    names: Int32,
    amounts: Int64,
    k: int,
    head: Int64,
    after: Int64,
    before: Int64,
    left: Int64,
    pieces: Int64,
) -> None:
    x = place[slot // k, slot % k]
    j = names[x]
    if before[slot] >= 0:
        after[before[slot]] = after[slot]
    else:
        head[j] = after[slot]
    if after[slot] >= 0:
        before[after[slot]] = before[slot]
    after[slot] = before[slot] = -1
    left[j] += amounts[x]
    pieces[j] += 1
    place[slot // k, slot % k] = -1


@bare
def _link(
    slot: int,
    place: Int64,
    names: Int32,
    amounts: Int64,
    k: int,
    head: Int64,
    after: Int64,
    before: Int64,
    left: Int64,
    pieces: Int64,
) -> None:
    x = place[slot // k, slot % k]
    j = names[x]
    after[slot] = head[j]
    before[slot] = -1
    if head[j] >= 0:
        before[head[j]] = slot
    head[j] = slot
    left[j] -= amounts[x]
    pieces[j] -= 1
