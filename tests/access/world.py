"""Two complete tenants side by side, everybody who looks at them, and what each may not read.

Tenant `a` lies in Suzhou, `b` in Hangzhou; each has a business with everything that hangs on one,
a bank with offers and referrals, and a branch office. Ids are large numbers of their own, so that
an id of somebody else's row shows in a page as surely as a name does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

from django.db import transaction
from django.test import Client
from django.utils import timezone

from businesses.models import MemberInvitation
from financing.models import Institution, Match, SubsidyRule
from financing.services.referrals import refer_blind
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.notices.models import Notice
from sipo_portal.offices.models import BranchOffice
from sipo_portal.outbox.services import enqueue
from tests.access.insured import (
    make_guarantee_rows,
    make_insurance_offers,
    make_insurance_rows,
)
from tests.access.money_rows import make_money_matches
from tests.access.opened import make_opened
from tests.access.questions import make_questions
from tests.factories.accounts import make_coordinator, make_owner, make_user
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_certificate,
    make_claim,
    make_co_owner,
    make_encumbrance,
    make_member,
    make_patent,
)
from tests.factories.financing import (
    make_institution,
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_run,
    make_staff,
)
from tests.factories.goals import make_goal
from tests.factories.offices import make_office, make_region

TENANTS = ("a", "b")
# Matches of a tenant's business that were referred to the same tenant's bank.
REFERRED = ("referral", "terms_match", "accepted_match", "secured_match", "completed_match")
REGIONS = {"a": ("320500", "320505"), "b": ("330100", "330106")}
OTHER = {"a": "b", "b": "a"}
# Person: role and the tenants whose rows the person sees.
PEOPLE: dict[str, tuple[Role, str]] = {
    "owner_a": (Role.OWNER, "a"),
    "owner_b": (Role.OWNER, "b"),
    "staff_a": (Role.INSTITUTION_STAFF, "a"),
    "staff_b": (Role.INSTITUTION_STAFF, "b"),
    "insurer_a": (Role.INSTITUTION_STAFF, "a"),
    "guarantor_a": (Role.INSTITUTION_STAFF, "a"),
    "coordinator_a": (Role.COORDINATOR, "a"),
    "coordinator_b": (Role.COORDINATOR, "b"),
    "coordinator_above_a": (Role.COORDINATOR, "a"),
    "system_admin": (Role.SYSTEM_ADMIN, "ab"),
    "security_admin": (Role.SECURITY_ADMIN, "ab"),
    "audit_admin": (Role.AUDIT_ADMIN, "ab"),
}
# Where staff works, by the first part of the person's name.
INSTITUTION_KINDS = {"staff": "bank", "insurer": "insurer", "guarantor": "guarantor"}
KINDS = {
    person: INSTITUTION_KINDS[person.partition("_")[0]]
    for person, (role, _tenants) in PEOPLE.items()
    if role == Role.INSTITUTION_STAFF
}
# Rows everybody of the right role sees, whoever they belong to: published offers.
PUBLISHED = {"offer", "insurance_offer"}
SHARED_ROWS = {Role.OWNER: PUBLISHED, Role.COORDINATOR: PUBLISHED}
COORDINATORS = {"a": {"coordinator_a", "coordinator_above_a"}, "b": {"coordinator_b"}}
OWNERS_AND_COORDINATORS = {"owner_a", "owner_b", *COORDINATORS["a"], *COORDINATORS["b"]}
# The one who may read every id, in the audit record, but no name.
AUDITOR = {"audit_admin"}


@dataclass
class World:
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    # Text of a page, and who may meet it.
    secrets: dict[str, frozenset[str]] = field(default_factory=dict)

    def hide(self, seen_by: set[str], *texts: Any) -> None:
        for text in texts:
            self.secrets[str(text)] = frozenset(seen_by)

    def inside(self, key: str) -> set[str]:
        """The side of the tenant's businesses."""
        return {f"owner_{key}"} | COORDINATORS[key]

    def hidden_from(self, person: str) -> list[str]:
        return [text for text, seen_by in self.secrets.items() if person not in seen_by]


def build_world() -> World:
    """Everything in the surrounding transaction."""
    world = World()
    above = make_office("320000", name="江苏办事处", name_en="Jiangsu office")
    shared = _shared_rows(above)
    offices = {
        key: make_office(REGIONS[key][0], parent=above if key == "a" else None) for key in TENANTS
    }
    _people(world, offices, above)
    for key in TENANTS:
        world.rows[key] = {**shared, "office": offices[key]}
        _bank_rows(world, key)
    for key in TENANTS:
        _business_rows(world, key)
        _financing_rows(world, key)
    for name, user in world.people.items():
        client = world.clients[name] = Client()
        client.force_login(user)
    world.clients["visitor"] = Client()
    return world


def _ids(key: str) -> Iterator[int]:
    return count({"a": 8_111_000_001, "b": 8_222_000_001}[key])


_numbers = {key: _ids(key) for key in TENANTS}


def _id(key: str) -> int:
    return next(_numbers[key])


def _shared_rows(office: BranchOffice) -> dict[str, Any]:
    policy = make_policy()
    make_run(policy=policy)
    subsidy = SubsidyRule.objects.create(
        name="示范贴息",
        kind="interest",
        source="示范文件",
        percent_of_base=Decimal(30),
        valid_from=date(2020, 1, 1),
    )
    event = record("office.created", actor=Actor.SYSTEM, obj=office)
    with transaction.atomic():
        message = enqueue("financing.run_matching", {"run_id": 1})
    shared = {"policy": policy, "subsidy": subsidy, "event": event, "message": message}
    return {**shared, "goal": make_goal(office)}


def _people(world: World, offices: dict[str, BranchOffice], above: BranchOffice) -> None:
    for name, (role, tenants) in PEOPLE.items():
        fields = {"name": f"{name} 密山", "email": f"{name}@people.example"}
        key = tenants[0]
        if role == Role.OWNER:
            user = make_owner(id=_id(key), **fields)
        elif role == Role.COORDINATOR:
            user = make_coordinator(above if "above" in name else offices[key], **fields)
        elif role == Role.INSTITUTION_STAFF:
            user = make_staff(_institution(key, KINDS[name]), **fields)
        else:
            user = make_user(role, **fields)
        world.people[name] = user


def _institution(key: str, kind: str) -> Institution:
    names = {"bank": "银行", "insurer": "保险", "guarantor": "担保公司"}
    return make_institution(
        kind, id=_id(key), name=f"密山{key}{names[kind]}", name_en=f"Mishan {key} {kind}"
    )


def _institution_of(world: World, key: str, person: str) -> Institution:
    """That of the person, who is there for one tenant only; the other has one without staff."""
    user = world.people.get(f"{person}_{key}")
    if user is None:
        return _institution(key, INSTITUTION_KINDS[person])
    institution: Institution = user.institution_post.institution
    return institution


def _bank_rows(world: World, key: str) -> None:
    bank = world.people[f"staff_{key}"].institution_post.institution
    staff = f"staff_{key}"
    make_staff(bank, name=f"密山{key}行员", email=f"clerk.{key}@bank.example")
    offers = {
        name: make_loan_offer(bank, id=_id(key), name=f"密山{key}贷{number}")
        for number, name in enumerate(("offer", "offer_2", "offer_3", "offer_4"))
    }
    draft = make_loan_offer(bank, id=_id(key), name=f"密山{key}未发布", status="draft")
    rows = {"draft_offer": draft, "institution": bank}
    world.rows[key] |= {**offers, **rows}
    # Guarantee companies read which loans there are to stand beside.
    public = OWNERS_AND_COORDINATORS | {staff, "guarantor_a"}
    world.hide(public | {"system_admin"}, bank.name, bank.name_en)
    world.hide(public | {"system_admin"} | AUDITOR, bank.pk)
    for offer in offers.values():
        world.hide(public, offer.name)
        world.hide(public | AUDITOR, offer.pk)
    world.hide({staff}, draft.name)
    world.hide({staff} | AUDITOR, draft.pk)
    world.hide(
        {staff, "system_admin", "security_admin"}, f"clerk.{key}@bank.example", f"密山{key}行员"
    )
    new_id, readers = partial(_id, key), OWNERS_AND_COORDINATORS
    world.rows[key] |= make_guarantee_rows(
        world, key, _institution_of(world, key, "guarantor"), new_id, readers=readers
    )
    world.rows[key] |= make_insurance_offers(
        world, key, _institution_of(world, key, "insurer"), new_id, readers=readers
    )


def _business_rows(world: World, key: str) -> None:
    owner, rows = world.people[f"owner_{key}"], world.rows[key]
    region = make_region(REGIONS[key][1])
    business = make_business(
        id=_id(key),
        owner=owner,
        region=region,
        name=f"密山{key}科技有限公司",
        address=f"密山{key}路7号",
        contact_name=f"密山{key}联系",
        contact_phone=f"0512-5550{key}77",
        legal_representative=f"密山{key}法人",
    )
    others = {
        "waiting_business": make_business(
            id=_id(key), owner=owner, region=region, name=f"密山{key}待核公司", status="registered"
        ),
        "suspended_business": make_business(
            id=_id(key), owner=owner, region=region, name=f"密山{key}停用公司", status="suspended"
        ),
        "second_business": make_business(
            id=_id(key), owner=owner, region=region, name=f"密山{key}另一公司"
        ),
    }
    make_certificate(business, number=f"GR{key}密山")
    colleague = make_owner(
        id=_id(key), name=f"密山{key}同事", email=f"colleague.{key}@firm.example"
    )
    stranger = make_owner(name=f"密山{key}生人", email=f"stranger.{key}@firm.example")
    former = make_owner(name=f"密山{key}旧人", email=f"former.{key}@firm.example")
    # Its extract is too old for a referral: an approval asks for a new look at the register.
    patent = make_patent(
        business,
        id=_id(key),
        title=f"密山{key}装置",
        register_extract_on=timezone.localdate() - timedelta(days=60),
    )
    registered = make_patent(
        business, id=_id(key), title=f"密山{key}部件", status="registered", register_extract_on=None
    )
    drafted = make_patent(business, id=_id(key), title=f"密山{key}草稿", status="draft")
    co_owner = make_co_owner(patent, name=f"密山{key}共有公司")
    rows |= others | {
        "business": business,
        "account": colleague,
        "member": make_member(business, colleague, id=_id(key)),
        "former_member": make_member(business, former, id=_id(key), is_active=False),
        "claim": make_claim(business, stranger, id=_id(key), explanation=f"密山{key}账房"),
        "invitation": MemberInvitation.objects.create(
            id=_id(key), business=business, email=f"invited.{key}@firm.example", invited_by=owner
        ),
        "invitation_received": MemberInvitation.objects.create(
            id=_id(key),
            business=make_business(name=f"密山{key}邀请公司", region=region),
            email=owner.email,
            invited_by=stranger,
        ),
        "patent": patent,
        "registered_patent": registered,
        "draft_patent": drafted,
        "appraisal": make_appraisal(
            patent, 5_000_000, id=_id(key), appraiser=f"密山{key}评估", report_number=f"R{key}密山"
        ),
        "encumbrance": make_encumbrance(
            patent, "licence", id=_id(key), holder=f"密山{key}被许可人"
        ),
    }
    _hide_business(world, key, [business, *others.values()], [patent, registered, drafted])
    world.hide({f"owner_{key}"} | COORDINATORS[key], co_owner.name)


def _hide_business(world: World, key: str, businesses: list[Any], patents: list[Any]) -> None:
    rows, owner = world.rows[key], f"owner_{key}"
    inside = {owner} | COORDINATORS[key]
    business = rows["business"]
    for each in businesses:
        world.hide(inside, each.name, each.credit_code)
        world.hide(inside | AUDITOR, each.pk)
    world.hide(
        inside,
        business.address,
        business.contact_name,
        business.contact_phone,
        business.legal_representative,
        f"GR{key}密山",
        f"密山{key}评估",
        f"R{key}密山",
        f"密山{key}被许可人",
    )
    for patent in patents:
        world.hide(inside, patent.application_number, patent.title)
        world.hide(inside | AUDITOR, patent.pk)
    for name in ("member", "former_member", "claim", "appraisal", "encumbrance"):
        world.hide(inside | AUDITOR, rows[name].pk)
    world.hide({owner} | AUDITOR, rows["invitation"].pk, rows["invitation_received"].pk)
    world.hide({owner}, f"invited.{key}@firm.example")
    world.hide(COORDINATORS[key] | {owner}, f"密山{key}邀请公司")
    accounts = {"security_admin"}
    world.hide(inside | accounts, f"密山{key}同事", f"colleague.{key}@firm.example")
    world.hide(inside | accounts, world.people[owner].email, world.people[owner].name)
    world.hide(
        COORDINATORS[key] | accounts,
        f"stranger.{key}@firm.example",
        f"密山{key}账房",
        f"former.{key}@firm.example",
        f"密山{key}旧人",
    )
    world.hide(inside | accounts, f"密山{key}生人")


def _financing_rows(world: World, key: str) -> None:
    rows, other = world.rows[key], world.rows[OTHER[key]]
    business, owner = rows["business"], world.people[f"owner_{key}"]
    coordinator = world.people[f"coordinator_{key}"]
    request = make_loan_request(
        business, [rows["patent"]], id=_id(key), purpose_text=f"密山{key}用途", created_by=owner
    )
    requests = {
        "request": request,
        "draft_request": make_loan_request(
            business, [rows["patent"]], id=_id(key), status="draft", purpose_text=f"密山{key}初稿"
        ),
        "withdrawn_request": make_loan_request(
            business, [rows["patent"]], id=_id(key), status="withdrawn"
        ),
        "submitted_request": make_loan_request(
            rows["second_business"], [], id=_id(key), status="submitted"
        ),
    }
    office = rows["office"]
    run = make_run(
        id=_id(key),
        office=office,
        scope_prefix=office.scope_prefix,
        policy=rows["policy"],
        value=1_000_000,
        bound=1_000_000,
    )
    earlier_run = make_run(
        id=_id(key), office=office, scope_prefix=office.scope_prefix, policy=rows["policy"]
    )
    claimed = {"claimed_by": coordinator, "run": run}
    inside = world.inside(key)
    matches = {
        "match": make_match(request, rows["offer_2"], **claimed),
        "returned_match": make_match(request, rows["offer_3"], status="returned", **claimed),
        "referral": make_match(request, rows["offer_4"], status="referred", **claimed),
        # Under review for the other tenant's bank, which must not know of it.
        "match_elsewhere": make_match(request, other["offer_2"], **claimed),
        "rejected_match": make_match(request, other["offer_3"], status="rejected", **claimed),
    }
    matches |= make_money_matches(
        world, key, claimed, partial(_id, key), region=REGIONS[key][1], inside=inside
    )
    with transaction.atomic():
        for name in REFERRED:
            refer_blind(Actor.of(coordinator), matches[name])
    asked = make_questions(world, key, matches["referral"], row_id=_id(key), inside=inside)
    rows |= (
        requests
        | matches
        | asked
        | {
            "run": run,
            "earlier_run": earlier_run,
            "proposal": make_proposal(request, rows["offer"], id=_id(key), run=run),
        }
    )
    new_id = partial(_id, key)
    rows |= make_insurance_rows(world, key, claimed, new_id)
    rows |= make_opened(world, key, claimed, new_id)
    _hide_financing(world, key, requests, matches)
    _notice(world, key)


def _notice(world: World, key: str) -> None:
    """One notice to the owner, with words nobody else may meet."""
    owner = f"owner_{key}"
    words = {"business": f"密山{key}告知", "institution": {}, "offer": "", "deadline_on": ""}
    notice = Notice.objects.create(
        id=_id(key),
        recipient=world.people[owner],
        kind="interest_declared_owner",
        payload=words,
        path="/requests/",
        event_key=f"notice of {key}",
    )
    world.rows[key]["notice"] = notice
    world.hide({owner}, words["business"])
    world.hide({owner} | AUDITOR, notice.pk)


def _hide_financing(
    world: World, key: str, requests: dict[str, Any], matches: dict[str, Match]
) -> None:
    rows, owner = world.rows[key], f"owner_{key}"
    inside = {owner} | COORDINATORS[key]
    for name, request in requests.items():
        seen_by = {owner} if name == "draft_request" else inside
        world.hide(seen_by | AUDITOR, request.pk)
    world.hide(inside, f"密山{key}用途")
    world.hide({owner}, f"密山{key}初稿")
    world.hide(COORDINATORS[key] | AUDITOR, rows["run"].pk)
    world.hide(inside | AUDITOR, rows["proposal"].pk)
    for name, match in matches.items():
        referred_to = {f"staff_{key}"} if name in REFERRED else set()
        world.hide(inside | referred_to, match.reference)
        world.hide(inside | referred_to | AUDITOR, match.pk)
