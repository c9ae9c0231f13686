"""Sections of an owner's match page about terms and money, and what to do now; its view asks.

Nothing is changed here. Consent, questions and the ledger are in `match_sections`.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from businesses.rules.patent_term import add_months
from financing.forms.terms_answers import DeliveryForm
from financing.models.drawdowns import Delivery, Drawdown
from financing.models.insurance_policies import InsurancePolicy
from financing.models.matches import Match, MatchStatus
from financing.models.pledges import Pledge, PledgeStatus
from financing.models.terms import Terms, TermsStatus
from financing.referral_texts import standing_terms_facts
from financing.request_texts import NextAction
from financing.rule_texts import listed
from financing.services.pledges import pledgee_of
from financing.terms_comparison import TermsComparison, compare_terms
from sipo_portal.accounts.models import User
from sipo_portal.offices.working_days import working_days_between
from sipo_portal.ui import formats

MONEY_STATUSES = (MatchStatus.ACCEPTED, MatchStatus.COMPLETED, MatchStatus.FALLEN_THROUGH)


def money_sections(
    match: Match, user: User, *, today: date, bound: DeliveryForm | None = None
) -> dict[str, Any]:
    """Context of the page: `terms`, `progress` and `delivery`, each None where there is none, and
    `money_now`, a NextAction or None. `bound`: the delivery form that was wrong.
    """
    terms = newest_terms(match, user)
    progress = progress_of(match, user, terms)
    delivery = Delivery.objects.visible_to(user).filter(match=match).first()
    return {
        "terms": _terms_section(match, terms, today) if terms else None,
        "progress": progress,
        "delivery": _delivery_section(match, delivery, bound),
        "money_now": _now(match, terms, progress, delivery, today),
    }


def newest_terms(match: Match, user: User) -> Terms | None:
    """The terms on offer, accepted or ended last."""
    terms: Terms | None = Terms.objects.visible_to(user).filter(match=match).first()
    return terms


def _terms_section(match: Match, terms: Terms, today: date) -> dict[str, Any]:
    """Parameters of sections/terms.html."""
    is_open = may_answer(match, terms)
    return {
        "match": match,
        "terms": terms,
        "facts": standing_terms_facts(terms),
        "comparison": compare_terms(match, terms, on=today) if is_open else None,
        "amount_asked": _asked(match),
        "may_answer": is_open,
        "is_past": is_open and terms.valid_until < today,
    }


def may_answer(match: Match, terms: Terms) -> bool:
    return match.status == MatchStatus.TERMS_OFFERED and terms.status == TermsStatus.OFFERED


def _asked(match: Match) -> Decimal | None:
    if match.loan_request is not None:
        return match.loan_request.principal
    return match.insurance_request.sum_insured if match.insurance_request else None


def progress_of(match: Match, user: User, terms: Terms | None) -> dict[str, Any] | None:
    """Parameters of sections/progress.html: pledges, money so far, what was not drawn down."""
    if match.status not in MONEY_STATUSES or terms is None:
        return None
    pledges = list(
        Pledge.objects.visible_to(user)
        .filter(match=match)
        .select_related("patent", "creditor", "pledgee")
        .order_by("application_number", "pk")
    )
    drawdowns = list(Drawdown.objects.visible_to(user).filter(match=match))
    drawn = sum((each.amount for each in drawdowns), Decimal(0))
    policies = InsurancePolicy.objects.visible_to(user).filter(match=match)
    policy = policies.select_related("renewal_request").first()
    return {
        "match": match,
        "is_loan": match.loan_request_id is not None,
        "amount": terms.amount,
        "pledges": pledges,
        "drawdowns": drawdowns,
        "drawn": drawn,
        "left": terms.amount - drawn,
        "policy": policy,
        "renewal": policy.renewal_request if policy else None,
        "may_renew": policy is not None and timezone.localdate() >= policy.renewable_on,
        "may_fall_through": match.status == MatchStatus.ACCEPTED
        and not drawn
        and not any(each.status == PledgeStatus.REGISTERED for each in pledges),
    }


def _delivery_section(
    match: Match, delivery: Delivery | None, bound: DeliveryForm | None
) -> dict[str, Any] | None:
    """Parameters of sections/delivery.html."""
    if match.status != MatchStatus.COMPLETED:
        return None
    form = None
    if delivery is None:
        form = bound or DeliveryForm(action=reverse("financing:delivery_confirm", args=[match.pk]))
    return {"match": match, "delivery": delivery, "form": form}


def acceptance_facts(
    match: Match, terms: Terms, user: User, *, today: date
) -> list[dict[str, Any]]:
    """What accepting binds to, in figures, for the page that asks."""
    facts = [each for each in standing_terms_facts(terms) if each["label"] != _("Conditions")]
    facts += _cost_facts(compare_terms(match, terms, on=today))
    if terms.conditions:
        facts.append({"label": _("Conditions"), "value": terms.conditions})
    if match.loan_request_id is not None:
        patents = list(match.patents.order_by("application_number"))
        ends_on = add_months(today, terms.term_months)
        note = _(
            "Pledged to %(pledgee)s. Until the release you may not give up, transfer or license "
            "them without its consent."
        ) % {"pledgee": pledgee_of(match, on=today).label}
        facts += [
            {
                "label": _("Patents that are pledged"),
                "value": listed(f"ZL{each.application_number}" for each in patents),
                "note": note,
            },
            {
                "label": _("Until"),
                "value": _("the loan is repaid, by %(day)s if the money came today")
                % {"day": formats.day(ends_on)},
            },
        ]
    others = ending_with(match, user)
    facts.append(
        {
            "label": _("Your other matches that end"),
            "value": formats.count(len(others)),
            "note": listed(each.institution.label for each in others),
        }
    )
    return facts


def _cost_facts(comparison: TermsComparison) -> list[dict[str, Any]]:
    """What the terms cost, each beside what was posted."""
    return [
        {"label": row.label, "value": row.offered, "note": row.difference}
        for row in comparison.rows
        if row.is_cost
    ]


def ending_with(match: Match, user: User) -> list[Match]:
    """The live matches of the user's own businesses that acceptance of this one ends."""
    live = Match.objects.visible_to(user).live().exclude(pk=match.pk).select_related("institution")
    own = live.filter(
        loan_request=match.loan_request_id, insurance_request=match.insurance_request_id
    )
    if match.loan_request_id is None:
        return list(own)
    numbers = match.patents.values("application_number")
    needing = live.filter(
        loan_request__isnull=False, patents__application_number__in=numbers
    ).exclude(status=MatchStatus.ACCEPTED)
    return list((own | needing).distinct())


def _now(
    match: Match,
    terms: Terms | None,
    progress: dict[str, Any] | None,
    delivery: Delivery | None,
    today: date,
) -> NextAction | None:
    """What must I do now, and by when, from the terms on."""
    if match.status == MatchStatus.TERMS_OFFERED and terms is not None:
        return _answer_terms(terms, today)
    if match.status == MatchStatus.ACCEPTED and progress is not None:
        return _wait_for_money(match, progress)
    if match.status == MatchStatus.COMPLETED and delivery is None:
        return NextAction(
            _("Confirm what you got"),
            _("One click if all is as agreed. It tells others how far this offer keeps its word."),
            tone="attention",
            action_url="#delivery",
            action_label=_("Go to the confirmation"),
        )
    if match.status == MatchStatus.COMPLETED:
        return NextAction(_("This match is complete"), "", tone="good")
    return None


def _answer_terms(terms: Terms, today: date) -> NextAction:
    if terms.valid_until < today:
        return NextAction(
            _("The terms have run out"),
            _("They could be accepted until %(day)s.") % {"day": formats.day(terms.valid_until)},
            tone="neutral",
        )
    left = working_days_between(today, terms.valid_until)
    return NextAction(
        _("The institution has offered terms"),
        _("Compare them below with what was posted, then accept or decline."),
        when=_("They stand until %(day)s. Working days left: %(count)d.")
        % {"day": formats.day(terms.valid_until), "count": left},
        tone="attention",
        action_url="#terms",
        action_label=_("Compare and decide"),
    )


def _wait_for_money(match: Match, progress: dict[str, Any]) -> NextAction:
    when = (
        _("To be done by %(day)s.") % {"day": formats.day(match.deadline_on)}
        if match.deadline_on
        else ""
    )
    if not progress["is_loan"]:
        text = _("The insurer now issues the policy.")
    elif progress["drawn"]:
        text = _("%(drawn)s of %(amount)s are paid out.") % {
            "drawn": formats.yuan(progress["drawn"]),
            "amount": formats.yuan(progress["amount"]),
        }
    elif any(each.status == PledgeStatus.PLANNED for each in progress["pledges"]):
        text = _("The lender registers the pledges of your patents; money comes after that.")
    else:
        text = _("The pledges are registered. The lender now pays out the money.")
    return NextAction(_("You have accepted the terms"), text, when=when, tone="good")
