"""What passes after the readable rules, pair by pair: the oracle of the compiled ones."""

from financing.matching.context import make_context
from financing.matching.eligibility import passing_pair
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)


def readable_pairs(requests, offers, policy):
    """Every passing pair of places -> amount, saving, worth as first and as another."""
    context = make_context(policy)
    found = {}
    for i, request in enumerate(requests):
        for offer in offers:
            pair = passing_pair(request, offer, context)
            if pair is not None:
                coverage = coverage_value_fen(request, policy)
                found[i, offer.id] = (
                    pair.amount_fen,
                    pair.saving_fen,
                    first_value_fen(coverage, pair.saving_fen, offer.delivery_ppm),
                    alternative_value_fen(pair.saving_fen, offer.delivery_ppm, policy),
                )
    return found
