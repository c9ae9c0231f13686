"""The smallest single change that would make a refused offer fit (MATCHING §2).

Called for the pages of one request. Every change is verified by running all rules again on the
changed request. Never "raise the appraised value"; what cannot be changed appears only as a date.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from businesses.rules.patent_term import add_months, remaining_months
from financing.matching import baskets
from financing.matching.columns import PPM
from financing.matching.eligibility import Evaluation, evaluate
from financing.matching.pairs import Context, InsurancePair, LoanPair, make_pair
from financing.matching.rule_results import Figure, RuleResult
from financing.matching.savings import CostBook
from financing.matching.tables import LoanRequestRow, OfferRow, PatentRow, RequestRow

CURABLE = frozenset(
    {
        "amount_out_of_range",
        "term_out_of_range",
        "sum_insured_out_of_range",
        "patent_kind_not_accepted",
        "patents_too_short_lived",
        "not_registrable",
        "not_insurable",
        "too_few_patents",
        "appraisal_missing",
        "collateral_too_small",
        "certificate_missing",
        "operating_history_too_short",
    }
)
"""Refusals a change named below can cure; any other refusal rules a near miss out."""

MOST_ADDED_PATENTS = 5
LONG_LIFE_MONTHS = 600


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One change that makes an offer fit.

    `change_code`: pay_annuity, get_consent, change_term, change_principal, lower_least_accepted,
    change_sum_insured, get_appraisal (`to`: the least value it must show), get_certificate,
    add_patents or wait_until. `saving_fen`, `amount_fen`: what the offer would then save and give.
    `results`: all rules on the changed request, all passed.
    """

    offer_id: str
    institution_id: str
    change_code: str
    before: Figure
    after: Figure
    unit: str
    patent_ids: tuple[str, ...]
    amount_fen: int
    saving_fen: int
    results: tuple[RuleResult, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    code: str
    before: Figure
    after: Figure
    unit: str
    request: RequestRow
    patent_ids: tuple[str, ...] = ()
    as_of: date | None = None


def near_misses(
    request: RequestRow, offers: Iterable[OfferRow], context: Context
) -> tuple[NearMiss, ...]:
    """The near misses among `offers` of the request's kind, most saving first, then by offer."""
    found = [
        miss
        for offer in offers
        if offer.kind == request.kind and (miss := near_miss(request, offer, context)) is not None
    ]
    return tuple(sorted(found, key=lambda miss: (-miss.saving_fen, miss.offer_id)))


def near_miss(request: RequestRow, offer: OfferRow, context: Context) -> NearMiss | None:
    """The easiest single change that makes this offer fit; None if it fits or none does."""
    failed = set(evaluate(request, offer, context).failed_codes)
    if not failed or not failed <= CURABLE:
        return None
    for change in _changes(request, offer, context):
        changed = context
        if change.as_of is not None:
            policy = replace(context.policy, as_of=change.as_of)
            changed = replace(context, policy=policy, costs=CostBook(policy))
        evaluation = evaluate(change.request, offer, changed)
        if evaluation.passed:
            return _near_miss(change, offer, evaluation)
    return None


def _near_miss(change: _Change, offer: OfferRow, evaluation: Evaluation) -> NearMiss:
    pair = evaluation.pair
    return NearMiss(
        offer.id,
        offer.institution_id,
        change.code,
        change.before,
        change.after,
        change.unit,
        change.patent_ids,
        pair.amount_fen,
        pair.saving_fen,
        evaluation.results,
    )


def _changes(request: RequestRow, offer: OfferRow, context: Context) -> Iterator[_Change]:
    """Candidate changes, the easiest for a business first; within one kind the smallest first."""
    pair = make_pair(request, offer, context)
    if isinstance(pair, InsurancePair):
        yield from _cured_patents(pair.request, "insurability_failures", "pay_annuity")
        yield from _cured_patents(pair.request, "insurability_failures", "get_consent")
        yield from _sums_insured(pair)
        yield from _more_patents(pair, sorted(pair.offer.accepted_kinds))
        return
    yield from _cured_patents(pair.request, "hard_grounds", "pay_annuity")
    yield from _cured_patents(pair.request, "hard_grounds", "get_consent")
    yield from _terms(pair)
    yield from _amounts(pair)
    yield from _certificate(pair)
    yield from _appraisals(pair)
    yield from _more_patents(pair, [kind.kind for kind in pair.offer.accepted_patents])
    yield from _later(pair)


GROUND_CURED = {"pay_annuity": "annuity_unpaid", "get_consent": "co_owner_consent_missing"}


def _cured_patents(request: RequestRow, column: str, change_code: str) -> Iterator[_Change]:
    """One patent cured; where several have the same ground, also all of them."""
    ground = GROUND_CURED[change_code]
    curable = [p.id for p in request.patents if ground in getattr(p, column)]
    groups: list[tuple[str, ...]] = [(patent_id,) for patent_id in sorted(curable)]
    if len(curable) > 1:
        groups.append(tuple(sorted(curable)))
    for ids in groups:

        def cured(patent: PatentRow, ids: tuple[str, ...] = ids) -> PatentRow:
            if patent.id not in ids:
                return patent
            rest = getattr(patent, column) - {ground}
            if column == "hard_grounds":
                return replace(patent, hard_grounds=rest)
            return replace(patent, insurability_failures=rest)

        yield _Change(
            change_code, (ground,), (), "codes", _with_patents(request, cured), patent_ids=ids
        )


def _with_patents(request: RequestRow, change: Callable[[PatentRow], PatentRow]) -> RequestRow:
    return replace(request, patents=tuple(change(patent) for patent in request.patents))


def _terms(pair: LoanPair) -> Iterator[_Change]:
    """Terms at the offer's ends, or the longest a patent still covers; the nearest first."""
    request, offer = pair.request, pair.offer
    start = baskets.life_counts_from(request, pair.context.policy)
    now = request.term_months
    ends = {offer.term_min_months, offer.term_max_months}
    lives = {remaining_months(p.expires_on, start) - offer.margin_months for p in request.patents}
    within = {m for m in ends | lives if offer.term_min_months <= m <= offer.term_max_months}
    for months in sorted(within - {now}, key=lambda months: (abs(months - now), months)):
        yield _Change("change_term", now, months, "months", replace(request, term_months=months))


def _amounts(pair: LoanPair) -> Iterator[_Change]:
    """Ask for the offer's minimum, or accept less: what the offer can lend on the basket."""
    request, offer = pair.request, pair.offer
    if request.principal_fen < offer.principal_min_fen:
        to = offer.principal_min_fen
        yield _Change(
            "change_principal", request.principal_fen, to, "fen", replace(request, principal_fen=to)
        )
    lends = pair.amount_fen
    if offer.principal_min_fen <= lends < request.least_accepted_fen and lends > 0:
        yield _Change(
            "lower_least_accepted",
            request.least_accepted_fen,
            lends,
            "fen",
            replace(request, least_accepted_fen=lends),
        )


def _sums_insured(pair: InsurancePair) -> Iterator[_Change]:
    request, offer = pair.request, pair.offer
    now = request.sum_insured_fen
    to = min(max(now, offer.sum_insured_min_fen), offer.sum_insured_max_fen)
    if to != now and to > 0:
        yield _Change("change_sum_insured", now, to, "fen", replace(request, sum_insured_fen=to))


def _certificate(pair: LoanPair) -> Iterator[_Change]:
    missing = tuple(sorted(pair.offer.required_certificates - pair.request.certificates))
    if len(missing) == 1:
        held = pair.request.certificates | set(missing)
        yield _Change(
            "get_certificate", (), missing, "codes", replace(pair.request, certificates=held)
        )


def _appraisals(pair: LoanPair) -> Iterator[_Change]:
    """An appraisal of one patent that has no usable one, and the least value it must show."""
    request, offer, as_of = pair.request, pair.offer, pair.context.policy.as_of
    if offer.collateral_basis == "limit_table":
        return
    loan_to_value = {terms.kind: terms.loan_to_value_ppm for terms in offer.accepted_patents}
    options = []
    for patent in pair.basket.kept:
        if baskets.is_appraisal_usable(patent, offer, as_of) or not loan_to_value[patent.kind]:
            continue
        options.append((_least_value_fen(pair, loan_to_value[patent.kind]), patent.id))
    for value, patent_id in sorted(options):

        def appraised(patent: PatentRow, id_: str = patent_id, fen: int = value) -> PatentRow:
            if patent.id != id_:
                return patent
            return replace(patent, appraised_value_fen=fen, appraised_on=as_of)

        yield _Change(
            "get_appraisal",
            None,
            value,
            "fen",
            _with_patents(request, appraised),
            patent_ids=(patent_id,),
        )


def _least_value_fen(pair: LoanPair, loan_to_value_ppm: int) -> int:
    """The least appraised value of one more patent for which the collateral suffices."""
    offer = pair.offer
    least = baskets.least_useful_fen(pair.request, offer)
    least = -(-least // baskets.FEN_PER_YUAN) * baskets.FEN_PER_YUAN
    share = offer.secured_share_ppm or PPM
    secured = -(-least * share // PPM)
    usable = [
        p
        for p in pair.basket.kept
        if baskets.is_appraisal_usable(p, offer, pair.context.policy.as_of)
    ]
    by_kind = {terms.kind: terms.loan_to_value_ppm for terms in offer.accepted_patents}
    there = sum((p.appraised_value_fen or 0) * by_kind[p.kind] for p in usable)
    return max(0, -(-(secured * PPM - there) // loan_to_value_ppm))


def _more_patents(pair: LoanPair | InsurancePair, kinds: list[str]) -> Iterator[_Change]:
    """More patents like the offer wants them: long-lived, free, without an appraisal."""
    if not kinds:
        return
    count = len(pair.basket.kept)
    for added in range(1, MOST_ADDED_PATENTS + 1):
        new = tuple(
            PatentRow(
                # Not a possible id, so it can meet no patent of the request.
                id=f"new:{number}",
                kind=kinds[0],
                expires_on=add_months(pair.context.policy.as_of, LONG_LIFE_MONTHS),
                appraised_value_fen=None,
                appraised_on=None,
            )
            for number in range(1, added + 1)
        )
        request = replace(pair.request, patents=(*pair.request.patents, *new))
        yield _Change("add_patents", count, count + added, "count", request)


def _later(pair: LoanPair) -> Iterator[_Change]:
    """The day the business will be old enough, if all else still holds then."""
    request: LoanRequestRow = pair.request
    on = add_months(request.established_on, pair.offer.min_operating_months)
    if on > pair.context.policy.as_of:
        yield _Change("wait_until", pair.context.policy.as_of, on, "day", request, as_of=on)
