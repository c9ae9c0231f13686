"""What people have already decided, and when such a decision stops to block (MATCHING §1).

`criterion_fingerprint` is stored with a rejection or decline by the services; the rule
`already_decided` compares it with the pair as it is now.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from financing.matching.canonical import canonical_text
from financing.matching.tables import DecidedPair, OfferRow, RequestRow

# What the premium of DOMAIN 4.5 is worked out from.
_PREMIUM_OF_REQUEST = ("sum_insured_fen", "patents")
_PREMIUM_OF_OFFER = (
    "premium_min_fen",
    "premium_base_fen",
    "premium_per_patent_fen",
    "premium_rate_ppm",
)

# The columns each criterion speaks about: (of the request, of the offer). Values, never ids, so
# that a copied offer does not evade a decision. A column a row does not have is skipped.
CRITERION_COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "not_open": ((), ("opens_on", "closes_on")),
    "region_not_served": (("region_code",), ("regions",)),
    "industry_not_accepted": (("industry_code",), ("industries",)),
    "size_not_accepted": (("size_class",), ("size_classes",)),
    "amount_out_of_range": (
        ("principal_fen", "least_accepted_fen"),
        ("principal_min_fen", "principal_max_fen"),
    ),
    "term_out_of_range": (("term_months",), ("term_min_months", "term_max_months")),
    "patent_kind_not_accepted": (("patents",), ("accepted_patents", "accepted_kinds")),
    "patents_too_short_lived": (
        ("patents", "term_months"),
        ("accepted_patents", "margin_months", "min_remaining_months"),
    ),
    "not_registrable": (("patents",), ()),
    "not_insurable": (
        ("patents",),
        ("accepted_kinds", "conditions", "min_remaining_months", "min_patents_count"),
    ),
    "too_few_patents": (("patents",), ("min_patents_count",)),
    "appraisal_missing": (
        ("patents",),
        ("collateral_basis", "appraisal_max_age_months", "unappraised_limit_fen"),
    ),
    "collateral_too_small": (
        ("patents", "principal_fen", "least_accepted_fen"),
        ("accepted_patents", "collateral_basis", "limit_table", "secured_share_ppm"),
    ),
    "operating_history_too_short": (("established_on",), ("min_operating_months",)),
    "certificate_missing": (("certificates",), ("required_certificates",)),
    "above_rate_ceiling": ((), ("interest_rate_ppm", "repayment_method", "day_count", "fees")),
    "above_borrowers_rate": (
        ("max_apr_ppm",),
        ("interest_rate_ppm", "repayment_method", "day_count", "fees"),
    ),
    "cover_kind_differs": (("cover_kind",), ("cover_kind",)),
    "sum_insured_out_of_range": (
        ("sum_insured_fen",),
        ("sum_insured_min_fen", "sum_insured_max_fen"),
    ),
    "premium_above_limit": (("max_premium_fen", *_PREMIUM_OF_REQUEST), _PREMIUM_OF_OFFER),
    # Of either kind; a loan's amount, and with it its saving, rests on the patents too.
    "no_saving": (
        ("principal_fen", "term_months", *_PREMIUM_OF_REQUEST),
        ("interest_rate_ppm", "repayment_method", "day_count", "fees", *_PREMIUM_OF_OFFER),
    ),
}

DecidedIndex = dict[tuple[str, str, str], tuple[DecidedPair, ...]]


def criterion_fingerprint(criterion: str, request: RequestRow, offer: OfferRow) -> str:
    """A code for the values `criterion` compares in this pair.

    Constant for a criterion that is no rule (a text, "other"): such a decision never lapses.
    """
    of_request, of_offer = CRITERION_COLUMNS.get(criterion, ((), ()))
    values = [
        [name, getattr(row, name)]
        for row, names in ((request, of_request), (offer, of_offer))
        for name in names
        if hasattr(row, name)
    ]
    text = canonical_text([criterion, values])
    return "f" + hashlib.sha256(text.encode()).hexdigest()[:32]


def index_decided(decided: Iterable[DecidedPair]) -> DecidedIndex:
    """Decisions by (kind, request, institution)."""
    index: dict[tuple[str, str, str], list[DecidedPair]] = defaultdict(list)
    for pair in decided:
        index[pair.kind, pair.request_id, pair.institution_id].append(pair)
    return {key: tuple(pairs) for key, pairs in index.items()}


def blocking_criterion(request: RequestRow, offer: OfferRow, decided: DecidedIndex) -> str | None:
    """The criterion of a decision that still holds for this pair, or None."""
    pairs = decided.get((request.kind, request.id, offer.institution_id), ())
    holding = [
        pair.criterion
        for pair in pairs
        if pair.fingerprint == criterion_fingerprint(pair.criterion, request, offer)
    ]
    return min(holding, default=None)
