"""A change of what a request's pairs depend on has the request matched anew, at once."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from businesses.entries import CertificateFacts, CoOwnerEntry, PatentEntry
from businesses.services import appraisals, businesses, certificates, co_owners, encumbrances
from businesses.services import patents as patent_services
from financing.models.proposals import Proposal
from financing.services import incremental_runs, pledges
from sipo_portal.audit.actors import Actor
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_co_owner,
    make_encumbrance,
    make_office,
    make_patent,
    patent_number,
)
from tests.factories.financing import make_loan_offer, make_loan_request, make_policy
from tests.factories.insurance import make_insurance_request
from tests.factories.money import make_completed, staff_of

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy()


@pytest.fixture
def business():
    return make_business(region="320505")


@pytest.fixture
def owner(business):
    return Actor.of(business.members.get().user)


@pytest.fixture
def coordinator():
    return Actor.of(make_coordinator(make_office("320000")))


@pytest.fixture
def patent(business):
    return make_patent(business)


@pytest.fixture
def request_(business, patent):
    make_appraisal(patent, 5_000_000)
    return make_loan_request(business, [patent])


def asked():
    """What is to be matched, each as often as it was asked for."""
    messages = OutboxMessage.objects.filter(task__startswith="financing.match_").order_by("pk")
    return [(each.task, each.payload["request_id"]) for each in messages]


def entry_of(patent):
    names = {field.name for field in fields(PatentEntry)} - {"is_divisional"}
    return PatentEntry(**{name: getattr(patent, name) for name in names})


def pay_annuity(owner, coordinator, business, patent):
    entry = replace(entry_of(patent), annuity_paid_through_year=12)
    patent_services.change_patent(actor=owner, patent=patent, entry=entry)


def give_consent(owner, coordinator, business, patent):
    entry = CoOwnerEntry(
        name="共有人有限公司", kind="organisation", consent="given", consented_on=TODAY()
    )
    co_owners.set_co_owners(actor=owner, patent=patent, entries=[entry])


def appraise(owner, coordinator, business, patent):
    appraisals.add_appraisal(
        actor=owner,
        patent=patent,
        appraiser="示范评估",
        appraised_on=TODAY(),
        method="income",
        appraised_value=Decimal(900_000),
    )


def take_appraisal_back(owner, coordinator, business, patent):
    appraisals.remove_appraisal(actor=owner, appraisal=patent.appraisals.first())


def encumber(owner, coordinator, business, patent):
    encumbrances.add_encumbrance(
        actor=owner, patent=patent, kind="pledge", holder="示范银行", registered_on=TODAY()
    )


def release(owner, coordinator, business, patent):
    encumbrance = make_encumbrance(patent)
    encumbrances.release_encumbrance(actor=owner, encumbrance=encumbrance, released_on=TODAY())


def certify(owner, coordinator, business, patent):
    held = {"high_tech": CertificateFacts(number="", valid_until=None)}
    certificates.set_certificates(actor=owner, business=business, certificates=held)


def grow(owner, coordinator, business, patent):
    facts = replace(businesses.facts_of(business), employee_count=250)
    businesses.change_business(actor=owner, business=business, facts=facts)


def check_patent(owner, coordinator, business, patent):
    patent_services.verify_patent(actor=coordinator, patent=patent, register_extract_on=TODAY())


def end(owner, coordinator, business, patent):
    patent_services.end_patent(
        actor=coordinator, patent=patent, end_reason="invalidated", ended_on=TODAY()
    )


def add(owner, coordinator, business, patent):
    number = patent_number("invention", TODAY().year - 2)
    entry = PatentEntry(
        application_number=number, title="另一种装置", filed_on=date(TODAY().year - 2, 3, 1)
    )
    patent_services.add_patent(actor=owner, business=business, entry=entry)


def suspend(owner, coordinator, business, patent):
    businesses.suspend_business(actor=coordinator, business=business, reason="licence withdrawn")


CHANGES = [
    pay_annuity,
    give_consent,
    appraise,
    take_appraisal_back,
    encumber,
    release,
    certify,
    grow,
    check_patent,
    end,
    add,
    suspend,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_asks_for_the_open_requests_of_the_business_only(
    change, owner, coordinator, business, patent, request_
):
    insurance = make_insurance_request(business, [patent])
    make_loan_request(make_business())
    make_loan_request(business, [patent], status="withdrawn")

    change(owner, coordinator, business, patent)

    assert asked() == [
        ("financing.match_request", request_.pk),
        ("financing.match_insurance_request", insurance.pk),
    ]


def test_nothing_is_asked_for_what_decides_nothing(owner, business, request_):
    facts = replace(businesses.facts_of(business), contact_phone="0512-5550199")

    businesses.change_business(actor=owner, business=business, facts=facts)
    certificates.set_certificates(actor=owner, business=business, certificates={})

    assert asked() == []


def test_nothing_is_asked_for_a_change_that_is_not_committed(owner, business, patent, request_):
    with transaction.atomic():
        pay_annuity(owner, None, business, patent)
        transaction.set_rollback(True)

    assert asked() == []


def test_several_changes_make_one_run(owner, business, patent, request_):
    with transaction.atomic():
        pay_annuity(owner, None, business, patent)
        give_consent(owner, None, business, patent)
        certify(owner, None, business, patent)

    assert asked() == [("financing.match_request", request_.pk)]


def test_a_change_after_the_work_began_asks_again(owner, business, patent, request_):
    pay_annuity(owner, None, business, patent)
    OutboxMessage.objects.update(started_at=timezone.now())

    give_consent(owner, None, business, patent)

    assert len(asked()) == 2


def test_queries_do_not_grow_with_the_requests(owner, business):
    # Not yet checked: nothing sends it back to be checked.
    patent = make_patent(business, status="registered")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            encumber(owner, None, business, patent)
        patent.encumbrances.all().delete()
        OutboxMessage.objects.all().delete()
        return len(captured)

    make_loan_request(business, [patent])
    make_insurance_request(business, [patent])
    few = queries()
    for cover_kind in ("infringement_loss", "infringement_liability", "overseas_liability"):
        make_insurance_request(business, [patent], cover_kind=cover_kind)

    assert queries() == few


def test_a_consent_recorded_makes_the_offer_fit_at_once(
    owner, business, patent, request_, run_outbox
):
    make_co_owner(patent, consent="missing", name="共有人有限公司")
    offer = make_loan_offer()
    incremental_runs.match_request(request_.pk)
    assert not Proposal.objects.exists()

    give_consent(owner, None, business, patent)
    run_outbox()

    assert Proposal.objects.get().loan_offer == offer


def test_a_pledge_recorded_outside_ends_the_proposal_at_once(
    owner, business, patent, request_, run_outbox
):
    make_loan_offer()
    incremental_runs.match_request(request_.pk)
    assert Proposal.objects.exists()

    encumber(owner, None, business, patent)
    run_outbox()

    assert not Proposal.objects.exists()


def test_a_pledge_released_frees_the_patent_for_whoever_else_owns_it():
    """The register knows one patent; two co-owning businesses have entered it."""
    match = make_completed()
    pledge = match.pledges.get()
    twin = make_patent(application_number=pledge.application_number)
    request = make_loan_request(twin.business, [twin])

    pledges.release_pledge(actor=staff_of(match), pledge=pledge, released_on=TODAY())

    assert ("financing.match_request", request.pk) in asked()
