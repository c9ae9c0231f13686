"""What the audit calls the acts of this app."""

from enum import StrEnum


class OutboxVerb(StrEnum):
    PARKED = "outbox.parked"
    SENT_AGAIN = "outbox.sent_again"
