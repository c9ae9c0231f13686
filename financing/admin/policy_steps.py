"""Issuing the policy of an accepted insurance, as a step of a referral's page.

Mixed into the ReferralAdmin; the act itself is `services.insurance_policies.issue_policy`.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from financing.admin.steps import Step, StepPages, Summary
from financing.forms.completions import PolicyForm
from financing.models.insurance_policies import InsurancePolicy
from financing.models.matches import MatchStatus
from financing.models.referrals import Referral
from financing.models.terms import Terms, TermsStatus
from financing.money_texts import refusal_text
from financing.services.insurance_policies import check_policy, issue_policy, last_day
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.scoped_relations import visible_rows

POLICY_ACTION = "policy"
DAY_REFUSALS = (MoneyRefusal.BEFORE_ACCEPTANCE, MoneyRefusal.TOO_FAR_AHEAD)
NUMBER_REFUSALS = (MoneyRefusal.NUMBER_MISSING, MoneyRefusal.POLICY_ISSUED)


class PolicySteps(StepPages):
    """See the module's docstring."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        policies = visible_rows(InsurancePolicy, request)
        policy = policies.filter(match_id=context["referral"].pk).first()
        context["policy_facts"] = _policy_facts(policy) if policy else []
        return super().change_view(request, object_id, form_url, context)  # type: ignore[misc, no-any-return]

    def steps(self, request: HttpRequest, obj: Referral) -> Sequence[Step]:
        is_due = obj.status == MatchStatus.ACCEPTED and obj.loan_offer_id is None
        own = [_issue(_terms(request, obj))] if is_due else []
        return [*own, *super().steps(request, obj)]

    def step_form(self, request: HttpRequest, obj: Referral, action: str, data: Any = None) -> Any:
        if action != POLICY_ACTION:
            return super().step_form(request, obj, action, data)
        return PolicyForm(data, cancel_url=self._row_url(obj), on=timezone.localdate())

    def step_summary(self, request: HttpRequest, obj: Referral, action: str, form: Any) -> Any:
        if action != POLICY_ACTION:
            return super().step_summary(request, obj, action, form)
        terms, values = _terms(request, obj), form.cleaned_data
        try:
            check_policy(match=obj, **values)
        except MoneyRefused as refused:
            raise _at_field(refused)
        return Summary(
            consequence=_(
                "The business is told that it is insured. Its request counts as covered, and the "
                "sum insured stays booked against the capacity of your offer."
            ),
            facts=[
                {"label": _("Policy number"), "value": values["number"]},
                {"label": _("Cover begins on"), "value": formats.day(values["starts_on"])},
                {
                    "label": _("Cover ends on"),
                    "value": formats.day(last_day(values["starts_on"], terms.term_months)),
                },
                *_agreed(terms),
            ],
            label=_("Issue the policy"),
        )

    def take_form_step(
        self, request: HttpRequest, obj: Referral, action: str, form: Any
    ) -> str | tuple[str, Any]:
        if action != POLICY_ACTION:
            return super().take_form_step(request, obj, action, form)
        try:
            policy = issue_policy(actor=Actor.of(request.user), match=obj, **form.cleaned_data)
        except MoneyRefused as refused:
            raise _at_field(refused)
        return _("The policy %(number)s is issued until %(day)s.") % {
            "number": policy.number,
            "day": formats.day(policy.ends_on),
        }


def _terms(request: HttpRequest, referral: Referral) -> Terms:
    terms: Terms = visible_rows(Terms, request).get(
        match_id=referral.pk, status=TermsStatus.ACCEPTED
    )
    return terms


def _agreed(terms: Terms) -> list[dict[str, str]]:
    return [
        {"label": _("Sum insured"), "value": formats.yuan(terms.amount)},
        {"label": _("Premium"), "value": formats.yuan(terms.premium)},
    ]


def _policy_facts(policy: InsurancePolicy) -> list[dict[str, str]]:
    return [
        {"label": _("Policy number"), "value": policy.number},
        {"label": _("Cover begins on"), "value": formats.day(policy.starts_on)},
        {"label": _("Cover ends on"), "value": formats.day(policy.ends_on)},
        {"label": _("Sum insured"), "value": formats.yuan(policy.sum_insured)},
        {"label": _("Premium"), "value": formats.yuan(policy.premium)},
    ]


def _issue(terms: Terms) -> Step:
    return Step(
        action=POLICY_ACTION,
        label=_("Issue the policy"),
        consequence=_("Enter the number of the policy and the first day of the cover."),
        facts=_agreed(terms),
        is_main=True,
    )


def _at_field(refused: MoneyRefused) -> ValidationError:
    text = refusal_text(refused)
    if refused.code in DAY_REFUSALS:
        return ValidationError({"starts_on": text})
    if refused.code in NUMBER_REFUSALS:
        return ValidationError({"number": text})
    return ValidationError(text)
