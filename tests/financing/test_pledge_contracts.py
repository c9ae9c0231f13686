"""Registering a pledge: what the contract has to say, and who is named as pledgee."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from financing.services import acceptances, pledges
from financing.services.money_refusals import MoneyRefused
from financing.services.referrals import refer_blind
from sipo_portal.audit.actors import Actor
from tests.factories.financing import make_institution, make_policy
from tests.factories.money import (
    make_accepted,
    make_contract,
    make_guarantee,
    make_terms,
    owner_of,
    staff_of,
    typed_contract,
)

pytestmark = pytest.mark.django_db
PARTS = ("signed_on", "secured_amount", "debt_ends_on", "secured_scope")


@pytest.fixture(autouse=True)
def policy():
    return make_policy()


@pytest.fixture
def today():
    return timezone.localdate()


def register(match, **contract):
    [pledge] = match.pledges.all()
    pledges.register_pledge(
        actor=staff_of(match),
        pledge=pledge,
        registration_number="Y2026980000001",
        registered_on=timezone.localdate(),
        contract=make_contract(match, **contract),
    )
    return match.pledges.get()


def accept(terms):
    return acceptances.accept_terms(actor=owner_of(terms.match), terms=terms)


def refused(match, **contract):
    with pytest.raises(MoneyRefused) as found:
        register(match, **contract)
    pledge = match.pledges.get()
    assert (pledge.status, pledge.registration_number) == ("planned", "")
    return found.value.code.value, list(found.value.details)


def test_a_complete_contract_is_kept_with_the_pledge(today):
    match = make_accepted()

    pledge = register(match, secured_amount=Decimal("123.45"), secured_scope=" 本金 ")

    assert pledge.status == "registered"
    kept = [pledge.contract_signed_on, pledge.secured_amount, pledge.secured_scope]
    assert kept == [today, Decimal("123.45"), "本金"]
    assert pledge.debt_ends_on == today + timedelta(days=365)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_missing_is_named(part):
    empty = " " if part == "secured_scope" else None

    assert refused(make_accepted(), **{part: empty}) == ("contract_incomplete", [part])


def test_all_parts_that_are_missing_are_named_together():
    match = make_accepted()
    patent = match.patents.get()
    patent.title, patent.granted_on = "", None
    patent.save()
    nothing = {"signed_on": None, "secured_amount": None, "debt_ends_on": None, "secured_scope": ""}

    code, missing = refused(match, **nothing)

    assert code == "contract_incomplete"
    assert missing == [*PARTS, "patent_title", "granted_on"]


def test_days_that_do_not_fit_together_are_refused(today):
    match = make_accepted()

    late = refused(match, signed_on=today + timedelta(days=1))
    assert late == ("signed_late", [today])
    assert refused(match, debt_ends_on=today)[0] == "debt_ends_early"
    code, [ends_on] = refused(match, debt_ends_on=date(2099, 1, 1))
    assert code == "debt_outlives_patent"
    assert register(match, debt_ends_on=ends_on).status == "registered"


def test_the_contract_may_name_a_guarantee_company_and_the_lender_stays_creditor():
    terms = make_terms()
    guarantee = make_guarantee(terms.match, is_pledgee=True, status="paused")
    match = accept(terms)
    assert match.pledges.get().pledgee == match.institution
    guarantee.status = "published"
    guarantee.save()

    pledge = register(match, pledgee=guarantee.institution)

    assert (pledge.pledgee, pledge.creditor) == (guarantee.institution, match.institution)


def test_or_the_lender_where_the_guarantee_company_was_planned():
    terms = make_terms()
    guarantee = make_guarantee(terms.match, is_pledgee=True)
    match = accept(terms)
    assert match.pledges.get().pledgee == guarantee.institution

    pledge = register(match, pledgee=match.institution)

    assert pledge.pledgee == pledge.creditor == match.institution


@pytest.mark.parametrize(
    "fields",
    [
        {"is_pledgee": False},
        {"status": "closed"},
        {"industries": ["A"]},
        {"size_classes": ["small"]},
    ],
)
def test_nobody_else_becomes_pledgee(fields):
    terms = make_terms()
    other = make_guarantee(terms.match, **{"is_pledgee": True, **fields})
    match = accept(terms)
    assert match.pledges.get().pledgee == match.institution

    assert refused(match, pledgee=other.institution)[0] == "pledgee_not_possible"
    assert refused(match, pledgee=make_institution("guarantor"))[0] == "pledgee_not_possible"


# --- the admin's step ---------------------------------------------------------------------------


def step(match, **typed):
    """The page after posting the step; without data, the step's own page."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff_of(match).user)
    url = reverse("admin:financing_referral_step", args=[match.pk, "register"])
    [pledge] = match.pledges.all()
    if not typed:
        return client.get(url)
    day = timezone.localdate()
    numbers = {f"number_{pledge.pk}": "Y2026980000001", f"registered_on_{pledge.pk}": day}
    return client.post(url, {**typed_contract(match), **numbers, **typed}, follow=True)


def referred(match):
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    return match


@pytest.mark.parametrize("part", PARTS)
def test_the_step_names_the_ground_at_the_field(part):
    match = referred(make_accepted())

    answer = step(match, **{part: ""})

    [message] = answer.context["form"].errors[part]
    assert message.startswith("The pledge contract is incomplete: enter ")
    assert match.pledges.get().status == "planned"


def test_the_step_names_the_ground_for_what_the_records_lack():
    match = referred(make_accepted())
    match.patents.update(granted_on=None)

    [message] = step(match, secured_scope="本金").context["form"].non_field_errors()

    assert message == "The pledge contract is incomplete. Missing: day the patent was granted."
    [message] = step(match, secured_amount="0").context["form"].errors["secured_amount"]
    assert "The pledge contract is incomplete. Missing: " in message


def test_the_step_proposes_the_accepted_terms_and_takes_them(today):
    match = referred(make_accepted(term_months=12))
    form = step(match).context["form"]
    assert form.initial["secured_amount"] == match.terms.get().amount
    assert form.initial["signed_on"] is None
    assert "pledgee" not in form.fields

    step(match, secured_scope="本金")

    assert match.pledges.get().secured_scope == "本金"


def test_the_step_lets_the_lender_choose_the_pledgee():
    terms = make_terms()
    guarantee = make_guarantee(terms.match, is_pledgee=True)
    match = referred(accept(terms))
    form = step(match).context["form"]
    assert form.initial["pledgee"] == str(guarantee.institution_id)
    lender, company = str(match.institution_id), str(guarantee.institution_id)
    assert [pk for pk, _name in form.fields["pledgee"].choices] == [lender, company]

    stranger = make_institution("guarantor")
    assert step(match, pledgee=str(stranger.pk)).context["form"].errors["pledgee"]
    page = step(match, pledgee=company).content.decode()

    pledge = match.pledges.get()
    assert (pledge.status, pledge.pledgee) == ("registered", guarantee.institution)
    assert pledge.creditor == match.institution
    assert guarantee.institution.name_en in page
