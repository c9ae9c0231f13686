"""People for tests: one account per call, stored without the audit a real sign-up writes."""

from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from sipo_portal.accounts.models import SECOND_FACTOR_ROLES, Role, User
from sipo_portal.offices.models import BranchOffice

_numbers = count(1)
PASSWORD = "correct horse battery staple"


def make_user(
    role: str = Role.OWNER,
    *,
    office: BranchOffice | None = None,
    second_factor: bool = True,
    **fields: Any,
) -> User:
    """An account that `client.force_login` takes past every gate of its role.

    Staff roles get an authenticator unless `second_factor` is False. Password: `PASSWORD`.
    """
    number = next(_numbers)
    fields = {"name": f"Person {number}", "email": f"person{number}@example.org"} | fields
    user = User.objects.create_user(password=PASSWORD, role=role, office=office, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if second_factor and role in SECOND_FACTOR_ROLES:
        TOTP.activate(user, generate_totp_secret())
    return user


def make_owner(**fields: Any) -> User:
    return make_user(Role.OWNER, **fields)


def make_coordinator(office: BranchOffice, **fields: Any) -> User:
    return make_user(Role.COORDINATOR, office=office, **fields)
