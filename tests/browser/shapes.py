"""Which pages each person is shown, read from the table of tests/access; the sweeps walk them."""

from dataclasses import dataclass

from tests.access.asking import may_enter, own_rows, url_of
from tests.access.entries import Open
from tests.access.expected import PUBLIC, pages
from tests.access.world import PEOPLE, World

VISITOR = "visitor"
# One person of each role, and the visitor.
WHO = (
    VISITOR,
    "owner_a",
    "coordinator_a",
    "staff_a",
    "system_admin",
    "security_admin",
    "audit_admin",
)
# Not pages: answers to machines, files, and a field that a script puts into a form.
NO_PAGES = {
    "livez",
    "readyz",
    "admin:jsi18n",
    "admin:financing_referral_file",
    "businesses:places",
    "financing:answer_file",
    "financing:run_certificate",
}
# Pages of one's own account look the same for every role.
ONLY_ONCE = ("account_", "mfa_")


@dataclass(frozen=True)
class Shape:
    name: str
    url: str
    is_form: bool


def shapes_for(person: str, world: World) -> list[Shape]:
    """Every page that answers 200 to this person, with rows of the person's own."""
    found = []
    if person == VISITOR:
        for name, entry in PUBLIC.items():
            assert isinstance(entry, Open)
            if entry.visitor == 200 and name not in NO_PAGES:
                rows = tuple(f"={each}" for each in entry.arguments)
                url = url_of(world, name, rows, entry.arguments)
                found.append(Shape(name, url, entry.post == 200))
        return found
    role, _tenants = PEOPLE[person]
    for name, page in pages():
        if name in NO_PAGES or not may_enter(person, page) or page.status("get", role) != 200:
            continue
        if name.startswith(ONLY_ONCE) and person not in ("owner_a", "staff_a"):
            continue
        url = url_of(world, name, page.rows, own_rows(person, page)[0])
        found.append(Shape(name, url, page.status("post", role) == 200))
    if person == "owner_a":
        found.append(Shape("home", "/", False))
    return found
