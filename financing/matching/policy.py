"""The policy of the day: every figure of the matcher that a policy maker may change, as data.

Stored per version by `financing` and read from policy.json by `files.py`; the rules and the
allocation take nothing from anywhere else.
"""

# column() is a dataclass field; ruff cannot see that.
# ruff: noqa: RUF009

from dataclasses import dataclass
from datetime import date

from financing.matching.columns import (
    DAY,
    FEN,
    ID,
    PPM,
    RATE,
    SIGNED_RATE,
    Many,
    OneOf,
    Part,
    Text,
    Whole,
    column,
)
from financing.matching.tables import COVER_KINDS, SIZE_CLASSES

LIFT = Whole(0, 100 * PPM)


@dataclass(frozen=True, slots=True)
class RegionWeight:
    """Extra weight of a division that is behind its goal, with all below it."""

    region_code: str = column(Text(r"[1-9][0-9]{5}", "six-digit division code"), "the division")
    lift_ppm: int = column(LIFT, "added to the weight; the finest division counts", unit="ppm")


@dataclass(frozen=True, slots=True)
class SizeWeight:
    """Extra weight of a size class."""

    size_class: str = column(OneOf(SIZE_CLASSES), "the size class")
    lift_ppm: int = column(LIFT, "added to the weight", unit="ppm")


@dataclass(frozen=True, slots=True)
class StandardPremium:
    """Standard premium of a kind of cover: the benchmark insurers are measured against."""

    cover_kind: str = column(OneOf(COVER_KINDS), "kind of cover")
    min_fen: int = column(FEN, "least premium", unit="fen")
    base_fen: int = column(FEN, "fixed part", unit="fen")
    per_patent_fen: int = column(FEN, "part per insured patent", unit="fen")
    rate_ppm: int = column(RATE, "part by sum insured", unit="ppm of sum insured")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingPolicy:
    """One dated version of the policy (MATCHING §1)."""

    version: str = column(ID, "name of the version, stored with the run")
    as_of: date = column(DAY, "the day the run speaks about; the matcher has no clock")
    seed: str = column(ID, "seed of the lottery among ties, published with the run")
    max_proposals_count: int = column(
        Whole(1, 50), "k: most proposals per request, live matches counted", default=3
    )
    alternative_share_ppm: int = column(
        RATE, "what a further proposal's saving counts", unit="ppm", default=200_000
    )
    loan_coverage_value_fen: int = column(
        FEN, "price of reaching one more business by a loan", unit="fen", default=50_000_000
    )
    insurance_coverage_value_fen: int = column(
        FEN, "price of reaching one more by insurance", unit="fen", default=2_000_000
    )
    region_weights: tuple[RegionWeight, ...] = column(
        Many(Part(RegionWeight), tuple), "lift of regions behind their goal", default=()
    )
    size_weights: tuple[SizeWeight, ...] = column(
        Many(Part(SizeWeight), tuple), "lift by size class", default=()
    )
    first_time_lift_ppm: int = column(LIFT, "lift of a first-time borrower", unit="ppm", default=0)
    waiting_lift_ppm_per_day: int = column(
        LIFT, "lift per day of waiting", unit="ppm per day", default=0
    )
    waiting_lift_most_ppm: int = column(LIFT, "most lift by waiting", unit="ppm", default=0)
    oversubscription_ppm: int = column(
        Whole(PPM, 100 * PPM),
        "how far open capacity may be proposed (1_000_000 = once)",
        unit="ppm",
        default=1_500_000,
    )
    churn_margin_ppm: int = column(
        Whole(0, 10 * PPM),
        "how much more a new proposal must save to replace one of the run before",
        unit="ppm of the saving",
        default=50_000,
    )
    lpr_one_year_ppm: int = column(
        RATE, "one-year LPR on as_of; used up to 60 months", unit="ppm per year"
    )
    lpr_five_year_ppm: int = column(
        RATE, "five-year LPR on as_of; used above 60 months", unit="ppm per year"
    )
    reference_spread_ppm: int = column(
        SIGNED_RATE, "benchmark = LPR + this", unit="ppm per year", default=4_800
    )
    ceiling_spread_ppm: int = column(
        SIGNED_RATE,
        "ceiling = LPR + this; at most reference_spread_ppm",
        unit="ppm per year",
        default=4_800,
    )
    standard_premiums: tuple[StandardPremium, ...] = column(
        Many(Part(StandardPremium), tuple), "standard premium by kind of cover", default=()
    )
    delivery_prior_count: int = column(
        Whole(0, 10_000),
        "referrals assumed delivered before there is evidence (delivery.py)",
        default=10,
    )
    note: str = column(Text(r"[\s\S]{0,2000}", "text"), "where the figures come from", default="")
