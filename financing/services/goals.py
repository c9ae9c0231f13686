"""Goals of branch offices; called by the system administrator's pages."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from financing.models.goals import Goal
from financing.verbs import Verb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice

COLUMNS = ("office", "product", "starts_on", "ends_on", "business_count", "amount")


@transaction.atomic
def save_goal(actor: Actor, *, values: Mapping[str, Any], goal_id: int | None = None) -> Goal:
    """Set a goal, or change one. `values`: the columns `COLUMNS`, amount in yuan or None.

    Locks the office, so that two goals of one period are set one after the other. Raises
    ValidationError by field: last day before the first, period meets another goal of the same
    office and product, nothing to reach. Saving what is stored already, or setting it again,
    changes nothing.
    """
    office = BranchOffice.objects.select_for_update(of=("self",)).get(pk=values["office"].pk)
    goal: Goal = (
        Goal(office=office)
        if goal_id is None
        else Goal.objects.select_for_update(of=("self",)).get(pk=goal_id)
    )
    before = {} if goal_id is None else _recorded(goal)
    for name in COLUMNS:
        setattr(goal, name, values[name])
    if goal_id is None and (same := _same_goal(goal)) is not None:
        return same
    _check(goal)
    goal.full_clean(validate_unique=False, validate_constraints=False)
    changed = {
        name: [before.get(name), value]
        for name, value in _recorded(goal).items()
        if before.get(name) != value
    }
    if changed:
        goal.save()
        record(Verb.GOAL_SET, actor=actor, obj=goal, data={"changed": changed})
    return goal


def _same_goal(goal: Goal) -> Goal | None:
    """The stored goal that says the same: the form was posted twice."""
    there: Goal | None = Goal.objects.filter(
        **{name: getattr(goal, name) for name in COLUMNS}
    ).first()
    return there


def _check(goal: Goal) -> None:
    if goal.ends_on <= goal.starts_on:
        raise ValidationError({"ends_on": _("The last day must be after the first day.")})
    if not goal.business_count and not goal.amount:
        message = _("Enter a number of businesses or an amount: there is nothing to reach yet.")
        raise ValidationError({"business_count": message})
    others = Goal.objects.filter(
        office=goal.office,
        product=goal.product,
        starts_on__lte=goal.ends_on,
        ends_on__gte=goal.starts_on,
    ).exclude(pk=goal.pk)
    if others.exists():
        message = _("The office has a goal for this product in a part of the period already.")
        raise ValidationError({"starts_on": message})


def _recorded(goal: Goal) -> dict[str, Any]:
    """As the audit records it: figures and days as texts."""
    return {
        "office": goal.office_id,
        "product": str(goal.product),
        "starts_on": goal.starts_on.isoformat(),
        "ends_on": goal.ends_on.isoformat(),
        "business_count": goal.business_count,
        "amount": None if goal.amount is None else f"{goal.amount:.2f}",
    }
