"""Finalists: what the matcher proposes of them is what it proposes of all offers that fit."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from financing.matching.context import make_context
from financing.matching.decided import criterion_fingerprint
from financing.matching.eligibility import passing_pair
from financing.matching.finalists import Fit, finalists
from financing.matching.readable import propose_readably
from financing.matching.rooms import room_of
from financing.matching.tables import DecidedPair, PreviousProposal, StandingMatch
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)
from tests.matching.rows import WAN, loan_offer, loan_request, policy


@st.composite
def worlds(draw):
    """One request, up to 14 offers of few institutions with few rates, so that many are equal."""
    offers = [
        loan_offer(
            id=f"O{number}",
            institution_id=f"I{draw(st.integers(0, 6))}",
            interest_rate_ppm=draw(st.sampled_from((26_000, 28_000, 30_000))),
            principal_max_fen=draw(st.sampled_from((120 * WAN, 500 * WAN))),
            capacity_fen=draw(st.sampled_from((100 * WAN, 1_000 * WAN))),
            capacity_count=draw(st.sampled_from((None, None, 0, 1))),
            delivery_ppm=draw(st.sampled_from((1_000_000, 1_000_000, 600_000, 100_000))),
        )
        for number in range(draw(st.integers(1, 14)))
    ]
    chosen = st.lists(st.sampled_from(offers), max_size=2, unique=True)
    return {
        "request": loan_request(),
        "offers": offers,
        "policy": policy(
            max_proposals_count=draw(st.integers(1, 3)),
            alternative_share_ppm=draw(st.sampled_from((0, 200_000, 1_000_000))),
            loan_coverage_value_fen=draw(st.sampled_from((0, 10_000, 50_000_000))),
            churn_margin_ppm=draw(st.sampled_from((0, 50_000, 300_000))),
        ),
        "previous": [
            PreviousProposal(kind="loan", request_id="R1", offer_id=o.id) for o in draw(chosen)
        ],
        "standing": [
            StandingMatch(
                kind="loan",
                request_id="R1",
                offer_id=o.id,
                institution_id=o.institution_id,
                is_within_deadline=draw(st.booleans()),
            )
            for o in draw(chosen)[:1]
        ],
        "decided": [
            DecidedPair(
                kind="loan",
                request_id="R1",
                institution_id=o.institution_id,
                criterion="term_out_of_range",
                fingerprint=draw(
                    st.sampled_from(
                        (
                            "f" + "0" * 32,
                            criterion_fingerprint("term_out_of_range", loan_request(), o),
                        )
                    )
                ),
            )
            for o in draw(chosen)[:1]
        ],
    }


def fits_of(world):
    request, rules = world["request"], world["policy"]
    context, coverage = make_context(rules), coverage_value_fen(request, rules)
    pairs = [passing_pair(request, offer, context) for offer in world["offers"]]
    return [
        Fit(
            pair.offer,
            pair.amount_fen,
            first_value_fen(coverage, pair.saving_fen, pair.offer.delivery_ppm),
            alternative_value_fen(pair.saving_fen, pair.offer.delivery_ppm, rules),
        )
        for pair in pairs
        if pair and room_of(pair.offer, rules.oversubscription_ppm).takes(pair.amount_fen)
    ]


def proposed(world, offers):
    result = propose_readably(
        [world["request"]],
        offers,
        world["policy"],
        decided=world["decided"],
        standing=world["standing"],
        previous=world["previous"],
    )
    return result.proposals


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_the_same_is_proposed(world):
    standing = {match.institution_id for match in world["standing"]}
    chosen = finalists(
        [fit for fit in fits_of(world) if fit.offer.institution_id not in standing],
        world["policy"].max_proposals_count,
        kept={each.offer_id for each in world["previous"]},
        in_doubt={each.institution_id for each in world["decided"]},
    )
    assert proposed(world, chosen) == proposed(world, world["offers"])


def test_of_many_offers_few_are_left():
    world = {
        "request": loan_request(),
        "offers": [
            loan_offer(
                id=f"O{n:03d}", institution_id=f"I{n % 40}", interest_rate_ppm=25_000 + 20 * n
            )
            for n in range(200)
        ],
        "policy": policy(),
    }
    fits = fits_of(world)
    assert len(fits) > 150
    assert len(finalists(fits, 3, kept=(), in_doubt=())) <= 7
