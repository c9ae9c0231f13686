"""How far an offer's posted promise has been kept; called by `financing.match_runs`."""

from financing.matching.columns import PPM


def smoothed_delivery_ppm(*, kept_count: int, due_count: int, prior_count: int) -> int:
    """Share of due referrals answered in time at or below posted cost, in ppm, smoothed.

    `prior_count` referrals are taken as kept before there is evidence, so that a new offer starts
    at 1 and one late answer does not ruin it (MATCHING §1). Rounded down; ValueError when more
    were kept than due.
    """
    if not 0 <= kept_count <= due_count:
        raise ValueError("kept_count must lie between 0 and due_count")
    if due_count + prior_count == 0:
        return PPM
    return (kept_count + prior_count) * PPM // (due_count + prior_count)
