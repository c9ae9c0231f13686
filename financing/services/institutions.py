"""Institutions and the posts of their staff; called by the system administrator's admin pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from financing.models.guarantee_offers import GuaranteeOffer
from financing.models.institutions import Institution, InstitutionStaff
from financing.models.insurance_offers import InsuranceOffer
from financing.models.loan_offers import LoanOffer
from financing.models.offers import OfferStatus
from financing.pair_kinds import KINDS
from financing.verbs import Verb
from sipo_portal.accounts.models import Role, User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import Region
from sipo_portal.outbox.services import enqueue

FIELDS = ("name", "name_en", "kind", "region")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """An account's post at an institution. `place`: the row's name on the page, for messages."""

    email: str
    is_active: bool = True
    place: str = "staff"


@transaction.atomic
def save_institution(
    actor: Actor,
    *,
    name: str,
    kind: str,
    region: Region,
    name_en: str = "",
    posts: Iterable[Post] = (),
    institution_id: int | None = None,
) -> Institution:
    """A new institution, or one changed; then its posts, see `set_posts`.

    Locks the institution. Raises ValidationError by field: a name taken, another kind while it has
    offers (a bank's loan offers cannot become an insurer's).
    """
    values = {"name": name.strip(), "name_en": name_en.strip(), "kind": kind, "region": region}
    institution = (
        Institution()
        if institution_id is None
        else Institution.objects.select_for_update(of=("self",)).get(pk=institution_id)
    )
    before = _recorded(institution)
    if institution_id is not None and kind != institution.kind and _has_offers(institution):
        raise ValidationError({"kind": _("It has offers: their kind of institution is fixed.")})
    for field, value in values.items():
        setattr(institution, field, value)
    institution.full_clean()
    institution.save()
    after = _recorded(institution)
    changed = {
        field: [before[field], after[field]] for field in FIELDS if before[field] != after[field]
    }
    if changed:
        record(Verb.INSTITUTION_CHANGED, actor=actor, obj=institution, data={"changed": changed})
    set_posts(actor, institution=institution, posts=posts)
    return institution


@transaction.atomic
def set_posts(actor: Actor, *, institution: Institution, posts: Iterable[Post]) -> None:
    """Give accounts of institution staff a post at `institution`, or suspend it; others stay.

    An account has one post: it moves here once the old one is inactive. Raises ValidationError
    keyed ``<place>-email`` for an unknown address, another role, a closed account, or a post
    elsewhere. Audited with pseudonyms.
    """
    wanted = list(posts)
    # Locked in one order, so that two administrators do not wait for one another.
    users = {
        user.email: user
        for user in User.objects.select_for_update(of=("self",))
        .filter(email__in=[post.email.strip().lower() for post in wanted])
        .order_by("pk")
    }
    held = {
        post.user_id: post
        for post in InstitutionStaff.objects.filter(user__in=users.values()).select_related(
            "institution"
        )
    }
    faults: dict[str, Any] = {}
    changed = []
    for post in wanted:
        user = users.get(post.email.strip().lower())
        if user is None or user.role != Role.INSTITUTION_STAFF:
            faults[f"{post.place}-email"] = _(
                "There is no account of institution staff with this address. The security "
                "administrator creates accounts."
            )
            continue
        row = held.get(user.pk) or InstitutionStaff(user=user, institution=institution)
        if row.pk and row.institution_id != institution.pk and row.is_active:
            faults[f"{post.place}-email"] = _(
                "This account has a post at another institution. Make that one inactive first."
            )
            continue
        if row.pk and (row.institution_id, row.is_active) == (institution.pk, post.is_active):
            continue
        if post.is_active and not user.is_active:
            faults[f"{post.place}-email"] = _("This account is closed.")
            continue
        row.institution, row.is_active = institution, post.is_active
        changed.append((row, user))
    if faults:
        raise ValidationError(faults)
    for row, _user in changed:
        row.save()
    if changed:
        data = {"posts": [[str(user.pseudonym), row.is_active] for row, user in changed]}
        record(Verb.INSTITUTION_CHANGED, actor=actor, obj=institution, data=data)


def suspend(actor: Actor, *, institution: Institution) -> Institution:
    """Stop every offer of the institution at once; matches under way go on. Safe to repeat."""
    return _set_suspended(actor, institution, True, Verb.INSTITUTION_SUSPENDED)


def reinstate(actor: Actor, *, institution: Institution) -> Institution:
    """Let the institution's published offers be matched again. Safe to repeat."""
    return _set_suspended(actor, institution, False, Verb.INSTITUTION_REINSTATED)


@transaction.atomic
def _set_suspended(
    actor: Actor, institution: Institution, is_suspended: bool, verb: Verb
) -> Institution:
    locked = Institution.objects.select_for_update(of=("self",)).get(pk=institution.pk)
    if locked.is_suspended == is_suspended:
        return locked
    locked.is_suspended = is_suspended
    locked.save(update_fields=["is_suspended"])
    published = {
        kind.match_offer_task: kind.offers._default_manager.filter(
            institution=locked, status=OfferStatus.PUBLISHED
        )
        .order_by("pk")
        .values_list("pk", flat=True)
        for kind in KINDS
    }
    tasks = [(task, offer_id) for task, offers in published.items() for offer_id in offers]
    record(verb, actor=actor, obj=locked, data={"published_offers": len(tasks)})
    # One message per offer: an institution has tens of them, each is matched on its own.
    for task, offer_id in tasks:
        enqueue(task, {"offer_id": offer_id})
    return locked


def _has_offers(institution: Institution) -> bool:
    return any(
        model.objects.filter(institution=institution).exists()
        for model in (LoanOffer, InsuranceOffer, GuaranteeOffer)
    )


def _recorded(institution: Institution) -> dict[str, Any]:
    return {
        "name": institution.name,
        "name_en": institution.name_en,
        "kind": str(institution.kind),
        "region": institution.region_id,
    }
