"""Versions of the matching policy, and subsidy rules; called by the system administrator's pages.

A version that a run used is part of that run's record and never changes; a new one takes over.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from financing.models.offers import REQUESTING_SIZE_CLASSES
from financing.models.policies import (
    MatchingPolicy,
    PolicyWeight,
    StandardPremium,
    SubsidyRule,
    WeightDimension,
)
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region

# Two administrators who add a version at once get two numbers.
_VERSION_LOCK = 72_001


@transaction.atomic
def save_policy(
    actor: Actor,
    *,
    values: Mapping[str, Any],
    weights: Iterable[Mapping[str, Any]],
    standard_premiums: Iterable[Mapping[str, Any]],
    policy_id: int | None = None,
) -> MatchingPolicy:
    """A new version with the next number, or a version no run has used, changed.

    `values`: columns of MatchingPolicy but version; `weights`: dimension, key, lift_percent;
    `standard_premiums`: columns of StandardPremium; a row may carry `place`, the row's name on the
    page. Locks the version, so that a run that starts meanwhile waits. Raises ValidationError by
    field: used by a run, in force from a past day, ceiling above the benchmark, unknown keys.
    """
    values, weight_rows, premium_rows = dict(values), list(weights), list(standard_premiums)
    if policy_id is None:
        _lock_numbers()
        newest = MatchingPolicy.objects.aggregate(newest=Max("version"))["newest"] or 0
        policy = MatchingPolicy(version=newest + 1)
        before: dict[str, Any] = {}
    else:
        policy = MatchingPolicy.objects.select_for_update(of=("self",)).get(pk=policy_id)
        if is_used(policy):
            raise ValidationError(
                _("A match run used this version: it stays as it is. Add a new version instead.")
            )
        before = _recorded(policy)
    _check_day(policy, values["effective_on"])
    for name, value in values.items():
        setattr(policy, name, value)
    if policy.ceiling_spread_percent > policy.reference_spread_percent:
        message = _("The ceiling cannot be above the reference spread of the benchmark.")
        raise ValidationError({"ceiling_spread_percent": message})
    _check_weights(weight_rows)
    _check_once(premium_rows, "cover_kind", _("This cover is there twice."))
    policy.full_clean()
    policy.save()
    policy.weights.all().delete()
    policy.standard_premiums.all().delete()
    PolicyWeight.objects.bulk_create(
        PolicyWeight(policy=policy, **_columns(row)) for row in weight_rows
    )
    StandardPremium.objects.bulk_create(
        StandardPremium(policy=policy, **_columns(row)) for row in premium_rows
    )
    after = _recorded(policy)
    changed = {name: [before.get(name), value] for name, value in after.items()}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if changed:
        record(Verb.POLICY_CHANGED, actor=actor, obj=policy, data={"changed": changed})
    return policy


@transaction.atomic
def save_subsidy_rule(
    actor: Actor, *, values: Mapping[str, Any], rule_id: int | None = None
) -> SubsidyRule:
    """A new subsidy rule, or one changed; raises ValidationError by field."""
    rule = (
        SubsidyRule()
        if rule_id is None
        else SubsidyRule.objects.select_for_update(of=("self",)).get(pk=rule_id)
    )
    before = {} if rule_id is None else _row(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    if rule.valid_until is not None and rule.valid_until < rule.valid_from:
        message = _("The last day cannot be before the first day.")
        raise ValidationError({"valid_until": message})
    rule.full_clean()
    rule.save()
    changed = {
        name: [before.get(name), value]
        for name, value in _row(rule).items()
        if before.get(name) != value
    }
    if changed:
        record(Verb.POLICY_CHANGED, actor=actor, obj=rule, data={"changed": changed})
    return rule


def is_used(policy: MatchingPolicy) -> bool:
    """A run used this version."""
    return policy.runs.exists()


def _lock_numbers() -> None:
    connection = transaction.get_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSION_LOCK])


def _check_day(policy: MatchingPolicy, effective_on: date) -> None:
    is_same = policy.pk is not None and policy.effective_on == effective_on
    if not is_same and effective_on < timezone.localdate():
        message = _("A version takes effect today or later: past runs used another one.")
        raise ValidationError({"effective_on": message})


def _check_weights(rows: list[Mapping[str, Any]]) -> None:
    faults: dict[str, Any] = {}
    keys = [row["key"] for row in rows if row["dimension"] == WeightDimension.REGION]
    regions = set(Region.objects.filter(code__in=keys).values_list("code", flat=True))
    sizes = {code for code, _label in REQUESTING_SIZE_CLASSES}
    seen = set()
    for row in rows:
        place = f"{row.get('place', 'weights')}-key"
        if row["dimension"] == WeightDimension.REGION and row["key"] not in regions:
            faults[place] = _("Enter the six digits of a division, for example 620000.")
        elif row["dimension"] == WeightDimension.SIZE_CLASS and row["key"] not in sizes:
            faults[place] = _("Enter micro or small.")
        elif (row["dimension"], row["key"]) in seen:
            faults[place] = _("This value is there twice.")
        seen.add((row["dimension"], row["key"]))
    if faults:
        raise ValidationError(faults)


def _check_once(rows: list[Mapping[str, Any]], column: str, message: Any) -> None:
    seen = set()
    for row in rows:
        if row[column] in seen:
            raise ValidationError({f"{row.get('place', 'standard_premiums')}-{column}": message})
        seen.add(row[column])


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "place"}


def _row(row: models.Model) -> dict[str, Any]:
    """Own columns as text: what the audit records of a row without personal data."""
    left_out = ("id", "created_at", "policy")
    return {
        field.name: _text(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if field.name not in left_out
    }


def _text(value: Any) -> str | None:
    # 3 typed and 3.000 stored are the same figure.
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return None if value is None else str(value)


def _recorded(policy: MatchingPolicy) -> dict[str, Any]:
    return {
        **_row(policy),
        "weights": [_row(weight) for weight in policy.weights.all()],
        "standard_premiums": [_row(premium) for premium in policy.standard_premiums.all()],
    }
