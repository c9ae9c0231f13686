"""The basket of a pair: the patents an offer takes, and what it lends on them (MATCHING §2).

Called by `pairs.py`; acceptance later pledges exactly the kept patents.
"""

from dataclasses import dataclass
from datetime import date

from businesses.rules.patent_term import add_months, remaining_months
from financing.matching.columns import PPM
from financing.matching.policy import MatchingPolicy
from financing.matching.tables import (
    InsuranceOfferRow,
    InsuranceRequestRow,
    LoanOfferRow,
    LoanRequestRow,
    PatentRow,
)

KIND = "patent_kind_not_accepted"
LIFE = "patents_too_short_lived"
REGISTRABLE = "not_registrable"
INSURABLE = "not_insurable"

FEN_PER_YUAN = 100


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A patent left out: by which code, and the grounds or the months it lacks."""

    patent_id: str
    code: str
    grounds: tuple[str, ...] = ()
    lacking_months: int = 0


@dataclass(frozen=True, slots=True)
class Basket:
    """The patents kept, by id, and those left out, each by the first test it failed."""

    kept: tuple[PatentRow, ...]
    left_out: tuple[Exclusion, ...]

    @property
    def patent_ids(self) -> tuple[str, ...]:
        return tuple(patent.id for patent in self.kept)

    @property
    def earliest_expiry_on(self) -> date | None:
        return min((patent.expires_on for patent in self.kept), default=None)

    @property
    def co_owner_ids(self) -> tuple[str, ...]:
        return tuple(sorted(set().union(*(patent.co_owner_ids for patent in self.kept))))

    @property
    def soft_grounds(self) -> tuple[str, ...]:
        return tuple(sorted(set().union(*(patent.soft_grounds for patent in self.kept))))

    def left_out_by(self, code: str) -> tuple[Exclusion, ...]:
        return tuple(exclusion for exclusion in self.left_out if exclusion.code == code)


@dataclass(frozen=True, slots=True)
class Collateral:
    """What the offer lends on the basket; `is_conditional`: on an appraisal still to be made."""

    fen: int
    has_usable_appraisal: bool
    is_conditional: bool


def life_counts_from(request: LoanRequestRow, policy: MatchingPolicy) -> date:
    """The day from which remaining life is counted: drawdown, never before the policy's day."""
    return max(policy.as_of, request.drawdown_on or policy.as_of)


def needed_life_months(request: LoanRequestRow, offer: LoanOfferRow, patent_kind: str) -> int:
    """Remaining life the offer asks of a patent of that kind for the request's term."""
    least = next(
        (k.min_remaining_months for k in offer.accepted_patents if k.kind == patent_kind), 0
    )
    return max(request.term_months + offer.margin_months, least)


def loan_basket(request: LoanRequestRow, offer: LoanOfferRow, policy: MatchingPolicy) -> Basket:
    """Kind accepted, remaining life >= term + margin, no hard ground of DOMAIN 4.4."""
    accepted = {terms.kind for terms in offer.accepted_patents}
    start = life_counts_from(request, policy)
    kept, left_out = [], []
    for patent in sorted(request.patents, key=lambda patent: patent.id):
        if patent.kind not in accepted:
            left_out.append(Exclusion(patent.id, KIND))
            continue
        lacking = _lacking_months(patent, start, needed_life_months(request, offer, patent.kind))
        grounds = _pledge_grounds(patent, offer.institution_id, start)
        if lacking:
            left_out.append(Exclusion(patent.id, LIFE, lacking_months=lacking))
        elif grounds:
            left_out.append(Exclusion(patent.id, REGISTRABLE, grounds))
        else:
            kept.append(patent)
    return Basket(tuple(kept), tuple(left_out))


def insurance_basket(
    request: InsuranceRequestRow, offer: InsuranceOfferRow, policy: MatchingPolicy
) -> Basket:
    """Kind accepted, and the insurer's conditions met, remaining life among them (DOMAIN 4.5)."""
    kept, left_out = [], []
    for patent in sorted(request.patents, key=lambda patent: patent.id):
        if patent.kind not in offer.accepted_kinds:
            left_out.append(Exclusion(patent.id, KIND))
            continue
        lacking = _lacking_months(patent, policy.as_of, offer.min_remaining_months)
        grounds = tuple(sorted(patent.insurability_failures & offer.conditions))
        if lacking or grounds:
            left_out.append(Exclusion(patent.id, INSURABLE, grounds, lacking))
        else:
            kept.append(patent)
    return Basket(tuple(kept), tuple(left_out))


def is_appraisal_usable(patent: PatentRow, offer: LoanOfferRow, as_of: date) -> bool:
    """Appraised, not after the policy's day, and not older than the offer allows."""
    if patent.appraised_value_fen is None or patent.appraised_on is None:
        return False
    if patent.appraised_on > as_of:
        return False
    if offer.appraisal_max_age_months is None:
        return True
    return add_months(patent.appraised_on, offer.appraisal_max_age_months) >= as_of


def collateral(basket: Basket, offer: LoanOfferRow, as_of: date) -> Collateral:
    """What the offer's collateral basis yields over the basket, in fen, rounded down.

    Patents without a usable appraisal count nothing towards the appraised sum; where the offer
    lends on them up to a limit, the better of the sum and that limit holds.
    """
    usable = [patent for patent in basket.kept if is_appraisal_usable(patent, offer, as_of)]
    has_usable = bool(usable)
    if offer.collateral_basis == "limit_table":
        limits = [s.limit_fen for s in offer.limit_table if s.patents_count <= len(basket.kept)]
        return Collateral(max(limits, default=0), has_usable, is_conditional=False)
    loan_to_value = {terms.kind: terms.loan_to_value_ppm for terms in offer.accepted_patents}
    fen = sum((p.appraised_value_fen or 0) * loan_to_value[p.kind] for p in usable) // PPM
    if offer.collateral_basis == "share_of_principal":
        fen = fen * PPM // (offer.secured_share_ppm or PPM)
    limit = offer.unappraised_limit_fen
    if limit is not None and limit > fen and len(usable) < len(basket.kept):
        return Collateral(limit, has_usable, is_conditional=True)
    return Collateral(fen, has_usable, is_conditional=False)


def financeable_fen(request: LoanRequestRow, offer: LoanOfferRow, collateral_fen: int) -> int:
    """min(principal asked, offer maximum, collateral), in whole yuan, rounded down, as fen."""
    fen = min(request.principal_fen, offer.principal_max_fen, collateral_fen)
    return fen // FEN_PER_YUAN * FEN_PER_YUAN


def least_useful_fen(request: LoanRequestRow, offer: LoanOfferRow) -> int:
    """What the financeable amount must reach: offer minimum and least the request accepts."""
    return max(offer.principal_min_fen, request.least_accepted_fen)


def _lacking_months(patent: PatentRow, start: date, needed_months: int) -> int:
    if patent.expires_on <= start:
        # An ended patent lacks at least a month, also where the offer asks for no life at all.
        return max(1, needed_months)
    return max(0, needed_months - remaining_months(patent.expires_on, start))


def _pledge_grounds(patent: PatentRow, institution_id: str, start: date) -> tuple[str, ...]:
    """Hard grounds; `already_pledged` is soft for the present pledgee or after its release."""
    grounds = set(patent.hard_grounds)
    pledgee = patent.pledgee_institution_id
    released = patent.pledge_released_on is not None and patent.pledge_released_on <= start
    if pledgee is not None and pledgee != institution_id and not released:
        grounds.add("already_pledged")
    return tuple(sorted(grounds))
