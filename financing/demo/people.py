"""Demo offices, institutions and the accounts the README names; two tenants of each role."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth.hashers import make_password

from financing.demo.words import INSTITUTIONS, OFFICES
from financing.models import Institution, InstitutionStaff
from sipo_portal.accounts.models import Role, User
from sipo_portal.accounts.services import create_account
from sipo_portal.audit.actors import Actor
from sipo_portal.offices.models import BranchOffice, Region
from sipo_portal.offices.services import save_office

# Known to everybody who reads the README: such accounts exist only where DEMO_DATA is on.
PASSWORD = "demo-Patent-2014"


@dataclass(frozen=True)
class DemoAccount:
    """One account of the demo; `tenant` says whose side it is on."""

    email: str
    name: str
    role: str
    tenant: str
    address: str


ACCOUNTS = (
    DemoAccount("owner1@demo.example", "沈知微", Role.OWNER, "苏州 (320505)", "/"),
    DemoAccount("owner2@demo.example", "陈景行", Role.OWNER, "深圳 (440305)", "/"),
    DemoAccount("owner3@demo.example", "卫子墨", Role.OWNER, "苏州 (320505)", "/"),
    DemoAccount("owner4@demo.example", "蒋承宇", Role.OWNER, "深圳 (440305)", "/"),
    DemoAccount(
        "lender1@demo.example", "周明远", Role.INSTITUTION_STAFF, INSTITUTIONS[1][0], "/admin/"
    ),
    DemoAccount(
        "lender2@demo.example", "吴嘉言", Role.INSTITUTION_STAFF, INSTITUTIONS[4][0], "/admin/"
    ),
    DemoAccount(
        "insurer1@demo.example", "严望舒", Role.INSTITUTION_STAFF, INSTITUTIONS[9][0], "/admin/"
    ),
    DemoAccount(
        "insurer2@demo.example", "孟怀瑾", Role.INSTITUTION_STAFF, INSTITUTIONS[8][0], "/admin/"
    ),
    DemoAccount(
        "guarantor1@demo.example", "褚嘉言", Role.INSTITUTION_STAFF, INSTITUTIONS[10][0], "/admin/"
    ),
    DemoAccount("coordinator1@demo.example", "韩文清", Role.COORDINATOR, OFFICES[1][0], "/review/"),
    DemoAccount("coordinator2@demo.example", "杨思齐", Role.COORDINATOR, OFFICES[4][0], "/review/"),
    DemoAccount("system@demo.example", "秦安澜", Role.SYSTEM_ADMIN, "", "/admin/"),
    DemoAccount("security@demo.example", "许承宇", Role.SECURITY_ADMIN, "", "/admin/"),
    DemoAccount("audit@demo.example", "尤书瑶", Role.AUDIT_ADMIN, "", "/admin/"),
)


def totp_secret(email: str) -> str:
    """The second-factor secret of a demo account: made from this installation's own key."""
    digest = hmac.new(settings.SECRET_KEY.encode(), email.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:20]).decode()


def seed_offices() -> list[BranchOffice]:
    """The tree of branch offices, in the order of `OFFICES`."""
    offices: list[BranchOffice] = []
    for name, name_en, code, parent in OFFICES:
        offices.append(
            save_office(
                Actor.SYSTEM,
                office=None,
                name=name,
                name_en=name_en,
                region=Region.objects.get(code=code) if code else None,
                parent=None if parent is None else offices[parent],
            )
        )
    return offices


def seed_institutions() -> list[Institution]:
    """The institutions, in the order of `INSTITUTIONS`."""
    return Institution.objects.bulk_create(
        Institution(name=name, name_en=name_en, kind=kind, region_id=region)
        for name, name_en, kind, region in INSTITUTIONS
    )


def seed_accounts(offices: list[BranchOffice], institutions: list[Institution]) -> dict[str, User]:
    """The accounts by e-mail, with second factor where the role needs one."""
    office_of = {office.name: office for office in offices}
    institution_of = {institution.name: institution for institution in institutions}
    users = {}
    # The same for all and known to everybody: once is enough of an act made to be slow.
    password = make_password(PASSWORD)
    for account in ACCOUNTS:
        user = create_account(
            Actor.SYSTEM,
            email=account.email,
            name=account.name,
            role=account.role,
            office=office_of.get(account.tenant),
        )
        user.password = password
        user.save(update_fields=["password"])
        if account.role == Role.INSTITUTION_STAFF:
            InstitutionStaff.objects.create(user=user, institution=institution_of[account.tenant])
        if user.needs_second_factor:
            TOTP.activate(user, totp_secret(account.email))
        users[account.email] = user
    return users
