"""The matcher's input: frozen rows, every column with its type, unit, meaning and allowed values.

Built by `financing.match_runs` from records and by `files.py` from CSV; checked once at the border
by `validation.validate`. Ids are opaque text (a primary key as digits will do). Amounts are whole
fen (1 yuan = 100 fen); rates and shares are parts per million (52_500 = 5.25 %), so that any
other engine gets the same sums exactly.
"""

# column() is a dataclass field; ruff cannot see that.
# ruff: noqa: RUF009

from dataclasses import dataclass
from datetime import date
from typing import Literal

from financing.matching.columns import (
    CODE,
    COUNT,
    DAY,
    DIVISION,
    FEN,
    FLAG,
    ID,
    INDUSTRY,
    MONTHS,
    RATE,
    Many,
    OneOf,
    Optional,
    Part,
    Whole,
    column,
)

RequestKind = Literal["loan", "insurance"]
REQUEST_KINDS: tuple[RequestKind, ...] = ("loan", "insurance")

PATENT_KINDS = ("invention", "utility_model", "design")
SIZE_CLASSES = ("micro", "small", "medium", "large", "undetermined", "not_covered")
OFFER_STATUSES = ("draft", "published", "paused", "closed")
COLLATERAL_BASES = ("appraised", "limit_table", "share_of_principal")
REPAYMENT_METHODS = ("equal_instalments", "equal_principal", "interest_monthly", "all_at_end")
DAY_COUNTS = ("30/360", "act/360", "act/365")
FEE_PAYERS = ("borrower", "lender", "public")
FEE_TIMINGS = ("upfront", "yearly", "at_end")
COVER_KINDS = (
    "enforcement",
    "infringement_loss",
    "infringement_liability",
    "overseas_liability",
    "pledge_loan_guarantee",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatentRow:
    """One patent put up in a request; facts that do not depend on any offer or term."""

    id: str = column(ID, "the patent")
    kind: str = column(OneOf(PATENT_KINDS), "kind of patent")
    expires_on: date = column(DAY, "day the patent ends (businesses.rules.patent_term.expires_on)")
    appraised_value_fen: int | None = column(
        Optional(FEN), "value of the latest appraisal; nothing = never appraised", unit="fen"
    )
    appraised_on: date | None = column(Optional(DAY), "day of that appraisal")
    hard_grounds: frozenset[str] = column(
        Many(CODE),
        "hard grounds of DOMAIN 4.4 found whatever the offer; without already_pledged,"
        " debt_outlives_patent and contract_incomplete, which are judged elsewhere",
        default=frozenset(),
    )
    soft_grounds: frozenset[str] = column(
        Many(CODE), "soft grounds, to be acknowledged by both sides", default=frozenset()
    )
    co_owner_ids: frozenset[str] = column(
        Many(ID), "owners beside the business", default=frozenset()
    )
    pledgee_institution_id: str | None = column(
        Optional(ID), "pledgee of the live pledge; nothing = free", default=None
    )
    pledge_released_on: date | None = column(
        Optional(DAY), "agreed day of that pledge's release", default=None
    )
    insurability_failures: frozenset[str] = column(
        Many(CODE),
        "insurability conditions this patent does not meet (codes of"
        " businesses.rules.insurability, without remaining life)",
        default=frozenset(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRequestRow:
    """One open loan request with its patents."""

    id: str = column(ID, "the loan request; unique among loan requests")
    business_id: str = column(ID, "the business that asks")
    region_code: str = column(DIVISION, "division of the business, as fine as known")
    industry_code: str = column(INDUSTRY, "industry of the business")
    size_class: str = column(OneOf(SIZE_CLASSES), "size class of the business (DOMAIN 4.2)")
    established_on: date = column(DAY, "day the business was established")
    principal_fen: int = column(Whole(1), "principal asked for", unit="fen")
    least_accepted_fen: int = column(
        Whole(1), "least principal that still helps; at most principal_fen", unit="fen"
    )
    term_months: int = column(MONTHS, "length of the loan", unit="months")
    max_apr_ppm: int | None = column(
        Optional(RATE),
        "highest effective yearly cost the business accepts; nothing = no limit",
        unit="ppm per year",
        default=None,
    )
    drawdown_on: date | None = column(
        Optional(DAY),
        "day the money is needed; nothing = the policy's day; life is counted from it",
        default=None,
    )
    certificates: frozenset[str] = column(
        Many(CODE), "certificates the business holds today", default=frozenset()
    )
    is_first_time_borrower: bool = column(FLAG, "no earlier registered pledge", default=False)
    waiting_days: int = column(
        COUNT, "days since the request was submitted", unit="days", default=0
    )
    patents: tuple[PatentRow, ...] = column(
        Many(Part(PatentRow), tuple), "patents put up (own file in match_files)", default=()
    )

    @property
    def kind(self) -> RequestKind:
        return "loan"


@dataclass(frozen=True, slots=True)
class AcceptedPatentKind:
    """What a loan offer lends on one kind of patent; kinds without a row are not accepted."""

    kind: str = column(OneOf(PATENT_KINDS), "kind of patent")
    loan_to_value_ppm: int = column(RATE, "principal over appraised value", unit="ppm")
    min_remaining_months: int = column(
        COUNT, "least remaining life whatever the term", unit="months", default=0
    )


@dataclass(frozen=True, slots=True)
class LimitStep:
    """One line of a limit table: with this many accepted patents, at most this principal."""

    patents_count: int = column(Whole(1, 10_000), "at least this many patents in the basket")
    limit_fen: int = column(FEN, "most the offer then lends", unit="fen")


@dataclass(frozen=True, slots=True)
class OfferFee:
    """One fee of a loan offer: a fixed amount plus a share of the principal, at each due time."""

    payer: str = column(OneOf(FEE_PAYERS), "who pays it; only the borrower's count as cost")
    timing: str = column(OneOf(FEE_TIMINGS), "when it is due")
    fixed_fen: int = column(FEN, "fixed part of each payment", unit="fen")
    share_ppm: int = column(RATE, "part of each payment by principal", unit="ppm of principal")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanOfferRow:
    """One loan offer, every criterion as data."""

    id: str = column(ID, "the loan offer; unique among loan offers")
    institution_id: str = column(ID, "the lender")
    status: str = column(OneOf(OFFER_STATUSES), "state of the offer's lifecycle")
    is_institution_suspended: bool = column(FLAG, "the lender is suspended")
    opens_on: date | None = column(Optional(DAY), "first day; nothing = already open")
    closes_on: date | None = column(Optional(DAY), "last day; nothing = until closed")
    regions: frozenset[str] = column(
        Many(DIVISION), "divisions served, each with all below; empty = whole country"
    )
    industries: frozenset[str] = column(
        Many(INDUSTRY), "industries accepted, each with all below; empty = all"
    )
    size_classes: frozenset[str] = column(
        Many(OneOf(SIZE_CLASSES)), "size classes accepted; empty = all"
    )
    principal_min_fen: int = column(FEN, "least principal", unit="fen")
    principal_max_fen: int = column(Whole(1), "most principal", unit="fen")
    term_min_months: int = column(MONTHS, "shortest term", unit="months")
    term_max_months: int = column(MONTHS, "longest term", unit="months")
    accepted_patents: tuple[AcceptedPatentKind, ...] = column(
        Many(Part(AcceptedPatentKind), tuple), "kinds of patents accepted, each at most once"
    )
    margin_months: int = column(
        COUNT, "life a patent must have left when the loan ends", unit="months"
    )
    min_patents_count: int = column(Whole(1, 10_000), "least number of patents in the basket")
    collateral_basis: str = column(
        OneOf(COLLATERAL_BASES),
        "appraised: sum of loan-to-value x appraised value; limit_table: by number of patents;"
        " share_of_principal: that sum must cover secured_share_ppm of the principal",
    )
    limit_table: tuple[LimitStep, ...] = column(
        Many(Part(LimitStep), tuple), "steps of the basis limit_table", default=()
    )
    secured_share_ppm: int | None = column(
        Optional(Whole(1, 1_000_000)),
        "basis share_of_principal: share of the principal the patents must cover",
        unit="ppm of principal",
        default=None,
    )
    unappraised_limit_fen: int | None = column(
        Optional(FEN),
        "most lent on patents without a usable appraisal, on condition of one;"
        " nothing = not accepted",
        unit="fen",
        default=None,
    )
    appraisal_fee_fen: int = column(
        FEN, "borrower's cost of the appraisal made a condition then", unit="fen", default=0
    )
    appraisal_max_age_months: int | None = column(
        Optional(MONTHS),
        "an older appraisal is not usable; nothing = any age",
        unit="months",
        default=None,
    )
    min_operating_months: int = column(
        COUNT, "whole months since the business was established", unit="months", default=0
    )
    required_certificates: frozenset[str] = column(
        Many(CODE), "certificates the business must hold, all of them", default=frozenset()
    )
    interest_rate_ppm: int = column(
        RATE, "nominal rate, resolved to a figure on the policy's day", unit="ppm per year"
    )
    repayment_method: str = column(OneOf(REPAYMENT_METHODS), "how it is repaid")
    day_count: str = column(OneOf(DAY_COUNTS), "how interest days are counted")
    fees: tuple[OfferFee, ...] = column(Many(Part(OfferFee), tuple), "fees", default=())
    capacity_fen: int = column(FEN, "most the offer lends in all", unit="fen")
    booked_fen: int = column(
        FEN, "terms offered, accepted and completed (DOMAIN 3)", unit="fen", default=0
    )
    held_fen: int = column(FEN, "referred, in study and waiting (DOMAIN 3)", unit="fen", default=0)
    capacity_count: int | None = column(
        Optional(COUNT), "most loans in all; nothing = no limit", default=None
    )
    booked_count: int = column(COUNT, "loans booked, as booked_fen", default=0)
    held_count: int = column(COUNT, "loans held, as held_fen", default=0)
    delivery_ppm: int = column(
        RATE,
        "smoothed share of referrals answered in time at or below posted cost"
        " (delivery.smoothed_delivery_ppm)",
        unit="ppm",
        default=1_000_000,
    )

    @property
    def kind(self) -> RequestKind:
        return "loan"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceRequestRow:
    """One open insurance request with its patents."""

    id: str = column(ID, "the insurance request; unique among insurance requests")
    business_id: str = column(ID, "the business that asks")
    region_code: str = column(DIVISION, "division of the business, as fine as known")
    industry_code: str = column(INDUSTRY, "industry of the business")
    size_class: str = column(OneOf(SIZE_CLASSES), "size class of the business (DOMAIN 4.2)")
    cover_kind: str = column(OneOf(COVER_KINDS), "kind of cover asked for")
    sum_insured_fen: int = column(Whole(1), "sum insured asked for", unit="fen")
    max_premium_fen: int | None = column(
        Optional(FEN),
        "highest yearly premium the business accepts; nothing = no limit",
        unit="fen",
        default=None,
    )
    is_first_time_borrower: bool = column(FLAG, "no earlier registered pledge", default=False)
    waiting_days: int = column(
        COUNT, "days since the request was submitted", unit="days", default=0
    )
    patents: tuple[PatentRow, ...] = column(
        Many(Part(PatentRow), tuple), "patents to be covered (own file)", default=()
    )

    @property
    def kind(self) -> RequestKind:
        return "insurance"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceOfferRow:
    """One insurance offer, every condition as data."""

    id: str = column(ID, "the insurance offer; unique among insurance offers")
    institution_id: str = column(ID, "the insurer")
    status: str = column(OneOf(OFFER_STATUSES), "state of the offer's lifecycle")
    is_institution_suspended: bool = column(FLAG, "the insurer is suspended")
    opens_on: date | None = column(Optional(DAY), "first day; nothing = already open")
    closes_on: date | None = column(Optional(DAY), "last day; nothing = until closed")
    regions: frozenset[str] = column(
        Many(DIVISION), "divisions served, each with all below; empty = whole country"
    )
    industries: frozenset[str] = column(
        Many(INDUSTRY), "industries accepted, each with all below; empty = all"
    )
    size_classes: frozenset[str] = column(
        Many(OneOf(SIZE_CLASSES)), "size classes accepted; empty = all"
    )
    cover_kind: str = column(OneOf(COVER_KINDS), "kind of cover")
    sum_insured_min_fen: int = column(FEN, "least sum insured", unit="fen")
    sum_insured_max_fen: int = column(Whole(1), "most sum insured", unit="fen")
    accepted_kinds: frozenset[str] = column(Many(OneOf(PATENT_KINDS)), "kinds of patents insured")
    min_patents_count: int = column(
        Whole(0, 10_000), "least number of insurable patents; 0 = cover needs no own patent"
    )
    min_remaining_months: int = column(COUNT, "least remaining life of a patent", unit="months")
    conditions: frozenset[str] = column(
        Many(CODE), "codes of insurability conditions the insurer insists on"
    )
    premium_min_fen: int = column(FEN, "least premium", unit="fen")
    premium_base_fen: int = column(FEN, "fixed part of the premium", unit="fen")
    premium_per_patent_fen: int = column(FEN, "part per insured patent", unit="fen")
    premium_rate_ppm: int = column(RATE, "part by sum insured", unit="ppm of sum insured")
    capacity_fen: int = column(FEN, "most insured in all", unit="fen")
    booked_fen: int = column(FEN, "as for loans", unit="fen", default=0)
    held_fen: int = column(FEN, "as for loans", unit="fen", default=0)
    capacity_count: int | None = column(
        Optional(COUNT), "most policies in all; nothing = no limit", default=None
    )
    booked_count: int = column(COUNT, "policies booked", default=0)
    held_count: int = column(COUNT, "policies held", default=0)
    delivery_ppm: int = column(RATE, "as for loans", unit="ppm", default=1_000_000)

    @property
    def kind(self) -> RequestKind:
        return "insurance"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedPair:
    """A person's rejection or decline; it blocks the institution for that request.

    It stops to block when the cited criterion's fingerprint (`decided.criterion_fingerprint`,
    over values, not over the offer's id) is no longer the one stored with the decision.
    """

    kind: str = column(OneOf(REQUEST_KINDS), "kind of request")
    request_id: str = column(ID, "the request")
    institution_id: str = column(ID, "the institution")
    criterion: str = column(CODE, "rule cited (a refusal code); any other code blocks for good")
    fingerprint: str = column(CODE, "fingerprint of that criterion when decided")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingMatch:
    """A live match of a request (in review … accepted): what a run must respect."""

    kind: str = column(OneOf(REQUEST_KINDS), "kind of request")
    request_id: str = column(ID, "the request")
    offer_id: str = column(ID, "the offer")
    institution_id: str = column(ID, "its institution: gets no second proposal")
    is_within_deadline: bool = column(
        FLAG, "counts towards k and as reached; false once past its deadline (DOMAIN 3)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousProposal:
    """A proposal of the run before: kept unless another is better by the policy's margin."""

    kind: str = column(OneOf(REQUEST_KINDS), "kind of request")
    request_id: str = column(ID, "the request")
    offer_id: str = column(ID, "the offer")


RequestRow = LoanRequestRow | InsuranceRequestRow
OfferRow = LoanOfferRow | InsuranceOfferRow
