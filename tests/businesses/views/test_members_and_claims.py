"""Who acts for a business: invitations that tell nothing, claims a coordinator decides."""

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from businesses.models import BusinessClaim, BusinessMember, MemberInvitation
from tests.factories.accounts import make_coordinator, make_owner
from tests.factories.businesses import (
    credit_code,
    make_business,
    make_claim,
    make_member,
    make_office,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    return make_owner()


@pytest.fixture
def business(manager):
    return make_business(owner=manager)


def url(name: str, *args: int) -> str:
    return reverse(f"businesses:{name}", args=args)


def test_an_invitation_says_the_same_for_known_and_unknown_addresses(
    client, manager, business
) -> None:
    known = make_owner()
    client.force_login(manager)
    pages = []
    for email in (known.email, "nobody@example.org"):
        answer = client.post(url("member_add", business.pk), {"email": email}, follow=True)
        pages.append(answer.content.decode().replace(email, "@"))
        client.post(url("invitation_withdraw", MemberInvitation.objects.get().pk), follow=True)

    def plain(page: str) -> list[str]:
        return [
            line for line in page.splitlines() if "csrf" not in line and "invitations/" not in line
        ]

    assert plain(pages[0]) == plain(pages[1])


def test_the_invited_person_accepts(client, manager, business) -> None:
    client.force_login(manager)
    invited = make_owner()
    client.post(url("member_add", business.pk), {"email": invited.email.upper()})
    invitation = MemberInvitation.objects.get()
    client.force_login(make_owner())
    assert client.post(url("invitation_answer", invitation.pk), {"accept": 1}).status_code == 404
    client.force_login(invited)
    assert business.name in client.get(url("list")).content.decode()
    client.post(url("invitation_answer", invitation.pk), {"accept": 1})
    assert business.members.filter(user=invited, is_active=True, is_manager=False).exists()
    assert not MemberInvitation.objects.exists()


def test_an_unconfirmed_address_cannot_accept(client, business, manager) -> None:
    pretender = make_owner()
    EmailAddress.objects.filter(user=pretender).update(verified=False)
    invitation = MemberInvitation.objects.create(
        business=business, email=pretender.email, invited_by=manager
    )
    client.force_login(pretender)
    client.post(url("invitation_answer", invitation.pk), {"accept": 1})
    assert not business.members.filter(user=pretender).exists()


def test_only_managers_invite_and_remove(client, business, manager) -> None:
    member = make_member(business)
    client.force_login(member.user)
    answer = client.post(url("member_add", business.pk), {"email": "x@example.org"})
    assert answer.context["form"].errors
    client.post(url("member_remove", business.members.get(user=manager).pk))
    assert business.members.filter(is_active=True).count() == 2
    client.post(url("member_promote", member.pk))
    member.refresh_from_db()
    assert not member.is_manager


def test_the_last_manager_stays(client, business, manager) -> None:
    client.force_login(manager)
    own = business.members.get()
    other = make_member(business)
    client.post(url("member_remove", own.pk))
    own.refresh_from_db()
    assert own.is_active
    client.post(url("member_promote", other.pk))
    client.post(url("member_remove", own.pk))
    own.refresh_from_db()
    assert not own.is_active
    assert client.get(url("detail", business.pk)).status_code == 404


def test_a_claim_is_filed_once_and_shows_nothing(client, business) -> None:
    claimant = make_owner()
    client.force_login(claimant)
    typed = {"credit_code": business.credit_code.lower(), "explanation": "I am the accountant."}
    for _again in range(3):
        answer = client.post(url("claim"), typed, follow=True)
        assert business.name not in answer.content.decode()
    assert BusinessClaim.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"credit_code": credit_code("110101")}, "credit_code"),
        ({"credit_code": "nonsense"}, "credit_code"),
        ({"explanation": ""}, "explanation"),
    ],
)
def test_a_wrong_claim_is_a_message_at_the_field(client, business, change, field) -> None:
    client.force_login(make_owner())
    typed = {"credit_code": business.credit_code, "explanation": "I sign for it."} | change
    answer = client.post(url("claim"), typed)
    assert field in answer.context["form"].errors
    assert not BusinessClaim.objects.exists()


@pytest.mark.parametrize("decision", ["accept", "refuse"])
def test_the_coordinator_decides_a_claim_once(client, business, decision) -> None:
    claim = make_claim(business)
    client.force_login(make_coordinator(make_office("320000")))
    page = url("claim_decide", claim.pk)
    if decision == "refuse":
        assert "reason" in client.post(page, {"decision": "refuse"}).context["form"].errors
    client.post(page, {"decision": decision, "reason": "Licence shows another name."})
    claim.refresh_from_db()
    assert claim.status == ("accepted" if decision == "accept" else "refused")
    is_member = business.members.filter(user=claim.claimant, is_active=True).exists()
    assert is_member == (decision == "accept")
    answer = client.post(page, {"decision": "refuse", "reason": "Changed my mind."})
    assert answer.context["form"].errors
    assert BusinessMember.objects.filter(user=claim.claimant).count() == int(is_member)


def test_a_refused_claimant_reads_the_reason(client, business) -> None:
    claim = make_claim(business, status="refused", decision_reason="Ask the founder first.")
    client.force_login(claim.claimant)
    page = client.get(url("list")).content.decode()
    assert "Ask the founder first." in page
    assert business.name not in page
