"""Who acts: a person or one of the portal's parts; every service takes an `Actor` first."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Actor:
    """`kind` is a role of DOMAIN 2, or clock, matcher, system; `pseudonym` is what the audit keeps.

    `user` is the signed-in user where there is one, for services that store a `_by` column.
    """

    kind: str
    pseudonym: str = ""
    user: Any = None

    CLOCK: ClassVar["Actor"]
    MATCHER: ClassVar["Actor"]
    SYSTEM: ClassVar["Actor"]

    @classmethod
    def of(cls, user: Any) -> "Actor":
        """The actor a signed-in user is; raises ValueError for an anonymous visitor.

        `user` needs `role` and `pseudonym`; its class is in the accounts app, above this one.
        """
        role = getattr(user, "role", "")
        if not role:
            raise ValueError("An anonymous visitor is no actor.")
        return cls(kind=str(role), pseudonym=str(user.pseudonym), user=user)


Actor.CLOCK = Actor("clock")
Actor.MATCHER = Actor("matcher")
Actor.SYSTEM = Actor("system")
