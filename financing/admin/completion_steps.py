"""From acceptance to the money and its security, as steps of a referral's page.

Registration and release of pledges, drawdown in parts, completion, falling through. Mixed into the
ReferralAdmin before `ReferralSteps`; the acts are `services.pledges` and `services.completions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from financing.admin.pledge_registrations import (
    register,
    registration_form,
    registration_step,
)
from financing.admin.steps import Step, StepPages, Summary
from financing.forms.completions import DrawdownForm, ReleaseForm
from financing.forms.terms_answers import FallThroughForm
from financing.models.drawdowns import Delivery, Drawdown
from financing.models.matches import MatchStatus
from financing.models.pledges import Pledge, PledgeStatus
from financing.models.referrals import Referral
from financing.models.terms import Terms, TermsStatus
from financing.money_texts import refusal_text
from financing.services import completions, pledges
from financing.services.matches import MatchRefused, Reason
from financing.services.money_refusals import MoneyRefusal, MoneyRefused
from sipo_portal.audit.actors import Actor
from sipo_portal.ui import formats
from sipo_portal.ui.scoped_relations import visible_rows

COMPLETION_ACTIONS = ("register", "drawdown", "complete", "release", "end")
FIELDS = {
    MoneyRefusal.NUMBER_MISSING: "reference",
    MoneyRefusal.REFERENCE_USED: "reference",
    MoneyRefusal.IN_THE_FUTURE: "drawn_on",
    MoneyRefusal.BEFORE_PLEDGE: "drawn_on",
    MoneyRefusal.BEFORE_ACCEPTANCE: "drawn_on",
    MoneyRefusal.NOT_POSITIVE: "amount",
    MoneyRefusal.ABOVE_TERMS: "amount",
}


@dataclass(frozen=True)
class Completion:
    """How far an accepted referral is; yuan."""

    is_loan: bool
    amount: Decimal
    drawn: Decimal
    pledges: list[Pledge]
    drawdowns: list[Drawdown]
    delivery: Delivery | None

    @property
    def left(self) -> Decimal:
        return self.amount - self.drawn

    def of_status(self, status: PledgeStatus) -> list[Pledge]:
        return [pledge for pledge in self.pledges if pledge.status == status]

    @property
    def is_secured(self) -> bool:
        """Every pledge that was not cancelled is registered."""
        return all(
            pledge.status in (PledgeStatus.REGISTERED, PledgeStatus.CANCELLED)
            for pledge in self.pledges
        )


def completion_of(request: HttpRequest, referral: Referral) -> Completion | None:
    """None before acceptance and where nothing was ever accepted.

    Read once for a row that a page works with: its button and its form see the same moment, also
    where the same form is posted twice at once.
    """
    known: Completion | None = getattr(referral, "known_completion", None)
    if known is not None:
        return known
    if referral.status not in (MatchStatus.ACCEPTED, MatchStatus.COMPLETED):
        return None
    of_match = {"match_id": referral.pk}
    terms = visible_rows(Terms, request).get(**of_match, status=TermsStatus.ACCEPTED)
    rows = visible_rows(Pledge, request).filter(**of_match)
    drawdowns = list(visible_rows(Drawdown, request).filter(**of_match))
    found = Completion(
        is_loan=referral.loan_offer_id is not None,
        amount=terms.amount,
        drawn=sum((each.amount for each in drawdowns), Decimal(0)),
        pledges=list(rows.select_related("patent", "pledgee").order_by("application_number", "pk")),
        drawdowns=drawdowns,
        delivery=visible_rows(Delivery, request).filter(**of_match).first(),
    )
    referral.known_completion = found  # type: ignore[attr-defined]
    return found


class CompletionSteps(StepPages):
    """See the module's docstring."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        context["completion"] = completion_of(request, context["referral"])
        return super().change_view(request, object_id, form_url, context)  # type: ignore[misc, no-any-return]

    def steps(self, request: HttpRequest, obj: Referral) -> Sequence[Step]:
        found = completion_of(request, obj)
        own = [] if found is None else list(_steps(obj, found))
        return [*own, *super().steps(request, obj)]

    def step_form(self, request: HttpRequest, obj: Referral, action: str, data: Any = None) -> Any:
        found = completion_of(request, obj) if action in COMPLETION_ACTIONS else None
        if found is None:
            return super().step_form(request, obj, action, data)
        row_url = self._row_url(obj)
        match action:
            case "register":
                return registration_form(
                    data, obj, found.of_status(PledgeStatus.PLANNED), cancel_url=row_url
                )
            case "release":
                return ReleaseForm(
                    data,
                    pledges=found.of_status(PledgeStatus.REGISTERED),
                    submit=_("Record the release"),
                    cancel_url=row_url,
                )
            case "drawdown":
                today = timezone.localdate()
                return DrawdownForm(data, cancel_url=row_url, left=found.left, on=today)
            case "end":
                return FallThroughForm(data, cancel_url=row_url)
        return super().step_form(request, obj, action, data)

    def step_summary(self, request: HttpRequest, obj: Referral, action: str, form: Any) -> Any:
        found = completion_of(request, obj) if action == "drawdown" else None
        if found is None:
            return super().step_summary(request, obj, action, form)
        values = form.cleaned_data
        try:
            known = completions.check_drawdown(match=obj, **values)
        except MoneyRefused as refused:
            raise _at_field(refused)
        total = found.drawn + (0 if known else values["amount"])
        return Summary(
            consequence=_("The business is told that the money went out."),
            facts=[
                {"label": _("Paid out"), "value": formats.yuan(values["amount"])},
                {"label": _("On"), "value": formats.day(values["drawn_on"])},
                {"label": _("Your reference"), "value": values["reference"]},
                {"label": _("Paid out in all"), "value": formats.yuan(total)},
                {"label": _("Left of the terms"), "value": formats.yuan(found.amount - total)},
            ],
            label=_("Record the drawdown"),
        )

    def take_step(self, request: HttpRequest, obj: Referral, action: str) -> str | tuple[str, Any]:
        if action != "complete":
            return super().take_step(request, obj, action)
        try:
            completions.complete(actor=Actor.of(request.user), match=obj)
        except MoneyRefused as refused:
            raise ValidationError(refusal_text(refused))
        return _("The referral is complete. The business is asked what it got.")

    def take_form_step(
        self, request: HttpRequest, obj: Referral, action: str, form: Any
    ) -> str | tuple[str, Any]:
        actor = Actor.of(request.user)
        match action:
            case "register":
                return register(actor, form)
            case "release":
                return _release(actor, form)
            case "drawdown":
                return _draw(actor, obj, form)
            case "end":
                return _end(actor, obj, form)
        return super().take_form_step(request, obj, action, form)


@transaction.atomic
def _release(actor: Actor, form: ReleaseForm) -> str:
    for pledge, values in form.filled():
        try:
            pledges.release_pledge(actor=actor, pledge=pledge, released_on=values["released_on"])
        except MoneyRefused as refused:
            raise ValidationError({f"released_on_{pledge.pk}": refusal_text(refused)})
    count = len(form.filled())
    return ngettext("%(count)d pledge is released.", "%(count)d pledges are released.", count) % {
        "count": count
    }


def _draw(actor: Actor, referral: Referral, form: DrawdownForm) -> str:
    try:
        drawdown = completions.record_drawdown(actor=actor, match=referral, **form.cleaned_data)
    except MoneyRefused as refused:
        raise _at_field(refused)
    return _("The drawdown of %(amount)s is recorded.") % {"amount": formats.yuan(drawdown.amount)}


def _end(actor: Actor, referral: Referral, form: FallThroughForm) -> str:
    values = form.cleaned_data
    reason = Reason(values["reason"], text=values["text"])
    try:
        completions.fall_through(actor=actor, match=referral, reason=reason)
    except MoneyRefused as refused:
        raise ValidationError(refusal_text(refused))
    except MatchRefused:
        raise ValidationError({"text": _("Explain the reason in the text.")})
    return _("The agreement is ended and everything is given back.")


def _at_field(refused: MoneyRefused) -> ValidationError:
    text = refusal_text(refused)
    name = FIELDS.get(refused.code)
    return ValidationError({name: text}) if name else ValidationError(text)


def _steps(referral: Referral, found: Completion) -> Sequence[Step]:
    planned = found.of_status(PledgeStatus.PLANNED)
    registered = found.of_status(PledgeStatus.REGISTERED)
    is_accepted = referral.status == MatchStatus.ACCEPTED
    steps = []
    if is_accepted and planned:
        steps.append(registration_step())
    if is_accepted and found.is_loan and found.is_secured and found.left:
        steps.append(_drawdown(found))
    if is_accepted and found.drawn:
        steps.append(_completion(found))
    if registered:
        steps.append(_release_step(registered, is_accepted=is_accepted))
    if is_accepted and not found.drawn and not registered:
        steps.append(_ending(found, planned))
    return steps


def _drawdown(found: Completion) -> Step:
    return Step(
        action="drawdown",
        label=_("Record a drawdown"),
        consequence=_("Money that went out to the business, all of it or a part."),
        facts=[
            {"label": _("Agreed"), "value": formats.yuan(found.amount)},
            {"label": _("Paid out so far"), "value": formats.yuan(found.drawn)},
            {"label": _("Left of the terms"), "value": formats.yuan(found.left)},
        ],
        is_main=True,
    )


def _completion(found: Completion) -> Step:
    return Step(
        action="complete",
        label=_("Complete the loan"),
        consequence=_(
            "No more money goes out on these terms. What was not drawn down is given back to the "
            "capacity of your offer, and the request of the business counts as funded."
        ),
        facts=[
            {"label": _("Paid out"), "value": formats.yuan(found.drawn)},
            {"label": _("Given back to the capacity"), "value": formats.yuan(found.left)},
        ],
        is_main=not found.left,
    )


def _release_step(registered: list[Pledge], *, is_accepted: bool) -> Step:
    return Step(
        action="release",
        label=_("Release pledges"),
        consequence=_(
            "Only once the register has struck them out. No more money can go out on these terms "
            "afterwards."
        )
        if is_accepted
        else _("After repayment, once the register has struck them out."),
        facts=[{"label": _("Registered pledges"), "value": formats.count(len(registered))}],
    )


def _ending(found: Completion, planned: list[Pledge]) -> Step:
    facts = [{"label": _("Given back to the capacity"), "value": formats.yuan(found.amount)}]
    if found.is_loan:
        facts.append(
            {"label": _("Patents that are free again"), "value": formats.count(len(planned))}
        )
    return Step(
        action="end",
        label=_("It comes to nothing"),
        consequence=_(
            "The agreement ends. The request of the business is open again and matched with other "
            "offers; the business and the branch office read your reason."
        ),
        facts=facts,
        is_dangerous=True,
    )
