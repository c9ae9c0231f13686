"""Sign-up, sign-in, lock-out, limits of a session, language, second factor: through the pages."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.core import mail
from django.test import Client
from django.urls import get_resolver, reverse

from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_coordinator, make_user
from tests.factories.offices import make_office

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
# A page for everybody signed in, of this part of the portal.
INSIDE = "/accounts/password/change/"


def sign_in(client: Client, user: User, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": user.email, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(user: User) -> str:
    secret = decrypt(
        Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP).data["secret"]
    )
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06}"


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))


def test_sign_up_makes_an_owner_whatever_is_posted(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/",
        {
            "email": "New@Example.org",
            "name": "李",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "role": "security_admin",
            "is_staff": "1",
            "office": "1",
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    user = User.objects.get()
    assert (user.email, user.name, user.role) == ("new@example.org", "李", "owner")
    assert is_signed_in(client)
    assert "account.signed_up" in verbs()
    assert "example" not in str(list(AuditEvent.objects.values()))


def test_sign_up_page_asks_for_the_name(client: Client) -> None:
    page = client.get("/accounts/signup/")
    assert list(page.context["form"].fields) == ["email", "name", "password1", "password2"]


def test_sign_in_and_out_are_audited(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)
    assert verbs() == ["account.signed_in", "account.signed_out"]
    assert {event.actor_pseudonym for event in AuditEvent.objects.all()} == {str(user.pseudonym)}


def test_address_in_any_case(client: Client) -> None:
    user = make_user(email="abc@example.org")
    client.post(LOGIN, {"login": "ABC@Example.org", "password": PASSWORD})
    assert is_signed_in(client)
    assert user.pk


def test_unknown_and_wrong_answer_alike(client: Client) -> None:
    user = make_user()
    wrong = sign_in(client, user, "wrong")
    unknown = client.post(LOGIN, {"login": "nobody@example.org", "password": "wrong"})
    clean = [
        re.sub(r'(csrfmiddlewaretoken" value="[^"]+"|nonce="[^"]*")', "", page.content.decode())
        for page in (wrong, unknown)
    ]
    assert clean[0].replace(user.email, "X") == clean[1].replace("nobody@example.org", "X")
    assert verbs() == ["account.sign_in_failed"] * 2
    assert "nobody" not in str(list(AuditEvent.objects.values()))


def test_password_reset_says_the_same_for_unknown(client: Client) -> None:
    user = make_user()
    for address in (user.email, "nobody@example.org"):
        answer = client.post("/accounts/password/reset/", {"email": address})
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/reset/done/")


def test_password_reset_works(client: Client) -> None:
    user = make_user()
    client.post("/accounts/password/reset/", {"email": user.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    assert link
    page = client.get(link[1], follow=True)
    fresh = "another fine pass phrase"
    client.post(page.redirect_chain[-1][0], {"password1": fresh, "password2": fresh}, follow=True)
    user.refresh_from_db()
    assert user.check_password(fresh)
    assert "account.password_reset" in verbs()


def test_lock_out_within_ten_tries_for_half_an_hour_at_most(client: Client) -> None:
    user = make_user()
    with time_machine.travel("2026-03-02 09:00+08:00", tick=False) as clock:
        for _each in range(10):
            sign_in(client, user, "wrong")
            clock.shift(1)
        sign_in(client, user)
        assert not is_signed_in(client)
        assert "account.locked_out" in verbs()
        clock.shift(timedelta(minutes=30))
        sign_in(client, user)
        assert is_signed_in(client)


def test_nobody_is_locked_out_by_a_third_party() -> None:
    victim, neighbour = make_user(), make_user()
    attacker = Client()
    known = Client()
    sign_in(known, victim)
    known.post("/accounts/logout/")
    for _each in range(12):
        sign_in(attacker, victim, "wrong")
    # Another place, the same address used before, and another account at the attacker's address.
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    sign_in(elsewhere, victim)
    assert is_signed_in(elsewhere)
    sign_in(known, victim)
    assert is_signed_in(known)
    beside = Client()
    sign_in(beside, neighbour)
    assert is_signed_in(beside)


def test_a_mark_of_another_account_is_worth_nothing() -> None:
    user, own = make_user(), make_user()
    attacker = Client()
    for number in range(12):
        if number % 4 == 0:
            # A fresh mark from the attacker's own account must not give fresh tries at others'.
            attacker.cookies.clear()
            sign_in(attacker, own)
            attacker.post("/accounts/logout/")
        sign_in(attacker, user, "wrong")
    sign_in(attacker, user)
    assert not is_signed_in(attacker)


def test_a_forged_device_mark_is_worth_nothing() -> None:
    user, other = make_user(), make_user()
    attacker = Client()
    sign_in(attacker, other)
    attacker.post("/accounts/logout/")
    for number in range(10):
        if number % 2:
            attacker.cookies["device"] = f"forged{number}"
        sign_in(attacker, user, "wrong")
    sign_in(attacker, user)
    assert not is_signed_in(attacker)


@pytest.mark.parametrize(
    ("pauses", "stays"),
    [
        ([29 * 60], True),
        ([31 * 60], False),
        ([20 * 60] * 35, True),
        ([20 * 60] * 37, False),
    ],
)
def test_limits_of_a_session(client: Client, pauses: list[int], stays: bool) -> None:
    with time_machine.travel("2026-03-02 09:00+08:00", tick=False) as clock:
        client.force_login(make_user())
        for pause in pauses:
            clock.shift(pause)
            answer = client.get(INSIDE)
        assert (answer.status_code == 200) is stays
        if not stays:
            assert answer["Location"] == f"{LOGIN}?next={INSIDE}"
            assert "account.session_ended" in verbs()


def test_a_session_without_a_clock_is_ended(client: Client) -> None:
    client.force_login(make_user())
    session = client.session
    del session["signed_in_at"]
    session.save()
    assert client.get(INSIDE).status_code == 302


def test_a_closed_account_is_out_at_once(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(INSIDE).status_code == 302


# --- language ------------------------------------------------------------------------------
def language_of(client: Client, **headers: Any) -> str:
    return str(client.get(LOGIN, headers=headers).headers["Content-Language"])


def test_language_of_visitors(client: Client) -> None:
    assert language_of(client) == "zh-hans"
    assert language_of(client, accept_language="fr") == "zh-hans"
    assert language_of(client, accept_language="en-GB,en") == "en"
    client.post("/language/", {"language": "zh-hans"})
    assert language_of(client, accept_language="en") == "zh-hans"


def test_chosen_language_is_kept_with_the_account() -> None:
    user = make_user()
    first, second = Client(), Client()
    first.force_login(user)
    first.post("/language/", {"language": "en"})
    user.refresh_from_db()
    assert user.language == "en"
    second.force_login(user)
    second.cookies["django_language"] = "zh-hans"
    answer = second.get(INSIDE, headers={"accept-language": "zh"})
    assert answer.headers["Content-Language"] == "en"


def test_unknown_language_and_foreign_target(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    answer = client.post("/language/", {"language": "xx", "next": "https://example.net/"})
    user.refresh_from_db()
    assert user.language == ""
    assert answer["Location"] == "/"
    assert client.get("/language/").status_code == 405


# --- second factor ----------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER}))
def test_staff_without_second_factor_get_the_set_up_page_only(
    client: Client, role: str, django_capture_on_commit_callbacks: Any
) -> None:
    options: dict[str, Any] = {"second_factor": False}
    user = (
        make_coordinator(make_office(), **options)
        if role == Role.COORDINATOR
        else make_user(role, **options)
    )
    sign_in(client, user)
    for path in (INSIDE, "/admin/", "/accounts/2fa/recovery-codes/generate/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    form = page.context["form"]
    counter = next(iter(yield_hotp_counters_from_time()))
    code = f"{hotp_value(form.secret, counter):06}"
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/totp/activate/", {"code": code})
    assert client.get(INSIDE).status_code == 200
    assert "account.second_factor_added" in verbs()
    assert RecoveryCodes(Authenticator.objects.get(user=user, type="recovery_codes"))


def test_owners_need_none(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(INSIDE).status_code == 200


def test_sign_in_asks_for_the_code(client: Client) -> None:
    user = make_user(Role.INSTITUTION_STAFF)
    answer = sign_in(client, user)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(client)
    wrong = client.post(answer["Location"], {"code": "000000"})
    assert wrong.status_code == 200
    assert not is_signed_in(client)
    client.post(answer["Location"], {"code": code_of(user)})
    assert is_signed_in(client)
    assert "account.second_factor_failed" in verbs()


def test_staff_cannot_go_back_to_one_factor(client: Client) -> None:
    user = make_user(Role.INSTITUTION_STAFF)
    sign_in(client, user)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(user)})
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=user, type="totp").exists()


# --- what is open ---------------------------------------------------------------------------------
def test_health_pages_are_open(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "redis": "ok"}
    assert client.post("/livez").status_code == 405


def test_account_pages_are_closed_unless_meant_for_visitors(client: Client) -> None:
    opened = {
        "account_login",
        "account_signup",
        "account_logout",
        "account_inactive",
        "account_confirm_email",
        "account_email_verification_sent",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_confirm_login_code",
        "mfa_authenticate",
    }
    found = set()
    for name in get_resolver().reverse_dict:
        if not isinstance(name, str) or not name.startswith(("account_", "mfa_")):
            continue
        arguments = {
            "account_confirm_email": ["x"],
            "account_reset_password_from_key": ["a", "b-c"],
        }.get(name, [])
        answer = client.get(reverse(name, args=arguments))
        target = answer.headers.get("Location", "")
        if not (answer.status_code == 302 and target.startswith(f"{LOGIN}?next=")):
            found.add(name)
    assert found <= opened


def test_time_of_an_answer_does_not_tell_who_has_an_account(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user = make_user()

    def seconds(login: str) -> float:
        # Of the processor: what else the machine is doing does not count.
        started = time.thread_time()
        client.post(LOGIN, {"login": login, "password": "wrong"})
        return time.thread_time() - started

    seconds(user.email)
    known = min(seconds(user.email) for _each in range(3))
    unknown = min(seconds("nobody@example.org") for _each in range(3))
    # One hash is most of the time either way; without it an answer takes a tenth.
    assert 0.5 < known / unknown < 2
