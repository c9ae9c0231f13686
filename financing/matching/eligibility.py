"""The rules of MATCHING §2: one function per rule, its name is the refusal code.

Each takes a pair and returns a `RuleResult` with the gap. The order of `LOAN_RULES` and
`INSURANCE_RULES` is the order on pages and in files; all are run, independent of each other.
`evaluate` runs them; `near_misses.py`, `explanations.py` and `engine.py` call it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from businesses.rules.patent_term import add_months, remaining_months
from financing.matching import baskets
from financing.matching.areas import lies_in_divisions, lies_in_industries
from financing.matching.decided import blocking_criterion
from financing.matching.pairs import Context, InsurancePair, LoanPair, Pair, make_pair
from financing.matching.rule_results import RuleResult, at_least, at_most, nothing_to_test
from financing.matching.savings import percent, ppm
from financing.matching.tables import OfferRow, RequestRow


def not_open(pair: Pair) -> RuleResult:
    """Published, inside its window on the policy's day, institution not suspended."""
    offer, as_of = pair.offer, pair.context.policy.as_of
    if offer.is_institution_suspended:
        return RuleResult("not_open", False, "published", "institution_suspended")
    if offer.status != "published":
        return RuleResult("not_open", False, "published", offer.status)
    if offer.opens_on is not None and as_of < offer.opens_on:
        return RuleResult("not_open", False, offer.opens_on, as_of, offer.opens_on, "day")
    if offer.closes_on is not None and as_of > offer.closes_on:
        return RuleResult("not_open", False, offer.closes_on, as_of, None, "day")
    return RuleResult("not_open", True, "published", "published")


def region_not_served(pair: Pair) -> RuleResult:
    """The business lies in a division served or below one; none named = whole country."""
    served, found = pair.offer.regions, pair.request.region_code
    passed = not served or lies_in_divisions(found, served)
    return RuleResult("region_not_served", passed, tuple(sorted(served)), found, unit="codes")


def industry_not_accepted(pair: Pair) -> RuleResult:
    """The industry lies under one accepted; none named = all."""
    accepted, found = pair.offer.industries, pair.request.industry_code
    passed = not accepted or lies_in_industries(found, accepted)
    return RuleResult("industry_not_accepted", passed, tuple(sorted(accepted)), found, unit="codes")


def size_not_accepted(pair: Pair) -> RuleResult:
    """The size class is accepted; none named = all."""
    accepted, found = pair.offer.size_classes, pair.request.size_class
    passed = not accepted or found in accepted
    return RuleResult("size_not_accepted", passed, tuple(sorted(accepted)), found, unit="codes")


def amount_out_of_range(pair: LoanPair) -> RuleResult:
    """Principal reaches the offer's minimum; its maximum reaches the least the request accepts."""
    request, offer = pair.request, pair.offer
    if request.principal_fen < offer.principal_min_fen:
        return at_least(
            "amount_out_of_range", offer.principal_min_fen, request.principal_fen, "fen"
        )
    most = baskets.financeable_fen(request, offer, request.principal_fen)
    return at_least("amount_out_of_range", baskets.least_useful_fen(request, offer), most, "fen")


def term_out_of_range(pair: LoanPair) -> RuleResult:
    """The term lies within the offer's, both ends included."""
    months, offer = pair.request.term_months, pair.offer
    if months < offer.term_min_months:
        return at_least("term_out_of_range", offer.term_min_months, months, "months")
    return at_most("term_out_of_range", offer.term_max_months, months, "months")


def _patents_remain(pair: Pair, code: str, earlier: tuple[str, ...]) -> RuleResult:
    """A patent code refuses when it left patents out and too few remained after it.

    The figures of one that does not are those of the basket, or none where the basket is too
    small for another reason: that one speaks.
    """
    left_out = pair.basket.left_out_by(code)
    entering = len(pair.request.patents) - sum(len(pair.basket.left_out_by(c)) for c in earlier)
    needed = max(pair.offer.min_patents_count, 0)
    remaining = entering - len(left_out)
    if entering == 0:
        return nothing_to_test(code)
    if left_out and remaining < needed:
        ids = tuple(exclusion.patent_id for exclusion in left_out)
        return RuleResult(code, False, needed, remaining, needed - remaining, "count", ids)
    kept = pair.basket.patent_ids
    if len(kept) < needed:
        return RuleResult(code, True, unit="count", patent_ids=kept)
    return RuleResult(code, True, needed, len(kept), 0, "count", kept)


def patent_kind_not_accepted(pair: Pair) -> RuleResult:
    """Enough patents are of a kind the offer accepts."""
    return _patents_remain(pair, baskets.KIND, ())


def patents_too_short_lived(pair: LoanPair) -> RuleResult:
    """Enough patents live until the loan's end plus the margin; gap in months of the nearest."""
    result = _patents_remain(pair, baskets.LIFE, (baskets.KIND,))
    if result.passed:
        return result
    lacking = sorted(
        (exclusion.lacking_months, exclusion.patent_id)
        for exclusion in pair.basket.left_out_by(baskets.LIFE)
    )
    months, patent_id = lacking[0]
    patent = next(p for p in pair.request.patents if p.id == patent_id)
    needed = baskets.needed_life_months(pair.request, pair.offer, patent.kind)
    start = baskets.life_counts_from(pair.request, pair.context.policy)
    found = remaining_months(patent.expires_on, start)
    ids = tuple(patent_id for _, patent_id in lacking)
    return RuleResult(baskets.LIFE, False, needed, found, months, "months", ids)


def not_registrable(pair: LoanPair) -> RuleResult:
    """Enough patents are free of hard grounds (DOMAIN 4.4); `gap` names the grounds."""
    result = _patents_remain(pair, baskets.REGISTRABLE, (baskets.KIND, baskets.LIFE))
    return result if result.passed else _with_grounds(pair, result, baskets.REGISTRABLE)


def _with_grounds(pair: Pair, result: RuleResult, code: str) -> RuleResult:
    grounds = {g for exclusion in pair.basket.left_out_by(code) for g in exclusion.grounds}
    if any(exclusion.lacking_months for exclusion in pair.basket.left_out_by(code)):
        grounds.add("remaining_life_too_short")
    return RuleResult(
        code, False, (), tuple(sorted(grounds)), tuple(sorted(grounds)), "codes", result.patent_ids
    )


def too_few_patents(pair: LoanPair) -> RuleResult:
    """The basket has the number of patents the offer asks for."""
    kept = pair.basket.patent_ids
    if not kept and pair.request.patents:
        # All were left out: the code that did it speaks.
        return nothing_to_test("too_few_patents")
    return at_least("too_few_patents", pair.offer.min_patents_count, len(kept), "count", kept)


def appraisal_missing(pair: LoanPair) -> RuleResult:
    """A usable appraisal, where the offer lends on appraised value and not without one."""
    offer, kept = pair.offer, pair.basket.patent_ids
    if offer.collateral_basis == "limit_table" or not kept:
        return nothing_to_test("appraisal_missing")
    has_one = pair.collateral.has_usable_appraisal or offer.unappraised_limit_fen is not None
    found = int(pair.collateral.has_usable_appraisal)
    return RuleResult("appraisal_missing", has_one, 1, found, int(not has_one), "count", kept)


def collateral_too_small(pair: LoanPair) -> RuleResult:
    """What the offer lends on the basket reaches offer minimum and least accepted."""
    if not pair.basket.kept or not appraisal_missing(pair).passed:
        return nothing_to_test("collateral_too_small")
    yields = pair.collateral.fen // baskets.FEN_PER_YUAN * baskets.FEN_PER_YUAN
    least = baskets.least_useful_fen(pair.request, pair.offer)
    return at_least("collateral_too_small", least, yields, "fen", pair.basket.patent_ids)


def operating_history_too_short(pair: LoanPair) -> RuleResult:
    """Whole months since the business was established."""
    as_of, established_on = pair.context.policy.as_of, pair.request.established_on
    found = remaining_months(as_of, established_on)
    required = pair.offer.min_operating_months
    reached_on = add_months(established_on, required)
    passed = reached_on <= as_of or required == 0
    gap = 0 if passed else max(1, required - found)
    return RuleResult("operating_history_too_short", passed, required, found, gap, "months")


def certificate_missing(pair: LoanPair) -> RuleResult:
    """The business holds every certificate asked for."""
    required, held = pair.offer.required_certificates, pair.request.certificates
    missing = tuple(sorted(required - held))
    return RuleResult(
        "certificate_missing",
        not missing,
        tuple(sorted(required)),
        tuple(sorted(required & held)),
        missing,
        "codes",
    )


def above_rate_ceiling(pair: LoanPair) -> RuleResult:
    """Not dearer than the same flows at the ceiling, by the sign of the present value (4.7).

    Figures are effective yearly costs; `required` is that of the flows at the ceiling.
    """
    costs = pair.context.costs
    passed = not costs.is_above_ceiling(pair.terms)
    if passed and not pair.context.with_figures:
        return RuleResult("above_rate_ceiling", True, unit="ppm")
    required, found = _ppm(costs.ceiling_apr(pair.terms)), _ppm(costs.apr(pair.terms))
    gap: int | None = 0
    if not passed:
        gap = None if required is None or found is None else max(1, found - required)
    return RuleResult("above_rate_ceiling", passed, required, found, gap, "ppm")


def above_borrowers_rate(pair: LoanPair) -> RuleResult:
    """The effective yearly cost is within what the business accepts."""
    limit = pair.request.max_apr_ppm
    if limit is None:
        return nothing_to_test("above_borrowers_rate")
    apr = pair.context.costs.apr(pair.terms)
    if apr is None:
        return RuleResult("above_borrowers_rate", False, limit, None, None, "ppm")
    passed = apr <= percent(limit)
    gap = 0 if passed else max(1, ppm(apr) - limit)
    return RuleResult("above_borrowers_rate", passed, limit, ppm(apr), gap, "ppm")


def _ppm(apr_percent: Decimal | None) -> int | None:
    """Effective yearly cost in ppm; None where the flows have no rate."""
    return None if apr_percent is None else ppm(apr_percent)


def no_saving(pair: Pair) -> RuleResult:
    """It costs no more than the benchmark (saving >= 0)."""
    return at_least("no_saving", 0, pair.saving_fen, "fen")


def cover_kind_differs(pair: InsurancePair) -> RuleResult:
    """The offer insures the kind of cover asked for."""
    required, found = pair.offer.cover_kind, pair.request.cover_kind
    return RuleResult("cover_kind_differs", required == found, required, found)


def sum_insured_out_of_range(pair: InsurancePair) -> RuleResult:
    """The sum insured lies within the offer's, both ends included."""
    found, offer = pair.request.sum_insured_fen, pair.offer
    if found < offer.sum_insured_min_fen:
        return at_least("sum_insured_out_of_range", offer.sum_insured_min_fen, found, "fen")
    return at_most("sum_insured_out_of_range", offer.sum_insured_max_fen, found, "fen")


def not_insurable(pair: InsurancePair) -> RuleResult:
    """Enough patents meet the insurer's conditions (DOMAIN 4.5); `gap` names those not met."""
    result = _patents_remain(pair, baskets.INSURABLE, (baskets.KIND,))
    if not result.passed:
        return _with_grounds(pair, result, baskets.INSURABLE)
    kept, needed = pair.basket.patent_ids, pair.offer.min_patents_count
    if not pair.basket.left_out or (kept and len(kept) < needed):
        return at_least("not_insurable", needed, len(kept), "count", kept)
    return result


def premium_above_limit(pair: InsurancePair) -> RuleResult:
    """The premium is within what the business accepts."""
    if pair.request.max_premium_fen is None:
        return nothing_to_test("premium_above_limit")
    return at_most("premium_above_limit", pair.request.max_premium_fen, pair.premium_fen, "fen")


def already_decided(pair: Pair) -> RuleResult:
    """No person has rejected or declined this institution for a criterion still unchanged."""
    criterion = blocking_criterion(pair.request, pair.offer, pair.context.decided)
    return RuleResult("already_decided", criterion is None, None, criterion)


LOAN_RULES: tuple[Callable[[LoanPair], RuleResult], ...] = (
    not_open,
    region_not_served,
    industry_not_accepted,
    size_not_accepted,
    amount_out_of_range,
    term_out_of_range,
    patent_kind_not_accepted,
    patents_too_short_lived,
    not_registrable,
    too_few_patents,
    appraisal_missing,
    collateral_too_small,
    operating_history_too_short,
    certificate_missing,
    above_rate_ceiling,
    above_borrowers_rate,
    no_saving,
    already_decided,
)

INSURANCE_RULES: tuple[Callable[[InsurancePair], RuleResult], ...] = (
    cover_kind_differs,
    not_open,
    region_not_served,
    industry_not_accepted,
    size_not_accepted,
    sum_insured_out_of_range,
    patent_kind_not_accepted,
    not_insurable,
    premium_above_limit,
    no_saving,
    already_decided,
)


@dataclass(frozen=True)
class Evaluation:
    """All rules of one pair, in order, with the pair they were run on."""

    pair: Pair
    results: tuple[RuleResult, ...]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    @property
    def failed_codes(self) -> tuple[str, ...]:
        return tuple(result.code for result in self.results if not result.passed)


def evaluate(request: RequestRow, offer: OfferRow, context: Context) -> Evaluation:
    """Run every rule; TypeError when request and offer are of different kinds."""
    pair = make_pair(request, offer, context)
    if isinstance(pair, LoanPair):
        return Evaluation(pair, tuple(rule(pair) for rule in LOAN_RULES))
    return Evaluation(pair, tuple(rule(pair) for rule in INSURANCE_RULES))


def passing_pair(request: RequestRow, offer: OfferRow, context: Context) -> Pair | None:
    """The pair when it passes every rule, else None; stops at the first refusal."""
    pair = make_pair(request, offer, context)
    if isinstance(pair, LoanPair):
        return pair if all(rule(pair).passed for rule in LOAN_RULES) else None
    return pair if all(rule(pair).passed for rule in INSURANCE_RULES) else None
