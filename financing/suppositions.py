"""What a what-if run supposes to be otherwise than it is; `dry_runs` asks for it, runs apply it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError

from financing.models import MatchingPolicy
from financing.pair_kinds import KINDS, PairKind
from financing.standing_rows import price_key

POLICY_FIGURES = (
    "proposals_per_request",
    "alternative_share",
    "loan_coverage_value",
    "insurance_coverage_value",
    "oversubscription",
    "ceiling_spread_percent",
    "reference_spread_percent",
    "churn_margin_percent",
    "first_time_lift_percent",
    "waiting_lift_percent_per_day",
    "waiting_lift_most_percent",
)


class SuppositionRefused(ValueError):
    """A supposition that says nothing about this policy or these offers; `field` names it."""

    def __init__(self, field_name: str, value: str) -> None:
        self.field, self.value = field_name, value
        super().__init__(f"{field_name}: {value}")


@dataclass(frozen=True, slots=True)
class Supposition:
    """`policy`: figures of the matching policy by field name (POLICY_FIGURES), as text.

    Offers by their key (`price_key`): `capacities` in yuan as text; `without` are left out,
    `added` take part although they are not live, as if published today.
    """

    policy: Mapping[str, str] = field(default_factory=dict)
    capacities: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.policy or self.capacities or self.without or self.added)

    def as_json(self) -> dict[str, Any]:
        """Ready for `MatchRun.supposed`; empty where nothing is supposed."""
        return {} if self.is_empty else asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Supposition":
        return cls(
            policy=dict(stored.get("policy", {})),
            capacities=dict(stored.get("capacities", {})),
            without=tuple(stored.get("without", ())),
            added=tuple(stored.get("added", ())),
        )


def check(supposition: Supposition) -> None:
    """Raise SuppositionRefused for a figure that is none or that a policy may not have, or an offer
    that does not exist."""
    for name, text in supposition.policy.items():
        if name not in POLICY_FIGURES:
            raise SuppositionRefused(name, text)
        try:
            _figure(name).clean(text, None)
        except ValidationError:
            raise SuppositionRefused(name, text)
    for key, text in supposition.capacities.items():
        if _yuan(text) is None:
            raise SuppositionRefused(key, text)
    named = {*supposition.capacities, *supposition.without, *supposition.added}
    known = {
        price_key(kind.name, str(pk))
        for kind in KINDS
        for pk in kind.offers._default_manager.filter(pk__in=_ids_of(kind, named)).values_list(
            "pk", flat=True
        )
    }
    for key in sorted(named - known):
        raise SuppositionRefused("offer", key)


def suppose_policy(policy: MatchingPolicy, supposition: Supposition) -> MatchingPolicy:
    """The policy with the supposed figures; never saved."""
    for name, text in supposition.policy.items():
        setattr(policy, name, _figure(name).to_python(text))
    return policy


def suppose_offers(kind: PairKind, offers: Iterable[Any], supposition: Supposition) -> list[Any]:
    """The offers that take part, with the supposed capacities; never saved."""
    kept = []
    for offer in offers:
        key = price_key(kind.name, str(offer.pk))
        if key in supposition.without:
            continue
        capacity = _yuan(supposition.capacities.get(key, ""))
        if capacity is not None:
            offer.capacity_amount = capacity
        kept.append(offer)
    return kept


def added_ids(kind: PairKind, supposition: Supposition) -> list[int]:
    """Ids of the offers of a kind that take part although they are not live."""
    return _ids_of(kind, supposition.added)


def _figure(name: str) -> Any:
    return MatchingPolicy._meta.get_field(name)


def _ids_of(kind: PairKind, keys: Iterable[str]) -> list[int]:
    found = []
    for key in keys:
        prefix, _, number = key.rpartition("-")
        if number.isdecimal() and key == price_key(kind.name, number) and prefix in ("", kind.name):
            found.append(int(number))
    return found


def _yuan(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 else None
