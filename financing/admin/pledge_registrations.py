"""Registering the pledges of an accepted loan: contract, numbers and days; a completion step.

Called by `completion_steps`; the act is `services.pledges.register_pledge`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from financing.admin.steps import Step
from financing.forms.completions import CONTRACT_FIELDS, RegistrationForm
from financing.models.pledges import Pledge
from financing.models.referrals import Referral
from financing.money_texts import refusal_text
from financing.pledge_contracts import possible_pledgees, usual_contract
from financing.services import pledges
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from sipo_portal.audit.actors import Actor

CONTRACT_REFUSALS = {
    MoneyRefusal.SIGNED_LATE: "signed_on",
    MoneyRefusal.DEBT_ENDS_EARLY: "debt_ends_on",
    MoneyRefusal.DEBT_OUTLIVES_PATENT: "debt_ends_on",
    MoneyRefusal.PLEDGEE_NOT_POSSIBLE: "pledgee",
}


def registration_form(
    data: Any, referral: Referral, planned: Sequence[Pledge], *, cancel_url: str
) -> RegistrationForm:
    """Proposes what the accepted terms say and who was planned to take the pledges."""
    contract = usual_contract(referral)
    if planned:
        contract = replace(contract, pledgee=planned[0].pledgee)
    return RegistrationForm(
        data,
        pledges=planned,
        contract=contract,
        pledgees=possible_pledgees(referral, on=timezone.localdate()),
        submit=_("Record the registration"),
        cancel_url=cancel_url,
    )


@transaction.atomic
def register(actor: Actor, form: RegistrationForm) -> str:
    for pledge, values in form.filled():
        try:
            pledges.register_pledge(
                actor=actor,
                pledge=pledge,
                registration_number=values["number"],
                registered_on=values["registered_on"],
                contract=form.contract(),
            )
        except MoneyRefused as refused:
            raise ValidationError(_registration_errors(pledge, refused))
    count = len(form.filled())
    return ngettext(
        "%(count)d pledge is registered.", "%(count)d pledges are registered.", count
    ) % {"count": count}


def _registration_errors(pledge: Pledge, refused: MoneyRefused) -> Any:
    """The refusal at the fields it is about; a part our records lack stands above all fields."""
    text = refusal_text(refused)
    if refused.code == MoneyRefusal.CONTRACT_INCOMPLETE:
        typed = [str(part) for part in refused.details if part in CONTRACT_FIELDS]
        return dict.fromkeys(typed, text) if typed else text
    if refused.code in CONTRACT_REFUSALS:
        return {CONTRACT_REFUSALS[refused.code]: text}
    is_day = refused.code in (MoneyRefusal.IN_THE_FUTURE, MoneyRefusal.BEFORE_ACCEPTANCE)
    return {f"{'registered_on' if is_day else 'number'}_{pledge.pk}": text}


def registration_step() -> Step:
    return Step(
        action="register",
        label=_("Register the pledges"),
        consequence=_(
            "Enter what the pledge contract says, and what the register office wrote for each "
            "patent. Money can go out once all of them are registered. A pledge of yours that is "
            "renewed is released in the same step."
        ),
        is_main=True,
    )
