"""How the table of `expected.py` is written: pages, and short words for the usual ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sipo_portal.accounts.models import Role

OWNER, STAFF, COORDINATOR = Role.OWNER, Role.INSTITUTION_STAFF, Role.COORDINATOR
SYSTEM, SECURITY, AUDIT = Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN
EVERYBODY = tuple(Role)
NOBODY: tuple[Role, ...] = ()
BOTH = (OWNER, COORDINATOR)
Status = int | Mapping[Role, int]
Absent = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Page:
    """`rows`: one name per argument of the address. `absent`: rows that answer 404 even here.

    `get`, `post`: a status, or one by role.
    """

    roles: tuple[Role, ...]
    rows: tuple[str, ...] = ()
    get: Status = 200
    post: Status = 405
    absent: Absent = ()
    # Staff of these kinds of institutions only; those of others get `elsewhere`.
    kinds: tuple[str, ...] = ()
    elsewhere: int = 403

    def is_for(self, role: Role, kind: str = "") -> bool:
        """May somebody of the role enter, staff of an institution of `kind`?"""
        is_kind = role != Role.INSTITUTION_STAFF or not self.kinds or kind in self.kinds
        return role in self.roles and is_kind

    def status(self, method: str, role: Role) -> int:
        found = self.get if method == "get" else self.post
        return found if isinstance(found, int) else found[role]


@dataclass(frozen=True)
class Open:
    """A public page, or one that looks at more than the role: status by GET for each kind.

    `signed_in`: by role, or one for all. `post`: of an empty form, for everybody.
    """

    visitor: int
    signed_in: Status
    post: int
    arguments: tuple[str, ...] = ()

    def status_for(self, role: Role) -> int:
        return self.signed_in if isinstance(self.signed_in, int) else self.signed_in[role]


def shows(roles: tuple[Role, ...] | Role, *rows: str, get: int = 200, absent: Absent = ()) -> Page:
    """A page to read."""
    return Page(_roles(roles), rows, get=get, absent=absent)


def form(roles: tuple[Role, ...] | Role, *rows: str, absent: Absent = ()) -> Page:
    """A form; posted empty, it is shown again with its errors."""
    return Page(_roles(roles), rows, post=200, absent=absent)


def asks(roles: tuple[Role, ...] | Role, *rows: str, get: int = 200, absent: Absent = ()) -> Page:
    """A page that asks and then acts, or a form that may be posted empty."""
    return Page(_roles(roles), rows, get=get, post=302, absent=absent)


def act(roles: tuple[Role, ...] | Role, *rows: str, get: int = 405, post: int = 302) -> Page:
    """A button: posted only."""
    return Page(_roles(roles), rows, get=get, post=post)


def _roles(roles: tuple[Role, ...] | Role) -> tuple[Role, ...]:
    return (roles,) if isinstance(roles, Role) else roles


Pages = tuple[Page, ...]


def model(app_and_model: str, row: str, **pages: Page | Pages) -> dict[str, Page | Pages]:
    """The admin pages of one model, with the page for deleting that every model has."""
    seen_by = pages["changelist"]
    assert isinstance(seen_by, Page)
    # Nothing is deleted in the admin: forbidden where the row may be seen, else absent.
    delete = Page(seen_by.roles, (row,), get=403, post=403, kinds=seen_by.kinds)
    pages = {"delete": delete, **pages}
    return {f"admin:{app_and_model}_{name}": page for name, page in pages.items()}


def offers(
    kind: str, name: str, row: str, stepping: str, *, step: str = "publish"
) -> dict[str, Page | Pages]:
    """The admin of one kind of offers: for staff of the institutions that post them."""
    return model(
        f"financing_{name}",
        row,
        changelist=at(kind, rows_of(STAFF)),
        add=at(kind, form(STAFF)),
        change=at(kind, form(STAFF, row)),
        step=at(kind, asks(STAFF, stepping, f"={step}", absent=((row, "=nonsense"),))),
    )


def at(kind: str, page: Page, *, elsewhere: int = 403) -> Page:
    """For staff of one kind of institution."""
    return replace(page, kinds=(kind,), elsewhere=elsewhere)


def referred(kind: str, page: Page) -> Page:
    """A referral: to institutions of other kinds it does not exist."""
    return at(kind, page, elsewhere=404)


def step_of(row: str, action: str) -> Page:
    """A referral's step that only asks."""
    return referred("bank", asks(STAFF, row, f"={action}"))


def form_of(row: str, action: str) -> Page:
    """A referral's step that has to be told something."""
    return referred("bank", form(STAFF, row, f"={action}"))


def rows_of(*roles: Role) -> Page:
    """A list of the admin; posted with nothing chosen, it shows itself again."""
    return Page(roles, post=200)


def with_device(get: int, post: int, *, without: tuple[int, int]) -> Page:
    """A page about the second factor: everybody here has one but the owners."""
    return Page(
        EVERYBODY,
        get=dict.fromkeys(EVERYBODY, get) | {OWNER: without[0]},
        post=dict.fromkeys(EVERYBODY, post) | {OWNER: without[1]},
    )
