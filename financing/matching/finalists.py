"""Of the many offers that fit one request, those that can be among its proposals.

Runs over one request ask, so that the matcher need not look at the rest again. What it proposes of
the finalists is what it would propose of all: `tests/matching/test_finalists.py` compares.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from financing.matching.tables import OfferRow


@dataclass(frozen=True, slots=True)
class Fit:
    """An offer that passed every rule but what people decided; worths in fen (MATCHING §1)."""

    offer: OfferRow
    amount_fen: int
    first_fen: int
    alternative_fen: int


def finalists(
    fits: Iterable[Fit], slots: int, *, kept: Collection[str], in_doubt: Collection[str]
) -> list[OfferRow]:
    """Offers with room for the request that can be chosen for one of `slots` proposals.

    `kept`: ids of offers proposed now, which a margin protects. `in_doubt`: institutions somebody
    declined or rejected; they may be refused still, so they stand in nobody's way.

    One proposal per institution: whoever is chosen is its institution's best as the first or as
    another. Of those, `slots` institutions can be beaten to the first place by being others, so one
    more decides there.
    """
    fits = list(fits)
    sure = [
        fit for fit in fits if fit.offer.id not in kept and fit.offer.institution_id not in in_doubt
    ]
    by_first = _best(sure, "first_fen")
    by_alternative = _best(sure, "alternative_fen")
    institutions = _leading(by_first, slots + 1) | _leading(by_alternative, slots)
    return [
        fit.offer
        for fit in fits
        if fit.offer.id in kept
        or fit.offer.institution_id in in_doubt
        or (
            fit.offer.institution_id in institutions
            and (
                fit.first_fen >= by_first[fit.offer.institution_id]
                or fit.alternative_fen >= by_alternative[fit.offer.institution_id]
            )
        )
    ]


def _best(fits: Iterable[Fit], worth: str) -> dict[str, int]:
    best: dict[str, int] = {}
    for fit in fits:
        institution, own = fit.offer.institution_id, getattr(fit, worth)
        best[institution] = max(own, best.get(institution, own))
    return best


def _leading(best: dict[str, int], count: int) -> set[str]:
    """The best institutions, with all that equal the last of them: the lottery decides there."""
    if len(best) <= count:
        return set(best)
    least = sorted(best.values(), reverse=True)[count - 1] if count > 0 else max(best.values()) + 1
    return {institution for institution, worth in best.items() if worth >= least}
