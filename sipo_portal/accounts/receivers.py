"""Sign-ins and changes of credentials, as Django and allauth tell them: audit, session clock."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from sipo_portal.accounts.models import User
from sipo_portal.accounts.sessions import start_clock
from sipo_portal.accounts.verbs import AccountVerb
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.services import record


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    start_clock(request)
    record(AccountVerb.SIGNED_IN, actor=Actor.of(user), obj=user)


@receiver(user_logged_out)
def _signed_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(AccountVerb.SIGNED_OUT, actor=Actor.of(user), obj=user)


@receiver(user_login_failed)
def _sign_in_failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    # The address typed is not kept: people type passwords there. The account is, where it exists.
    login = str(credentials.get("email") or "").strip().lower()
    record(
        AccountVerb.SIGN_IN_FAILED,
        actor=Actor.SYSTEM,
        obj=User.objects.filter(email=login).first(),
    )


@receiver(account_signals.user_signed_up)
def _signed_up(sender: Any, user: User, **kwargs: Any) -> None:
    record(AccountVerb.SIGNED_UP, actor=Actor.of(user), obj=user, data={"role": user.role})


@receiver(account_signals.password_changed)
@receiver(account_signals.password_set)
def _password_changed(sender: Any, user: User, **kwargs: Any) -> None:
    record(AccountVerb.PASSWORD_CHANGED, actor=Actor.of(user), obj=user)


@receiver(account_signals.password_reset)
def _password_reset(sender: Any, user: User, **kwargs: Any) -> None:
    record(AccountVerb.PASSWORD_RESET, actor=Actor.of(user), obj=user)


@receiver(account_signals.email_confirmed)
def _email_confirmed(sender: Any, email_address: Any, **kwargs: Any) -> None:
    user = email_address.user
    record(AccountVerb.EMAIL_CONFIRMED, actor=Actor.of(user), obj=user)


@receiver(account_signals.email_changed)
def _email_changed(sender: Any, user: User, **kwargs: Any) -> None:
    record(AccountVerb.EMAIL_CHANGED, actor=Actor.of(user), obj=user)


@receiver(mfa_signals.authenticator_added)
def _second_factor_added(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    _second_factor(AccountVerb.SECOND_FACTOR_ADDED, user, authenticator)


@receiver(mfa_signals.authenticator_removed)
def _second_factor_removed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    _second_factor(AccountVerb.SECOND_FACTOR_REMOVED, user, authenticator)


@receiver(mfa_signals.authenticator_reset)
def _second_factor_renewed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    _second_factor(AccountVerb.SECOND_FACTOR_RESET, user, authenticator)


@receiver(mfa_signals.authentication_failed)
def _second_factor_failed(sender: Any, user: User, **kwargs: Any) -> None:
    record(AccountVerb.SECOND_FACTOR_FAILED, actor=Actor.SYSTEM, obj=user)


def _second_factor(verb: AccountVerb, user: User, authenticator: Any) -> None:
    record(verb, actor=Actor.of(user), obj=user, data={"kind": str(authenticator.type)})
