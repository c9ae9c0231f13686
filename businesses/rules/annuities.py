"""When which annuity is due, and where a patent stands (DOMAIN 4.3); called by patent pages.

Implementing Regulations of the Patent Law and Examination Guidelines part V ch. 9: the first fee
comes with the grant, for the patent year of the grant; the fee of each later year is due before
the year in front of it ends, that is on the filing anniversary that opens its year.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from businesses.rules.annuity_fees import DEFAULT_POLICY, AnnuityPolicy, full_fee
from businesses.rules.patent_term import (
    PatentKind,
    add_months,
    anniversary,
    expires_on,
    term_years,
)

Mover = Callable[[date], date]
State = Literal["not_granted", "unknown", "paid", "due_soon", "in_grace", "lapsed", "expired"]
_ZERO = Decimal(0)


def same_day(day: date) -> date:
    """The mover that knows no holidays: the default, so that the rules stay pure."""
    return day


@dataclass(frozen=True, slots=True)
class SurchargeStep:
    """Paying up to and including `until` adds `percent` of the full fee: `amount` yuan."""

    until: date
    percent: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AnnuityYear:
    """The fee of one patent year (`starts_on` to `ends_on`, both included).

    `due_on` is the nominal day, `payable_until` the same moved off a holiday. `fee` is after
    relief, `full_fee` before. `steps` covers the months of grace, to `grace_ends_on`.
    """

    year: int
    starts_on: date
    ends_on: date
    due_on: date
    payable_until: date
    full_fee: Decimal
    fee: Decimal
    grace_ends_on: date
    steps: tuple[SurchargeStep, ...]


@dataclass(frozen=True, slots=True)
class AnnuityStatus:
    """Where the patent stands on a day.

    `next_*` describe the oldest unpaid fee (None where nothing is due any more); `amount_due` is
    what must be paid on that day, relief and surcharge included. `ended_on` is set for lapsed
    (the day the fee was due) and expired.
    """

    state: State
    next_year: int | None = None
    next_due_on: date | None = None
    payable_until: date | None = None
    fee: Decimal | None = None
    surcharge_percent: Decimal = _ZERO
    surcharge: Decimal = _ZERO
    amount_due: Decimal | None = None
    grace_ends_on: date | None = None
    ended_on: date | None = None

    @property
    def is_unpaid(self) -> bool:
        """A fee is overdue: the ground `annuity_unpaid` of registrability."""
        return self.state in ("in_grace", "lapsed")


def patent_year(filed_on: date, on: date) -> int:
    """Number of the patent year that `on` lies in; year 1 starts on the filing date."""
    if on < filed_on:
        raise ValueError("the day lies before the filing date")
    year = on.year - filed_on.year
    return year + 1 if on >= anniversary(filed_on, year) else year


def schedule(
    kind: PatentKind,
    filed_on: date,
    granted_on: date,
    *,
    relief_percent: Decimal = _ZERO,
    policy: AnnuityPolicy = DEFAULT_POLICY,
    next_working_day: Mover = same_day,
) -> tuple[AnnuityYear, ...]:
    """Every fee year from the year of grant to the last; empty when granted after the term.

    `relief_percent` applies to the first `policy.relief_years` fee years from the grant; the
    surcharge is always on the full fee. ValueError for a grant before filing.
    """
    years = _FeeYears(kind, filed_on, granted_on, relief_percent, policy, next_working_day)
    return tuple(years.row(year) for year in range(years.first, years.last + 1))


@dataclass(frozen=True, slots=True)
class _FeeYears:
    """The fee years of one patent; each row is worked out when it is asked for."""

    kind: PatentKind
    filed_on: date
    granted_on: date
    relief_percent: Decimal
    policy: AnnuityPolicy
    next_working_day: Mover

    def __post_init__(self) -> None:
        if not 0 <= self.relief_percent <= 100:
            raise ValueError("relief is between 0 and 100 per cent")

    @property
    def first(self) -> int:
        """The patent year of the grant."""
        return patent_year(self.filed_on, self.granted_on)

    @property
    def last(self) -> int:
        return term_years(self.kind, self.filed_on)

    def row(self, year: int) -> AnnuityYear:
        first = self.first
        return _fee_year(
            self.kind,
            self.filed_on,
            year,
            self.granted_on if year == first else anniversary(self.filed_on, year - 1),
            self.relief_percent if year < first + self.policy.relief_years else _ZERO,
            self.policy,
            self.next_working_day,
        )

    def next_after(self, year: int) -> AnnuityYear | None:
        """The first fee after that of `year` and after that of the grant, which was paid."""
        wanted = max(year, self.first) + 1
        return self.row(wanted) if wanted <= self.last else None


def _fee_year(
    kind: PatentKind,
    filed_on: date,
    year: int,
    due_on: date,
    relief_percent: Decimal,
    policy: AnnuityPolicy,
    next_working_day: Mover,
) -> AnnuityYear:
    full = full_fee(kind, year)
    steps = []
    for month in range(1, policy.grace_months + 1):
        charged = max(0, month - policy.free_months)
        percent = charged * policy.surcharge_percent_per_month
        until = next_working_day(add_months(due_on, month))
        steps.append(SurchargeStep(until, percent, _fen(full * percent / 100)))
    return AnnuityYear(
        year=year,
        starts_on=anniversary(filed_on, year - 1),
        ends_on=anniversary(filed_on, year) - timedelta(days=1),
        due_on=due_on,
        payable_until=next_working_day(due_on),
        full_fee=full,
        fee=_fen(full * (100 - relief_percent) / 100),
        grace_ends_on=steps[-1].until if steps else next_working_day(due_on),
        steps=tuple(steps),
    )


def _fen(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def status(
    kind: PatentKind,
    filed_on: date,
    granted_on: date | None,
    paid_through_year: int | None,
    as_of: date,
    *,
    relief_percent: Decimal = _ZERO,
    compensation_days: int = 0,
    policy: AnnuityPolicy = DEFAULT_POLICY,
    next_working_day: Mover = same_day,
) -> AnnuityStatus:
    """Where the patent stands on `as_of`, its fees being paid up to `paid_through_year`.

    The fee of the grant year was paid or there would be no grant. None for an unknown
    `paid_through_year` gives the state `unknown` with the fee that the register should show next.
    Unpaid at the end of grace, the patent ended on the nominal day the fee was due.
    """
    ends = expires_on(kind, filed_on, compensation_days=compensation_days)
    if granted_on is None or granted_on > as_of:
        return AnnuityStatus("not_granted")
    years = _FeeYears(kind, filed_on, granted_on, relief_percent, policy, next_working_day)
    if paid_through_year is None:
        current = patent_year(filed_on, as_of)
        if as_of >= ends:
            return AnnuityStatus("expired", ended_on=ends)
        coming = years.next_after(current)
        return AnnuityStatus("unknown") if coming is None else _describe("unknown", coming, _ZERO)
    unpaid = years.next_after(paid_through_year)
    if unpaid is not None and as_of > unpaid.grace_ends_on:
        return AnnuityStatus(
            "lapsed",
            next_year=unpaid.year,
            next_due_on=unpaid.due_on,
            payable_until=unpaid.payable_until,
            grace_ends_on=unpaid.grace_ends_on,
            ended_on=unpaid.due_on,
        )
    if as_of >= ends:
        return AnnuityStatus("expired", ended_on=ends)
    if unpaid is None:
        return AnnuityStatus("paid")
    if as_of > unpaid.payable_until:
        step = next(step for step in unpaid.steps if as_of <= step.until)
        return _describe("in_grace", unpaid, step.percent)
    soon = unpaid.payable_until - as_of <= timedelta(days=policy.due_soon_days)
    return _describe("due_soon" if soon else "paid", unpaid, _ZERO)


def _describe(state: State, row: AnnuityYear, surcharge_percent: Decimal) -> AnnuityStatus:
    surcharge = _fen(row.full_fee * surcharge_percent / 100)
    return AnnuityStatus(
        state,
        next_year=row.year,
        next_due_on=row.due_on,
        payable_until=row.payable_until,
        fee=row.fee,
        surcharge_percent=surcharge_percent,
        surcharge=surcharge,
        amount_due=row.fee + surcharge,
        grace_ends_on=row.grace_ends_on,
    )
