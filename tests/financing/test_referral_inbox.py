"""The lender's inbox shows the blind disclosure of its referrals and nothing else."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from financing.bands import AMOUNT_BANDS, LIFE_BANDS, band_code
from financing.models import Disclosure, Match, Referral
from financing.services.referrals import BLIND_FIELDS, blind_fields, refer_blind
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import make_appraisal, make_business, make_patent
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_staff,
    make_system_admin,
)
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db

LIST = "admin:financing_referral_changelist"
DETAIL = "admin:financing_referral_change"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def referred(staff: User, **fields: Any) -> Match:
    """A match on two patents, referred blind to the institution of `staff`."""
    business = make_business(
        name="绝密科技有限公司",
        legal_representative="张绝密",
        contact_name="李绝密",
        address="绝密路7号",
    )
    patents = [
        make_patent(business, kind="invention", filed_on=date(2020, 3, 1), title="绝密装置"),
        make_patent(business, kind="utility_model", filed_on=date(2021, 3, 1)),
    ]
    make_appraisal(patents[0], Decimal("7654321.09"))
    request = make_loan_request(
        business, patents, principal=Decimal("2345678.91"), purpose_text="绝密用途"
    )
    offer = make_loan_offer(staff.institution_post.institution)
    match = make_match(
        request,
        offer,
        status="referred",
        saving=Decimal("34567.89"),
        deadline_on=timezone.localdate() + timedelta(days=14),
        **fields,
    )
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    return match


def secrets_of(match: Match) -> list[str]:
    """Whatever could say who it is or link it to other records."""
    business, request = match.business, match.loan_request
    assert request is not None
    secrets = [
        "绝密",
        business.credit_code,
        business.contact_phone,
        "7654321",
        "7,654,321",
        "765.43",
        "2345678",
        "2,345,678",
        "234.57",
        "2.35",
        "34567",
        "34,567",
        f"/{request.pk}/",
        f"L{request.pk}<",
        "320505",
        "320500",
        "Suzhou",
        "C3911",
        "3911",
    ]
    for patent in match.patents.all():
        secrets += [patent.application_number, patent.application_number[:12], patent.title]
    return secrets


def test_the_frozen_fields_are_exactly_the_blind_ones() -> None:
    match = referred(make_staff())
    disclosure = Disclosure.objects.get()

    assert tuple(disclosure.fields) == BLIND_FIELDS or set(disclosure.fields) == set(BLIND_FIELDS)
    assert disclosure.fields == {
        "reference": match.reference,
        "province_code": "320000",
        "province_name": match.business.region.parent.parent.name,
        "province_name_en": match.business.region.parent.parent.name_en,
        "industry_division": "39",
        "size_class": "micro",
        "amount_band": "1m_3m",
        "patents_by_kind": {"invention": 1, "utility_model": 1},
        "life_band": blind_fields(match, on=timezone.localdate())["life_band"],
    }
    event = AuditEvent.objects.get(verb="disclosure.made")
    assert event.data["fields"] == sorted(BLIND_FIELDS)


def test_life_is_that_of_the_patent_that_ends_first() -> None:
    match = referred(make_staff())  # the utility model ends on 2031-03-01
    for day, band in [
        (date(2026, 3, 1), "5y_8y"),
        (date(2026, 3, 2), "3y_5y"),
        (date(2028, 3, 2), "under_3y"),
        (date(2040, 1, 1), "under_3y"),
    ]:
        assert blind_fields(match, on=day)["life_band"] == band, day


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0.01", "under_500k"),
        ("499999.99", "under_500k"),
        ("500000", "500k_1m"),
        ("1000000", "1m_3m"),
        ("2999999.99", "1m_3m"),
        ("5000000", "5m_10m"),
        ("10000000", "from_10m"),
        ("99999999999", "from_10m"),
    ],
)
def test_amount_bands_begin_at_their_least(amount: str, code: str) -> None:
    assert band_code(AMOUNT_BANDS, Decimal(amount)) == code


def test_bands_grow_and_have_unique_codes() -> None:
    for bands in (AMOUNT_BANDS, LIFE_BANDS):
        assert [band.least for band in bands] == sorted({band.least for band in bands})
        assert len({band.code for band in bands}) == len(bands)


def test_referring_twice_makes_one_disclosure_and_needs_a_transaction() -> None:
    match = referred(make_staff())
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)

    assert Disclosure.objects.count() == 1
    assert AuditEvent.objects.filter(verb="disclosure.made").count() == 1


@pytest.mark.django_db(transaction=True)
def test_referring_outside_a_transaction_is_refused() -> None:
    match = make_match(status="referred")
    with pytest.raises(TransactionManagementError):
        refer_blind(Actor.SYSTEM, match)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_says_who_it_is(language: str) -> None:
    staff = make_staff(language=language)
    match = referred(staff)
    client = signed_in(staff)
    detail = reverse(DETAIL, args=[match.pk])
    assert str(match.pk) in detail

    pages = [
        client.get(reverse(LIST)),
        client.get(reverse(LIST), {"q": match.reference}),
        client.get(reverse(LIST), {"q": "绝密"}),
        client.get(reverse(LIST), {"stage": "new", "o": "2"}),
        client.get(detail),
        client.get(reverse("admin:index")),
    ]

    for page in pages:
        assert page.status_code == 200
        html = page.content.decode()
        for secret in secrets_of(match):
            if secret == "绝密" and "q=%E7" in page.request["QUERY_STRING"]:
                continue  # the page repeats what was searched for
            assert secret not in html, secret
    assert match.reference in pages[0].content.decode()
    assert match.reference in pages[1].content.decode()
    assert match.reference not in pages[2].content.decode()
    html = pages[4].content.decode()
    assert match.loan_offer is not None
    assert match.loan_offer.name in html
    assert "<form" not in html.split('id="content"')[1].split("<footer")[0]


def test_the_page_shows_what_was_frozen_not_what_changed_since() -> None:
    staff = make_staff(language="en")
    match = referred(staff)
    match.business.industry = "C3411"
    match.business.size_class = "small"
    match.business.save()
    Match.objects.filter(pk=match.pk).update(amount=Decimal(9_000_000))

    html = signed_in(staff).get(reverse(DETAIL, args=[match.pk])).content.decode()

    assert "39 " in html
    assert "Micro" in html
    assert "1 to 3 million yuan" in html
    assert "34 " not in html.split('class="facts"')[1].split("</dl>")[0]


def test_lookups_cannot_ask_about_hidden_columns() -> None:
    staff = make_staff()
    match = referred(staff)
    client = signed_in(staff)

    for query in (
        {"business": match.business_id},
        {"business__name__startswith": "绝"},
        {"business__credit_code": match.business.credit_code},
        {"amount__gte": "1"},
        {"loan_request__id": match.loan_request_id},
        {"patents": match.patents.first().pk},
    ):
        response = client.get(reverse(LIST), query)
        assert response.status_code in (302, 400), query
        if response.status_code == 302:
            assert response.url.endswith("?e=1"), query


def test_opening_is_audited_each_time_and_changing_is_impossible() -> None:
    staff = make_staff()
    match = referred(staff)
    client = signed_in(staff)
    page = reverse(DETAIL, args=[match.pk])

    client.get(page)
    client.get(page)

    events = AuditEvent.objects.filter(verb="referral.read")
    assert [(event.object_id, event.actor_pseudonym) for event in events] == [
        (str(match.pk), str(staff.pseudonym))
    ] * 2
    assert client.post(page, {"reference": "AAAAA-AAAAA"}).status_code == 403
    assert client.get(reverse("admin:financing_referral_add")).status_code == 403
    assert client.post(reverse("admin:financing_referral_delete", args=[match.pk])).status_code in (
        403,
        404,
    )
    match.refresh_from_db()
    assert match.status == "referred"


def test_foreign_unreferred_and_absent_referrals_are_404_and_other_roles_403() -> None:
    staff, rival = make_staff(), make_staff()
    own, foreign = referred(staff), referred_elsewhere(rival)
    in_review = make_match(loan_offer=own.loan_offer)
    client = signed_in(staff)

    html = client.get(reverse(LIST)).content.decode()
    assert own.reference in html
    assert foreign.reference not in html
    for pk in (foreign.pk, in_review.pk, "2c2a1f9e-0000-4000-8000-000000000000", "1", "x"):
        assert client.get(reverse(DETAIL, args=[pk])).status_code == 404, pk
    assert not AuditEvent.objects.filter(verb="referral.read").exists()
    for user in (make_owner(), make_coordinator(make_office()), make_system_admin()):
        assert signed_in(user).get(reverse(LIST)).status_code == 403
        assert signed_in(user).get(reverse(DETAIL, args=[own.pk])).status_code == 403
        assert not Referral.objects.visible_to(user).exists()


def referred_elsewhere(staff: User) -> Match:
    match = make_match(loan_offer=make_loan_offer(staff.institution_post.institution))
    Match.objects.filter(pk=match.pk).update(status="referred", referred_at=timezone.now())
    match.refresh_from_db()
    with transaction.atomic():
        refer_blind(Actor.SYSTEM, match)
    return match


def test_the_inbox_asks_the_database_as_often_for_many_referrals(
    django_assert_max_num_queries: Any,
) -> None:
    staff = make_staff()
    for _number in range(8):
        referred_elsewhere(staff)
    client = signed_in(staff)
    with django_assert_max_num_queries(15):
        client.get(reverse(LIST))
    with django_assert_max_num_queries(26):
        client.get(reverse(DETAIL, args=[Referral.objects.visible_to(staff)[0].pk]))
