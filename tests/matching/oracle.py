"""A second, plain reading of MATCHING §1-§2, written without the matcher's own code.

The tests compare the matcher with it: which pairs pass, what they finance, and whether a set of
proposals keeps every constraint. Only cash flows come from businesses.rules.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import combinations, product

from businesses.rules.loan_terms import Fee, LoanTerms
from businesses.rules.true_cost import is_above_ceiling, saving_ppm


def shifted(day: date, months: int) -> date:
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError


def under(code, parents, ends):
    for parent in parents:
        for end in ends:
            if end and parent.endswith(end):
                parent = parent[: -len(end)]
                break
        if code[: len(parent)] == parent:
            return True
    return not parents


def kept_patents(request, offer, policy):
    start = max(policy.as_of, request.drawdown_on or policy.as_of)
    kept = []
    for p in request.patents:
        terms = [t for t in offer.accepted_patents if t.kind == p.kind]
        if not terms:
            continue
        months = max(request.term_months + offer.margin_months, terms[0].min_remaining_months)
        if p.expires_on <= start or shifted(start, months) > p.expires_on:
            continue
        if p.hard_grounds:
            continue
        foreign = p.pledgee_institution_id not in (None, offer.institution_id)
        if foreign and not (p.pledge_released_on and p.pledge_released_on <= start):
            continue
        kept.append(p)
    return kept


def financed(request, offer, policy):
    """(financeable fen, rests on appraisals still to make), or None without a basis."""
    kept = kept_patents(request, offer, policy)
    if len(kept) < offer.min_patents_count:
        return None
    conditional = False
    if offer.collateral_basis == "limit_table":
        limit = max([s.limit_fen for s in offer.limit_table if s.patents_count <= len(kept)] + [0])
    else:
        usable = []
        for p in kept:
            age = offer.appraisal_max_age_months
            if p.appraised_on is None or p.appraised_on > policy.as_of:
                continue
            if age is None or shifted(p.appraised_on, age) >= policy.as_of:
                usable.append(p)
        if not usable and offer.unappraised_limit_fen is None:
            return None
        ltv = {t.kind: t.loan_to_value_ppm for t in offer.accepted_patents}
        limit = sum(p.appraised_value_fen * ltv[p.kind] for p in usable) // 10**6
        if offer.collateral_basis == "share_of_principal":
            limit = limit * 10**6 // offer.secured_share_ppm
        if len(usable) < len(kept) and (offer.unappraised_limit_fen or 0) > limit:
            limit, conditional = offer.unappraised_limit_fen, True
    fen = min(request.principal_fen, offer.principal_max_fen, limit)
    return fen - fen % 100, conditional


def terms_of(request, offer, policy, fen, conditional):
    fees = []
    for f in offer.fees:
        if f.fixed_fen:
            fees.append(Fee("a", f.payer, f.timing, amount=Decimal(f.fixed_fen) / 100))
        if f.share_ppm:
            fees.append(Fee("b", f.payer, f.timing, percent=Decimal(f.share_ppm) / 10000))
    if conditional and offer.appraisal_fee_fen:
        fee = Decimal(offer.appraisal_fee_fen) / 100
        fees.append(Fee("c", "borrower", "upfront", amount=fee))
    return LoanTerms(
        principal=Decimal(fen) / 100,
        term_months=request.term_months,
        interest_rate_percent=Decimal(offer.interest_rate_ppm) / 10000,
        repayment_method=offer.repayment_method,
        drawdown_on=policy.as_of,
        day_count=offer.day_count,
        fees=tuple(fees),
    )


def loan_outcome(request, offer, policy):
    """(amount fen, saving fen, patent ids) of a pair that fits, else None."""
    as_of = policy.as_of
    if offer.status != "published" or offer.is_institution_suspended:
        return None
    if (offer.opens_on and as_of < offer.opens_on) or (offer.closes_on and as_of > offer.closes_on):
        return None
    if not under(request.region_code, offer.regions, ("0000", "00")):
        return None
    if not under(request.industry_code, offer.industries, ()):
        return None
    if offer.size_classes and request.size_class not in offer.size_classes:
        return None
    if not offer.term_min_months <= request.term_months <= offer.term_max_months:
        return None
    if request.principal_fen < offer.principal_min_fen:
        return None
    if shifted(request.established_on, offer.min_operating_months) > as_of:
        return None
    if offer.required_certificates - request.certificates:
        return None
    amount = financed(request, offer, policy)
    if amount is None or amount[0] < max(offer.principal_min_fen, request.least_accepted_fen):
        return None
    fen, conditional = amount
    terms = terms_of(request, offer, policy, fen, conditional)
    lpr = policy.lpr_one_year_ppm if request.term_months <= 60 else policy.lpr_five_year_ppm
    if is_above_ceiling(terms, Decimal(lpr + policy.ceiling_spread_ppm) / 10000):
        return None
    rate = saving_ppm(terms, Decimal(lpr) / 10000, Decimal(policy.reference_spread_ppm) / 10000)
    saving = fen * rate.ppm // 10**6 - rate.fixed_fees_fen
    if saving < 0:
        return None
    ids = tuple(sorted(p.id for p in kept_patents(request, offer, policy)))
    return fen, saving, ids


def room(offer, policy):
    fen = (offer.capacity_fen - offer.booked_fen) * policy.oversubscription_ppm // 10**6
    count = None
    if offer.capacity_count is not None:
        free = max(0, offer.capacity_count - offer.booked_count)
        count = max(0, free * policy.oversubscription_ppm // 10**6 - offer.held_count)
    return max(0, fen - offer.held_fen), count


def broken_constraints(proposals: Iterable, requests, offers, policy, standing=()):
    """What a set of proposals violates, as sentences; empty when it keeps everything."""
    broken = []
    offer_of = {(o.kind, o.id): o for o in offers}
    request_of = {(r.kind, r.id): r for r in requests}
    per_request, per_offer = defaultdict(list), defaultdict(list)
    for p in proposals:
        per_request[p.kind, p.request_id].append(p)
        per_offer[p.kind, p.offer_id].append(p)
    for key, rows in per_offer.items():
        fen, count = room(offer_of[key], policy)
        if sum(p.amount_fen for p in rows) > fen:
            broken.append(f"{key}: more money than room")
        if count is not None and len(rows) > count:
            broken.append(f"{key}: more pieces than room")
    for key, rows in per_request.items():
        assert key in request_of
        live = [m for m in standing if (m.kind, m.request_id) == key]
        counted = [m for m in live if m.is_within_deadline]
        institutions = [p.institution_id for p in rows] + [m.institution_id for m in live]
        proposed = [p.institution_id for p in rows]
        if len(set(proposed)) < len(proposed):
            broken.append(f"{key}: an institution twice")
        if any(institutions.count(i) > 1 for i in proposed):
            broken.append(f"{key}: an institution with a live match")
        if len(rows) + len(counted) > policy.max_proposals_count:
            broken.append(f"{key}: more than k")
        if [p.rank for p in rows] != list(range(1, len(rows) + 1)):
            broken.append(f"{key}: ranks")
        if [p.is_first for p in rows] != [not counted] + [False] * (len(rows) - 1):
            broken.append(f"{key}: first")
    return broken


def best_value(demands, rooms):
    """The greatest value of any allocation of tiny demands, by trying all of them."""
    options = []
    for demand in demands:
        ways = [()]
        open_ones = [
            c for c in demand.candidates if c.institution_id not in demand.closed_institutions
        ]
        for size in range(1, max(0, demand.slots) + 1):
            for chosen in combinations(open_ones, size):
                if len({c.institution_id for c in chosen}) == size:
                    ways.append(chosen)
        options.append([(way, _worth(way, demand.is_reached)) for way in ways])
    best = 0
    for combination in product(*options):
        fen, count = defaultdict(int), defaultdict(int)
        for way, _ in combination:
            for c in way:
                fen[c.offer] += c.amount_fen
                count[c.offer] += 1
        if all(
            fen[offer] <= left.fen and (left.count is None or count[offer] <= left.count)
            for offer, left in rooms.items()
        ):
            best = max(best, sum(worth for _, worth in combination))
    return best


def _worth(way, is_reached):
    alternatives = sum(c.alternative_fen for c in way)
    if is_reached or not way:
        return alternatives
    return alternatives + max(c.first_fen - c.alternative_fen for c in way)
