"""What the rules look at: one request beside one offer, with basket, collateral and amount.

Built by `eligibility.loan_pair` and friends; everything derived is worked out at most once.
"""

from dataclasses import dataclass
from functools import cached_property

from businesses.rules.true_cost import LoanTerms
from financing.matching.baskets import (
    Basket,
    Collateral,
    collateral,
    financeable_fen,
    insurance_basket,
    loan_basket,
)
from financing.matching.decided import DecidedIndex
from financing.matching.policy import MatchingPolicy
from financing.matching.savings import CostBook, premium_fen, standard_premium_fen
from financing.matching.tables import (
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    OfferRow,
    RequestRow,
)


@dataclass(frozen=True)
class Context:
    """What every pair of a run shares. `with_figures`: rules also work out costly figures."""

    policy: MatchingPolicy
    costs: CostBook
    decided: DecidedIndex
    with_figures: bool = False


@dataclass(frozen=True)
class LoanPair:
    """A loan request beside a loan offer."""

    request: LoanRequestRow
    offer: LoanOfferRow
    context: Context

    @cached_property
    def basket(self) -> Basket:
        return loan_basket(self.request, self.offer, self.context.policy)

    @cached_property
    def collateral(self) -> Collateral:
        return collateral(self.basket, self.offer, self.context.policy.as_of)

    @cached_property
    def amount_fen(self) -> int:
        """The financeable amount (MATCHING §2)."""
        return financeable_fen(self.request, self.offer, self.collateral.fen)

    @property
    def is_conditional(self) -> bool:
        """The amount rests on patents whose appraisal is still to be made."""
        return self.collateral.is_conditional

    @cached_property
    def terms(self) -> LoanTerms:
        # A pair without a financeable amount is priced on the amount asked for.
        return self.context.costs.terms(
            self.offer,
            self.request.term_months,
            self.amount_fen or self.request.principal_fen,
            conditional=self.is_conditional,
        )

    @cached_property
    def saving_fen(self) -> int:
        return self.context.costs.saving_fen(
            self.offer,
            self.request.term_months,
            self.amount_fen or self.request.principal_fen,
            conditional=self.is_conditional,
        )


@dataclass(frozen=True)
class InsurancePair:
    """An insurance request beside an insurance offer."""

    request: InsuranceRequestRow
    offer: InsuranceOfferRow
    context: Context

    @cached_property
    def basket(self) -> Basket:
        return insurance_basket(self.request, self.offer, self.context.policy)

    @property
    def amount_fen(self) -> int:
        """The sum insured."""
        return self.request.sum_insured_fen

    @property
    def is_conditional(self) -> bool:
        return False

    @cached_property
    def premium_fen(self) -> int:
        return premium_fen(self.offer, self.request.sum_insured_fen, len(self.basket.kept))

    @cached_property
    def standard_premium_fen(self) -> int | None:
        return standard_premium_fen(
            self.context.policy,
            self.request.cover_kind,
            self.request.sum_insured_fen,
            len(self.basket.kept),
        )

    @cached_property
    def saving_fen(self) -> int:
        """Standard premium - premium; without a standard nothing can be shown to be saved: 0."""
        if self.standard_premium_fen is None:
            return 0
        return self.standard_premium_fen - self.premium_fen


Pair = LoanPair | InsurancePair


def make_pair(request: RequestRow, offer: OfferRow, context: Context) -> Pair:
    """The pair of a request and an offer of the same kind; TypeError otherwise."""
    if isinstance(request, LoanRequestRow) and isinstance(offer, LoanOfferRow):
        return LoanPair(request, offer, context)
    if isinstance(request, InsuranceRequestRow) and isinstance(offer, InsuranceOfferRow):
        return InsurancePair(request, offer, context)
    raise TypeError(f"a {request.kind} request and a {offer.kind} offer make no pair")
