"""What the audit calls the acts of this app."""

from enum import StrEnum


class OfficeVerb(StrEnum):
    CREATED = "office.created"
    CHANGED = "office.changed"
