"""Services of loan offers: locks, other institutions' rows, what the audit keeps."""

from dataclasses import replace
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction

from financing.models import LoanOffer
from financing.services import loan_offers as services
from financing.services.loan_offers import save_loan_offer, terms_of
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.workflow.lifecycle import TransitionRefused
from tests.factories.financing import make_institution, make_loan_offer, make_staff


@pytest.mark.django_db(transaction=True)
def test_a_booking_under_way_is_waited_for_before_capacity_is_lowered() -> None:
    staff = make_staff()
    offer = make_loan_offer(staff.institution_post.institution)
    terms = replace(terms_of(offer), capacity_amount=Decimal(1_000_000))
    booked, errors = Event(), []

    def lower_capacity() -> None:
        booked.wait(60)
        try:
            save_loan_offer(
                Actor.of(staff), institution=offer.institution, terms=terms, offer_id=offer.pk
            )
        except ValidationError as error:
            errors.append(error)
        finally:
            connection.close()

    thread = Thread(target=lower_capacity)
    thread.start()
    with transaction.atomic():
        locked = LoanOffer.objects.select_for_update().get(pk=offer.pk)
        booked.set()
        thread.join(0.5)
        assert thread.is_alive(), "it must wait for the lock"
        locked.booked_amount = Decimal("1000000.01")
        locked.save(update_fields=["booked_amount"])
    thread.join(10)

    assert [list(error.message_dict) for error in errors] == [["capacity_amount"]]
    offer.refresh_from_db()
    assert offer.capacity_amount == 50_000_000


@pytest.mark.django_db
def test_the_database_refuses_a_capacity_below_booked_too() -> None:
    offer = make_loan_offer(booked_amount=Decimal(10))
    with pytest.raises(IntegrityError), transaction.atomic():
        LoanOffer.objects.filter(pk=offer.pk).update(capacity_amount=Decimal(9))


@pytest.mark.django_db
def test_staff_of_another_institution_are_refused_whatever_they_name() -> None:
    staff, rival = make_staff(), make_staff()
    offer = make_loan_offer(staff.institution_post.institution)
    actor = Actor.of(rival)

    with pytest.raises(PermissionDenied):
        services.close(actor, offer=offer)
    with pytest.raises(PermissionDenied):
        services.copy_as_draft(actor, offer=offer)
    with pytest.raises(LoanOffer.DoesNotExist):
        save_loan_offer(
            actor,
            institution=rival.institution_post.institution,
            terms=terms_of(offer),
            offer_id=offer.pk,
        )
    offer.refresh_from_db()
    assert (offer.status, LoanOffer.objects.count()) == ("published", 1)


@pytest.mark.django_db
def test_the_lifecycle_decides_and_the_clock_may_close() -> None:
    offer = make_loan_offer(status="paused")
    with pytest.raises(TransitionRefused):
        services.publish(Actor.of(make_staff(offer.institution)), offer=offer)
    with pytest.raises(TransitionRefused):
        services.resume(Actor.CLOCK, offer=offer)
    assert services.close(Actor.CLOCK, offer=offer).status == "closed"


@pytest.mark.django_db
def test_free_text_stays_out_of_the_audit() -> None:
    staff = make_staff()
    offer = make_loan_offer(staff.institution_post.institution)
    terms = replace(terms_of(offer), description="Ask for Ms Zhang")
    save_loan_offer(Actor.of(staff), institution=offer.institution, terms=terms, offer_id=offer.pk)
    assert AuditEvent.objects.get(verb="offer.saved").data == {"changed": {"description": []}}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["insurer", "guarantor"])
def test_only_banks_post_loan_offers(kind: str) -> None:
    institution = make_institution(kind)
    terms: Any = terms_of(make_loan_offer())
    with pytest.raises(ValidationError, match=r"banks|银行"):
        save_loan_offer(Actor.of(make_staff(institution)), institution=institution, terms=terms)
