"""Pages of the admin that are only read: amounts as amounts, codes in words."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from financing.models.policies import PolicyWeight
from tests.factories.financing import (
    make_loan_offer,
    make_policy,
    make_run,
    make_staff,
    make_system_admin,
)
from tests.factories.offices import make_region

pytestmark = pytest.mark.django_db


def read(user, name, pk):
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    answer = client.get(reverse(f"admin:financing_{name}_change", args=[pk]))
    assert answer.status_code == 200
    return answer.content.decode().replace("\u00a0", " ")


def test_a_closed_offer_shows_its_amounts_formatted():
    staff = make_staff()
    offer = make_loan_offer(
        staff.institution_post.institution,
        status="closed",
        max_principal=Decimal("7654321.00"),
        capacity_amount=Decimal("98765432.10"),
    )

    page = read(staff, "loanoffer", offer.pk)

    assert "CNY 7,654,321.00" in page
    assert "CNY 98,765,432.10" in page
    assert "98765432" not in page


def test_an_open_offer_is_a_form_as_before():
    staff = make_staff()
    offer = make_loan_offer(staff.institution_post.institution)

    assert 'name="max_principal"' in read(staff, "loanoffer", offer.pk)


def test_the_weights_of_a_used_policy_are_words():
    policy = make_policy()
    make_region("320500")
    for dimension, key in (("region", "320500"), ("size_class", "micro"), ("region", "999999")):
        PolicyWeight.objects.create(
            policy=policy, dimension=dimension, key=key, lift_percent=Decimal("12.50")
        )
    make_run(policy=policy)

    page = read(make_system_admin(), "matchingpolicy", policy.pk)

    for word in ("320500 Suzhou", "Micro", "12.5%", "999999"):
        assert word in page
    assert ">micro<" not in page
