"""Which of the live offers fit one request, by every rule but `already_decided`; for its run.

`worker_start` fills the book before a worker takes its first task.

Loans go through the packed book, which this process keeps while offers and policy stay; it agrees
with the readable rules pair by pair. Insurance offers are few and looked at one by one.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from financing.matching.context import make_context
from financing.matching.eligibility import passing_pair
from financing.matching.national.offer_book import OfferBook
from financing.matching.national.tables import ColumnError
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow, LoanRequestRow, OfferRow, RequestRow


class Fitting(NamedTuple):
    """An offer that fits, in fen; whether it has room plays no part."""

    offer: OfferRow
    amount_fen: int
    saving_fen: int


_book: OfferBook | None = None


def fitting_offers(
    request: RequestRow, offers: Sequence[OfferRow], policy: MatchingPolicy
) -> list[Fitting]:
    """The offers of the request's kind that fit it, in no order."""
    offers = [row for row in offers if row.kind == request.kind]
    if isinstance(request, LoanRequestRow):
        loans = [row for row in offers if isinstance(row, LoanOfferRow)]
        # What the compiled rules cannot count (more than ten billion yuan) the readable ones can.
        with suppress(ColumnError):
            return _fitting_loans(request, loans, policy)
    context = make_context(policy)
    pairs = [passing_pair(request, row, context) for row in offers]
    return [Fitting(p.offer, p.amount_fen, p.saving_fen) for p in pairs if p is not None]


def book_of(offers: Sequence[LoanOfferRow], policy: MatchingPolicy) -> OfferBook:
    """The packed book of these offers, kept until it is asked for with others.

    Raises ColumnError.
    """
    global _book
    if _book is None or not _book.is_of(offers, policy):
        _book = OfferBook(offers, policy, before=_book)
    return _book


def _fitting_loans(
    request: LoanRequestRow, offers: Sequence[LoanOfferRow], policy: MatchingPolicy
) -> list[Fitting]:
    book = book_of(offers, policy)
    found = book.fits(request)
    return [
        Fitting(book.rows[place], amount, saving)
        for place, amount, saving in zip(
            found.place.tolist(), found.amount.tolist(), found.saving.tolist(), strict=True
        )
    ]
