"""Requests whose amounts lie where an offer's fixed fee makes it just too dear, or just not."""

from dataclasses import replace

import numpy as np

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national.packing import pack
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import LoanOfferRow, LoanRequestRow


def around_the_ceiling() -> tuple[list[LoanRequestRow], list[LoanOfferRow], MatchingPolicy]:
    """Requests, offers and policy; the fen decides for some of the pairs."""
    instance = make_instance("product", 40, 40)
    offers = [
        o for o in instance.offers if any(f.fixed_fen and f.payer == "borrower" for f in o.fees)
    ]
    offers = [
        replace(
            o,
            regions=frozenset(),
            industries=frozenset(),
            principal_min_fen=0,
            min_operating_months=0,
            required_certificates=frozenset(),
        )
        for o in offers
    ]
    problem = pack(instance.requests, offers, instance.policy)
    low, high = problem.data.costs["fails_to_0"], problem.data.costs["passes_from_0"]
    edges = [
        (limit, t, j)
        for limit, t, j in zip(*np.nonzero((high > low + 1) & (high < 10**12)), strict=True)
        if limit == 0
    ][:6]
    assert edges
    rows = request_rows(instance.requests)
    asked = [
        replace(
            rows[0],
            id=f"E{n}-{step}",
            principal_fen=fen // 100 * 100,
            least_accepted_fen=fen // 100 * 100,
            term_months=problem.terms[t],
            max_apr_ppm=None,
            drawdown_on=None,
            patents=tuple(
                replace(
                    p,
                    hard_grounds=frozenset(),
                    pledgee_institution_id=None,
                    appraised_value_fen=10**11,
                    appraised_on=instance.policy.as_of,
                    kind="invention",
                )
                for p in rows[0].patents
            ),
        )
        for n, (_, t, j) in enumerate(edges)
        for step, fen in enumerate(
            np.linspace(max(int(low[0, t, j]) - 300, 100), int(high[0, t, j]) + 300, 9)
            .astype(int)
            .tolist()
        )
    ]
    return asked, offers, instance.policy
