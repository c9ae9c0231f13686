"""Made-up instances of any size, the same for the same seed; used by benchmarks and tests.

Two kinds. `study`: the plain rules that any join can state (one patent per request, one offer per
institution, no fees, no age of appraisal), `alternative_share` and `delivery` 1: what the peers
solve. `product`: every rule of MATCHING §2 and the policy's defaults. Figures after DOMAIN 4.6;
nothing here is a real business, patent or offer.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from financing.matching.columns import PPM
from financing.matching.national.tables import NO_DAY, LoanRequestColumns, PatentColumns
from financing.matching.policy import MatchingPolicy, RegionWeight, SizeWeight
from financing.matching.tables import AcceptedPatentKind, LimitStep, LoanOfferRow, OfferFee

Kind = Literal["study", "product"]

SEED = 20250620
AS_OF = date(2025, 6, 20)
TODAY = (AS_OF - date(1970, 1, 1)).days
YUAN = 100
WAN = 10_000 * YUAN

# GB/T 2260: the 31 provinces of the mainland; how many businesses each has is made up.
PROVINCES = (
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64"),
    "65",
)
PREFECTURES_PER_PROVINCE = 8
COUNTIES_PER_PREFECTURE = 6

INDUSTRIES = tuple(
    f"{section}{division:02d}{number}{group}"
    for section, divisions in (
        ("C", (26, 27, 29, 33, 34, 35, 36, 37, 38, 39, 40)),
        ("I", (64, 65)),
        ("M", (73, 74, 75)),
        ("A", (1, 4)),
        ("E", (48, 50)),
        ("F", (51, 52)),
    )
    for division in divisions
    for number in (1, 2)
    for group in (1, 9)
)
GROUNDS = ("annuity_unpaid",)
CERTIFICATES = ("gazelle", "high_tech", "innovative", "specialised")
TERMS = (6, 12, 18, 24, 36, 60)
TERM_SHARES = (0.05, 0.45, 0.08, 0.15, 0.22, 0.05)
RATE_LIMITS_PPM = (34_000, 36_000, 40_000, 45_000, 50_000, 60_000)

LPR_ONE_YEAR_PPM = 30_000
LPR_FIVE_YEAR_PPM = 35_000

ROOM_SHARE = 0.5
"""Money of all offers over money asked for (each request counted up to 30 million yuan)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Requests as columns, offers and policy as rows."""

    kind: Kind
    seed: int
    requests: LoanRequestColumns
    offers: tuple[LoanOfferRow, ...]
    policy: MatchingPolicy


def make_instance(kind: Kind, requests: int, offers: int, seed: int = SEED) -> Instance:
    """An instance of so many requests and offers."""
    random = np.random.default_rng([seed, requests, offers, kind == "product"])
    region_codes = _region_codes()
    institutions = offers if kind == "study" else max(1, offers // 6)
    institution_ids = tuple(f"I{number}" for number in range(institutions))
    asked = _requests(kind, requests, random, region_codes, institution_ids)
    capacity = ROOM_SHARE * float(np.minimum(asked.principal_fen, 3_000 * WAN).sum())
    posted = _offers(kind, offers, random, institution_ids, capacity)
    return Instance(kind, seed, asked, posted, _policy(kind, seed))


def _policy(kind: Kind, seed: int) -> MatchingPolicy:
    plain = kind == "study"
    return MatchingPolicy(
        version=f"{kind}-1",
        as_of=AS_OF,
        seed=str(seed),
        max_proposals_count=3,
        alternative_share_ppm=PPM if plain else 200_000,
        region_weights=() if plain else (RegionWeight("620000", 200_000),),
        size_weights=() if plain else (SizeWeight("micro", 100_000),),
        first_time_lift_ppm=0 if plain else 100_000,
        waiting_lift_ppm_per_day=0 if plain else 1_000,
        waiting_lift_most_ppm=0 if plain else 90_000,
        oversubscription_ppm=PPM if plain else 1_500_000,
        lpr_one_year_ppm=LPR_ONE_YEAR_PPM,
        lpr_five_year_ppm=LPR_FIVE_YEAR_PPM,
    )


def _region_codes() -> tuple[str, ...]:
    return tuple(
        f"{province}{prefecture:02d}{county:02d}"
        for province in PROVINCES
        for prefecture in range(1, PREFECTURES_PER_PROVINCE + 1)
        for county in range(1, COUNTIES_PER_PREFECTURE + 1)
    )


def _province_shares() -> np.ndarray:
    shares = 1 / np.arange(2, len(PROVINCES) + 2) ** 0.7
    # Spread over the list so that rank and code are not the same thing.
    order = (np.arange(len(PROVINCES)) * 12) % len(PROVINCES)
    return np.asarray(shares[order] / shares.sum(), dtype=np.float64)


def _requests(
    kind: Kind,
    count: int,
    random: np.random.Generator,
    region_codes: tuple[str, ...],
    institution_ids: tuple[str, ...],
) -> LoanRequestColumns:
    per_province = PREFECTURES_PER_PROVINCE * COUNTIES_PER_PREFECTURE
    region = random.choice(len(PROVINCES), count, p=_province_shares()) * per_province
    region += random.integers(0, per_province, count)
    yuan = 3.5e6 * np.exp(1.8 * random.standard_normal(count))
    principal = np.clip((yuan / 1e4).astype(np.int64), 5, 30_000) * WAN
    share = random.choice((30, 50, 80, 100), count, p=(0.2, 0.3, 0.2, 0.3))
    age_days = np.clip(365.25 * 8 * np.exp(0.7 * random.standard_normal(count)), 30, 20_000)
    held = np.zeros(count, dtype=np.int64)
    for bit, held_by in enumerate((0.03, 0.25, 0.2, 0.1)):
        held |= (random.random(count) < held_by).astype(np.int64) << bit
    limit = np.full(count, -1, dtype=np.int32)
    drawdown = np.full(count, NO_DAY, dtype=np.int32)
    if kind == "product":
        has_limit = random.random(count) < 0.15
        limit[has_limit] = random.choice(RATE_LIMITS_PPM, int(has_limit.sum()))
        has_day = random.random(count) < 0.3
        drawdown[has_day] = TODAY + random.integers(-5, 90, int(has_day.sum()))
    patents_count = np.ones(count, dtype=np.int64)
    if kind == "product":
        patents_count = np.minimum(1 + random.poisson(1.2, count), 12)
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(patents_count, out=start[1:])
    return LoanRequestColumns(
        # Ids without order or gaps of meaning, as primary keys would be after years.
        id=random.permutation(count).astype(np.int64) * 7 + 1_000,
        region=region.astype(np.uint16),
        industry=random.integers(0, len(INDUSTRIES), count).astype(np.uint16),
        size_class=random.choice(2, count, p=(0.7, 0.3)).astype(np.uint8),
        established_on=(TODAY - age_days).astype(np.int32),
        principal_fen=principal,
        least_accepted_fen=np.maximum(principal * share // 100, 1),
        term_months=random.choice(TERMS, count, p=TERM_SHARES).astype(np.uint16),
        max_apr_ppm=limit,
        drawdown_on=drawdown,
        certificates=held,
        is_first_time_borrower=random.random(count) < 0.6,
        waiting_days=random.exponential(20, count).astype(np.int32),
        patents_start=start,
        patents=_patents(kind, principal, patents_count, random, len(institution_ids)),
        region_codes=region_codes,
        industry_codes=INDUSTRIES,
        certificate_codes=CERTIFICATES,
        ground_codes=GROUNDS,
        institution_ids=institution_ids,
    )


def _patents(
    kind: Kind,
    principal: np.ndarray,
    counts: np.ndarray,
    random: np.random.Generator,
    institutions: int,
) -> PatentColumns:
    total = int(counts.sum())
    kinds = random.choice(3, total, p=(0.45, 0.45, 0.1)).astype(np.uint8)
    life_years = np.array((20, 10, 15))[kinds]
    age_days = random.random(total) * (life_years - 1) * 365
    # All patents of a request together are worth three times what is asked, more or less.
    worth = np.repeat(3.0 * principal / counts, counts)
    worth *= np.exp(0.6 * random.standard_normal(total))
    value = np.clip((worth / WAN).astype(np.int64), 1, 100_000) * WAN
    appraised_on = (TODAY - random.integers(1, 900, total)).astype(np.int32)
    hard = np.zeros(total, dtype=np.bool_)
    pledgee = np.full(total, -1, dtype=np.int32)
    released = np.full(total, NO_DAY, dtype=np.int32)
    if kind == "product":
        missing = random.random(total) < 0.15
        value[missing] = -1
        appraised_on[missing] = NO_DAY
        hard = random.random(total) < 0.05
        pledged = random.random(total) < 0.03
        pledgee[pledged] = random.integers(0, institutions, int(pledged.sum()))
        dated = pledged & (random.random(total) < 0.5)
        released[dated] = TODAY + random.integers(-20, 60, int(dated.sum()))
    return PatentColumns(
        id=np.arange(total, dtype=np.int64),
        kind=kinds,
        expires_on=(TODAY + life_years * 365 - age_days).astype(np.int32),
        appraised_value_fen=value,
        appraised_on=appraised_on,
        hard_grounds=hard.astype(np.uint16),
        pledgee=pledgee,
        released_on=released,
    )


def _offers(
    kind: Kind,
    count: int,
    random: np.random.Generator,
    institution_ids: tuple[str, ...],
    capacity_fen: float,
) -> tuple[LoanOfferRow, ...]:
    reach = random.choice(3, count, p=(0.15, 0.2, 0.65))  # country, some provinces, one
    size = np.exp(0.9 * random.standard_normal(count)) * np.array((8.0, 3.0, 1.0))[reach]
    money = size / size.sum() * capacity_fen
    return tuple(
        _offer(
            kind,
            number,
            int(reach[number]),
            int(money[number]) // WAN * WAN,
            random,
            institution_ids,
        )
        for number in range(count)
    )


def _offer(
    kind: Kind,
    number: int,
    reach: int,
    money_fen: int,
    random: np.random.Generator,
    institution_ids: tuple[str, ...],
) -> LoanOfferRow:
    def one_of(values: tuple[int, ...], shares: tuple[float, ...] | None = None) -> int:
        return int(random.choice(values, p=shares))

    is_full = kind == "product"
    maximum = int(np.clip(8e6 * np.exp(0.8 * random.standard_normal()) / 1e5, 5, 500)) * 10 * WAN
    accepted = [
        AcceptedPatentKind(
            "invention", one_of((250, 300, 350, 400, 450, 500)) * 1_000, one_of((0, 0, 48, 96))
        )
    ]
    if random.random() < 0.75:
        accepted.append(
            AcceptedPatentKind(
                "utility_model", one_of((150, 200, 250, 300)) * 1_000, one_of((0, 0, 24, 48))
            )
        )
    if random.random() < 0.15:
        accepted.append(AcceptedPatentKind("design", 100_000, 0))
    basis = "appraised"
    if is_full:
        basis = str(
            random.choice(("appraised", "limit_table", "share_of_principal"), p=(0.7, 0.15, 0.15))
        )
    lends_unappraised = is_full and random.random() < 0.15
    institution = number if kind == "study" else int(random.integers(len(institution_ids)))
    return LoanOfferRow(
        id=f"O{number}",
        institution_id=institution_ids[institution],
        status="published",
        is_institution_suspended=False,
        opens_on=AS_OF - timedelta(days=30),
        closes_on=AS_OF + timedelta(days=one_of((30, 90, 180))),
        regions=_served(reach, random, finer=is_full),
        industries=_industries(random),
        size_classes=(
            frozenset(),
            frozenset({"micro", "small"}),
            frozenset({"micro"}),
            frozenset({"small"}),
        )[one_of((0, 1, 2, 3), (0.3, 0.5, 0.12, 0.08))],
        principal_min_fen=one_of((0, 10, 50, 100), (0.3, 0.3, 0.25, 0.15)) * WAN,
        principal_max_fen=maximum,
        term_min_months=one_of((1, 6, 12)),
        term_max_months=one_of((12, 24, 36, 60), (0.2, 0.2, 0.4, 0.2)),
        accepted_patents=tuple(accepted),
        margin_months=one_of((0, 6, 12, 24)),
        min_patents_count=one_of((1, 2, 3), (0.75, 0.2, 0.05)) if is_full else 1,
        collateral_basis=basis,
        limit_table=_limit_table(maximum) if basis == "limit_table" else (),
        secured_share_ppm=one_of((300, 500, 700)) * 1_000
        if basis == "share_of_principal"
        else None,
        unappraised_limit_fen=one_of((50, 100, 200)) * WAN if lends_unappraised else None,
        appraisal_fee_fen=one_of((0, 3_000, 6_000)) * YUAN if lends_unappraised else 0,
        appraisal_max_age_months=one_of((12, 24)) if is_full and random.random() < 0.5 else None,
        min_operating_months=one_of((0, 12, 24, 36)),
        required_certificates=_certificates(random) if is_full else frozenset(),
        interest_rate_ppm=LPR_ONE_YEAR_PPM - 2_000 + 500 * one_of(tuple(range(21))),
        repayment_method=str(
            random.choice(
                ("interest_monthly", "equal_instalments", "equal_principal", "all_at_end"),
                p=(0.5, 0.25, 0.15, 0.1),
            )
        ),
        day_count=str(random.choice(("30/360", "act/360", "act/365"))) if is_full else "30/360",
        fees=_fees(random) if is_full else (),
        capacity_fen=max(money_fen, WAN),
        booked_fen=money_fen // 10 // WAN * WAN if is_full else 0,
        held_fen=money_fen // 20 // WAN * WAN if is_full else 0,
        capacity_count=max(1, money_fen // (150 * WAN))
        if is_full and random.random() < 0.15
        else None,
        delivery_ppm=one_of((700_000, 850_000, 950_000))
        if is_full and random.random() < 0.4
        else PPM,
    )


def _served(reach: int, random: np.random.Generator, *, finer: bool) -> frozenset[str]:
    if reach == 0:
        return frozenset()
    if reach == 1:
        chosen = random.choice(len(PROVINCES), int(random.integers(2, 6)), replace=False)
        return frozenset(f"{PROVINCES[one]}0000" for one in chosen)
    province = PROVINCES[int(random.choice(len(PROVINCES), p=_province_shares()))]
    if not finer or random.random() < 0.6:
        return frozenset({f"{province}0000"})
    some = random.choice(PREFECTURES_PER_PROVINCE, int(random.integers(1, 4)), replace=False)
    return frozenset(f"{province}{one + 1:02d}00" for one in some)


def _industries(random: np.random.Generator) -> frozenset[str]:
    if random.random() < 0.5:
        return frozenset()
    if random.random() < 0.5:
        sections = sorted({code[0] for code in INDUSTRIES})
        chosen = random.choice(sections, int(random.integers(1, 3)), replace=False)
        return frozenset(str(one) for one in chosen)
    divisions = sorted({code[:3] for code in INDUSTRIES})
    chosen = random.choice(divisions, int(random.integers(3, 10)), replace=False)
    return frozenset(str(one) for one in chosen)


def _certificates(random: np.random.Generator) -> frozenset[str]:
    if random.random() < 0.85:
        return frozenset()
    return frozenset({str(random.choice(CERTIFICATES))})


def _limit_table(maximum_fen: int) -> tuple[LimitStep, ...]:
    return (
        LimitStep(1, maximum_fen // 4),
        LimitStep(2, maximum_fen // 2),
        LimitStep(4, maximum_fen),
    )


def _fees(random: np.random.Generator) -> tuple[OfferFee, ...]:
    fees = []
    if random.random() < 0.25:
        share = int(random.choice((500, 1_000, 2_000)))
        fees.append(OfferFee("borrower", "upfront", 0, share))
    if random.random() < 0.2:
        fixed = int(random.choice((500, 1_000, 3_000))) * YUAN
        fees.append(OfferFee("borrower", "upfront", fixed, 0))
    if random.random() < 0.1:
        fees.append(OfferFee("lender", "yearly", 80_000, 0))
    return tuple(fees)
