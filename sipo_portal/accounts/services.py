"""Making, changing and closing accounts; called by the admin, the demo data and the sign-up."""

from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from sipo_portal.accounts.models import Role, User
from sipo_portal.accounts.verbs import AccountVerb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record
from sipo_portal.offices.models import BranchOffice


@transaction.atomic
def create_account(
    actor: Actor,
    *,
    email: str,
    name: str,
    role: str,
    office: BranchOffice | None = None,
    password: str | None = None,
    language: str = "",
) -> User:
    """A new account whose e-mail address counts as confirmed; without password it must be reset.

    Raises ValidationError by field: an address taken, an unknown role, a coordinator without an
    office or an office for somebody else, a password the rules refuse.
    """
    user = User(
        email=email.strip().lower(), name=name.strip(), role=role, office=office, language=language
    )
    user.set_password(password)
    _check(user)
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise ValidationError({"password": error.messages}) from error
    user.save(force_insert=True)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    record(
        AccountVerb.CREATED,
        actor=actor,
        obj=user,
        data={"pseudonym": user.pseudonym, "role": role, "office": office and office.pk},
    )
    return user


@transaction.atomic
def change_account(
    actor: Actor,
    *,
    user: User,
    name: str | None = None,
    role: str | None = None,
    office: BranchOffice | None = None,
) -> User:
    """Change name, role or office of an account; `office` is the office afterwards.

    Locks the account. Raises ValidationError by field; nobody changes their own role.
    """
    locked: User = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if role is not None and role != locked.role and _is_self(actor, locked):
        raise ValidationError({"role": _("You cannot change your own role.")})
    before = {"role": locked.role, "office": locked.office_id}
    changed = [] if name is None or name == locked.name else ["name"]
    locked.name = locked.name if name is None else name.strip()
    locked.role = role or locked.role
    locked.office = office
    _check(locked)
    locked.save(update_fields=["name", "role", "office"])
    after = {"role": locked.role, "office": locked.office_id}
    record(
        AccountVerb.CHANGED,
        actor=actor,
        obj=locked,
        data={"fields": changed, "before": before, "after": after},
    )
    return locked


@transaction.atomic
def deactivate_account(actor: Actor, *, user: User) -> User:
    """Close an account at once: its next request meets the sign-in page. Safe to repeat.

    Raises ValidationError for one's own account.
    """
    if _is_self(actor, user):
        raise ValidationError(_("You cannot close your own account."))
    return _set_active(actor, user, False, AccountVerb.DEACTIVATED)


@transaction.atomic
def reactivate_account(actor: Actor, *, user: User) -> User:
    """Open a closed account again. Safe to repeat."""
    return _set_active(actor, user, True, AccountVerb.REACTIVATED)


@transaction.atomic
def reset_second_factor(actor: Actor, *, user: User) -> int:
    """Remove every authenticator of an account whose device is lost; returns how many.

    At its next request a staff account is sent to the set-up page.
    """
    count: int = Authenticator.objects.filter(user=user).delete()[0]
    record(AccountVerb.SECOND_FACTOR_RESET, actor=actor, obj=user, data={"count": count})
    return count


@transaction.atomic
def set_language(user: User, language: str) -> None:
    """Remember the language a person chose; a preference, hence not audited."""
    User.objects.filter(pk=user.pk).update(language=language)


def _set_active(actor: Actor, user: User, is_active: bool, verb: AccountVerb) -> User:
    locked: User = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if locked.is_active != is_active:
        locked.is_active = is_active
        locked.save(update_fields=["is_active"])
        record(verb, actor=actor, obj=locked, data={})
    return locked


def _check(user: User) -> None:
    if user.role not in Role.values:
        raise ValidationError({"role": _("There is no such role.")})
    if (user.role == Role.COORDINATOR) != (user.office is not None):
        raise ValidationError({"office": _("A coordinator has a branch office, nobody else does.")})
    user.full_clean(exclude=["password"])


def _is_self(actor: Actor, user: User) -> bool:
    return actor.pseudonym != "" and UUID(actor.pseudonym) == user.pseudonym
