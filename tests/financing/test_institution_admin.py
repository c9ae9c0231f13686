"""The system administrator sets institutions up, gives posts, suspends and reinstates."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from financing.models import Institution, InstitutionStaff, InsuranceOffer, LoanOffer
from financing.services import institutions
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator, make_owner, make_user
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_staff,
    make_system_admin,
)
from tests.factories.guarantees import make_guarantee_offer
from tests.factories.insurance import make_insurance_offer, make_insurer
from tests.factories.offices import make_office, make_region

pytestmark = pytest.mark.django_db

LIST = "admin:financing_institution_changelist"
ADD = "admin:financing_institution_add"
CHANGE = "admin:financing_institution_change"
STEP = "admin:financing_institution_step"


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def signed_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def typed(*staff: dict[str, str], initial: int = 0, **changes: str) -> dict[str, str]:
    data = {
        "name": "示范银行",
        "name_en": "Demo Bank",
        "kind": "bank",
        "region": "320500",
        "staff-TOTAL_FORMS": str(len(staff)),
        "staff-INITIAL_FORMS": str(initial),
        "staff-MIN_NUM_FORMS": "0",
        "staff-MAX_NUM_FORMS": "1000",
    }
    for index, row in enumerate(staff):
        data |= {f"staff-{index}-{name}": value for name, value in row.items()}
    return data | changes


def errors_of(response: Any) -> dict[str, list[str]]:
    found = {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {form.add_prefix(name): list(texts) for name, texts in form.errors.items()}
    return found


def test_an_institution_is_set_up_with_its_staff() -> None:
    make_region("320500")
    account = make_user(Role.INSTITUTION_STAFF)
    client = signed_in(make_system_admin())

    assert client.get(reverse(ADD)).status_code == 200
    response = client.post(reverse(ADD), typed({"email": account.email.upper(), "is_active": "on"}))

    assert response.status_code == 302, errors_of(response)
    institution = Institution.objects.get()
    assert institution.staff.get().user == account
    assert Institution.objects.visible_to(account).get() == institution
    first, second = AuditEvent.objects.filter(verb="institution.changed").order_by("pk")
    assert first.data["changed"]["name"] == ["", "示范银行"]
    assert second.data["posts"] == [[str(account.pseudonym), True]]
    assert account.email not in str(second.data)


@pytest.mark.parametrize("who", ["nobody", "owner", "closed", "elsewhere"])
def test_who_cannot_get_a_post(who: str) -> None:
    make_region("320500")
    email, words = {
        "nobody": lambda: ("nobody@example.org", "no account of institution staff"),
        "owner": lambda: (make_owner().email, "no account of institution staff"),
        "closed": lambda: (
            make_user(Role.INSTITUTION_STAFF, is_active=False).email,
            "account is closed",
        ),
        "elsewhere": lambda: (make_staff().email, "post at another institution"),
    }[who]()

    response = signed_in(make_system_admin()).post(
        reverse(ADD), typed({"email": email, "is_active": "on"})
    )

    assert words in errors_of(response)["staff-0-email"][0]
    assert not Institution.objects.filter(name="示范银行").exists()


def test_a_post_is_made_inactive_and_the_account_moves_on() -> None:
    staff = make_staff()
    post = staff.institution_post
    client = signed_in(make_system_admin())
    region = post.institution.region_id

    response = client.post(
        reverse(CHANGE, args=[post.institution_id]),
        typed(
            {"id": str(post.pk), "institution": str(post.institution_id), "email": "x@example.org"},
            initial=1,
            region=region,
        ),
    )
    assert response.status_code == 302, errors_of(response)
    post.refresh_from_db()
    assert (post.user, post.is_active) == (staff, False)
    assert not Institution.objects.visible_to(staff).exists()

    client.post(reverse(ADD), typed({"email": staff.email, "is_active": "on"}, name="另一银行"))
    assert InstitutionStaff.objects.get(user=staff).institution.name == "另一银行"


def test_a_taken_name_and_a_kind_with_offers_are_refused() -> None:
    institution = make_institution(name="示范银行")
    other = make_institution()
    make_loan_offer(other)
    client = signed_in(make_system_admin())

    assert "name" in errors_of(client.post(reverse(ADD), typed()))
    response = client.post(reverse(CHANGE, args=[other.pk]), typed(name=other.name, kind="insurer"))
    assert "has offers" in errors_of(response)["kind"][0]
    assert Institution.objects.get(pk=institution.pk).kind == "bank"


def test_suspending_asks_stops_the_offers_and_reinstating_matches_them_again() -> None:
    institution = make_institution()
    offer = make_loan_offer(institution)
    make_loan_offer(institution, status="draft")
    client = signed_in(make_system_admin())
    page = reverse(STEP, args=[institution.pk, "suspend"])

    assert "1 published offer" in client.get(page).content.decode()
    assert offer in LoanOffer.objects.live()
    client.post(page)
    client.post(page)

    assert offer not in LoanOffer.objects.live()
    assert AuditEvent.objects.filter(verb="institution.suspended").count() == 1
    assert [message.payload for message in OutboxMessage.objects.all()] == [{"offer_id": offer.pk}]

    client.post(reverse(STEP, args=[institution.pk, "reinstate"]))
    assert offer in LoanOffer.objects.live()
    assert OutboxMessage.objects.count() == 2
    assert AuditEvent.objects.filter(verb="institution.reinstated").count() == 1


def test_suspending_an_insurer_stops_its_insurance_offers_too() -> None:
    insurer = make_insurer()
    offer = make_insurance_offer(insurer)

    institutions.suspend(Actor.SYSTEM, institution=insurer)

    assert offer not in InsuranceOffer.objects.live()
    message = OutboxMessage.objects.get()
    assert message.task == "financing.match_insurance_offer"
    assert message.payload == {"offer_id": offer.pk}


def test_the_kind_of_an_institution_is_fixed_by_offers_of_any_kind() -> None:
    client = signed_in(make_system_admin())
    for offer in (make_insurance_offer(), make_guarantee_offer()):
        other = offer.institution
        response = client.post(
            reverse(CHANGE, args=[other.pk]), typed(name=other.name, kind="bank")
        )
        assert "has offers" in errors_of(response)["kind"][0]


def test_other_roles_are_refused_and_absent_institutions_are_404() -> None:
    staff = make_staff()
    institution = staff.institution_post.institution
    for user in (staff, make_owner(), make_coordinator(make_office()), make_user("audit_admin")):
        for page in (
            reverse(LIST),
            reverse(ADD),
            reverse(CHANGE, args=[institution.pk]),
            reverse(STEP, args=[institution.pk, "suspend"]),
        ):
            assert signed_in(user).get(page).status_code == 403, (user.role, page)
            assert signed_in(user).post(page).status_code == 403, (user.role, page)
    client = signed_in(make_system_admin())
    assert client.get(reverse(LIST)).status_code == 200
    assert client.get(reverse(CHANGE, args=[10**6])).status_code == 404
    assert client.get(reverse(STEP, args=[10**6, "suspend"])).status_code == 404
    institution.refresh_from_db()
    assert not institution.is_suspended
