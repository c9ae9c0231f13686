"""The terms of a loan offer as services take them, and what holds between them.

Used by `services.loan_offers` (people) and `services.offer_imports` (files). What one field can
say alone is checked by the form or the importer; here is what the fields say together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from businesses.rules import industries
from financing.models.loan_offers import CollateralBasis, RateBasis

Messages = dict[str, list[Any]]
Fault = tuple[str, ValidationError]
MOST_TERM_MONTHS = 360


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTerms:
    """A patent kind the offer accepts. `place`: the row's name on the page, for messages."""

    kind: str
    loan_to_value_percent: Decimal
    min_remaining_months: int = 0
    place: str = field(default="accepted_kinds", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitTerms:
    """From `min_patents` patents on, up to `limit_amount` yuan."""

    min_patents: int
    limit_amount: Decimal
    place: str = field(default="collateral_limits", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTerms:
    """A fee: `amount` in yuan or `percent` of the principal, never both."""

    kind: str
    payer: str
    timing: str
    amount: Decimal | None = None
    percent: Decimal | None = None
    place: str = field(default="fees", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """Everything an institution says of a loan offer; amounts in yuan, lengths in months."""

    name: str
    description: str = ""
    opens_on: date
    closes_on: date | None = None
    # Division codes; none is the whole country. Industry codes; none is all.
    regions: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    size_classes: tuple[str, ...]
    min_principal: Decimal = Decimal(0)
    max_principal: Decimal
    min_term_months: int = 1
    max_term_months: int
    rate_basis: str
    interest_rate_percent: Decimal | None = None
    spread_bp: int | None = None
    repayment_method: str
    day_count: str
    collateral_basis: str
    collateral_share_percent: Decimal | None = None
    unappraised_limit: Decimal | None = None
    appraisal_fee: Decimal = Decimal(0)
    max_appraisal_age_months: int | None = None
    min_patents: int = 1
    life_margin_months: int = 0
    min_operating_months: int = 0
    required_certificates: tuple[str, ...] = ()
    capacity_amount: Decimal
    capacity_count: int | None = None
    accepted_kinds: tuple[KindTerms, ...]
    limits: tuple[LimitTerms, ...] = ()
    fees: tuple[FeeTerms, ...] = ()


# Fields of OfferTerms that are not columns of the offer.
PARTS = ("regions", "accepted_kinds", "limits", "fees")


def columns_of(terms: OfferTerms) -> dict[str, Any]:
    """The terms that are columns of the offer's own row, as the row stores them."""
    values = {name: getattr(terms, name) for name in terms.__dataclass_fields__}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name not in PARTS
    }


def normalised(terms: OfferTerms) -> OfferTerms:
    """Industry codes in full form, what the chosen basis does not use taken out, tables in order.

    Raises ValidationError at `industries` naming the codes nobody knows.
    """
    codes = industry_codes(terms.industries)
    is_fixed = terms.rate_basis == RateBasis.FIXED
    has_share = terms.collateral_basis == CollateralBasis.SHARE_OF_PRINCIPAL
    return replace(
        terms,
        name=terms.name.strip(),
        industries=codes,
        regions=tuple(sorted(set(terms.regions))),
        size_classes=tuple(sorted(set(terms.size_classes))),
        required_certificates=tuple(sorted(set(terms.required_certificates))),
        interest_rate_percent=terms.interest_rate_percent if is_fixed else None,
        spread_bp=None if is_fixed else terms.spread_bp,
        collateral_share_percent=terms.collateral_share_percent if has_share else None,
        limits=tuple(sorted(terms.limits, key=lambda step: step.min_patents)),
    )


def industry_codes(texts: Iterable[str]) -> tuple[str, ...]:
    """Industry codes in full form, each once; ValidationError at `industries` for unknown ones."""
    unknown, codes = [], []
    for text in texts:
        try:
            codes.append(industries.normalise(text))
        except industries.UnknownIndustry:
            unknown.append(text)
    if unknown:
        message = _(
            "Not in GB/T 4754-2017: %(codes)s. Enter a section (C), a division (C39), a group "
            "(C391) or a class (C3911)."
        )
        raise ValidationError(
            {"industries": ValidationError(message, params={"codes": ", ".join(unknown)})}
        )
    return tuple(dict.fromkeys(codes))


def validate_terms(
    terms: OfferTerms, *, booked_amount: Decimal = Decimal(0), booked_count: int = 0
) -> None:
    """What must hold between the fields; `booked_*` as the locked offer has them.

    Raises ValidationError with every fault, keyed by field, or for a row of a table by
    ``<place>-<field>``.
    """
    faults = [
        *_of_ranges(terms),
        *window_faults(terms),
        *_of_rate(terms),
        *_of_collateral(terms),
        *_of_limits(terms),
        *fee_faults(terms.fees),
        *capacity_faults(terms, terms.min_principal, booked_amount, booked_count),
    ]
    raise_faults(faults)


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raises ValidationError with all of them by field, if there are any."""
    messages: Messages = {}
    for name, each in faults:
        messages.setdefault(name, []).append(each)
    if messages:
        raise ValidationError(messages)


def fault(name: str, message: Promise, params: dict[str, Any] | None = None) -> Fault:
    """A message at a field; `params` fill its placeholders."""
    return name, ValidationError(message, params=params)  # type: ignore[arg-type]


class PostedTerms(Protocol):
    """What terms of every kind of offer have, as far as it is checked here."""

    @property
    def name(self) -> str: ...
    @property
    def opens_on(self) -> date: ...
    @property
    def closes_on(self) -> date | None: ...
    @property
    def size_classes(self) -> tuple[str, ...]: ...
    @property
    def capacity_amount(self) -> Decimal: ...
    @property
    def capacity_count(self) -> int | None: ...


def window_faults(terms: PostedTerms) -> Iterable[Fault]:
    """Name, days and size classes."""
    if not terms.name:
        yield fault("name", _("Enter a name that businesses will recognise."))
    if terms.closes_on is not None and terms.closes_on < terms.opens_on:
        yield fault("closes_on", _("The last day cannot be before the first day."))
    if not terms.size_classes:
        yield fault("size_classes", _("Choose at least one size class."))


def _of_ranges(terms: OfferTerms) -> Iterable[Fault]:
    if terms.max_principal <= 0:
        yield fault("max_principal", _("Enter an amount above 0."))
    elif terms.max_principal < terms.min_principal:
        yield fault("max_principal", _("The most cannot be below the least principal."))
    if not 1 <= terms.min_term_months <= MOST_TERM_MONTHS:
        yield fault("min_term_months", _("Enter 1 to 360 months."))
    if not 1 <= terms.max_term_months <= MOST_TERM_MONTHS:
        yield fault("max_term_months", _("Enter 1 to 360 months."))
    elif terms.max_term_months < terms.min_term_months:
        yield fault("max_term_months", _("The longest term cannot be below the shortest."))
    if terms.min_patents < 1:
        yield fault("min_patents", _("At least one patent is needed."))


def _of_rate(terms: OfferTerms) -> Iterable[Fault]:
    if terms.rate_basis == RateBasis.FIXED:
        if terms.interest_rate_percent is None:
            yield fault("interest_rate_percent", _("Enter the fixed rate, for example 3.45."))
    elif terms.spread_bp is None:
        yield fault(
            "spread_bp", _("Enter the spread in basis points; 0 for the LPR itself, -20 below it.")
        )


def _of_collateral(terms: OfferTerms) -> Iterable[Fault]:
    if not terms.accepted_kinds:
        yield fault("", _("Accept at least one kind of patent."))
    seen = set()
    for kind in terms.accepted_kinds:
        if kind.kind in seen:
            yield fault(f"{kind.place}-kind", _("This kind of patent is there twice."))
        seen.add(kind.kind)
        if not 0 <= kind.loan_to_value_percent <= 100:
            yield fault(f"{kind.place}-loan_to_value_percent", _("Enter 0 to 100 per cent."))
        elif terms.collateral_basis != CollateralBasis.LIMIT_TABLE and not (
            kind.loan_to_value_percent
        ):
            yield fault(
                f"{kind.place}-loan_to_value_percent",
                _("Enter more than 0: nothing could be lent against this kind of patent."),
            )
    share = terms.collateral_share_percent
    if terms.collateral_basis == CollateralBasis.SHARE_OF_PRINCIPAL and (
        share is None or not 0 < share <= 100
    ):
        yield fault(
            "collateral_share_percent",
            _("Enter which share of the principal the patents must cover, above 0 up to 100."),
        )
    if terms.unappraised_limit is not None and terms.unappraised_limit <= 0:
        yield fault(
            "unappraised_limit",
            _("Enter an amount above 0, or leave it empty to refuse patents without appraisal."),
        )


def _of_limits(terms: OfferTerms) -> Iterable[Fault]:
    if terms.collateral_basis == CollateralBasis.LIMIT_TABLE and not terms.limits:
        yield fault("collateral_basis", _("Enter at least one line of the limit table below."))
    before: LimitTerms | None = None
    for step in terms.limits:
        if step.limit_amount <= 0:
            yield fault(f"{step.place}-limit_amount", _("Enter an amount above 0."))
        if before is not None and step.min_patents == before.min_patents:
            yield fault(f"{step.place}-min_patents", _("This number of patents is there twice."))
        elif before is not None and step.limit_amount <= before.limit_amount:
            yield fault(
                f"{step.place}-limit_amount",
                _("More patents must give a higher limit than the line before."),
            )
        before = step


def fee_faults(fees: Iterable[FeeTerms]) -> Iterable[Fault]:
    """What is wrong in rows of fees; terms offered on a match are checked by it too."""
    for fee in fees:
        if fee.amount is None and fee.percent is None:
            yield fault(f"{fee.place}-amount", _("Enter an amount or a share of the principal."))
        elif fee.amount is not None and fee.percent is not None:
            yield fault(f"{fee.place}-percent", _("Enter either an amount or a share, not both."))


def capacity_faults(
    terms: PostedTerms, smallest: Decimal, booked_amount: Decimal, booked_count: int
) -> Iterable[Fault]:
    """Never below what is booked, and room for one of the `smallest` the offer gives."""
    if terms.capacity_amount < booked_amount:
        yield fault(
            "capacity_amount",
            _("%(booked)s yuan are booked already: the capacity cannot be set below that."),
            {"booked": f"{booked_amount:,.2f}"},
        )
    elif terms.capacity_amount <= 0 or terms.capacity_amount < smallest:
        yield fault(
            "capacity_amount",
            _("The capacity must be at least the smallest amount you offer."),
        )
    if terms.capacity_count is None:
        return
    if terms.capacity_count < booked_count:
        yield fault(
            "capacity_count",
            _("%(booked)d contracts are booked already: the capacity cannot be set below that."),
            {"booked": booked_count},
        )
    elif terms.capacity_count < 1:
        yield fault("capacity_count", _("Enter at least 1, or leave it empty for no limit."))
