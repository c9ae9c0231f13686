"""What a proposal is worth to the policy (MATCHING §1), in whole fen; called by the engine."""

from financing.matching.areas import division_prefix
from financing.matching.columns import PPM
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import RequestRow


def weight_ppm(request: RequestRow, policy: MatchingPolicy) -> int:
    """1 + the lifts of region (the finest named), size class, first borrowing and waiting; ppm."""
    prefixes = {
        division_prefix(row.region_code): row.lift_ppm
        for row in policy.region_weights
        if request.region_code.startswith(division_prefix(row.region_code))
    }
    region = prefixes[max(prefixes, key=len)] if prefixes else 0
    size = sum(r.lift_ppm for r in policy.size_weights if r.size_class == request.size_class)
    first_time = policy.first_time_lift_ppm if request.is_first_time_borrower else 0
    waiting = min(
        request.waiting_days * policy.waiting_lift_ppm_per_day, policy.waiting_lift_most_ppm
    )
    return PPM + region + size + first_time + waiting


def coverage_value_fen(request: RequestRow, policy: MatchingPolicy) -> int:
    """Weighted price of reaching this business, before the offer's delivery."""
    price = (
        policy.loan_coverage_value_fen
        if request.kind == "loan"
        else policy.insurance_coverage_value_fen
    )
    return price * weight_ppm(request, policy) // PPM


def first_value_fen(coverage_fen: int, saving_fen: int, delivery_ppm: int) -> int:
    """Worth of the proposal that reaches the business."""
    return delivery_ppm * (coverage_fen + saving_fen) // PPM


def alternative_value_fen(saving_fen: int, delivery_ppm: int, policy: MatchingPolicy) -> int:
    """Worth of a further proposal."""
    return policy.alternative_share_ppm * delivery_ppm * saving_fen // (PPM * PPM)
