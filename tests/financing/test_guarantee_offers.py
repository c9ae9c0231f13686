"""Guarantee offers: who posts them, what they attach to, what the owner reads beside the loan."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from businesses.rules.true_cost import true_cost
from financing.costs import loan_terms
from financing.guarantees import guarantee_options, guarantees_of
from financing.models import GuaranteeOffer
from financing.services import guarantee_offers as services
from financing.services.guarantee_offers import GuaranteeTerms
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.businesses import make_business, make_region
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_staff,
)
from tests.factories.money import make_guarantee

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return make_institution("guarantor")


@pytest.fixture
def staff(company):
    return make_staff(company)


@pytest.fixture
def actor(staff):
    return Actor.of(staff)


@pytest.fixture
def loan_offer():
    return make_loan_offer()


def today():
    return timezone.localdate()


def from_today(fields):
    """Lengths of time become dates: a date made at import may be yesterday's when it is used."""
    return {
        name: today() + value if isinstance(value, timedelta) else value
        for name, value in fields.items()
    }


def terms_for(*loan_offers, **fields):
    values = {
        "name": "担保",
        "opens_on": today(),
        "size_classes": ("micro", "small"),
        "share_percent": Decimal(80),
        "fee_percent": Decimal(1),
        "loss_sharing": (("guarantor", Decimal(60)), ("bank", Decimal(40))),
        "loan_offers": tuple(sorted(offer.pk for offer in loan_offers)),
    } | fields
    return GuaranteeTerms(**values)


def save(actor, company, terms, **fields):
    return services.save_guarantee_offer(actor, institution=company, terms=terms, **fields)


# --- posting ------------------------------------------------------------------------------------


def test_saved_as_typed_and_audited_once(actor, company, loan_offer):
    make_region("320500")
    terms = terms_for(loan_offer, regions=("320500",), industries=("c39",), is_pledgee=True)

    offer = save(actor, company, terms)
    save(actor, company, terms, offer_id=offer.pk)

    stored = services.terms_of(GuaranteeOffer.objects.get())
    assert stored == replace(terms, industries=("C39",))
    assert offer.status == "draft"
    assert AuditEvent.objects.filter(verb="offer.saved").count() == 1


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"share_percent": Decimal(0)}, "share_percent"),
        ({"share_percent": Decimal("100.001")}, "share_percent"),
        ({"fee_percent": Decimal(-1)}, "fee_percent"),
        ({"loss_sharing": (("guarantor", Decimal(60)), ("bank", Decimal(39)))}, "loss_guarantor"),
        ({"closes_on": timedelta(days=-1)}, "closes_on"),
        ({"size_classes": ()}, "size_classes"),
        ({"name": "  "}, "name"),
        ({"regions": ("999999",)}, "division_codes"),
    ],
)
def test_what_does_not_hold_is_refused_at_its_field(actor, company, loan_offer, fields, at):
    with pytest.raises(ValidationError) as refused:
        save(actor, company, terms_for(loan_offer, **from_today(fields)))

    assert list(refused.value.message_dict) == [at]
    assert GuaranteeOffer.objects.count() == 0


@pytest.mark.parametrize("status", ["draft", "paused", "closed"])
def test_only_published_loan_offers_are_attached_to_and_old_ones_stay(actor, company, status):
    loan_offer, other = make_loan_offer(), make_loan_offer(status=status)
    offer = save(actor, company, terms_for(loan_offer))

    with pytest.raises(ValidationError):
        save(actor, company, terms_for(loan_offer, other), offer_id=offer.pk)
    loan_offer.status = status
    loan_offer.save()
    save(actor, company, terms_for(loan_offer, name="担保二"), offer_id=offer.pk)

    assert list(offer.loan_offers.all()) == [loan_offer]


def test_only_guarantee_companies_post_and_only_their_own(actor, company, loan_offer):
    bank = make_institution()
    with pytest.raises(ValidationError):
        save(Actor.of(make_staff(bank)), bank, terms_for(loan_offer))
    with pytest.raises(PermissionDenied):
        save(Actor.of(make_staff(make_institution("guarantor"))), company, terms_for(loan_offer))
    theirs = make_guarantee(make_match())
    with pytest.raises(GuaranteeOffer.DoesNotExist):
        save(actor, company, terms_for(loan_offer), offer_id=theirs.pk)
    with pytest.raises(PermissionDenied):
        services.pause(actor, offer=theirs)


def test_steps_follow_the_lifecycle(actor, company, loan_offer):
    offer = save(actor, company, terms_for(loan_offer))

    for step, status in (
        ("publish", "published"),
        ("pause", "paused"),
        ("resume", "published"),
        ("close", "closed"),
    ):
        assert services.STEPS[step](actor, offer=offer).status == status
    with pytest.raises(TransitionRefused):
        services.publish(actor, offer=offer)
    with pytest.raises(ValidationError):
        save(actor, company, terms_for(loan_offer, name="x"), offer_id=offer.pk)


def test_nothing_is_published_that_nobody_would_see(actor, company):
    offer = save(actor, company, terms_for())

    with pytest.raises(ValidationError):
        services.publish(actor, offer=offer)


# --- beside a loan ------------------------------------------------------------------------------


def options_beside(loan_offer, business=None, principal=1_000_000, months=24):
    terms = loan_terms(loan_offer, Decimal(principal), months, today())
    return guarantee_options(loan_offer, business or make_business(), terms, on=today())


def published(loan_offer, **fields):
    match = make_match(loan_offer=loan_offer)
    return make_guarantee(match, **fields)


def test_fee_and_yearly_cost_are_those_of_both(loan_offer):
    published(loan_offer, share_percent=Decimal(80), fee_percent=Decimal("1.5"))

    [option] = options_beside(loan_offer)

    assert (option.covered_amount, option.yearly_fee, option.total_fee) == (800_000, 12_000, 24_000)
    alone = true_cost(loan_terms(loan_offer, Decimal(1_000_000), 24, today()))
    # 1.2 % of the principal in advance for each of two years.
    assert Decimal("1.2") < option.apr_percent - alone.apr_percent < Decimal("1.35")


def test_creditor_and_pledgee_are_kept_apart(loan_offer):
    published(loan_offer, is_pledgee=True)
    published(loan_offer, is_pledgee=False)

    options = options_beside(loan_offer)

    assert {option.lender for option in options} == {loan_offer.institution}
    assert [option.pledgee == loan_offer.institution for option in options] == [False, True]


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "paused"},
        {"opens_on": timedelta(days=1)},
        {"closes_on": timedelta(days=-1), "opens_on": timedelta(days=-9)},
        {"size_classes": ["small"]},
        {"industries": ["A"]},
    ],
)
def test_what_is_not_open_or_does_not_serve_the_business_is_not_shown(loan_offer, fields):
    published(loan_offer, **from_today(fields))

    assert options_beside(loan_offer) == []


def test_regions_and_suspended_companies(loan_offer):
    guarantee = published(loan_offer)
    guarantee.regions.set([make_region("440000")])
    assert options_beside(loan_offer) == []
    assert len(options_beside(loan_offer, make_business(region="440305"))) == 1
    guarantee.institution.is_suspended = True
    guarantee.institution.save()
    assert options_beside(loan_offer, make_business(region="440305")) == []


def test_a_match_shows_them_while_it_lives(loan_offer):
    published(loan_offer)
    match = make_match(make_loan_request(), loan_offer)

    assert [option.covered_amount for option in guarantees_of(match, on=today())] == [800_000]
    match.status = "declined"
    assert guarantees_of(match, on=today()) == []


# --- pages --------------------------------------------------------------------------------------


def test_the_owner_reads_the_guarantee_on_offer_and_match_page(client, loan_offer):
    make_policy()
    published(loan_offer, is_pledgee=True, loss_sharing={"guarantor": "60", "bank": "40"})
    match = make_match(make_loan_request(), loan_offer, status="referred")
    client.force_login(match.business.members.get().user)
    company = GuaranteeOffer.objects.get().institution

    for address in (
        reverse("financing:request_offer", args=[match.loan_request_id, loan_offer.pk]),
        reverse("financing:owner_match", args=[match.pk]),
    ):
        page = client.get(address, headers={"accept-language": "en"}).content.decode()
        assert "With a guarantee" in page
        assert page.count(company.name_en) == 2
        assert "guarantee company 60%, " in " ".join(page.split())
        assert "8,000.00" in page


def test_the_admin_posts_and_publishes(client, staff, company, loan_offer):
    client.force_login(staff)
    add = reverse("admin:financing_guaranteeoffer_add")
    posted = {
        "name": "担保",
        "opens_on": today().isoformat(),
        "share_percent": "70",
        "fee_percent": "0.8",
        "loss_guarantor": "60",
        "loss_bank": "40",
        "loan_offers": [loan_offer.pk],
        "size_classes": ["micro"],
    }
    assert loan_offer.name in client.get(add).content.decode()
    assert client.post(add, posted | {"loss_bank": "30"}).status_code == 200

    assert client.post(add, posted).status_code == 302

    offer = GuaranteeOffer.objects.get()
    page = reverse("admin:financing_guaranteeoffer_change", args=[offer.pk])
    assert client.get(page).status_code == 200
    step = reverse("admin:financing_guaranteeoffer_step", args=[offer.pk, "publish"])
    assert client.get(step).status_code == 200
    assert client.post(step).status_code == 302
    offer.refresh_from_db()
    assert (offer.status, offer.institution) == ("published", company)
    assert offer.loss_sharing == {"guarantor": "60", "bank": "40"}
    assert client.get(reverse("admin:financing_guaranteeoffer_changelist")).status_code == 200
    assert client.post(page, posted | {"loss_bank": "30"}).status_code == 200
    assert (
        client.post(page, posted | {"loss_guarantor": "50", "loss_bank": "50"}).status_code == 302
    )
    for action, status in (("pause", "paused"), ("resume", "published"), ("close", "closed")):
        url = reverse("admin:financing_guaranteeoffer_step", args=[offer.pk, action])
        assert client.post(url).status_code == 302
        offer.refresh_from_db()
        assert offer.status == status
    assert offer.loss_sharing == {"guarantor": "50", "bank": "50"}
    assert list(offer.loan_offers.all()) == [loan_offer]
    assert 'name="name"' not in client.get(page).content.decode()


def test_staff_of_banks_and_other_companies_find_nothing(client, loan_offer):
    offer = published(loan_offer)
    client.force_login(make_staff(make_institution("guarantor")))
    assert (
        client.get(reverse("admin:financing_guaranteeoffer_change", args=[offer.pk])).status_code
        == 404
    )
    client.force_login(make_staff())
    assert client.get(reverse("admin:financing_guaranteeoffer_add")).status_code == 403
