"""Which offers a run found short of capacity, and what more of it would bring; run pages read it.

A run's prices (MATCHING 3) are what one more yuan, or one more loan or policy, of an offer would
have been worth by the policy's measure. Figures are formatted in the reader's language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from financing.matching.columns import PPM
from financing.models.match_runs import MatchRun
from financing.pair_kinds import KINDS, AnyOffer, PairKind
from financing.standing_rows import price_key
from sipo_portal.accounts.models import User

FEN = 100


@dataclass(frozen=True)
class Shortage:
    """One short offer. `per_yuan`: worth in yuan of one more yuan of capacity; `per_piece`: worth
    in yuan of one more loan or policy; None where that is not what is short."""

    offer: AnyOffer
    kind: str
    per_yuan: Decimal | None
    per_piece: Decimal | None


def shortages(run: MatchRun, user: User) -> list[Shortage]:
    """The offers that were short, dearest first; two queries whatever their number.

    Offers that the user may not see are left out.
    """
    found: list[Shortage] = []
    for kind in KINDS:
        keys = offers_of_keys(kind, {*run.prices, *run.count_prices})
        if not keys:
            continue
        offers = (
            kind.offers._default_manager.visible_to(user)
            .filter(pk__in=keys.values())
            .select_related("institution")
        )
        for offer in offers:
            key = price_key(kind.name, str(offer.pk))
            found.append(
                Shortage(
                    offer,
                    kind.name,
                    _worth(run.prices, key, PPM),
                    _worth(run.count_prices, key, FEN),
                )
            )
    return sorted(found, key=_dearest_first)


def _dearest_first(short: Shortage) -> tuple[Decimal, Decimal, str, int]:
    zero = Decimal(0)
    return (
        -(short.per_yuan or zero),
        -(short.per_piece or zero),
        short.offer.name,
        short.offer.pk,
    )


def offers_of_keys(kind: PairKind, keys: Iterable[str]) -> dict[str, int]:
    """Of keys made by `price_key` those of offers of this kind, with the offer's id."""
    prefix = price_key(kind.name, "")
    numbers = {key: key.removeprefix(prefix) for key in keys if key.startswith(prefix)}
    return {key: int(number) for key, number in numbers.items() if number.isdecimal()}


def _worth(prices: Mapping[str, int], key: str, per: int) -> Decimal | None:
    price = prices.get(key)
    return Decimal(price) / per if price else None
