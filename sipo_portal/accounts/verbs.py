"""What the audit calls the acts of this app."""

from enum import StrEnum


class AccountVerb(StrEnum):
    SIGNED_UP = "account.signed_up"
    CREATED = "account.created"
    CHANGED = "account.changed"
    DEACTIVATED = "account.deactivated"
    REACTIVATED = "account.reactivated"
    SIGNED_IN = "account.signed_in"
    SIGN_IN_FAILED = "account.sign_in_failed"
    LOCKED_OUT = "account.locked_out"
    SIGNED_OUT = "account.signed_out"
    SESSION_ENDED = "account.session_ended"
    PASSWORD_CHANGED = "account.password_changed"
    PASSWORD_RESET = "account.password_reset"
    EMAIL_CONFIRMED = "account.email_confirmed"
    EMAIL_CHANGED = "account.email_changed"
    SECOND_FACTOR_ADDED = "account.second_factor_added"
    SECOND_FACTOR_REMOVED = "account.second_factor_removed"
    SECOND_FACTOR_RESET = "account.second_factor_reset"
    SECOND_FACTOR_FAILED = "account.second_factor_failed"
